//! PyPI as the solver sees it.
//!
//! A project is a name of its own for every architecture, so that markers and files are judged exactly. In a joint
//! solution a further name without architecture ties them to one version. An extra is a name beside its project, tied to
//! the same version, that adds what the extra needs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use model::Arch;
use pep508_rs::pep440_rs::{Operator, Version, VersionSpecifiers};

use super::catalogue::{Catalogue, Offer};
use super::requirement::Requirement;
use crate::Need;
use crate::solver::{Candidate, Requirements, Universe};

/// What one version is chosen for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name {
    pub(super) project: String,
    pub(super) extra: Option<String>,
    /// `None` stands for the version all architectures share.
    pub(super) arch: Option<Arch>,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.project)?;
        self.extra.iter().try_for_each(|extra| write!(f, "[{extra}]"))
    }
}

/// Which versions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Set {
    /// Those of a requirement.
    Specified(VersionSpecifiers),
    /// The one chosen elsewhere.
    Same(Version),
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Set::Specified(specifiers) => f.write_str(&written(specifiers)),
            Set::Same(version) => write!(f, "=={version}"),
        }
    }
}

/// Clauses as people write them.
pub(super) fn written(specifiers: &VersionSpecifiers) -> String {
    specifiers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// What is only chosen where a requirement names it (PEP 440, PEP 592). A requirement that names it admits it for all
/// others too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Admitted {
    /// Projects whose pre-releases may be chosen.
    pre: BTreeSet<String>,
    /// Versions that may be chosen although yanked.
    yanked: BTreeSet<(String, Version)>,
}

impl Admitted {
    pub(super) fn by<'r>(requirements: impl Iterator<Item = &'r Requirement>) -> Self {
        let mut admitted = Self::default();
        requirements.for_each(|requirement| admitted.add(&requirement.project, &requirement.specifiers));
        admitted
    }

    fn add(&mut self, project: &str, specifiers: &VersionSpecifiers) {
        if specifiers.iter().any(|specifier| specifier.any_prerelease()) {
            self.pre.insert(project.to_owned());
        }
        self.yanked.extend(pin(specifiers).map(|version| (project.to_owned(), version.clone())));
    }
}

/// The version a requirement pins.
pub(super) fn pin(specifiers: &VersionSpecifiers) -> Option<&Version> {
    let mut pins = specifiers.iter().filter(|one| matches!(one.operator(), Operator::Equal | Operator::ExactEqual));
    pins.next().map(|one| one.version())
}

/// Whether a version lies in a set. pep440_rs takes `1` to be in `==1.5.*`; zeros at the end mend that.
pub(super) fn contains(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    let longest = specifiers.iter().map(|one| one.version().release().len()).max().unwrap_or(0);
    if version.release().len() >= longest {
        return specifiers.contains(version);
    }
    let zeros = std::iter::repeat_n(&0, longest - version.release().len());
    specifiers.contains(&version.clone().with_release(version.release().iter().chain(zeros)))
}

/// The projects an index has, for a set of architectures that is solved together.
pub(super) struct Pypi<'c, 'f> {
    catalogue: &'c Catalogue<'f>,
    /// Whether all architectures are to get the same versions.
    joint: bool,
    admitted: &'c Admitted,
    /// Versions to be tried first: what another architecture got.
    preferred: BTreeMap<String, Version>,
    /// Whether a set has a version that is final, usable and not yanked.
    finals: RefCell<HashMap<(Name, Set), bool>>,
    /// What requirements met on the way would admit.
    met: RefCell<Admitted>,
}

impl<'c, 'f> Pypi<'c, 'f> {
    pub(super) fn new(
        catalogue: &'c Catalogue<'f>,
        joint: bool,
        admitted: &'c Admitted,
        preferred: BTreeMap<String, Version>,
    ) -> Self {
        let met = RefCell::new(admitted.clone());
        Self { catalogue, joint, admitted, preferred, finals: RefCell::default(), met }
    }

    /// What requirements met on the way would admit besides what was admitted.
    pub(super) fn met(self) -> Admitted {
        self.met.into_inner()
    }

    /// A requirement as the solver takes it: the project, or each of the extras asked for.
    pub(super) fn wanted(requirement: &Requirement, arch: Arch) -> Vec<Vec<(Name, Set)>> {
        let set = Set::Specified(requirement.specifiers.clone());
        let name = |extra: Option<String>| Name { project: requirement.project.clone(), extra, arch: Some(arch) };
        if requirement.extras.is_empty() {
            return vec![vec![(name(None), set)]];
        }
        requirement.extras.iter().map(|extra| vec![(name(Some(extra.clone())), set.clone())]).collect()
    }

