use std::collections::{BTreeMap, BTreeSet};

use model::lock::{Answer, Asker, Edge, Lock, Node, Origin, Proof, Release, Resolution};
use model::{Arch, digest_of};
use serde_json::json;

use super::facts::{Fact, Facts, counted};
use super::questions::{self, Pair};
use super::{Change, Changes, Difference, Place};

/// What differs between two locks: releases, what was asked, and the packages of each image.
pub fn locks(before: &Lock, after: &Lock) -> Difference {
    let mut changes = Changes::default();
    let everywhere = Place::default();
    head(before).compare(&head(after), &everywhere, "", &mut changes);
    let suites: BTreeSet<&String> = before.releases.keys().chain(after.releases.keys()).collect();
    for suite in suites {
        let part = format!("release {suite}");
        match (before.releases.get(suite), after.releases.get(suite)) {
            (Some(old), Some(new)) => drop(release(old).compare(&release(new), &everywhere, &part, &mut changes)),
            (old, _) => changes.add_one_sided(&everywhere, "", &part, old.is_some()),
        }
    }
    images(before, after, &mut changes);
    unused(before).compare(&unused(after), &everywhere, "packages that no image has", &mut changes);
    if before != after && changes.list.is_empty() {
        let (before, after) = (Some(digest_of(before).to_string()), Some(digest_of(after).to_string()));
        changes.add(&everywhere, Change { what: "order of entries".into(), before, after, ..Change::default() });
    }
    Difference { changes: changes.list, affected: Vec::new() }
}

fn images(before: &Lock, after: &Lock, changes: &mut Changes) {
    let several = before.answers.len().max(after.answers.len()) > 1;
    let (old_names, new_names) = (questions::names(before), questions::names(after));
    let mut taken = BTreeSet::new();
    for Pair { before: old, after: new } in questions::pairs(before, after) {
        let Some((digest, answer)) = new.or(old) else { continue };
        let names = if new.is_some() { &new_names } else { &old_names };
        let mut name = names.get(digest).cloned().unwrap_or_default();
        if !taken.insert(name.clone()) {
            name = format!("{name} ({digest})");
        }
        let place = Place { image: Some(name).filter(|_| several), target: None };
        let (Some((_, old)), Some((_, new))) = (old, new) else {
            let what = if several { "image" } else { &format!("image of {} architectures", answer.resolutions.len()) };
            changes.add_one_sided(&place, "", what, old.is_some());
            continue;
        };
        questions::facts(&old.asked).compare(&questions::facts(&new.asked), &place, "asked", changes);
        architectures((before, old), (after, new), &place, changes);
    }
}

fn architectures(
    (before, old): (&Lock, &Answer),
    (after, new): (&Lock, &Answer),
    image: &Place,
    changes: &mut Changes,
) {
    let arches: BTreeSet<Arch> = old.resolutions.keys().chain(new.resolutions.keys()).copied().collect();
    for arch in arches {
        let place = Place { target: Some(arch.to_string()), ..image.clone() };
        match (old.resolutions.get(&arch), new.resolutions.get(&arch)) {
            (Some(old), Some(new)) => {
                packages(before, old).compare(&packages(after, new), &place, "", changes);
            }
            (old, _) => changes.add_one_sided(&place, "", "architecture", old.is_some()),
        }
    }
}

fn head(lock: &Lock) -> Facts {
    let mut facts = Facts::default();
    facts.put("time of all files", date(lock.epoch));
    facts
}

fn release(release: &Release) -> Facts {
    let Release { label, codename, date: signed, in_release, size, signed_by, expired_accepted, indexes } = release;
    let mut facts = Facts::default();
    facts.put("label", label.clone());
    facts.put("codename", codename.clone());
    let file = BTreeMap::from([("file", in_release.to_string()), ("size", size.to_string())]);
    facts.put("date", Fact { value: date(*signed), following: file, ..Fact::default() });
    facts.put("signed by", json!(signed_by).to_string());
    facts.put("expired, and accepted", expired_accepted.to_string());
    for (path, kept) in indexes {
        let following = BTreeMap::from([("size", kept.size.to_string())]);
        facts.put(&format!("index {path}"), Fact { value: kept.digest.to_string(), following, ..Fact::default() });
    }
    facts
}

