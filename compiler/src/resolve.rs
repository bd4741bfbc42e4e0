//! The resolvers one after another: language line, Debian closure, then the language's own packages.

use std::collections::{BTreeMap, BTreeSet};

use model::config::{Config, Relation, SystemPackage};
use model::lock::{self, Answer as Answered, Asked, Asker, Lock, Origin, Proof, Release, Resolution};
use model::plan::WheelScheme;
use model::{Arch, Digest, Finding, Findings};
use stdlib::base::Base;
use stdlib::language::{Catalogue, Line};

use crate::language::{self, Choice};
use crate::upstream::Chain;
use crate::{Fetched, Need, Pins, Step, config, debian, parts, pypi};

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
    /// What is built here is built with: questions and answers.
    pub toolchains: Vec<(Asked, Pins)>,
}

/// The language runtime of an image.
pub(crate) struct Runtime {
    /// The line of the catalogue it belongs to.
    pub(crate) line: Line,
    /// How it comes about.
    pub(crate) made: Made,
}

impl Runtime {
    /// The language version.
    pub(crate) fn version(&self) -> &str {
        match &self.made {
            Made::Packaged(version) => language::upstream(version),
            Made::Compiled(chain) => chain.version(),
        }
    }

    /// Where wheels go.
    pub(crate) fn wheels(&self) -> &WheelScheme {
        match (&self.made, &self.line.source) {
            (Made::Compiled(_), Some(source)) => &source.wheels,
            _ => &self.line.wheels,
        }
    }
}

/// How a language runtime comes about.
pub(crate) enum Made {
    /// Debian's packages, the carrier in this version.
    Packaged(String),
    /// Compiled here.
    Compiled(Chain),
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
    let runtime = runtime(config, fetched)?;
    let mut system = done(debian::step(&debian_wanted(config, &base, runtime.as_ref()), fetched))?;
    let Some(Runtime { line, made }) = &runtime else {
        let environments = BTreeMap::new();
        let toolchains = parts::resolve(config, &base, None, &environments, &system, fetched)?;
        return Ok(Resolved { pins: system, language_versions: BTreeMap::new(), toolchains });
    };
    let (language_versions, mut toolchains) = match made {
        Made::Packaged(_) => (versions_in(&system, config, &line.carrier, language::upstream), Vec::new()),
        Made::Compiled(chain) => {
            for arch in &config.architectures {
                system.roots.entry(*arch).or_default().extend(chain.root());
                system.ids.entry(*arch).or_default().extend(chain.nodes().into_keys());
            }
            system.nodes.extend(chain.nodes());
            let wanted = parts::toolchain_wanted(config, line, chain).map_err(conflict)?;
            let toolchain = done(debian::step(&wanted, fetched))?;
            let version = chain.version();
            let versions = config.architectures.iter().map(|arch| (*arch, version.to_owned())).collect();
            (versions, vec![(config::toolchain_asked(config, line), toolchain)])
        }
    };
    let environments: BTreeMap<Arch, pypi::Environment> = language_versions
        .iter()
        .map(|(arch, python)| {
            let glibc = version_in(&system, *arch, "libc6").and_then(glibc_version).unwrap_or((0, 0));
            (*arch, pypi::Environment { python: python.clone(), glibc })
        })
        .collect();
    let requirements = config.packages.clone();
    let wanted = pypi::Wanted { environments, requirements, sources: parts::pypi_sources(config) };
    let packages = done(pypi::step(&wanted, fetched))?;
    parts::check_no_binary(config, &packages)?;
    let pins = merge(system, packages);
    let runtime = runtime.as_ref();
    toolchains.extend(parts::resolve(config, &base, runtime, &wanted.environments, &pins, fetched)?);
    Ok(Resolved { pins, language_versions, toolchains })
}

fn runtime(config: &Config, fetched: &Fetched) -> Result<Option<Runtime>, Answer> {
    let (Some(language), Some(wish)) = (&config.base.language, &config.base.version) else {
        return Ok(None);
    };
    let catalogue = Catalogue::shipped(language.value).map_err(conflict)?;
    if config.from_source() {
        return language::release(&catalogue, wish).map(Some).map_err(Answer::Conflict);
    }
    match language::choose(config, &catalogue, wish, fetched) {
        Choice::Need(needs) => Err(Answer::Need(needs)),
        Choice::None(findings) => Err(Answer::Conflict(findings)),
        Choice::Line(line, version) => Ok(Some(Runtime { line: *line, made: Made::Packaged(version) })),
    }
}

