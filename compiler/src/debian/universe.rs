//! The packages of one or more architectures as the solver sees them. Over several architectures a version is a
//! candidate if every one that has the package has it, and it needs what it needs on any of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use inspect::debian::Package;
use inspect::debian::relation::Dependency;
use model::Arch;
use model::config::SystemPackage;
use model::lock::Origin;
use stdlib::debian::Omissions;

use super::archive::{self, Archive, Listed, newest_first};
use crate::solver::{self, Candidate, Requirements};
use crate::{Fetched, Need};

/// Alternatives, the first preferred: package names with the versions that will do.
pub(super) type Clause = Vec<(String, Set)>;

/// Versions of a package on one architecture.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Set {
    arch: Arch,
    versions: BTreeSet<String>,
    /// As people write it: `(>= 2)`, or nothing.
    text: String,
}

impl Set {
    pub(super) fn holds(&self, version: &str) -> bool {
        self.versions.contains(version)
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

pub(super) struct Universe<'a> {
    pub(super) archives: &'a [Archive<'a>],
    /// The archives of every architecture of the image, solved for together or not.
    pub(super) all: &'a [Archive<'a>],
    pub(super) fetched: &'a Fetched,
    pub(super) omissions: &'a Omissions,
    /// Versions chosen on another architecture.
    pub(super) preferred: BTreeMap<String, String>,
}

impl Universe<'_> {
    /// Whatever of the archive answers a root.
    pub(super) fn root(archive: &Archive<'_>, package: &SystemPackage) -> Clause {
        let SystemPackage { name, relation } = package.clone();
        clause(archive, &[Dependency { name, relation, arch_qualifier: None, architectures: Vec::new() }])
    }

    /// What a package needs on one architecture: each dependency, and what answers it.
    pub(super) fn clauses(
        &self,
        archive: &Archive<'_>,
        package: &Package,
    ) -> impl Iterator<Item = (Vec<Dependency>, Clause)> {
        let needed = archive::needs(package).unwrap_or_default(); // an unreadable one is no candidate
        let applying = needed.into_iter().map(|entry| applying(entry, archive.arch)).filter(|entry| !entry.is_empty());
        let kept = applying.filter(|entry| self.omitted(package, entry).is_none());
        kept.map(|entry| (entry.clone(), clause(archive, &entry)))
    }

    /// The dependencies a package does without, each with the reason.
    pub(super) fn omissions(&self, archive: &Archive<'_>, package: &Package) -> Vec<(Vec<Dependency>, &str)> {
        let needed = archive::needs(package).unwrap_or_default();
        let applying = needed.into_iter().map(|entry| applying(entry, archive.arch));
        applying.filter_map(|entry| self.omitted(package, &entry).map(|reason| (entry, reason))).collect()
    }

    fn omitted(&self, package: &Package, entry: &[Dependency]) -> Option<&str> {
        entry.first().and_then(|first| self.omissions.reason(&package.name, &first.name))
    }

    fn listed(&self, name: &str, version: &str) -> Vec<(&Archive<'_>, Listed)> {
        self.archives.iter().filter_map(|archive| Some((archive, archive.find(name, version)?))).collect()
    }

    /// An architecture that has the package, but not this version of it.
    fn lacking(archives: &[Archive<'_>], name: &str, version: &str) -> Option<Arch> {
        let lacks =
            |archive: &&Archive<'_>| !archive.versions(name).is_empty() && archive.find(name, version).is_none();
        archives.iter().find(lacks).map(|archive| archive.arch)
    }

    fn exclusion(&self, name: &str, version: &str) -> Option<String> {
        if let Some(arch) = Self::lacking(self.archives, name, version) {
            return Some(format!("it is not there for {arch}"));
        }
        let unreadable = |(_, listed): (&Archive<'_>, Listed)| {
            archive::needs(&listed.package).and(archive::excludes(&listed.package)).err()
        };
        self.listed(name, version).into_iter().find_map(unreadable)
    }
}

impl solver::Universe for Universe<'_> {
    type Name = String;
    type Version = String;
    type Set = Set;

    fn candidates(&self, name: &String) -> Result<Vec<Candidate<String>>, Need> {
        let versions = self.archives.iter().flat_map(|archive| archive.versions(name).to_vec());
        let versions: BTreeSet<String> = versions.map(|listed| listed.package.version).collect();
        let mut versions: Vec<String> = versions.into_iter().collect();
        let kept = self.fetched.keep.get(&(Origin::Debian, name.clone()));
        // What a lock had, then what another architecture got, then what all could have; the newest of each.
        let rank = |version: &String| {
            let kept = kept.is_some_and(|kept| kept.contains(version));
            let preferred = self.preferred.get(name) == Some(version);
            (!kept, !preferred, Self::lacking(self.all, name, version).is_some())
        };
        versions.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| newest_first(a, b)));
        let candidate =
            |version: &String| Candidate { version: version.clone(), excluded: self.exclusion(name, version) };
        Ok(versions.iter().map(candidate).collect())
    }

    fn matches(&self, _: &String, set: &Set, version: &String) -> bool {
        set.holds(version)
    }

    fn requirements(&self, name: &String, version: &String) -> Result<Requirements<String, Set>, Need> {
        let mut asked = Requirements { needs: Vec::new(), excludes: Vec::new() };
        for (archive, Listed { package, .. }) in self.listed(name, version) {
            asked.needs.extend(self.clauses(archive, &package).map(|(_, clause)| clause));
            for dependency in archive::excludes(&package).unwrap_or_default().into_iter().flatten() {
                let answers = clause_of(archive, &dependency);
                // Policy 7.4: a package does not conflict with itself, whatever it provides.
                asked.excludes.extend(answers.into_iter().filter(|(other, _)| other != name));
            }
        }
        Ok(asked)
    }
}

fn applying(mut entry: Vec<Dependency>, arch: Arch) -> Vec<Dependency> {
    entry.retain(|dependency| dependency.applies_to(arch.name()));
    entry
}

/// What answers a dependency; where nothing does, its first alternative with no version at all, for the explanation.
fn clause(archive: &Archive<'_>, entry: &[Dependency]) -> Clause {
    let answers: Clause = entry.iter().flat_map(|dependency| clause_of(archive, dependency)).collect();
    match entry.first() {
        Some(first) if answers.is_empty() => {
            let text = limit_text(first);
            vec![(first.name.clone(), Set { arch: archive.arch, versions: BTreeSet::new(), text })]
        }
        _ => answers,
    }
}

fn clause_of(archive: &Archive<'_>, dependency: &Dependency) -> Clause {
    let answers = archive.answers(&dependency.name, dependency.relation.as_ref());
    answers
        .into_iter()
        .map(|(name, versions)| {
            let text = if name == dependency.name { limit_text(dependency) } else { format!("(as {dependency})") };
            (name, Set { arch: archive.arch, versions, text })
        })
        .collect()
}

fn limit_text(dependency: &Dependency) -> String {
    let relation = dependency.relation.as_ref();
    relation.map_or_else(String::new, |(relation, version)| format!("({} {version})", relation.symbol()))
}
