//! How the image starts.

use std::collections::BTreeMap;

use grammar::quote;
use grammar::yaml::{Kind, Node};
use model::Spanned;
use model::config::Run;

use super::path::in_image;
use crate::reader::Reader;

pub(super) const FIELDS: &[&str] =
    &["entrypoint", "command", "user", "workdir", "env", "ports", "health", "read_only_root"];

/// Fields that mean nothing yet.
pub(super) const LATER: &[&str] = &["health", "read_only_root"];

pub(super) fn read(reader: &mut Reader, node: &Node) -> Run {
    let Some(fields) = reader.fields(node, "run", FIELDS) else { return Run::default() };
    reader.not_yet(&fields, LATER);
    Run {
        entrypoint: fields.get("entrypoint").map(|node| words(reader, node, "run.entrypoint")).unwrap_or_default(),
        command: fields.get("command").map(|node| words(reader, node, "run.command")).unwrap_or_default(),
        user: fields.get("user").and_then(|node| user(reader, node)),
        workdir: fields.get("workdir").and_then(|node| in_image(reader, node, "run.workdir")),
        env: fields.get("env").map(|node| env(reader, node)).unwrap_or_default(),
        ports: fields.get("ports").map(|node| ports(reader, node)).unwrap_or_default(),
    }
}

/// A command line, one entry a word. A single text would need a shell to split it, and the image has none.
fn words(reader: &mut Reader, node: &Node, path: &str) -> Vec<String> {
    match &node.kind {
        Kind::Scalar { text, .. } => {
            let words: Vec<String> =
                text.split_whitespace().map(|word| quote(word).trim_matches('`').to_owned()).collect();
            let message = format!("`{path}` must be a list, one entry a word: no shell splits a text");
            let finding = model::Finding::error(model::codes::WRONG_TYPE, message).at(node.span);
            let shown: Vec<&str> = words.iter().take(8).map(String::as_str).collect();
            reader.add(finding.help(format!("write `[{}]`", shown.join(", "))));
            Vec::new()
        }
        _ => reader.texts(node, path),
    }
}

fn user(reader: &mut Reader, node: &Node) -> Option<Spanned<u32>> {
    if let Kind::Scalar { text, .. } = &node.kind
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    {
        let message = format!(
            "`run.user` must be numeric, not {}: the image has no account of that name to look up",
            quote(text)
        );
        reader.bad_value(node.span, message, "write a number, such as 65532");
        return None;
    }
    reader.number(node, "run.user", "0 to 4294967295")
}

fn env(reader: &mut Reader, node: &Node) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for pair in reader.map(node, "run.env") {
        let name = &pair.key.value;
        let letters = |b: u8| b.is_ascii_alphabetic() || b == b'_';
        if !name.bytes().next().is_some_and(letters) || !name.bytes().all(|b| letters(b) || b.is_ascii_digit()) {
            let message = format!("{} cannot name an environment variable", quote(name));
            reader.bad_value(pair.key.span, message, "use letters, digits and `_`, not starting with a digit");
            continue;
        }
        if let Some(value) = reader.text(&pair.value, &format!("run.env.{name}")) {
            env.entry(name.to_string()).or_insert(value.value);
        }
    }
    env
}

fn ports(reader: &mut Reader, node: &Node) -> Vec<u16> {
    let mut seen = BTreeMap::new();
    let mut ports = Vec::new();
    for item in reader.list(node, "run.ports") {
        let Some(port) = reader.number::<std::num::NonZeroU16>(item, "run.ports[]", "1 to 65535") else { continue };
        match seen.get(&port.value) {
            Some(first) => reader.duplicate(&format!("the port {}", port.value), port.span, *first),
            None => {
                seen.insert(port.value, port.span);
                ports.push(port.value.get());
            }
        }
    }
    ports
}
