//! Go: `go.mod` and `go.sum` (Go modules reference).

use std::collections::BTreeMap;

use model::dependencies::Dependency;
use model::inventory::Ecosystem;

use super::Read;

/// What is required. A version of a module is one state of its files for good.
pub(super) fn modules(text: &str) -> Read {
    let mut found = Vec::new();
    let mut block = "";
    for line in text.lines() {
        let (line, comment) = line.split_once("//").unwrap_or((line, ""));
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [")"] => block = "",
            [verb, "("] => block = verb,
            [verb] if verb.ends_with('(') => block = verb.trim_end_matches('('),
            ["require", path, version] if block.is_empty() => found.push(required(path, version, comment)),
            [path, version] if block == "require" => found.push(required(path, version, comment)),
            _ => {}
        }
    }
    Ok(found)
}

fn required(path: &str, version: &str, comment: &str) -> Dependency {
    Dependency {
        requirement: Some(version.to_owned()),
        version: Some(version.to_owned()),
        direct: comment.trim() != "indirect",
        ..Dependency::new(Ecosystem::Golang, path.trim_matches('"'))
    }
}

/// The digests; of a module of which only the `go.mod` was looked at, there is none of its files.
pub(super) fn sums(text: &str) -> Read {
    let mut found: BTreeMap<(&str, &str), Dependency> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let [path, version, digest] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("the line `{}` is no digest of a module", line.escape_debug()));
        };
        if version.ends_with("/go.mod") {
            continue;
        }
        let module = Dependency {
            version: Some(version.to_owned()),
            digest: Some(digest.to_owned()),
            ..Dependency::new(Ecosystem::Golang, path)
        };
        found.insert((path, version), module);
    }
    Ok(found.into_values().collect())
}
