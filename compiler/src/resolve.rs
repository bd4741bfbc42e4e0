//! The resolvers one after another: language line, Debian closure, then the language's own packages.

use std::collections::{BTreeMap, BTreeSet};

use model::config::{Config, Relation, SystemPackage};
use model::lock::{self, Answer as Answered, Asker, Lock, Origin, Proof, Release, Resolution};
use model::{Arch, Finding, Findings};
use stdlib::base::Base;
use stdlib::language::{Catalogue, Line};

use crate::language::{self, Choice};
use crate::{Fetched, Need, Pins, Step, config, debian, pypi};

/// Where resolution stands.
#[derive(Debug)]
pub enum Answer {
    /// These documents first; never empty.
    Need(Vec<Need>),
    /// Done.
    Done(Box<Resolved>),
    /// It cannot be done, and why.
    Conflict(Findings),
}

/// A finished resolution, before the proofs are added.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Nodes and what is in each image.
    pub pins: Pins,
    /// Version of the language on each architecture.
    pub language_versions: BTreeMap<Arch, String>,
}

/// One round of resolution over what was fetched so far.
pub fn resolve(config: &Config, fetched: &Fetched) -> Answer {
    match rounds(config, fetched) {
        Ok(resolved) => Answer::Done(Box::new(resolved)),
        Err(answer) => answer,
    }
}

fn rounds(config: &Config, fetched: &Fetched) -> Result<Resolved, Answer> {
    let base = Base::shipped().map_err(conflict)?;
    let line = chosen_line(config, fetched)?;
    let suite = line.as_ref().map_or(base.suite.as_str(), |(line, _)| line.suite.as_str());
    let system = done(debian::step(&debian_wanted(config, &base, line.as_ref(), suite), fetched))?;
    let Some((line, _)) = line else {
        return Ok(Resolved { pins: system, language_versions: BTreeMap::new() });
    };
    let language_versions = versions_in(&system, config, &line.carrier, language::upstream);
    let environments = language_versions
        .iter()
        .map(|(arch, python)| {
            let glibc = version_in(&system, *arch, "libc6").and_then(glibc_version).unwrap_or((0, 0));
            (*arch, pypi::Environment { python: python.clone(), glibc })
        })
        .collect();
    let wanted = pypi::Wanted { environments, requirements: config.packages.clone() };
    let packages = done(pypi::step(&wanted, fetched))?;
    Ok(Resolved { pins: merge(system, packages), language_versions })
}

fn chosen_line(config: &Config, fetched: &Fetched) -> Result<Option<(Line, String)>, Answer> {
    let (Some(language), Some(wish)) = (&config.base.language, &config.base.version) else {
        return Ok(None);
    };
    let catalogue = Catalogue::shipped(language.value).map_err(conflict)?;
    match language::choose(config, &catalogue, wish, fetched) {
        Choice::Need(needs) => Err(Answer::Need(needs)),
        Choice::None(findings) => Err(Answer::Conflict(findings)),
        Choice::Line(line, version) => Ok(Some((*line, version))),
    }
}

pub(crate) fn debian_wanted(
    config: &Config,
    base: &Base,
    line: Option<&(Line, String)>,
    suite: &str,
) -> debian::Wanted {
    let of_base =
        base.packages.iter().map(|name| root(Asker::Base, SystemPackage { name: name.clone(), relation: None }));
    let of_line = line.into_iter().flat_map(|(line, version)| {
        line.packages.iter().map(move |name| {
            let relation = (*name == line.carrier).then(|| (Relation::Equal, version.clone()));
            root(Asker::Base, SystemPackage { name: name.clone(), relation })
        })
    });
    let variant = config.variant.name();
    let of_variant = base.variant(variant).unwrap_or_default().iter();
    let of_variant = of_variant.chain(line.into_iter().flat_map(|(line, _)| line.variant(variant)));
    let of_variant = of_variant.map(|name| root(Asker::Variant, SystemPackage { name: name.clone(), relation: None }));
    let of_config = config.system_packages.iter().map(|package| debian::WantedRoot {
        by: Asker::Config,
        package: package.value.clone(),
        span: Some(package.span),
    });
    debian::Wanted {
        arches: config.architectures.clone(),
        suites: language::suites(suite),
        roots: of_base.chain(of_line).chain(of_variant).chain(of_config).collect(),
    }
}

