//! From chosen versions to lock nodes: what the roots of an architecture lead to, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use inspect::debian::Package;
use inspect::debian::relation::Dependency;
use model::Arch;
use model::config::SystemPackage;
use model::lock::{Edge, Node, Omission, Origin, Proof, Root};

use super::Wanted;
use super::archive::{Archive, Listed};
use super::step::Chosen;
use super::universe::{Clause, Universe};
use crate::Pins;

pub(super) fn of(wanted: &Wanted, universe: &Universe<'_>, chosen: &BTreeMap<Arch, Chosen>) -> Pins {
    let mut pins = Pins::default();
    for archive in universe.archives {
        if let Some(chosen) = chosen.get(&archive.arch) {
            let roots = roots(wanted, archive, chosen);
            let ids = walk(&roots, archive, universe, chosen, &mut pins.nodes);
            pins.roots.insert(archive.arch, roots.into_iter().collect());
            pins.ids.insert(archive.arch, ids.into_iter().collect());
        }
    }
    pins
}

fn roots(wanted: &Wanted, archive: &Archive<'_>, chosen: &Chosen) -> BTreeSet<Root> {
    let root = |root: &super::WantedRoot| {
        let requirement = requirement(&root.package);
        let edge = edge(&Universe::root(archive, &root.package), requirement, archive, chosen)?;
        Some(Root { by: root.by, edge })
    };
    wanted.roots.iter().filter_map(root).collect()
}

/// Adds every package that is reached, and answers with their ids. A package that is the same on all architectures
/// (`Architecture: all`) is one node; it needs what it needs on any of them.
fn walk(
    roots: &BTreeSet<Root>,
    archive: &Archive<'_>,
    universe: &Universe<'_>,
    chosen: &Chosen,
    nodes: &mut BTreeMap<String, Node>,
) -> BTreeSet<String> {
    let of_archive = |edge: &Edge| (edge.origin == Origin::Debian).then(|| edge.name.clone());
    let mut open: Vec<String> = roots.iter().filter_map(|root| of_archive(&root.edge)).collect();
    let mut seen = BTreeSet::new();
    let mut ids = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let Some(listed) = chosen.get(&name).and_then(|version| archive.find(&name, version)) else { continue };
        let clauses = universe.clauses(archive, &listed.package);
        let requires = clauses.filter_map(|(entry, clause)| edge(&clause, text(&entry), archive, chosen));
        let requires: BTreeSet<Edge> = requires.collect();
        open.extend(requires.iter().filter_map(of_archive));
        let omits = universe.omissions(archive, &listed.package).into_iter();
        let omits = omits.map(|(entry, reason)| Omission { requirement: text(&entry), reason: reason.to_owned() });
        let id = purl(&listed.package);
        let node = nodes.entry(id.clone()).or_insert_with(|| node(listed, archive.arch));
        node.requires = requires
            .into_iter()
            .chain(std::mem::take(&mut node.requires))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        node.omits = omits.chain(std::mem::take(&mut node.omits)).collect::<BTreeSet<_>>().into_iter().collect();
        ids.insert(id);
    }
    ids
}

/// The first alternative that was chosen.
fn edge(clause: &Clause, requirement: String, archive: &Archive<'_>, chosen: &Chosen) -> Option<Edge> {
    let holds = |(name, set): &&(String, super::universe::Set)| chosen.get(name).is_some_and(|v| set.holds(v));
    let (name, _) = clause.iter().find(holds)?;
    Some(match archive.built.get(name) {
        Some(built) => Edge { origin: Origin::Upstream, name: built.project.clone(), requirement },
        None => Edge { origin: Origin::Debian, name: name.clone(), requirement },
    })
}

fn node(listed: Listed, arch: Arch) -> Node {
    let Listed { suite, package } = listed;
    Node {
        origin: Origin::Debian,
        name: package.name,
        version: package.version,
        file: package.filename,
        size: package.size,
        sha256: package.sha256,
        metadata: None,
        build: None,
        license: None,
        proof: Proof::VerifiedByOpenpgp { release: suite, index: format!("main/binary-{arch}/Packages.xz") },
        requires: Vec::new(),
        omits: Vec::new(),
    }
}

fn text(entry: &[Dependency]) -> String {
    entry.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

pub(crate) fn requirement(package: &SystemPackage) -> String {
    match &package.relation {
        Some((relation, version)) => format!("{} ({} {version})", package.name, relation.symbol()),
        None => package.name.clone(),
    }
}

/// The package URL of a Debian package: `pkg:deb/debian/NAME@VERSION?arch=ARCH`.
fn purl(package: &Package) -> String {
    let Package { name, version, architecture, .. } = package;
    format!("pkg:deb/debian/{}@{}?arch={}", encoded(name), encoded(version), encoded(architecture))
}

/// Percent-encodes as the package URL specification asks: all but letters, digits, `.`, `-`, `_`, `~` and `:`.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'.' | b'-' | b'_' | b'~' | b':' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").unwrap_or_default(), // writing into a string does not fail
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn names_and_versions_are_encoded_as_package_urls_ask() {
        assert_eq!(encoded("libstdc++6"), "libstdc%2B%2B6");
        assert_eq!(encoded("1:2.36-9+deb12u10~rc1"), "1:2.36-9%2Bdeb12u10~rc1");
        assert_eq!(encoded("a b%"), "a%20b%25");
    }
}