/// What is in an image, and why.
fn packages(lock: &Lock, image: &Resolution) -> Facts {
    let of_roots = image.roots.iter().map(|root| (&root.edge, asker(root.by).to_owned()));
    let of_nodes = lock.nodes_of(image).flat_map(|(_, node)| node.requires.iter().map(|edge| (edge, called(node))));
    let mut required_by: BTreeMap<(Origin, &str), Vec<String>> = BTreeMap::new();
    for (edge, by) in of_roots.chain(of_nodes) {
        let text = format!("`{}` of {by}", edge.requirement);
        required_by.entry((edge.origin, edge.name.as_str())).or_default().push(text);
    }
    let mut facts = Facts::default();
    image.language_version.iter().for_each(|version| facts.put("language version", version.clone()));
    let roots = image.roots.iter();
    facts.put_all(roots.map(|root| format!("requirement {} of {}", answered(&root.edge), asker(root.by))));
    for (id, times) in counted(image.nodes.iter().cloned()) {
        match lock.nodes.get(&id) {
            Some(node) => {
                let mut fact = package(&id, node);
                fact.required_by = required_by.get(&(node.origin, node.name.as_str())).cloned().unwrap_or_default();
                fact.own.extend(Some(("listed".to_owned(), times)).filter(|(_, times)| !times.is_empty()));
                facts.put(&called(node), fact);
            }
            None => facts.put(&id, "not in the lock".to_owned()),
        }
    }
    facts
}

/// Packages that stand in the lock for nothing.
fn unused(lock: &Lock) -> Facts {
    let used: BTreeSet<&String> = lock.images().flat_map(|(.., image)| &image.nodes).collect();
    let mut facts = Facts::default();
    for (id, node) in lock.nodes.iter().filter(|(id, _)| !used.contains(id)) {
        facts.put(&called(node), package(id, node));
    }
    facts
}

fn package(id: &str, node: &Node) -> Fact {
    let Node { origin: _, name: _, version, file, size, sha256, metadata, build, license, proof, requires, omits } =
        node;
    let mut following = BTreeMap::from([
        ("id", id.to_owned()),
        ("file", file.clone()),
        ("size", size.to_string()),
        ("sha256", sha256.to_string()),
    ]);
    following.extend(metadata.map(|digest| ("metadata", digest.to_string())));
    let mut own = BTreeMap::new();
    let state = match proof {
        Proof::VerifiedByOpenpgp { release, index } => {
            own.insert("listed by".to_owned(), format!("{release} {index}"));
            "verified-by-openpgp"
        }
        Proof::VerifiedBySignature { signature, signed_by } => {
            own.insert("signature".to_owned(), format!("{} by {signed_by}", signature.digest));
            "verified-by-signature"
        }
        Proof::VerifiedByDsc { package, dsc, signed_by } => {
            own.insert("source package".to_owned(), format!("{package} {} by {signed_by}", dsc.digest));
            "verified-by-dsc"
        }
        Proof::IndexHash => "index-hash",
        Proof::UnsignedUpstream => "unsigned-upstream",
    };
    own.insert("proof".to_owned(), state.to_owned());
    own.extend(counted(build.iter().flatten().map(|requirement| format!("built with `{requirement}`"))));
    own.extend(license.iter().map(|license| ("license".to_owned(), license.clone())));
    own.extend(counted(requires.iter().map(|edge| format!("requirement {}", answered(edge)))));
    own.extend(counted(omits.iter().map(|left| format!("without `{}`: {}", left.requirement, left.reason))));
    Fact { value: version.clone(), following, own, required_by: Vec::new() }
}

/// Ecosystem and name: only both together say which package is meant.
fn called(node: &Node) -> String {
    format!("{} {}", node.origin.name(), node.name)
}

fn answered(edge: &Edge) -> String {
    format!("`{}` ({} {})", edge.requirement, edge.origin.name(), edge.name)
}

fn asker(by: Asker) -> &'static str {
    match by {
        Asker::Base => "the base",
        Asker::Variant => "the variant",
        Asker::Config => "the configuration",
    }
}

/// A point in time, and the number where that is none.
pub(super) fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_else(|_| seconds.to_string())
}
