//! Node: `package.json` and `package-lock.json` (npm's documentation, versions 1 to 3).

use std::collections::BTreeSet;

use model::dependencies::Dependency;
use model::inventory::Ecosystem;
use serde_json::{Map, Value};

use super::{Contents, Read, commit};

const SECTIONS: [&str; 4] = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
/// Ways to name a folder of the same tree.
const FOLDERS: [&str; 3] = ["file:", "link:", "workspace:"];
/// How deep packages may lie in each other that came with the outermost.
const DEPTH: usize = 64;

pub(super) fn manifest(text: &str) -> Read {
    let root: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let entries = SECTIONS.iter().filter_map(|name| root.get(*name)?.as_object()).flatten();
    let asked = entries.filter_map(|(name, wanted)| {
        let wanted = wanted.as_str().filter(|wanted| !is_folder(wanted))?;
        let (name, requirement) = real(name, wanted);
        let exact = requirement.trim_start_matches(['=', 'v', ' ']);
        Some(Dependency {
            version: is_exact(exact).then(|| exact.to_owned()),
            requirement: Some(requirement.to_owned()),
            digest: commit(requirement),
            direct: true,
            ..Dependency::new(Ecosystem::Npm, name)
        })
    });
    Ok(asked.collect())
}

pub(super) fn is_folder(wanted: &str) -> bool {
    FOLDERS.iter().any(|kind| wanted.starts_with(kind))
}

/// The package that is meant by a name, which may be another for it, and what is wanted of it: `npm:name@wanted`.
pub(super) fn real<'t>(name: &'t str, wanted: &'t str) -> (&'t str, &'t str) {
    match wanted.strip_prefix("npm:") {
        Some(real) if real.starts_with(|c: char| c == '@' || c.is_ascii_alphabetic()) => parts(real),
        _ => (name, wanted),
    }
}

/// `name@wanted`; the name may begin with that sign too.
pub(super) fn parts(text: &str) -> (&str, &str) {
    let sign = text.match_indices('@').find(|(at, _)| *at > 0);
    let parts = sign.and_then(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)));
    parts.unwrap_or((text, ""))
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
    Ok(Contents { direct_unknown: true, ..version_1(&root).into_iter().collect() })
}

/// In version 1 of the format, what a package brings along is within it.
fn version_1(root: &Value) -> Vec<Dependency> {
    let mut open: Vec<(&Value, Option<String>)> = vec![(root, None)];
    let mut found = Vec::new();
    while let Some((above, above_digest)) = open.pop() {
        for (name, entry) in above.get("dependencies").and_then(Value::as_object).into_iter().flatten() {
            let written = entry.get("version").and_then(Value::as_str);
            let (name, version) = real(name, written.unwrap_or_default());
            let package = package(name, entry);
            let bundle = || above_digest.clone().filter(|_| is(entry, "bundled"));
            let digest = package.digest.or_else(|| commit(version)).or_else(bundle);
            open.push((entry, digest.clone()));
            if !is_folder(version) {
                let (version, requires) = (written.map(|_| version.to_owned()), names(entry, "requires"));
                found.push(Dependency { version, digest, requires, ..package });
            }
        }
    }
    found.sort();
    found
}

fn packages_of(packages: &Map<String, Value>) -> Contents {
    let direct: BTreeSet<String> = packages
        .iter()
        .filter(|(place, _)| !place.contains("node_modules/"))
        .flat_map(|(_, own)| SECTIONS.iter().flat_map(|section| names(own, section)))
        .collect();
    let found = packages.iter().filter_map(|(place, entry)| {
        // What is elsewhere than in `node_modules` is of the tree itself, and so is what a link leads to.
        let (above, name) = place.rsplit_once("node_modules/")?;
        if is(entry, "link") {
            return None;
        }
        let name = entry.get("name").and_then(Value::as_str).unwrap_or(name);
        let package = package(name, entry);
        let digest = package.digest.or_else(|| bundle(packages, place));
        let direct = !above.contains("node_modules/") && direct.contains(&package.name);
        let requires = ["dependencies", "optionalDependencies"].iter().flat_map(|section| names(entry, section));
        Some(Dependency { direct, digest, requires: requires.collect(), ..package })
    });
    found.collect()
}

/// The digest of the outermost package that the one at a place came with.
fn bundle(packages: &Map<String, Value>, place: &str) -> Option<String> {
    let places = std::iter::successors(Some(place), |place| Some(place.rsplit_once("/node_modules/")?.0));
    let outermost = places.take(DEPTH).find_map(|place| packages.get(place).filter(|entry| !is(entry, "inBundle")))?;
    package("", outermost).digest
}

fn is(entry: &Value, what: &str) -> bool {
    entry.get(what).and_then(Value::as_bool) == Some(true)
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
    let entries = entry.get(section).and_then(Value::as_object).into_iter().flatten();
    entries.map(|(name, wanted)| real(name, wanted.as_str().unwrap_or_default()).0.to_owned()).collect()
}
