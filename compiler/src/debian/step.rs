//! One round: first one set of versions for all architectures; where there is none, one for each.

use std::collections::{BTreeMap, BTreeSet};

use model::{Arch, Finding, Findings, codes};
use stdlib::debian::Omissions;

use super::archive::Archive;
use super::pins;
use super::universe::{Clause, Universe};
use super::{Wanted, check};
use crate::solver::{Solution, solve};
use crate::{Fetched, Need, Step};

/// Chosen versions by package name.
pub(super) type Chosen = BTreeMap<String, String>;

/// Decides which packages an image has, or says which indexes that takes.
pub fn step(wanted: &Wanted, fetched: &Fetched) -> Step {
    let needs = missing(wanted, fetched);
    if !needs.is_empty() {
        return Step::Need(needs);
    }
    let omissions = match stdlib::debian::omissions() {
        Ok(omissions) => omissions,
        Err(finding) => return Step::Conflict(finding.into()),
    };
    let archives: Vec<Archive<'_>> =
        wanted.arches.iter().map(|arch| Archive::new(fetched, &wanted.suites, *arch, &wanted.built)).collect();
    let findings = check::roots(wanted, &archives);
    if !findings.is_empty() {
        return Step::Conflict(findings);
    }
    let round = Round { wanted, fetched, omissions: &omissions, archives: &archives };
    match round.choose() {
        Ok((chosen, warnings)) => {
            let mut pins = pins::of(wanted, &round.universe(&archives, Chosen::new()), &chosen);
            pins.warnings = warnings;
            Step::Pins(pins)
        }
        Err(step) => step,
    }
}

fn missing(wanted: &Wanted, fetched: &Fetched) -> Vec<Need> {
    let pairs = wanted.suites.iter().flat_map(|suite| wanted.arches.iter().map(move |arch| (suite.clone(), *arch)));
    let absent: BTreeSet<(String, Arch)> = pairs.filter(|pair| !fetched.debian.contains_key(pair)).collect();
    absent.into_iter().map(|(suite, arch)| Need::DebianIndex { suite, arch }).collect()
}

struct Round<'a> {
    wanted: &'a Wanted,
    fetched: &'a Fetched,
    omissions: &'a Omissions,
    archives: &'a [Archive<'a>],
}

impl<'a> Round<'a> {
    fn universe(&self, archives: &'a [Archive<'a>], preferred: Chosen) -> Universe<'a> {
        Universe { archives, all: self.archives, fetched: self.fetched, omissions: self.omissions, preferred }
    }

    fn solve(&self, archives: &'a [Archive<'a>], preferred: Chosen) -> Solution<String, String> {
        let roots = archives
            .iter()
            .flat_map(|archive| self.wanted.roots.iter().map(|root| Universe::root(archive, &root.package)));
        solve(&self.universe(archives, preferred), &roots.collect::<Vec<Clause>>())
    }

    fn choose(&self) -> Result<(BTreeMap<Arch, Chosen>, Findings), Step> {
        let archives = self.archives;
        if archives.len() > 1
            && let Solution::Found(chosen) = self.solve(archives, Chosen::new())
        {
            let each = archives.iter().map(|archive| (archive.arch, chosen.clone()));
            return Ok((each.collect(), Findings::new()));
        }
        let mut all = BTreeMap::new();
        let mut conflicts: BTreeMap<Vec<String>, Vec<Arch>> = BTreeMap::new();
        let mut preferred = Chosen::new();
        for archive in archives {
            match self.solve(std::slice::from_ref(archive), preferred.clone()) {
                Solution::Need(needs) => return Err(Step::Need(needs)),
                Solution::Conflict(lines) => conflicts.entry(lines).or_default().push(archive.arch),
                Solution::Found(chosen) => {
                    preferred.extend(chosen.clone());
                    all.insert(archive.arch, chosen);
                }
            }
        }
        if conflicts.is_empty() {
            let warnings = differing(&all).into_iter().collect();
            return Ok((all, warnings));
        }
        let findings = conflicts.into_iter().map(|(lines, arches)| self.unsatisfiable(lines, &arches));
        Err(Step::Conflict(findings.collect()))
    }

    fn unsatisfiable(&self, lines: Vec<String>, arches: &[Arch]) -> Finding {
        let arches: Vec<&str> = arches.iter().map(|arch| arch.name()).collect();
        let message = format!("the Debian packages cannot be installed together on {}", arches.join(", "));
        let mut finding = Finding::error(codes::DEBIAN_UNSATISFIABLE, message)
            .help("ask for versions or packages that go together, or leave one of them out");
        let named = |name: &str| {
            let words = lines.iter().flat_map(|line| line.split(|c: char| c.is_whitespace() || ",:`".contains(c)));
            words.into_iter().any(|word| word == name)
        };
        for root in &self.wanted.roots {
            if let Some(span) = root.span.filter(|_| named(&root.package.name)) {
                finding = match finding.span {
                    None => finding.at(span),
                    Some(_) => finding.label(span, "and this is asked for"),
                };
            }
        }
        finding.causes = lines;
        finding
    }
}

/// A warning where the architectures do not get the same versions.
fn differing(all: &BTreeMap<Arch, Chosen>) -> Option<Finding> {
    let names: BTreeSet<&String> = all.values().flat_map(BTreeMap::keys).collect();
    let lines: Vec<String> = names
        .into_iter()
        .filter_map(|name| {
            let of = all.iter().filter_map(|(arch, chosen)| Some((arch, chosen.get(name)?)));
            let versions: BTreeSet<&String> = of.clone().map(|(_, version)| version).collect();
            let listed: Vec<String> = of.map(|(arch, version)| format!("{version} on {arch}")).collect();
            (versions.len() > 1).then(|| format!("{name}: {}", listed.join(", ")))
        })
        .collect();
    let mut finding = Finding::warning(
        codes::VERSIONS_DIFFER,
        "no one set of Debian package versions is there for all architectures",
    );
    finding.causes = lines;
    Some(finding).filter(|finding| !finding.causes.is_empty())
}
