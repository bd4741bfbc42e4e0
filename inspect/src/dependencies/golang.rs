//! Go: `go.mod` and `go.sum` (Go modules reference).

use std::collections::{BTreeMap, BTreeSet};

use model::dependencies::Dependency;
use model::inventory::Ecosystem;

use super::{Contents, Read, quoted};

/// What is required, or is put in its place. A version of a module is one state of its files for good.
pub(super) fn modules(text: &str) -> Read {
    let (mut required, mut replaced) = (Vec::new(), BTreeMap::new());
    let mut block = "";
    for line in text.lines() {
        let (line, comment) = line.split_once("//").unwrap_or((line, ""));
        let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches('"')).collect();
        let (verb, rest) = match words.split_first() {
            Some((verb, rest)) if block.is_empty() => (*verb, rest),
            _ => (block, &words[..]),
        };
        match (verb, rest) {
            (_, [")"]) => block = "",
            (verb, ["("]) => block = verb,
            (verb, []) if verb.ends_with('(') => block = verb.trim_end_matches('('),
            ("require", [path, version]) => {
                // `// indirect; why`
                let is_direct = comment.split(';').next().is_none_or(|word| word.trim() != "indirect");
                required.push((*path, *version, is_direct));
            }
            ("replace", [path, "=>", other @ ..]) => drop(replaced.insert((*path, None), other.to_vec())),
            ("replace", [path, version, "=>", other @ ..]) => {
                replaced.insert((*path, Some(*version)), other.to_vec());
            }
            _ => {}
        }
    }
    let used = required.into_iter().filter_map(|(path, version, direct)| {
        let other = replaced.get(&(path, Some(version))).or_else(|| replaced.get(&(path, None)));
        let (path, version) = match other.map(Vec::as_slice) {
            None => (path, version),
            Some([path, version]) => (*path, *version),
            // A folder of the same tree.
            Some(_) => return None,
        };
        Some(Dependency {
            requirement: Some(version.to_owned()),
            version: Some(version.to_owned()),
            direct,
            ..Dependency::new(Ecosystem::Golang, path)
        })
    });
    Ok(used.collect())
}

/// The digests; of a module of which only the `go.mod` was looked at, there is none of its files.
pub(super) fn sums(text: &str) -> Read {
    let mut found: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    let mut unread = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            [_, version, _] if version.ends_with("/go.mod") => {}
            [path, version, digest] => drop(found.entry((path, version)).or_default().insert(digest)),
            _ => unread.push(format!("{} is no digest of a module", quoted(line))),
        }
    }
    // Where two people disagree, nothing vouches for the module.
    let disputed = found.iter().filter(|(_, digests)| digests.len() > 1);
    unread.extend(
        disputed.map(|((path, version), _)| format!("{} has several digests", quoted(&format!("{path} {version}")))),
    );
    let modules = found.into_iter().map(|((path, version), digests)| Dependency {
        version: Some(version.to_owned()),
        digest: digests.first().filter(|_| digests.len() == 1).map(|digest| (*digest).to_owned()),
        ..Dependency::new(Ecosystem::Golang, path)
    });
    Ok(Contents { unread, direct_unknown: true, ..modules.collect() })
}