    /// The offers a name's versions are chosen from. Of the shared version nothing is known but that it is there.
    fn offers(&self, name: &Name) -> Result<Vec<Candidate<Version>>, Need> {
        let arch = name.arch.or_else(|| self.catalogue.platforms.keys().next().copied());
        let Some(arch) = arch else { return Ok(Vec::new()) };
        let offers = self.catalogue.offers(&name.project, arch)?;
        let reason = |offer: &Offer<'_>| offer.dist.as_ref().err().filter(|_| name.arch.is_some()).cloned();
        let candidates =
            offers.list.iter().map(|offer| Candidate { version: offer.version.clone(), excluded: reason(offer) });
        Ok(candidates.collect())
    }

    fn admits(&self, name: &Name, specifiers: &VersionSpecifiers, version: &Version) -> bool {
        let Some(arch) = name.arch else { return true };
        let key = (name.project.clone(), version.clone());
        let yanked = || {
            let offers = self.catalogue.offers(&name.project, arch).unwrap_or_default();
            offers.find(version).is_some_and(|offer| offer.yanked.is_some())
        };
        if pin(specifiers) != Some(version) && !self.admitted.yanked.contains(&key) && yanked() {
            return false;
        }
        !version.any_prerelease()
            || specifiers.iter().any(|specifier| specifier.any_prerelease())
            || self.admitted.pre.contains(&name.project)
            || !self.has_final(name, specifiers, arch)
    }

    fn has_final(&self, name: &Name, specifiers: &VersionSpecifiers, arch: Arch) -> bool {
        let key = (name.clone(), Set::Specified(specifiers.clone()));
        if let Some(known) = self.finals.borrow().get(&key) {
            return *known;
        }
        let offers = self.catalogue.offers(&name.project, arch).unwrap_or_default();
        let found = offers.list.iter().any(|offer| {
            !offer.version.any_prerelease()
                && offer.dist.is_ok()
                && offer.yanked.is_none()
                && contains(specifiers, &offer.version)
        });
        self.finals.borrow_mut().insert(key, found);
        found
    }
}

impl Universe for Pypi<'_, '_> {
    type Name = Name;
    type Version = Version;
    type Set = Set;

    fn candidates(&self, name: &Name) -> Result<Vec<Candidate<Version>>, Need> {
        let mut candidates = self.offers(name)?;
        if let Some(preferred) = self.preferred.get(&name.project) {
            candidates.sort_by_key(|candidate| candidate.version != *preferred);
        }
        Ok(candidates)
    }

    fn matches(&self, name: &Name, set: &Set, version: &Version) -> bool {
        match set {
            Set::Same(other) => version == other,
            Set::Specified(specifiers) => contains(specifiers, version) && self.admits(name, specifiers, version),
        }
    }

    fn known(&self, name: &Name, version: &Version) -> bool {
        let offers = name.arch.and_then(|arch| self.catalogue.offers(&name.project, arch).ok());
        let dist = offers.as_ref().and_then(|offers| offers.find(version)?.dist.as_ref().ok());
        dist.is_some_and(|dist| self.catalogue.metadata(&name.project, dist).is_ok())
    }

    fn requirements(&self, name: &Name, version: &Version) -> Result<Requirements<Name, Set>, Need> {
        let mut needs = Vec::new();
        let platform = name.arch.and_then(|arch| self.catalogue.platforms.get(&arch));
        let Some(platform) = platform else { return Ok(Requirements { needs, excludes: Vec::new() }) };
        let same = |name: Name| vec![(name, Set::Same(version.clone()))];
        if name.extra.is_some() {
            needs.push(same(Name { extra: None, ..name.clone() }));
        } else if self.joint {
            needs.push(same(Name { arch: None, ..name.clone() }));
        }
        let offers = self.catalogue.offers(&name.project, platform.arch)?;
        if let Some(Offer { dist: Ok(dist), .. }) = offers.find(version) {
            let metadata = self.catalogue.metadata(&name.project, dist)?;
            let requirements = self.catalogue.requirements(dist.sha256, &metadata.parsed);
            let applies = |requirement: &&Requirement| match &name.extra {
                Some(extra) => requirement.applies_for(&platform.markers, extra),
                None => requirement.applies(&platform.markers),
            };
            for requirement in requirements.iter().flatten().filter(applies) {
                self.met.borrow_mut().add(&requirement.project, &requirement.specifiers);
                needs.extend(Self::wanted(requirement, platform.arch));
            }
        }
        Ok(Requirements { needs, excludes: Vec::new() })
    }
}
