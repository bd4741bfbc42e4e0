//! Typed access to the tree; everything that does not fit becomes a finding once.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use model::{Finding, Findings, Span, Spanned, codes};

use crate::suggest::{choice, choose, nearest, there};
use crate::yaml::{Kind, Node, Pair};
use crate::{Report, quote};

/// The path of a whole template, where an empty one is that of a whole image.
pub const TEMPLATE: &str = "template";
/// The path of a whole policy.
pub const POLICY: &str = "policy";

/// What is known of the fields of a kind of documents, for the help of findings.
pub trait Fieldbook {
    /// The part in which a field belongs that was found in the part at `path`, and is none there.
    fn home(&self, path: &str, field: &str) -> Option<&'static str>;

    /// The fields of a part that mean nothing yet.
    fn later(&self, path: &str) -> &'static [&'static str];
}

impl Fieldbook for () {
    fn home(&self, _: &str, _: &str) -> Option<&'static str> {
        None
    }

    fn later(&self, _: &str) -> &'static [&'static str] {
        &[]
    }
}

/// Collects findings while a tree is read.
pub struct Reader {
    report: Report,
    book: &'static dyn Fieldbook,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new(&())
    }
}

/// The fields of a map, by name; the first where one is given twice.
pub struct Fields<'n> {
    pairs: BTreeMap<&'n str, &'n Pair>,
    /// What misspelt fields were probably meant to be: it is not missing.
    meant: BTreeSet<&'static str>,
    /// Where the map is: `run`; empty for the whole configuration.
    pub path: &'static str,
    /// Where the map is said to lack something.
    place: Span,
    /// A part of the map could not be read, so that something missing may have been there.
    broken: bool,
}

impl Reader {
    /// A reader that found nothing so far.
    pub fn new(book: &'static dyn Fieldbook) -> Self {
        Self { report: Report::default(), book }
    }

    /// Everything that was found.
    pub fn into_findings(self) -> Findings {
        self.report.into_findings()
    }

    /// Whether nothing was found so far.
    pub fn is_clean(&self) -> bool {
        self.report.findings().is_empty()
    }

    /// Adds a finding of the caller's own.
    pub fn add(&mut self, finding: Finding) {
        self.report.add(finding);
    }

    /// Where its findings are collected.
    pub fn report(&mut self) -> &mut Report {
        &mut self.report
    }

    /// A value that is of the right type and cannot be.
    pub fn bad_value(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.add(Finding::error(codes::BAD_VALUE, message).at(span).help(help));
    }

