//! Node packages: `package.json` directly in a package's directory, as npm and Debian lay them out. Such files deeper in a package
//! only say how its modules are loaded.

use model::TreePath;
use model::inventory::{Ecosystem, Found};
use serde_json::Value;

use super::{Told, file_name, line, parent, said};

/// Directories that hold packages.
const HOLDERS: [&[u8]; 2] = [b"node_modules", b"nodejs"];

pub(super) fn is_package(path: &[u8]) -> bool {
    if file_name(path) != b"package.json" {
        return false;
    }
    let Some((_, above)) = parent(path) else { return false };
    let is_scope = file_name(above).starts_with(b"@");
    let above = if is_scope { parent(above).map_or(&b""[..], |_| directory(above)) } else { above };
    HOLDERS.contains(&file_name(above))
}

/// The directory a path lies in.
fn directory(path: &[u8]) -> &[u8] {
    let at = path.iter().rposition(|b| *b == b'/').unwrap_or(0);
    path.get(..at).unwrap_or_default()
}

pub(super) fn package(path: &TreePath, text: &[u8]) -> Told {
    let document: Value = match serde_json::from_slice(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)) {
        Ok(document) => document,
        Err(error) => return Told::unread(format!("it is no JSON: {error}")),
    };
    let field = |name: &str| document.get(name);
    let written = |name: &str| field(name).and_then(Value::as_str).and_then(said);
    let Some(whole) = field("name").and_then(Value::as_str).and_then(line).filter(|name| !name.ends_with('/')) else {
        return Told::unread("it names no package");
    };
    let (namespace, name) = match whole.split_once('/') {
        Some((scope, name)) if scope.starts_with('@') => (Some(scope.to_owned()), name.to_owned()),
        _ => (None, whole),
    };
    let requires = field("dependencies").and_then(Value::as_object).into_iter().flatten();
    let requires = requires.filter_map(|(name, range)| Some(format!("{name}@{}", range.as_str()?))).collect();
    Told::one(Found {
        namespace,
        version: written("version"),
        licence: licence(&document),
        supplier: field("author").and_then(person),
        homepage: written("homepage"),
        description: written("description"),
        requires,
        ..Found::new(Ecosystem::Npm, name, path)
    })
}

/// `license` as a text, or as packages once wrote it: an object with a type, or a list of those.
fn licence(document: &Value) -> Option<String> {
    let one = |value: &Value| value.as_str().or_else(|| value.get("type")?.as_str()).and_then(said);
    if let Some(licence) = document.get("license").and_then(one) {
        return Some(licence);
    }
    let listed = document.get("licenses").or_else(|| document.get("license"))?.as_array()?;
    let names: Vec<String> = listed.iter().filter_map(one).collect();
    (!names.is_empty()).then(|| names.join(" OR "))
}

fn person(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value.get("name")?.as_str()).and_then(said)
}
