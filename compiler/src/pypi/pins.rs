//! From chosen versions to the nodes of a lock: only what is reached, and what reached it.

use std::collections::{BTreeMap, BTreeSet};

use model::lock::{Asker, Edge, Node, Origin, Proof, Root};
use model::{Arch, Finding, codes};
use pep508_rs::pep440_rs::Version;

use super::Chosen;
use super::catalogue::{Catalogue, Dist};
use super::platform::Platform;
use super::requirement::Requirement;
use super::roots::{WantedRoot, stated};
use crate::{Metadata, Need, Pins, Project};

/// Nodes, roots and warnings for the versions chosen on each architecture.
pub(super) fn pins(
    roots: &[WantedRoot],
    catalogue: &Catalogue<'_>,
    chosen: &BTreeMap<Arch, Chosen>,
) -> Result<Pins, Need> {
    let mut pins = Pins::default();
    let mut edges: BTreeMap<String, BTreeSet<Edge>> = BTreeMap::new();
    let mut warnings = BTreeMap::new();
    for (arch, versions) in chosen {
        let Some(platform) = catalogue.platforms.get(arch) else { continue };
        let versions: BTreeMap<&str, &Version> =
            versions.iter().map(|(name, version)| (name.project.as_str(), version)).collect();
        let mut walk = Walk { catalogue, platform, versions, extras: BTreeSet::new(), open: Vec::new() };
        let applying: Vec<&WantedRoot> =
            roots.iter().filter(|root| root.requirement.applies(&platform.markers)).collect();
        applying.iter().for_each(|root| walk.reach(&root.requirement));
        let wanted = applying.iter().map(|root| Root { by: Asker::Config, edge: edge(&root.requirement) });
        pins.roots.insert(*arch, wanted.collect::<BTreeSet<_>>().into_iter().collect());
        let mut ids = BTreeSet::new();
        while let Some((project, extra)) = walk.open.pop() {
            let Some((version, dist, metadata)) = walk.find(&project)? else { continue };
            let id = format!(
                "pkg:pypi/{}@{}?file_name={}",
                encoded(&project),
                encoded(&version.to_string()),
                encoded(&dist.file.name)
            );
            let caused = edges.entry(id.clone()).or_default();
            let requirements = catalogue.requirements(dist.sha256, &metadata.parsed);
            for requirement in requirements.iter().flatten() {
                let applies = match &extra {
                    None => requirement.applies(&platform.markers),
                    Some(extra) => requirement.applies_for(&platform.markers, extra),
                };
                if applies {
                    caused.insert(edge(requirement));
                    walk.reach(requirement);
                }
            }
            if let Some(reason) = dist.file.yanked.as_deref() {
                let message = format!("{project} {version} was yanked{}", stated(reason));
                let warning = Finding::warning(codes::PYPI_YANKED, message)
                    .help("Its authors took this release back: choose another one.");
                let asked = roots.iter().find(|root| root.requirement.project == project);
                warnings.insert(id.clone(), asked.map_or(warning.clone(), |root| warning.at(root.span)));
            }
            if !pins.nodes.contains_key(&id) {
                pins.nodes.insert(id.clone(), node(catalogue, &project, version, &dist, metadata));
            }
            ids.insert(id);
        }
        for root in applying {
            for extra in walk.absent_extras(&root.requirement)? {
                let Requirement { project, text, .. } = &root.requirement;
                let message = format!("{project} has no extra `{extra}`, so `{text}` adds nothing for it");
                warnings.insert(
                    format!("{project}[{extra}]"),
                    Finding::warning(codes::PYPI_NO_SUCH_EXTRA, message).at(root.span),
                );
            }
        }
        pins.ids.insert(*arch, ids.into_iter().collect());
    }
    for (id, node) in &mut pins.nodes {
        node.requires = edges.remove(id).into_iter().flatten().collect();
    }
    pins.warnings = warnings.into_values().collect();
    Ok(pins)
}

fn edge(requirement: &Requirement) -> Edge {
    Edge { origin: Origin::Pypi, name: requirement.project.clone(), requirement: requirement.text.clone() }
}

fn node(catalogue: &Catalogue<'_>, project: &str, version: &Version, dist: &Dist<'_>, metadata: &Metadata) -> Node {
    let over_tls = matches!(catalogue.project(project), Ok(Project::Page { over_tls: true, .. }));
    Node {
        origin: Origin::Pypi,
        name: project.to_owned(),
        version: version.to_string(),
        file: dist.file.name.clone(),
        size: dist.file.size.unwrap_or(0),
        sha256: dist.sha256,
        metadata: Some(metadata.digest),
        build: metadata.build.clone(),
        license: metadata.parsed.license.clone(),
        proof: if over_tls { Proof::IndexHash } else { Proof::UnsignedUpstream },
        requires: Vec::new(),
        omits: Vec::new(),
    }
}

/// What is reached on one architecture.
struct Walk<'w, 'f> {
    catalogue: &'w Catalogue<'f>,
    platform: &'w Platform,
    versions: BTreeMap<&'w str, &'w Version>,
    /// Projects and extras seen.
    extras: BTreeSet<(String, Option<String>)>,
    open: Vec<(String, Option<String>)>,
}

impl<'w, 'f> Walk<'w, 'f> {
    fn reach(&mut self, requirement: &Requirement) {
        let extras = requirement.extras.iter().cloned().map(Some);
        for extra in std::iter::once(None).chain(extras) {
            let what = (requirement.project.clone(), extra);
            if self.extras.insert(what.clone()) {
                self.open.push(what);
            }
        }
    }

    fn find(&self, project: &str) -> Result<Option<(&'w Version, Dist<'f>, &'f Metadata)>, Need> {
        let Some(version) = self.versions.get(project).copied() else { return Ok(None) };
        let offers = self.catalogue.offers(project, self.platform.arch)?;
        let Some(Ok(dist)) = offers.find(version).map(|offer| &offer.dist) else { return Ok(None) };
        Ok(Some((version, *dist, self.catalogue.metadata(project, dist)?)))
    }

    fn absent_extras(&self, requirement: &Requirement) -> Result<Vec<String>, Need> {
        let Some((_, _, metadata)) = self.find(&requirement.project)? else { return Ok(Vec::new()) };
        let provided: BTreeSet<String> =
            metadata.parsed.provides_extra.iter().map(|extra| inspect::pypi::normalize(extra)).collect();
        Ok(requirement.extras.iter().filter(|extra| !provided.contains(*extra)).cloned().collect())
    }
}

/// Percent-encoded as package URLs want it.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