    /// A map with these fields and no others.
    pub fn fields<'n>(&mut self, node: &'n Node, path: &'static str, known: &[&'static str]) -> Option<Fields<'n>> {
        let Kind::Map(pairs) = &node.kind else {
            self.wrong_type(node, path, "a map");
            return None;
        };
        let place = pairs.first().map_or(node.span, |pair| pair.key.span); // where its own key is not known
        let mut fields =
            Fields { pairs: BTreeMap::new(), meant: BTreeSet::new(), path, place, broken: node.is_broken() };
        let readable = |pair: &&Pair| pair.value.kind != Kind::Error;
        fields.broken |= !pairs.iter().all(|pair| readable(&pair));
        let (there, unknown): (Vec<&Pair>, Vec<&Pair>) =
            pairs.iter().filter(readable).partition(|pair| known.contains(&pair.key.value.as_str()));
        for pair in there {
            fields.pairs.entry(&pair.key.value).or_insert(pair);
        }
        for pair in unknown {
            let near = nearest(&pair.key.value, known.iter().copied());
            let taken = near.is_some_and(|near| fields.pairs.contains_key(near) || fields.meant.contains(near));
            self.unknown(pair, path, known, near, taken);
            fields.meant.extend(near);
        }
        Some(fields)
    }

    /// The fields of a map that is itself a field; what it lacks is missing at its key.
    pub fn section<'n>(
        &mut self,
        fields: &Fields<'n>,
        name: &'static str,
        known: &[&'static str],
    ) -> Option<Fields<'n>> {
        let pair = fields.pair(name)?;
        let section = self.fields(&pair.value, name, known)?;
        Some(Fields { place: pair.key.span, ..section })
    }

    /// The entries of a map whose keys the author chooses, in the order written.
    pub fn map<'n>(&mut self, node: &'n Node, path: &str) -> impl Iterator<Item = &'n Pair> + use<'n> {
        let pairs = match &node.kind {
            Kind::Map(pairs) => pairs.as_slice(),
            _ => {
                self.wrong_type(node, path, "a map");
                &[]
            }
        };
        pairs.iter().filter(|pair| pair.value.kind != Kind::Error)
    }

    /// A field there is not. Where the `near` one is `taken`, the two must be put together by hand.
    fn unknown(&mut self, pair: &Pair, path: &str, known: &[&str], near: Option<&str>, taken: bool) {
        if self.report.is_full() {
            return;
        }
        let message = format!("there is no field {} in {}", quote(&pair.key.value), named(path));
        let finding = Finding::error(codes::UNKNOWN_FIELD, message).at(pair.key.span);
        let fields = || there(known.iter().copied().filter(|name| !self.book.later(path).contains(name)));
        let home = self.book.home(path, &pair.key.value);
        self.add(match (near, home) {
            (Some(near), _) if taken => {
                finding.help(format!("did you mean `{near}`? That is given already: make one of both"))
            }
            // It is a field's name, if not of this one.
            (Some(near), Some(home)) => finding.help(format!("it belongs under `{home}`, or did you mean `{near}`?")),
            (Some(_), None) => finding.meant(near, &fields()),
            (None, Some(home)) => finding.help(format!("it belongs under `{home}`")),
            (None, None) => finding.help(fields()),
        });
    }

    /// The field's value; a finding if it is missing.
    pub fn required<'n>(&mut self, fields: &Fields<'n>, name: &'static str, help: &str) -> Option<&'n Node> {
        let found = fields.get(name);
        if found.is_none() && !fields.may_lack(name) {
            let message = match fields.path {
                "" => format!("`{name}` is missing"),
                path => format!("`{name}` is missing in {}", named(path)),
            };
            self.missing(fields.place, message, help);
        }
        found
    }

    /// Says that something must be there.
    pub fn missing(&mut self, place: Span, message: impl Into<String>, help: &str) {
        self.add(Finding::error(codes::MISSING_FIELD, message).at(place).help(help));
    }

    /// Refuses fields that mean nothing yet.
    pub fn not_yet(&mut self, fields: &Fields<'_>, names: &[&str]) {
        for pair in names.iter().filter_map(|name| fields.pairs.get(name)) {
            let name = match fields.path {
                "" => pair.key.value.to_string(),
                path => format!("{path}.{}", pair.key.value),
            };
            self.not_supported(pair.key.span, &format!("`{name}`"));
        }
    }

    /// Something that means nothing yet.
    pub fn not_supported(&mut self, span: Span, what: &str) {
        let message = format!("{what} is not supported yet");
        self.add(
            Finding::error(codes::NOT_SUPPORTED_YET, message)
                .at(span)
                .help("remove it: nothing is built that would honour it"),
        );
    }

    /// A text: any scalar, exactly as written.
    pub fn text(&mut self, node: &Node, path: &str) -> Option<Spanned<String>> {
        let Kind::Scalar { text, .. } = &node.kind else {
            self.wrong_type(node, path, "a text");
            return None;
        };
        if let Some(c) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            let message = format!("{} holds the control character U+{:04X}", named(path), u32::from(c));
            self.bad_value(node.span, message, "remove the escape that writes it");
            return None;
        }
        Some(Spanned::new(text.to_string(), node.span))
    }

    /// A text on one line that is not empty.
    pub fn line(&mut self, node: &Node, path: &str) -> Option<Spanned<String>> {
        let text = self.text(node, path)?;
        if text.value.trim().is_empty() || text.value.contains('\n') {
            self.bad_value(text.span, format!("{} must be one line of text", named(path)), "write it on one line");
            return None;
        }
        Some(text)
    }

    /// The entries of a list that could be read.
    pub fn list<'n>(&mut self, node: &'n Node, path: &str) -> impl Iterator<Item = &'n Node> + use<'n> {
        let items = match &node.kind {
            Kind::List(items) => items.as_slice(),
            _ => {
                self.wrong_type(node, path, "a list");
                &[]
            }
        };
        items.iter().filter(|item| item.kind != Kind::Error)
    }

    /// A list of texts.
    pub fn texts(&mut self, node: &Node, path: &str) -> Vec<String> {
        let item_path = format!("{path}[]");
        self.list(node, path).filter_map(|item| self.text(item, &item_path)).map(|text| text.value).collect()
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, node: &Node, path: &str) -> Option<bool> {
        match &node.kind {
            Kind::Scalar { text, plain: true } if matches!(text.as_str(), "true" | "True" | "TRUE") => Some(true),
            Kind::Scalar { text, plain: true } if matches!(text.as_str(), "false" | "False" | "FALSE") => Some(false),
            _ => {
                self.wrong_type(node, path, "`true` or `false`");
                None
            }
        }
    }

    /// A decimal number in a range.
    pub fn number<N: FromStr>(&mut self, node: &Node, path: &str, range: &str) -> Option<Spanned<N>> {
        let text = self.text(node, path)?;
        // a leading zero means octal to some readers of YAML
        let digits = text.value.strip_prefix('-').unwrap_or(&text.value);
        let decimal = digits == "0" || digits.starts_with(|c: char| matches!(c, '1'..='9'));
        match text.value.parse() {
            Ok(number) if decimal => Some(Spanned::new(number, text.span)),
            _ => {
                let message = format!("{} must be a number from {range}, not {}", named(path), quote(&text.value));
                self.bad_value(text.span, message, format!("write a whole number from {range}"));
                None
            }
        }
    }

    /// One of `accepted`. Any of `later` is not supported yet.
    pub fn one_of(
        &mut self,
        node: &Node,
        path: &str,
        accepted: &[&'static str],
        later: &[&str],
    ) -> Option<&'static str> {
        let text = self.text(node, path)?;
        if let Some(found) = accepted.iter().find(|name| **name == text.value) {
            return Some(found);
        }
        if later.contains(&text.value.as_str()) {
            self.not_supported(text.span, &format!("{} `{}`", named(path), text.value));
            return None;
        }
        let message = format!("{} must be {}, not {}", named(path), choice(accepted), quote(&text.value));
        let all = accepted.iter().copied().chain(later.iter().copied());
        let finding =
            choose(Finding::error(codes::BAD_VALUE, message).at(text.span), nearest(&text.value, all), accepted);
        // In a list the right word may stand already.
        let fix = finding.fix.clone().filter(|_| !path.ends_with("[]"));
        self.add(Finding { fix, ..finding });
        None
    }

    /// Says that something is there already.
    pub fn duplicate(&mut self, what: &str, span: Span, first: Span) {
        let message = format!("{what} is listed twice");
        let finding = Finding::error(codes::DUPLICATE_ENTRY, message).at(span);
        self.add(finding.label(first, "listed here first").help("remove one of the two, or make one of both"));
    }

    /// A value of another type.
    pub fn wrong_type(&mut self, node: &Node, path: &str, expected: &str) {
        let found = match &node.kind {
            Kind::Error => return, // has its finding
            Kind::Scalar { text, plain: true } => format!("found {}", quote(text)),
            Kind::Scalar { text, plain: false } => format!("found {} in quotes", quote(text)),
            Kind::List(_) => "found a list".to_owned(),
            Kind::Map(_) => "found a map".to_owned(),
            Kind::Null => "found no value".to_owned(),
        };
        let help = match (&node.kind, expected) {
            (Kind::Null, _) => "give it a value, or leave it out".to_owned(),
            (Kind::Scalar { text, .. }, "a list") => format!("write `[{}]`", quote(text).trim_matches('`')),
            (_, "a list") => "write one entry a line, each after `- `".to_owned(),
            (_, "a map") => "write `name: value`, one a line".to_owned(),
            (_, "a text") => "write one value; quote it if it holds special characters".to_owned(),
            _ => format!("write {expected}"),
        };
        let message = format!("{} must be {expected}: {found}", named(path));
        let finding = Finding::error(codes::WRONG_TYPE, message).at(node.span).help(help);
        self.add(match (&node.kind, expected) {
            (Kind::Scalar { text, .. }, "a list") if is_plain(text) && !text.contains(char::is_whitespace) => {
                finding.replace_by(format!("[{text}]"))
            }
            (Kind::Scalar { text, .. }, "`true` or `false`") if matches!(text.as_str(), "true" | "false") => {
                finding.replace_by(text.as_str())
            }
            _ => finding,
        });
    }
}