fn root(by: Asker, package: SystemPackage) -> debian::WantedRoot {
    debian::WantedRoot { by, package, span: None }
}

fn done(step: Step) -> Result<Pins, Answer> {
    match step {
        Step::Need(needs) => Err(Answer::Need(needs)),
        Step::Conflict(findings) => Err(Answer::Conflict(findings)),
        Step::Pins(pins) => Ok(pins),
    }
}

fn conflict(finding: Finding) -> Answer {
    Answer::Conflict(finding.into())
}

fn version_in<'a>(pins: &'a Pins, arch: Arch, name: &str) -> Option<&'a str> {
    let nodes = pins.ids.get(&arch)?.iter().filter_map(|id| pins.nodes.get(id));
    nodes.into_iter().find(|node| node.origin == Origin::Debian && node.name == name).map(|node| node.version.as_str())
}

fn versions_in(pins: &Pins, config: &Config, name: &str, read: fn(&str) -> &str) -> BTreeMap<Arch, String> {
    let versions = config.architectures.iter().filter_map(|arch| Some((*arch, version_in(pins, *arch, name)?)));
    versions.map(|(arch, version)| (arch, read(version).to_owned())).collect()
}

pub(crate) fn glibc_version(version: &str) -> Option<(u32, u32)> {
    let mut numbers = language::upstream(version).split('.').map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

fn merge(mut into: Pins, from: Pins) -> Pins {
    into.nodes.extend(from.nodes);
    for (arch, roots) in from.roots {
        into.roots.entry(arch).or_default().extend(roots);
    }
    for (arch, ids) in from.ids {
        into.ids.entry(arch).or_default().extend(ids);
    }
    into.warnings.extend(from.warnings);
    into
}

/// The lock over a finished resolution; `releases` are the signed releases its indexes came from.
pub fn lock(config: &Config, resolved: Resolved, releases: &BTreeMap<String, Release>) -> Lock {
    let Resolved { pins, language_versions } = resolved;
    let used: BTreeSet<(&str, &str)> = pins
        .nodes
        .values()
        .filter_map(|node| match &node.proof {
            Proof::VerifiedByOpenpgp { release, index } => Some((release.as_str(), index.as_str())),
            Proof::IndexHash | Proof::UnsignedUpstream => None,
        })
        .collect();
    let releases: BTreeMap<String, Release> = releases
        .iter()
        .filter(|(suite, _)| used.iter().any(|(release, _)| release == suite))
        .map(|(suite, release)| {
            let mut release = release.clone();
            release.indexes.retain(|path, _| used.contains(&(suite.as_str(), path.as_str())));
            (suite.clone(), release)
        })
        .collect();
    let resolutions = config
        .architectures
        .iter()
        .map(|arch| {
            let mut roots = pins.roots.get(arch).cloned().unwrap_or_default();
            let mut nodes = pins.ids.get(arch).cloned().unwrap_or_default();
            roots.sort();
            roots.dedup();
            nodes.sort();
            nodes.dedup();
            (*arch, Resolution { language_version: language_versions.get(arch).cloned(), roots, nodes })
        })
        .collect();
    let asked = config::asked(config);
    Lock {
        format: lock::FORMAT,
        epoch: releases.values().map(|release| release.date).max().unwrap_or(0),
        releases,
        nodes: pins.nodes,
        answers: BTreeMap::from([(asked.digest(), Answered { asked, resolutions })]),
    }
}