pub(crate) fn debian_wanted(config: &Config, base: &Base, runtime: Option<&Runtime>) -> debian::Wanted {
    let asked = |by: Asker, name: &String| root(by, SystemPackage { name: name.clone(), relation: None });
    let mut roots: Vec<debian::WantedRoot> = base.packages.iter().map(|name| asked(Asker::Base, name)).collect();
    let variant = config.variant.name();
    let mut of_variant: Vec<&String> = base.variant(variant).unwrap_or_default().iter().collect();
    let mut built = BTreeMap::new();
    if let Some(Runtime { line, made }) = runtime {
        match made {
            Made::Packaged(version) => {
                roots.extend(line.packages.iter().map(|name| {
                    let relation = (*name == line.carrier).then(|| (Relation::Equal, version.clone()));
                    root(Asker::Base, SystemPackage { name: name.clone(), relation })
                }));
                of_variant.extend(line.variant(variant));
            }
            Made::Compiled(chain) => {
                built = chain.built();
                let of_line = line.source.iter().flat_map(|source| &source.packages);
                let libraries: BTreeSet<&String> = of_line.chain(chain.runtime()).collect();
                roots.extend(libraries.into_iter().map(|name| asked(Asker::Base, name)));
            }
        }
    }
    roots.extend(of_variant.into_iter().map(|name| asked(Asker::Variant, name)));
    roots.extend(config.system_packages.iter().map(|package| debian::WantedRoot {
        by: Asker::Config,
        package: package.value.clone(),
        span: Some(package.span),
    }));
    let suite = runtime.map_or(base.suite.as_str(), |runtime| runtime.line.suite.as_str());
    debian::Wanted { arches: config.architectures.clone(), suites: language::suites(suite), roots, built }
}

fn root(by: Asker, package: SystemPackage) -> debian::WantedRoot {
    debian::WantedRoot { by, package, span: None }
}

pub(crate) fn done(step: Step) -> Result<Pins, Answer> {
    match step {
        Step::Need(needs) => Err(Answer::Need(needs)),
        Step::Conflict(findings) => Err(Answer::Conflict(findings)),
        Step::Pins(pins) => Ok(pins),
    }
}

pub(crate) fn conflict(finding: Finding) -> Answer {
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

/// What a configuration asks of a lock: of what is in its image, and of what that is built with, which follows from the answer
/// to the first.
///
/// # Errors
/// `STDLIB_UNREADABLE`.
pub fn questions(config: &Config, lock: &Lock) -> Result<Vec<Digest>, Finding> {
    let mut questions = vec![config::asked(config).digest()];
    questions.extend(parts::questions(config, lock)?);
    Ok(questions)
}

/// The lock over a finished resolution; `releases` are the signed releases its indexes came from.
pub fn lock(config: &Config, resolved: Resolved, releases: &BTreeMap<String, Release>) -> Lock {
    let Resolved { pins, language_versions, toolchains } = resolved;
    let image = answered(config::asked(config), pins, &language_versions, releases);
    let toolchains = toolchains.into_iter().map(|(asked, pins)| answered(asked, pins, &BTreeMap::new(), releases));
    Lock::united([image].into_iter().chain(toolchains))
}

fn answered(
    asked: Asked,
    mut pins: Pins,
    language_versions: &BTreeMap<Arch, String>,
    releases: &BTreeMap<String, Release>,
) -> Lock {
    let used: BTreeSet<(&str, &str)> = pins
        .nodes
        .values()
        .filter_map(|node| match &node.proof {
            Proof::VerifiedByOpenpgp { release, index } => Some((release.as_str(), index.as_str())),
            _ => None,
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
    let resolutions = asked
        .architectures
        .iter()
        .map(|arch| {
            let mut roots = pins.roots.remove(arch).unwrap_or_default();
            let mut nodes = pins.ids.remove(arch).unwrap_or_default();
            roots.sort();
            roots.dedup();
            nodes.sort();
            nodes.dedup();
            (*arch, Resolution { language_version: language_versions.get(arch).cloned(), roots, nodes })
        })
        .collect();
    Lock {
        format: lock::FORMAT,
        epoch: releases.values().map(|release| release.date).max().unwrap_or(0),
        releases,
        nodes: pins.nodes,
        answers: BTreeMap::from([(asked.digest(), Answered { asked, resolutions })]),
    }
}
