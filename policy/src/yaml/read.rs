//! Reading a policy in YAML.

use std::collections::BTreeMap;

use grammar::reader::{Fields, POLICY, Reader};
use grammar::yaml::{Kind, Node};
use model::{Findings, Span, has_errors};

use super::exceptions;
use super::rule::{Field, Form, RULES, Rule};
use crate::exception::Exception;

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
    reader.required(&fields, "rules", "list what is demanded: `rules: {versions: {pinned: required}}`");
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

fn given(reader: &mut Reader, node: &Node, path: &str, field: &Field) -> Option<Given> {
    match field.form {
        Form::Word(words) => reader.one_of(node, path, words, &[]).map(Given::Word),
        Form::Number => reader.number(node, path, "0 to 1000000").map(|number| Given::Number(number.value)),
        Form::Words(known) => {
            let item = format!("{path}[]");
            let read = |reader: &mut Reader, node: &Node| match known {
                [] => word(reader, node, &item),
                known => reader.one_of(node, &item, known, &[]).map(str::to_owned),
            };
            Some(Given::Words(reader.list(node, path).filter_map(|node| read(reader, node)).collect()))
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
            Some(Given::Identities(reader.list(node, path).filter_map(|node| read(reader, node)).collect()))
        }
    }
}
