//! Reading a policy in YAML.

use std::collections::BTreeMap;

use grammar::reader::{Fields, POLICY, Reader};
use grammar::yaml::{Kind, Node};
use model::{Digest, Finding, Findings, Span, codes, has_errors};

use super::exceptions;
use super::rule::{Field, Form, RULES, Rule};
use crate::exception::Exception;
use crate::facts::licence_choices;

/// Bytes of a word at most: no evaluator takes lines of any length.
const LONGEST: usize = 500;
const FIELDS: &[&str] = &["kind", "name", "description", "rules", "exceptions"];

/// A policy as declared.
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) rules: Vec<Asked>,
    pub(crate) exceptions: Vec<Exception>,
}

/// A rule that a policy has.
pub(crate) struct Asked {
    pub(crate) rule: &'static Rule,
    pub(crate) span: Span,
    /// What its fields hold, with the place of each.
    pub(crate) fields: BTreeMap<&'static str, (Given, Span)>,
}

/// What a field holds.
pub(crate) enum Given {
    Word(&'static str),
    Words(Vec<String>),
    Number(u64),
    Identities(Vec<Identity>),
}

/// Who may have signed. A `*` at the end of `subject` stands for anything.
pub(crate) struct Identity {
    pub(crate) issuer: String,
    pub(crate) subject: String,
}

impl Asked {
    pub(crate) fn word(&self, field: &str) -> Option<&'static str> {
        match self.fields.get(field) {
            Some((Given::Word(word), _)) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn words(&self, field: &str) -> Option<&[String]> {
        match self.fields.get(field) {
            Some((Given::Words(words), _)) => Some(words),
            _ => None,
        }
    }

    pub(crate) fn number(&self, field: &str) -> Option<u64> {
        match self.fields.get(field) {
            Some((Given::Number(number), _)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn identities(&self) -> &[Identity] {
        match self.fields.get("identities") {
            Some((Given::Identities(identities), _)) => identities,
            _ => &[],
        }
    }
}

/// Reads a policy.
pub(crate) fn read(root: &Node) -> Result<Declared, Findings> {
    let mut reader = Reader::default();
    let declared = policy(&mut reader, root);
    let findings = reader.into_findings();
    match declared {
        Some(declared) if !has_errors(&findings) => Ok(declared),
        _ => Err(findings),
    }
}

fn policy(reader: &mut Reader, root: &Node) -> Option<Declared> {
    let fields = reader.fields(root, POLICY, FIELDS)?;
    let kind = reader.required(&fields, "kind", "begin with `kind: policy`");
    kind.and_then(|node| reader.one_of(node, "kind", &["policy"], &[]));
    let name = reader.required(&fields, "name", "give it a name: `name: production`");
    let name = name.and_then(|node| reader.line(node, "name"));
    if let Some(name) = &name
        && (!is_name(&name.value) || name.value.len() > LONGEST)
    {
        reader.bad_value(
            name.span,
            format!("`name` must be letters, digits and single `-`, not {}", grammar::quote(&name.value)),
            "write it like `production`",
        );
    }
    let known: Vec<&'static str> = RULES.iter().map(|rule| rule.name).collect();
    // A policy may do nothing but except from the rules of others.
    if fields.get("exceptions").is_none() {
        reader.required(&fields, "rules", "list what is demanded: `rules: {versions: {pinned: required}}`");
    }
    let rules = match reader.section(&fields, "rules", &known) {
        Some(section) => RULES.iter().filter_map(|rule| asked(reader, &section, rule)).collect(),
        None => Vec::new(),
    };
    let exceptions = exceptions::read(reader, &fields);
    Some(Declared { name: name?.value, rules, exceptions })
}

/// Whether a text can be the name of a policy, and so of a package in Rego.
fn is_name(text: &str) -> bool {
    text.split('-').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
        && text.starts_with(|c: char| c.is_ascii_lowercase())
}

fn asked(reader: &mut Reader, rules: &Fields<'_>, rule: &'static Rule) -> Option<Asked> {
    let pair = rules.pair(rule.name)?;
    let mut asked = Asked { rule, span: pair.key.span, fields: BTreeMap::new() };
    if let (Some(word), Kind::Scalar { .. }) = (rule.word, &pair.value.kind) {
        reader.one_of(&pair.value, rule.name, &[word], &[])?;
        return Some(asked);
    }
    if rule.fields.is_empty() {
        reader.wrong_type(&pair.value, rule.name, "`required`");
        return None;
    }
    let names: Vec<&'static str> = rule.fields.iter().map(|field| field.name).collect();
    let section = reader.section(rules, rule.name, &names)?;
    for field in rule.fields {
        if let Some(pair) = section.pair(field.name)
            && let Some(given) = given(reader, &pair.value, &section.named(field.name), field)
        {
            asked.fields.insert(field.name, (given, pair.key.span));
        }
    }
    if names.iter().all(|name| section.pair(name).is_none() && !section.may_lack(name)) {
        let message = format!("`{}` demands nothing", rule.name);
        reader.missing(pair.key.span, message, &grammar::suggest::there(names));
    }
    Some(asked)
}

/// A word of the author's choice.
fn word(reader: &mut Reader, node: &Node, path: &str) -> Option<String> {
    let line = reader.line(node, path)?;
    if line.value.len() > LONGEST {
        reader.bad_value(line.span, format!("an entry is longer than {LONGEST} bytes"), "shorten it");
        return None;
    }
    Some(line.value)
}

/// One licence, spelt as it is in the alternatives of an SPDX expression, with which it is compared.
fn licence(reader: &mut Reader, node: &Node, path: &str) -> Option<String> {
    let line = reader.line(node, path)?;
    let is_deprecated = spdx::license_id(&line.value).is_some_and(|known| known.is_deprecated());
    if !is_deprecated && licence_choices(&line.value) == Some(vec![vec![line.value.clone()]]) {
        return Some(line.value);
    }
    let message = format!("{} is no licence that SPDX knows", grammar::quote(&line.value));
    let near = grammar::suggest::nearest(&line.value, spdx::identifiers::LICENSES.iter().map(|known| known.name));
    let finding = Finding::error(codes::BAD_VALUE, message).at(line.span);
    reader.add(finding.suggest(near, "write one licence as SPDX does: `MIT`, `GPL-2.0-only`, `LicenseRef-ours`"));
    None
}

fn given(reader: &mut Reader, node: &Node, path: &str, field: &Field) -> Option<Given> {
    match field.form {
        Form::Word(words) => reader.one_of(node, path, words, &[]).map(Given::Word),
        Form::Number(most) => {
            let number = reader.number::<u64>(node, path, &format!("0 to {most}"))?;
            if number.value > most {
                let message = format!("`{path}` is at most {most}, not {}", number.value);
                reader.bad_value(number.span, message, format!("write a number from 0 to {most}"));
                return None;
            }
            Some(Given::Number(number.value))
        }
        Form::Words(known) => {
            let item = format!("{path}[]");
            let read = |reader: &mut Reader, node: &Node| match known {
                [] => word(reader, node, &item),
                known => reader.one_of(node, &item, known, &[]).map(str::to_owned),
            };
            Some(Given::Words(reader.list(node, path).filter_map(|node| read(reader, node)).collect()))
        }
        Form::Digests => {
            let read = |reader: &mut Reader, node: &Node| {
                let line = reader.line(node, path)?;
                if line.value.parse::<Digest>().is_ok() {
                    return Some(line.value);
                }
                let message = format!("{} is no SHA-256 digest", grammar::quote(&line.value));
                reader.bad_value(line.span, message, "write `sha256:` and 64 hexadecimal digits in lower case");
                None
            };
            Some(Given::Words(reader.list(node, path).filter_map(|node| read(reader, node)).collect()))
        }
        Form::Licences => {
            let item = format!("{path}[]");
            Some(Given::Words(reader.list(node, path).filter_map(|node| licence(reader, node, &item)).collect()))
        }
        Form::Identities => {
            let item = "signatures.identities[]";
            let read = |reader: &mut Reader, node: &Node| {
                let fields = reader.fields(node, item, &["issuer", "subject"])?;
                let mut text = |name: &'static str| {
                    let node =
                        reader.required(&fields, name, "an identity is who vouches for it, and its name there")?;
                    word(reader, node, name)
                };
                Some(Identity { issuer: text("issuer")?, subject: text("subject")? })
            };
            let items: Vec<&Node> = reader.list(node, path).collect();
            if items.is_empty() {
                reader.missing(node.span, format!("`{path}` names nobody"), "name an issuer and a subject");
                return None;
            }
            Some(Given::Identities(items.into_iter().filter_map(|node| read(reader, node)).collect()))
        }
    }
}