/// Whether a text is the same without quotes, between brackets as well.
fn is_plain(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_'));
    let inner = |c: char| c.is_ascii_alphanumeric() || "._-+=<>~/ ".contains(c);
    starts && text.chars().all(inner) && !text.ends_with(' ') && !text.eq_ignore_ascii_case("null")
}

/// How messages name a place: nothing is the whole, `x[]` an entry of a list.
pub fn named(path: &str) -> String {
    match path.strip_suffix("[]") {
        Some(list) => format!("an entry of `{list}`"),
        None if path.is_empty() => "an image configuration".to_owned(),
        None if path == TEMPLATE || path == POLICY => format!("a {path}"),
        None => format!("`{path}`"),
    }
}

impl<'n> Fields<'n> {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.pairs.get(name).map(|pair| &pair.value)
    }

    /// A field with the section it stands in, `source.tools`.
    pub fn named(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// A field's name and value.
    pub fn pair(&self, name: &str) -> Option<&'n Pair> {
        self.pairs.get(name).copied()
    }

    /// Where a field's name stands.
    pub fn key(&self, name: &str) -> Option<Span> {
        self.pairs.get(name).map(|pair| pair.key.span)
    }

    /// Whether a field may be there and could not be read.
    pub fn may_lack(&self, name: &str) -> bool {
        self.broken || self.meant.contains(name)
    }

    /// Something else stands for what is missing here.
    pub fn excuse(&mut self) {
        self.broken = true;
    }
}
