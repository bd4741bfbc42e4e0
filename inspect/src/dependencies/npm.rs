//! Node: `package.json` and `package-lock.json` (npm's documentation, versions 1 to 3).

use std::collections::BTreeSet;

use model::dependencies::Dependency;
use model::inventory::Ecosystem;
use serde_json::{Map, Value};

use super::{Read, commit};

const SECTIONS: [&str; 4] = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

pub(super) fn manifest(text: &str) -> Read {
    let root: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let entries = SECTIONS.iter().filter_map(|name| root.get(*name)?.as_object()).flatten();
    let asked = entries.filter_map(|(name, wanted)| {
        let requirement = wanted.as_str()?.to_owned();
        // A folder of the same tree.
        if requirement.starts_with("file:") || requirement.starts_with("workspace:") {
            return None;
        }
        let version = is_exact(&requirement).then(|| requirement.clone());
        Some(Dependency {
            version,
            requirement: Some(requirement),
            direct: true,
            ..Dependency::new(Ecosystem::Npm, name)
        })
    });
    Ok(asked.collect())
}

/// `1.2.3`, with a prerelease or without, allows nothing else.
fn is_exact(requirement: &str) -> bool {
    let core = requirement.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    let is_one = requirement.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+.".contains(&b));
    is_one
        && numbers.len() == 3
        && numbers.iter().all(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

pub(super) fn lock(text: &str) -> Read {
    let root: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    if let Some(packages) = root.get("packages").and_then(Value::as_object) {
        return Ok(packages_of(packages));
    }
    // Version 1: what each brings along is within it.
    let mut open: Vec<&Map<String, Value>> = root.get("dependencies").and_then(Value::as_object).into_iter().collect();
    let mut found = Vec::new();
    while let Some(entries) = open.pop() {
        for (name, entry) in entries {
            found.push(Dependency { requires: names(entry, "requires"), ..package(name, entry) });
            open.extend(entry.get("dependencies").and_then(Value::as_object));
        }
    }
    found.sort();
    Ok(found)
}

fn packages_of(packages: &Map<String, Value>) -> Vec<Dependency> {
    let direct: BTreeSet<String> = packages
        .iter()
        .filter(|(place, _)| !place.contains("node_modules/"))
        .flat_map(|(_, own)| SECTIONS.iter().flat_map(|section| names(own, section)))
        .collect();
    let found = packages.iter().filter_map(|(place, entry)| {
        // What is elsewhere than in `node_modules` is of the tree itself, and so is what a link leads to.
        let (above, name) = place.rsplit_once("node_modules/")?;
        if entry.get("link").and_then(Value::as_bool) == Some(true) {
            return None;
        }
        let name = entry.get("name").and_then(Value::as_str).unwrap_or(name);
        let package = package(name, entry);
        let direct = above.is_empty() && direct.contains(&package.name);
        let requires = ["dependencies", "optionalDependencies"].iter().flat_map(|section| names(entry, section));
        Some(Dependency { direct, requires: requires.collect(), ..package })
    });
    found.collect()
}

fn package(name: &str, entry: &Value) -> Dependency {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let commit = || commit(&text("resolved")?);
    Dependency {
        version: text("version"),
        digest: text("integrity").or_else(commit),
        licence: text("license"),
        ..Dependency::new(Ecosystem::Npm, name)
    }
}

fn names(entry: &Value, section: &str) -> Vec<String> {
    entry.get(section).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone()).collect()
}
