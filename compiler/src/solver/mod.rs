//! One solver for every ecosystem: resolvo's CDCL behind a trait that knows neither network nor ecosystem.
//!
//! Solving is optimistic: a document that is not there yet stands for "anything goes". What is then missing is only
//! asked for where the answer rests on it, so one round asks for all siblings at once, and a contradiction among what
//! is known already is final. For one set of documents the answer is always the same.

mod explain;
mod provider;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::hash::Hash;

use resolvo::{Problem, Requirement, Solver, UnsolvableOrCancelled};

use crate::Need;
use provider::Provider;

/// The packages of one ecosystem, as far as their documents are known.
pub(crate) trait Universe {
    /// Name of what can be chosen once.
    type Name: Clone + Eq + Hash + Ord + Display;
    /// One version of a name.
    type Version: Clone + Eq + Hash + Ord + Display;
    /// Limits the versions of a name; prints as people write it, or as nothing where it does not limit.
    type Set: Clone + Eq + Hash + Display;

    /// The versions of a name, best first; empty where there is no such name.
    fn candidates(&self, name: &Self::Name) -> Result<Vec<Candidate<Self::Version>>, Need>;
    /// Whether a version lies in a set.
    fn matches(&self, name: &Self::Name, set: &Self::Set, version: &Self::Version) -> bool;
    /// What a version needs and what it cannot stand.
    fn requirements(
        &self,
        name: &Self::Name,
        version: &Self::Version,
    ) -> Result<Requirements<Self::Name, Self::Set>, Need>;
    /// Whether the requirements of a version are at hand without more documents and worth reading before the version is
    /// tried: whole groups of versions are then ruled out at once.
    fn known(&self, _: &Self::Name, _: &Self::Version) -> bool {
        false
    }
}

/// A version that might be chosen.
#[derive(Clone, Debug)]
pub(crate) struct Candidate<V> {
    /// The version.
    pub(crate) version: V,
    /// Why it cannot be used, if so: the end of "NAME VERSION: …".
    pub(crate) excluded: Option<String>,
}

/// What a version asks of others.
#[derive(Clone, Debug)]
pub(crate) struct Requirements<N, S> {
    /// Of each entry one alternative must hold; the first is preferred.
    pub(crate) needs: Vec<Vec<(N, S)>>,
    /// Versions that must not be there.
    pub(crate) excludes: Vec<(N, S)>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Solution<N, V> {
    /// These documents first; never empty, sorted.
    Need(Vec<Need>),
    /// One version of every name that is needed.
    Found(BTreeMap<N, V>),
    /// It cannot be done: the chains that lead to the contradiction, one step a line.
    Conflict(Vec<String>),
}

/// How often the solver may propagate, and how often it may ask whether a version lies in a set. Far beyond what real
/// packages take; metadata made to be unsolvable ends here, within seconds.
#[derive(Clone, Copy, Debug)]
struct Budget {
    steps: u64,
    matches: u64,
}

const BUDGET: Budget = Budget { steps: 50_000, matches: 20_000_000 };

/// Finds one version of everything that `roots` lead to. Of each root, as of each requirement, one alternative must
/// hold, the first preferred; of each name the first candidate is preferred.
pub(crate) fn solve<U: Universe>(universe: &U, roots: &[Vec<(U::Name, U::Set)>]) -> Solution<U::Name, U::Version> {
    solve_within(universe, roots, BUDGET)
}

fn solve_within<U: Universe>(
    universe: &U,
    roots: &[Vec<(U::Name, U::Set)>],
    budget: Budget,
) -> Solution<U::Name, U::Version> {
    let provider = Provider::new(universe, budget);
    let (mut requirements, mut constraints) = (Vec::new(), Vec::new());
    for root in roots {
        match provider.requirement(root) {
            Some(requirement) => {
                // Versions that a single root rules out need not be found out by trying.
                constraints.extend(match requirement {
                    Requirement::Single(limit) => Some(limit),
                    Requirement::Union(_) => None,
                });
                requirements.push(requirement.into());
            }
            None => return Solution::Conflict(vec!["a requirement of the image has no alternative".to_owned()]),
        }
    }
    let mut solver = Solver::new(provider);
    let answer = solver.solve(Problem::new().requirements(requirements).constraints(constraints));
    if solver.provider().exhausted() {
        return Solution::Conflict(vec![format!(
            "no answer within {} steps and {} comparisons of versions: narrower requirements make the search shorter",
            budget.steps, budget.matches
        )]);
    }
    match answer {
        Ok(chosen) => {
            let provider = solver.provider();
            let needs: BTreeSet<Need> = chosen.iter().filter_map(|id| provider.need_of(*id)).collect();
            if needs.is_empty() {
                return Solution::Found(chosen.iter().filter_map(|id| provider.chosen(*id)).collect());
            }
            Solution::Need(needs.into_iter().collect())
        }
        Err(UnsolvableOrCancelled::Unsolvable(conflict)) => {
            Solution::Conflict(explain::lines(&conflict.graph(&solver), solver.provider()))
        }
        Err(UnsolvableOrCancelled::Cancelled(_)) => Solution::Conflict(vec!["the search was stopped".to_owned()]),
    }
}
