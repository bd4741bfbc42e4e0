//! Resolves Python requirements against a package index: wheels, or source distributions where there is none, by digest, for
//! every architecture at once.

mod ahead;
mod catalogue;
mod choice;
mod pins;
mod platform;
mod requirement;
mod roots;
mod universe;

use std::collections::{BTreeMap, BTreeSet};

use model::{Arch, Finding, Findings, Spanned, codes};
use pep508_rs::pep440_rs::Version;

use crate::solver::{Solution, solve};
use crate::{Fetched, Step};
use catalogue::Catalogue;
use platform::Platform;
pub(crate) use requirement::{Requirement, mended};
use roots::WantedRoot;
use universe::{Admitted, Name, Pypi};

/// What Python packages an image is to have.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The runtime of each architecture.
    pub environments: BTreeMap<Arch, Environment>,
    /// Requirements (PEP 508), as written.
    pub requirements: Vec<Spanned<String>>,
    /// What may be built here.
    pub sources: Sources,
}

/// Which packages may be built from a source distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sources {
    /// None.
    Never,
    /// Those without a wheel, and those of these normalised names even with one.
    Allowed(BTreeSet<String>),
}

impl Sources {
    fn of(&self, project: &str) -> Source {
        match self {
            Sources::Never => Source::Never,
            Sources::Allowed(always) if always.contains(project) => Source::Only,
            Sources::Allowed(_) => Source::Else,
        }
    }
}

/// When the source distribution of a project is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Source {
    #[default]
    Never,
    /// Where there is no wheel.
    Else,
    /// Even where there is one.
    Only,
}

/// What a wheel must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// CPython's version (`3.13.5`).
    pub python: String,
    /// The version of the base's glibc.
    pub glibc: (u32, u32),
}

/// One version of every name, for one architecture or, where they agree, for all.
type Chosen = BTreeMap<Name, Version>;

/// What is wrong with requirements that no index needs to be asked about.
pub(crate) fn unreadable(requirements: &[Spanned<String>]) -> Findings {
    roots::parse(requirements).err().unwrap_or_default()
}

/// The requirements that apply in an environment.
pub(crate) fn applying(
    requirements: &[Spanned<String>],
    arch: Arch,
    environment: &Environment,
) -> Result<Vec<Requirement>, Findings> {
    let platform = Platform::new(arch, environment);
    let applies =
        |requirement: &Requirement| platform.as_ref().is_some_and(|platform| requirement.applies(&platform.markers));
    Ok(roots::parse(requirements)?.into_iter().map(|root| root.requirement).filter(applies).collect())
}

/// One round of resolution over what was fetched so far.
///
/// All architectures get the same version of a project unless that is impossible; then each is solved for itself, close
/// to the one before, and a warning says so.
///
/// # Errors
/// [`Step::Conflict`] holds all that is wrong with the requirements themselves, else why they cannot be met together:
/// `BAD_REQUIREMENT`, `PYPI_NO_SUCH_PROJECT`, `PYPI_NO_SUCH_VERSION`, `PYPI_NO_USABLE_FILE`, `PYPI_UNSATISFIABLE`; or
/// `PYPI_BAD_METADATA`.
pub fn step(wanted: &Wanted, fetched: &Fetched) -> Step {
    let platforms: Option<BTreeMap<Arch, Platform>> = wanted
        .environments
        .iter()
        .map(|(arch, environment)| Some((*arch, Platform::new(*arch, environment)?)))
        .collect();
    let Some(platforms) = platforms else {
        let message = "the Python of the base has no version that packages could be chosen for: expected 3.MINOR.PATCH";
        return Step::Conflict(Finding::error(codes::LANGUAGE_VERSION_UNAVAILABLE, message).into());
    };
    let roots = match roots::parse(&wanted.requirements) {
        Ok(roots) => roots,
        Err(findings) => return Step::Conflict(findings),
    };
    let catalogue = Catalogue::new(fetched, &platforms, &wanted.sources);
    let step = match roots::check(&roots, &catalogue) {
        Err(missing) => Step::Need(missing.into_iter().collect()),
        Ok(findings) if !findings.is_empty() => Step::Conflict(findings),
        Ok(_) => match choose(&roots, &catalogue) {
            Ok((chosen, warnings)) => match pins::pins(&roots, &catalogue, &chosen) {
                Ok(mut pins) => {
                    pins.warnings.splice(0..0, warnings);
                    Step::Pins(pins)
                }
                Err(need) => Step::Need(vec![need]),
            },
            Err(step) => *step,
        },
    };
    let broken = catalogue.broken();
    match step {
        _ if !broken.is_empty() => Step::Conflict(broken),
        Step::Need(needs) => Step::Need(ahead::with_likely(needs, &catalogue)),
        step => step,
    }
}

