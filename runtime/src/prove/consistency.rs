//! Whether the parts of a lock fit together, as far as the lock alone can tell.

use std::collections::{BTreeMap, BTreeSet};

use model::lock::{Edge, Lock, Node, Origin};
use model::{Arch, Finding, Findings, codes};

use super::MAKE_AGAIN;
use crate::sources::percent_decode;

/// Checks that every id names a node, every requirement is answered in the image it applies to, every node is in an
/// image, and the epoch is the newest date.
///
/// # Errors
/// `LOCK_INCONSISTENT`, one for each contradiction.
pub fn check_lock(lock: &Lock) -> Result<(), Findings> {
    let mut wrong = Vec::new();
    let newest = lock.releases.values().map(|release| release.date).max().unwrap_or(0);
    if lock.epoch != newest {
        wrong.push(format!("the lock's epoch is {}, the newest date of its releases {newest}", lock.epoch));
    }
    let names: BTreeMap<Arch, BTreeSet<(Origin, &str)>> =
        lock.resolutions.keys().map(|arch| (*arch, names(lock, *arch, &mut wrong))).collect();
    for (arch, resolution) in &lock.resolutions {
        for root in resolution.roots.iter().filter(|root| !answers(&names, *arch, &root.edge)) {
            wrong.push(format!(
                "nothing in the image for {arch} answers `{}`, which is asked for",
                root.edge.requirement
            ));
        }
    }
    for (id, node) in &lock.nodes {
        if !stands_for(id, node) {
            wrong.push(format!("{id} stands for {} {} of {}", node.name, node.version, node.origin.name()));
        }
        let inside: Vec<Arch> = resolutions_with(lock, id).collect();
        if inside.is_empty() {
            wrong.push(format!("{id} is in no image"));
        }
        // A package shared by architectures may need something on one of them only.
        let unanswered = |edge: &&Edge| !inside.is_empty() && !inside.iter().any(|arch| answers(&names, *arch, edge));
        for edge in node.requires.iter().filter(unanswered) {
            wrong.push(format!("nothing answers `{}`, which {id} requires", edge.requirement));
        }
    }
    let findings = wrong.into_iter().map(|what| Finding::error(codes::LOCK_INCONSISTENT, what).help(MAKE_AGAIN));
    let findings: Findings = findings.collect();
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// The names one image's nodes carry; each once.
fn names<'a>(lock: &'a Lock, arch: Arch, wrong: &mut Vec<String>) -> BTreeSet<(Origin, &'a str)> {
    let mut names = BTreeSet::new();
    let ids = lock.resolutions.get(&arch).map(|resolution| resolution.nodes.as_slice()).unwrap_or_default();
    if !ids.is_sorted_by(|a, b| a < b) {
        wrong.push(format!("the ids of the image for {arch} are not in order, or one is there twice"));
    }
    for id in ids {
        match lock.nodes.get(id) {
            None => wrong.push(format!("the image for {arch} holds {id}, which the lock does not describe")),
            Some(node) if !names.insert((node.origin, node.name.as_str())) => {
                wrong.push(format!("the image for {arch} holds {} twice, in different versions", node.name));
            }
            Some(_) => {}
        }
    }
    names
}

fn answers(names: &BTreeMap<Arch, BTreeSet<(Origin, &str)>>, arch: Arch, edge: &Edge) -> bool {
    names.get(&arch).is_some_and(|names| names.contains(&(edge.origin, edge.name.as_str())))
}

fn resolutions_with(lock: &Lock, id: &str) -> impl Iterator<Item = Arch> {
    let with = lock.resolutions.iter().filter(move |(_, resolution)| resolution.nodes.iter().any(|node| node == id));
    with.map(|(arch, _)| *arch)
}

/// Whether an id is a package URL of the node: `pkg:TYPE/…/NAME@VERSION?…`, percent-encoded.
fn stands_for(id: &str, node: &Node) -> bool {
    let prefix = match node.origin {
        Origin::Debian => "pkg:deb/",
        Origin::Pypi => "pkg:pypi/",
    };
    let path = percent_decode(id.split('?').next().unwrap_or_default());
    path.starts_with(prefix.as_bytes()) && path.ends_with(format!("/{}@{}", node.name, node.version).as_bytes())
}
