//! How the image starts.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use grammar::quote;
use grammar::yaml::{Kind, Node};
use model::Spanned;
use model::config::{Health, Run};

use super::path::in_image;
use grammar::reader::Reader;

pub(super) const FIELDS: &[&str] =
    &["entrypoint", "command", "user", "workdir", "env", "ports", "health", "read_only_root"];

pub(super) const HEALTH_FIELDS: &[&str] = &["http", "port"];
const PORTS: &str = "1 to 65535";

pub(super) fn read(reader: &mut Reader, node: &Node) -> Run {
    let Some(fields) = reader.fields(node, "run", FIELDS) else { return Run::default() };
    Run {
        entrypoint: fields.get("entrypoint").map(|node| words(reader, node, "run.entrypoint")).unwrap_or_default(),
        command: fields.get("command").map(|node| words(reader, node, "run.command")).unwrap_or_default(),
        user: fields.get("user").and_then(|node| user(reader, node)),
        workdir: fields.get("workdir").and_then(|node| in_image(reader, node, "run.workdir")),
        env: fields.get("env").map(|node| env(reader, node)).unwrap_or_default(),
        ports: fields.get("ports").map(|node| ports(reader, node)).unwrap_or_default(),
        health: fields.get("health").and_then(|node| health(reader, node)),
        read_only_root: fields
            .get("read_only_root")
            .and_then(|node| reader.boolean(node, "run.read_only_root"))
            .unwrap_or_default(),
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
        let Some(port) = reader.number::<NonZeroU16>(item, "run.ports[]", PORTS) else { continue };
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

fn health(reader: &mut Reader, node: &Node) -> Option<Health> {
    let fields = reader.fields(node, "run.health", HEALTH_FIELDS)?;
    let http = reader.required(&fields, "http", "name the path that answers: `http: /health`");
    let http = http.and_then(|node| request_path(reader, node));
    let port = reader.required(&fields, "port", "name the port that answers: `port: 8000`");
    let port = port.and_then(|node| reader.number::<NonZeroU16>(node, "run.health.port", PORTS));
    Some(Health { http: http?, port: port?.value.get() })
}

/// What a request line may ask for: a path from the root, escaped where that is needed.
fn request_path(reader: &mut Reader, node: &Node) -> Option<String> {
    let text = reader.text(node, "run.health.http")?;
    let written_out = text.value.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    if !text.value.starts_with('/') || !written_out {
        let message =
            format!("`run.health.http` must be a path of a request that starts with `/`, not {}", quote(&text.value));
        reader.bad_value(text.span, message, "write it as `/health`; escape what a path cannot hold: `%20`");
        return None;
    }
    Some(text.value)
}