/// One version set for all architectures, or else one for each.
fn choose(roots: &[WantedRoot], catalogue: &Catalogue<'_>) -> Result<(BTreeMap<Arch, Chosen>, Findings), Box<Step>> {
    let arches: Vec<Arch> = catalogue.platforms.keys().copied().collect();
    if arches.len() > 1 {
        match attempt(roots, catalogue, &arches, BTreeMap::new()) {
            Solution::Need(needs) => return Err(Box::new(Step::Need(needs))),
            Solution::Found(chosen) => return Ok((by_arch(&arches, &chosen), Findings::new())),
            Solution::Conflict(_) => {}
        }
    }
    let mut found = BTreeMap::new();
    let mut preferred = BTreeMap::new();
    let mut conflicts: BTreeMap<Vec<String>, Vec<Arch>> = BTreeMap::new();
    let mut missing = BTreeSet::new();
    for arch in arches {
        match attempt(roots, catalogue, &[arch], preferred.clone()) {
            Solution::Need(needs) => missing.extend(needs),
            Solution::Conflict(lines) => conflicts.entry(lines).or_default().push(arch),
            Solution::Found(chosen) => {
                preferred.extend(chosen.iter().map(|(name, version)| (name.project.clone(), version.clone())));
                found.insert(arch, chosen);
            }
        }
    }
    if !conflicts.is_empty() {
        let findings =
            conflicts.into_iter().map(|(lines, arches)| roots::unsatisfiable(roots, catalogue, &arches, lines));
        return Err(Box::new(Step::Conflict(findings.collect())));
    }
    if !missing.is_empty() {
        return Err(Box::new(Step::Need(missing.into_iter().collect())));
    }
    let warnings = differences(&found);
    Ok((found, warnings))
}

fn by_arch(arches: &[Arch], chosen: &Chosen) -> BTreeMap<Arch, Chosen> {
    let of = |arch: Arch| chosen.iter().filter(move |(name, _)| name.arch == Some(arch));
    arches
        .iter()
        .map(|arch| (*arch, of(*arch).map(|(name, version)| (name.clone(), version.clone())).collect()))
        .collect()
}

/// Solves for some architectures together. What a requirement met on the way names explicitly is admitted in a second
/// attempt, should the first find no answer without.
fn attempt(
    roots: &[WantedRoot],
    catalogue: &Catalogue<'_>,
    arches: &[Arch],
    preferred: BTreeMap<String, Version>,
) -> Solution<Name, Version> {
    let mut admitted = Admitted::by(roots.iter().map(|root| &root.requirement));
    let platforms = arches.iter().filter_map(|arch| catalogue.platforms.get(arch));
    let wanted: Vec<_> = platforms
        .flat_map(|platform| {
            let applying = roots.iter().filter(|root| root.requirement.applies(&platform.markers));
            applying.flat_map(|root| Pypi::wanted(&root.requirement, platform.arch))
        })
        .collect();
    loop {
        let pypi = Pypi::new(catalogue, arches.len() > 1, &admitted, preferred.clone());
        let solution = solve(&pypi, &wanted);
        let met = pypi.met();
        if !matches!(solution, Solution::Conflict(_)) || met == admitted {
            return solution;
        }
        admitted = met;
    }
}

/// A warning for every project of which the architectures get different versions.
fn differences(found: &BTreeMap<Arch, Chosen>) -> Findings {
    let mut versions: BTreeMap<&str, BTreeMap<&Version, Vec<&str>>> = BTreeMap::new();
    for (arch, chosen) in found {
        for (name, version) in chosen.iter().filter(|(name, _)| name.extra.is_none()) {
            versions.entry(&name.project).or_default().entry(version).or_default().push(arch.name());
        }
    }
    let differing = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
    let warning = |(project, versions): (&str, BTreeMap<&Version, Vec<&str>>)| {
        let each: Vec<String> =
            versions.iter().map(|(version, arches)| format!("{version} on {}", arches.join(" and "))).collect();
        Finding::warning(codes::VERSIONS_DIFFER, format!("{project} is {}", each.join(", ")))
            .because("no one set of versions works on every architecture")
            .help("Ask for a version that has wheels for all of them, or build for fewer architectures.")
    };
    differing.map(warning).collect()
}
