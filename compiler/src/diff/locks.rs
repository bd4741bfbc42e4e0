use std::collections::{BTreeMap, BTreeSet};

use model::Digest;
use model::lock::{Answer, Asked, Lock, Node, Proof};

use super::{Change, compare};

/// What differs between two locks: releases, what was asked, and the packages of each image.
pub fn locks(before: &Lock, after: &Lock) -> Vec<Change> {
    let mut changes = Vec::new();
    let releases = |lock: &Lock| -> BTreeMap<String, BTreeMap<String, String>> {
        let of = lock.releases.iter().map(|(suite, release)| {
            let facts = [
                ("date".to_owned(), date(release.date)),
                ("signed by".to_owned(), release.signed_by.join(", ")),
                ("file".to_owned(), release.in_release.to_string()),
            ];
            (suite.clone(), BTreeMap::from(facts))
        });
        of.collect()
    };
    let (old, new) = (releases(before), releases(after));
    for suite in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let empty = BTreeMap::new();
        let (old, new) = (old.get(suite).unwrap_or(&empty), new.get(suite).unwrap_or(&empty));
        changes.extend(compare(&format!("release {suite}"), old, new));
    }
    for (old, new) in pairs(before, after) {
        let asked = new.or(old).map(|(_, answer)| name(&answer.asked)).unwrap_or_default();
        match (old, new) {
            (Some((_, old)), Some((_, new))) => {
                changes.extend(compare("asked", &question(&old.asked), &question(&new.asked)))
            }
            (Some(_), None) => changes.push(Change {
                place: "asked".into(),
                what: asked.clone(),
                before: Some(String::new()),
                after: None,
            }),
            (None, _) => changes.push(Change {
                place: "asked".into(),
                what: asked.clone(),
                before: None,
                after: Some(String::new()),
            }),
        }
        let several = before.answers.len().max(after.answers.len()) > 1;
        let packages =
            |lock: &Lock, answer: Option<(&Digest, &Answer)>| -> BTreeMap<String, BTreeMap<String, String>> {
                let images = answer.into_iter().flat_map(|(_, answer)| &answer.resolutions);
                let images = images.map(|(arch, image)| {
                    let place = if several { format!("{arch} of {asked}") } else { arch.to_string() };
                    let nodes = lock.nodes_of(image).map(|(_, node)| (node.name.clone(), shown(node)));
                    (place, nodes.collect())
                });
                images.collect()
            };
        let (old, new) = (packages(before, old), packages(after, new));
        for place in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let empty = BTreeMap::new();
            changes.extend(compare(place, old.get(place).unwrap_or(&empty), new.get(place).unwrap_or(&empty)));
        }
    }
    changes
}

type Entry<'l> = Option<(&'l Digest, &'l Answer)>;

/// Answers to the same question; and what is left of both, if that is one of each, for then the question was changed.
fn pairs<'l>(before: &'l Lock, after: &'l Lock) -> Vec<(Entry<'l>, Entry<'l>)> {
    let mut pairs: Vec<(Entry, Entry)> = Vec::new();
    let only = |lock: &'l Lock, other: &Lock| -> Vec<(&'l Digest, &'l Answer)> {
        lock.answers.iter().filter(|(asked, _)| !other.answers.contains_key(asked)).collect()
    };
    for (asked, answer) in &before.answers {
        if let Some(new) = after.answers.get_key_value(asked) {
            pairs.push((Some((asked, answer)), Some(new)));
        }
    }
    match (only(before, after).as_slice(), only(after, before).as_slice()) {
        ([old], [new]) => pairs.push((Some(*old), Some(*new))),
        (old, new) => {
            pairs.extend(old.iter().map(|old| (Some(*old), None)));
            pairs.extend(new.iter().map(|new| (None, Some(*new))));
        }
    }
    pairs
}

fn question(asked: &Asked) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    facts.extend(asked.language.clone().map(|language| ("language".to_owned(), language)));
    facts.extend(asked.version.clone().map(|version| ("version".to_owned(), version)));
    let lists = [("package", &asked.packages), ("system package", &asked.system_packages)];
    for (what, list) in lists {
        facts.extend(list.iter().map(|entry| (format!("{what} {entry}"), String::new())));
    }
    facts.extend(asked.architectures.iter().map(|arch| (format!("architecture {arch}"), String::new())));
    facts
}

/// What was asked in one line.
fn name(asked: &Asked) -> String {
    let language = asked.language.iter().chain(&asked.version).cloned();
    language.chain(asked.packages.clone()).chain(asked.system_packages.clone()).collect::<Vec<_>>().join(" ")
}

/// Version and what vouches for it; the digest only counts where the version is the same.
fn shown(node: &Node) -> String {
    let proof = match node.proof {
        Proof::VerifiedByOpenpgp { .. } => "verified by OpenPGP",
        Proof::IndexHash => "index hash",
        Proof::UnsignedUpstream => "unsigned upstream",
    };
    let digest: String = node.sha256.to_string().chars().take(19).collect();
    format!("{} ({proof}, {digest}…)", node.version)
}

fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_else(|_| seconds.to_string())
}
