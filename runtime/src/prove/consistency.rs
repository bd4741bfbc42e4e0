//! Whether the parts of a lock fit together, as far as the lock alone can tell.

use std::collections::{BTreeMap, BTreeSet};

use model::lock::{Edge, Lock, Node, Origin, Resolution};
use model::{Arch, Finding, Findings, codes};
use net::percent_decode;

use super::MAKE_AGAIN;

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
    let mut holders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut names: Vec<Names> = Vec::new();
    for (number, (_, arch, image)) in lock.images().enumerate() {
        names.push(names_of(lock, arch, image, &mut wrong));
        image.nodes.iter().for_each(|id| holders.entry(id).or_default().push(number));
    }
    for ((_, arch, image), names) in lock.images().zip(&names) {
        for root in image.roots.iter().filter(|root| !answers(names, &root.edge)) {
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
        let Some(inside) = holders.get(id.as_str()) else {
            wrong.push(format!("{id} is in no image"));
            continue;
        };
        // A package shared by images may need something in one of them only.
        let images = inside.iter().filter_map(|number| names.get(*number));
        let unanswered = |edge: &&Edge| !images.clone().any(|names| answers(names, edge));
        for edge in node.requires.iter().filter(unanswered) {
            wrong.push(format!("nothing answers `{}`, which {id} requires", edge.requirement));
        }
    }
    let findings = wrong.into_iter().map(|what| Finding::error(codes::LOCK_INCONSISTENT, what).help(MAKE_AGAIN));
    let findings: Findings = findings.collect();
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// The names one image's nodes carry; each once.
type Names<'a> = BTreeSet<(Origin, &'a str)>;

fn names_of<'a>(lock: &'a Lock, arch: Arch, image: &'a Resolution, wrong: &mut Vec<String>) -> Names<'a> {
    let mut names = BTreeSet::new();
    if !image.nodes.is_sorted_by(|a, b| a < b) {
        wrong.push(format!("the ids of the image for {arch} are not in order, or one is there twice"));
    }
    for id in &image.nodes {
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

fn answers(names: &Names, edge: &Edge) -> bool {
    names.contains(&(edge.origin, edge.name.as_str()))
}

/// Whether an id is a package URL of the node: `pkg:TYPE/…/NAME@VERSION?…`, percent-encoded.
fn stands_for(id: &str, node: &Node) -> bool {
    let prefix = match node.origin {
        Origin::Debian => "pkg:deb/",
        Origin::Pypi => "pkg:pypi/",
        Origin::Upstream => "pkg:generic/",
    };
    let path = percent_decode(id.split('?').next().unwrap_or_default());
    path.starts_with(prefix.as_bytes()) && path.ends_with(format!("/{}@{}", node.name, node.version).as_bytes())
}
