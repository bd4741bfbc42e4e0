use std::path::Path;

use files::input;
use grammar::reader::Reader;
use grammar::yaml::Node;
use model::{Finding, Findings, Sources};
use reqwest::Url;

use crate::project;
use crate::report::Failure;

/// Bytes of the file.
const LARGEST: u64 = 1 << 20;

/// What a text from outside starts with where it is kept in a variable.
const VARIABLE: &str = "env://";

/// What somebody is told, and how.
pub(super) struct Webhook {
    pub(super) url: Url,
    pub(super) form: Form,
    /// What signs the body.
    pub(super) secret: Option<String>,
    /// What lets us in.
    pub(super) token: Option<String>,
}

impl Webhook {
    /// Who that is, without what may be a secret.
    pub(super) fn server(&self) -> Url {
        let mut url = self.url.clone();
        url.set_path("");
        url
    }
}

/// In which words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Registration,
    Slack,
}

const FORMS: [(&str, Form); 3] = [("json", Form::Json), ("registration", Form::Registration), ("slack", Form::Slack)];

/// Reads `webhooks.yaml`.
pub(super) fn read(path: &Path, plain_http: bool) -> Result<Vec<Webhook>, Failure> {
    let bytes = input::read(path, LARGEST).map_err(|e| project::unreadable(path, &e))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut sources = Sources::default();
    let source = sources.add(path.display().to_string(), text.as_str());
    let parsed = grammar::yaml::parse(source, &text);
    let mut reader = Reader::default();
    parsed.findings.into_iter().for_each(|finding| reader.add(finding));
    let hooks = parsed.root.as_ref().map(|root| hooks(&mut reader, root, plain_http)).unwrap_or_default();
    let findings: Findings = reader.into_findings().into_iter().map(|finding| unshown(finding, &text)).collect();
    if findings.is_empty() { Ok(hooks) } else { Err(findings.into()) }
}

fn hooks(reader: &mut Reader, root: &Node, plain_http: bool) -> Vec<Webhook> {
    let Some(fields) = reader.fields(root, "", &["webhooks"]) else { return Vec::new() };
    let Some(list) = reader.required(&fields, "webhooks", "list them: `webhooks: [{url: …, form: json}]`") else {
        return Vec::new();
    };
    let items: Vec<&Node> = reader.list(list, "webhooks").collect();
    items.into_iter().filter_map(|item| hook(reader, item, plain_http)).collect()
}

fn hook(reader: &mut Reader, node: &Node, plain_http: bool) -> Option<Webhook> {
    let fields = reader.fields(node, "webhooks[]", &["url", "form", "secret", "token"])?;
    let url = reader.required(&fields, "url", "say who is told: `url: https://hooks.example/release`");
    let url = url.and_then(|node| address(reader, node, plain_http));
    let names = FORMS.map(|(name, _)| name);
    let form = reader.required(&fields, "form", "say in which words: `form: json`");
    let form = form.and_then(|node| reader.one_of(node, "webhooks[].form", &names, &[]));
    let form = form.and_then(|name| FORMS.iter().find(|(known, _)| *known == name).map(|(_, form)| *form));
    let mut kept = |name| fields.get(name).map(|node| variable(reader, node, &fields.named(name)));
    let (secret, token) = (kept("secret"), kept("token"));
    // One that is named and not there is a mistake, and not the same as none.
    let there = |kept: Option<Option<String>>| kept.map_or(Some(None), |text| text.map(Some));
    Some(Webhook { url: url?, form: form?, secret: there(secret)?, token: there(token)? })
}

/// An address may be a secret itself, and in a variable then; findings show none of it.
fn address(reader: &mut Reader, node: &Node, plain_http: bool) -> Option<Url> {
    let written = reader.line(node, "webhooks[].url")?;
    let text = match written.value.strip_prefix(VARIABLE) {
        Some(_) => variable(reader, node, "webhooks[].url")?,
        None => written.value,
    };
    let may_be_asked = |url: &Url| {
        let is_open = plain_http || net::is_local(url);
        url.scheme() == "https" || url.scheme() == "http" && is_open
    };
    let url = Url::parse(&text).ok().filter(may_be_asked);
    if url.is_none() {
        let help = "write an https address, or `env://NAME`; http is for this machine, or needs `--plain-http`";
        reader.bad_value(written.span, "this is no address that can be told", help);
    }
    url
}

/// A finding that names its line and does not show it: there may be a secret in it.
fn unshown(finding: Finding, text: &str) -> Finding {
    let before = finding.span.and_then(|span| text.get(..span.start as usize));
    let bare = Finding { span: None, labels: Vec::new(), fix: None, ..finding };
    match before {
        Some(before) => bare.because(format!("line {} of the list of webhooks", before.matches('\n').count() + 1)),
        None => bare,
    }
}

/// What a variable of the environment holds. Secrets stand in no file, and one that does all the same is not shown.
fn variable(reader: &mut Reader, node: &Node, path: &str) -> Option<String> {
    let written = reader.line(node, path)?;
    let name = written.value.strip_prefix(VARIABLE);
    let text = name.and_then(|name| std::env::var(name).ok()).filter(|text| !text.is_empty());
    if text.is_none() {
        let message = match name {
            Some(name) => format!("the environment has no {}", grammar::quote(name)),
            None => format!("{} has to be in the environment, not in a file", grammar::reader::named(path)),
        };
        reader.bad_value(written.span, message, "put it in a variable, and write `env://NAME`");
    }
    text
}
