use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::{self, Display};
use std::hash::Hash;
use std::marker::PhantomData;

use resolvo::utils::{Pool, VersionSet};
use resolvo::{
    Candidates, Condition, ConditionId, Dependencies, DependencyProvider, HintDependenciesAvailable, Interner,
    KnownDependencies, NameId, Requirement, SolvableId, SolverCache, StringId, VersionSetId, VersionSetUnionId,
};

use super::{Budget, Universe};
use crate::Need;

/// What can be chosen for a name.
pub(super) enum Choice<V> {
    /// A version, and its place among the candidates.
    Version(V, usize),
    /// Whatever the document that is still missing will say.
    Unknown,
}

impl<V: Display> Display for Choice<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Version(version, _) => version.fmt(f),
            Choice::Unknown => f.write_str("(unknown)"),
        }
    }
}

/// A set, or everything outside it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Limit<S, V> {
    pub(super) set: S,
    inside: bool,
    version: PhantomData<V>,
}

impl<S: Clone + Eq + Hash, V: Clone + Eq + Hash + Display> VersionSet for Limit<S, V> {
    type V = Choice<V>;
}

type Limits<U> = Limit<<U as Universe>::Set, <U as Universe>::Version>;

/// A [`Universe`] as resolvo wants to see it.
pub(super) struct Provider<'u, U: Universe> {
    universe: &'u U,
    pool: Pool<Limits<U>, U::Name>,
    /// What has to be fetched before the choice can be trusted.
    missing: RefCell<HashMap<SolvableId, Need>>,
    steps: Cell<u64>,
    matches: Cell<u64>,
}

impl<'u, U: Universe> Provider<'u, U> {
    pub(super) fn new(universe: &'u U, budget: Budget) -> Self {
        Self {
            universe,
            pool: Pool::new(),
            missing: RefCell::default(),
            steps: Cell::new(budget.steps),
            matches: Cell::new(budget.matches),
        }
    }

    /// A requirement in resolvo's terms; `None` if there is no alternative.
    pub(super) fn requirement(&self, alternatives: &[(U::Name, U::Set)]) -> Option<Requirement> {
        let mut limits = alternatives.iter().map(|(name, set)| self.limit(name, set, true));
        let first = limits.next()?;
        Some(match alternatives.len() {
            1 => Requirement::Single(first),
            _ => Requirement::Union(self.pool.intern_version_set_union(first, limits)),
        })
    }

    fn limit(&self, name: &U::Name, set: &U::Set, inside: bool) -> VersionSetId {
        let name = self.pool.intern_package_name(name);
        self.pool.intern_version_set(name, Limit { set: set.clone(), inside, version: PhantomData })
    }

    /// The document a chosen solvable lacks.
    pub(super) fn need_of(&self, id: SolvableId) -> Option<Need> {
        self.missing.borrow().get(&id).cloned()
    }

    /// Name and version of a solvable, unless its version is not known yet.
    pub(super) fn chosen(&self, id: SolvableId) -> Option<(U::Name, U::Version)> {
        let solvable = self.pool.resolve_solvable(id);
        match &solvable.record {
            Choice::Version(version, _) => {
                Some((self.pool.resolve_package_name(solvable.name).clone(), version.clone()))
            }
            Choice::Unknown => None,
        }
    }

    pub(super) fn name(&self, id: NameId) -> &U::Name {
        self.pool.resolve_package_name(id)
    }

    pub(super) fn limit_of(&self, id: VersionSetId) -> (&U::Name, &U::Set) {
        (self.name(self.pool.resolve_version_set_package_name(id)), &self.pool.resolve_version_set(id).set)
    }

    fn rank(&self, id: SolvableId) -> usize {
        match self.pool.resolve_solvable(id).record {
            Choice::Version(_, rank) => rank,
            Choice::Unknown => usize::MAX,
        }
    }

    /// Whether the search took too long; its answer then means nothing.
    pub(super) fn exhausted(&self) -> bool {
        self.steps.get() == 0 || self.matches.get() == 0
    }

    fn spend(budget: &Cell<u64>) {
        budget.set(budget.get().saturating_sub(1));
    }
}

impl<U: Universe> Interner for Provider<'_, U> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        let solvable = self.pool.resolve_solvable(solvable);
        format!("{} {}", self.name(solvable.name), solvable.record)
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        self.name(name)
    }

    fn display_version_set(&self, version_set: VersionSetId) -> impl Display + '_ {
        &self.pool.resolve_version_set(version_set).set
    }

    fn display_string(&self, string_id: StringId) -> impl Display + '_ {
        self.pool.resolve_string(string_id)
    }

    fn version_set_name(&self, version_set: VersionSetId) -> NameId {
        self.pool.resolve_version_set_package_name(version_set)
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        self.pool.resolve_solvable(solvable).name
    }

    fn version_sets_in_union(&self, union: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        self.pool.resolve_version_set_union(union)
    }

    fn resolve_condition(&self, condition: ConditionId) -> Condition {
        self.pool.resolve_condition(condition).clone()
    }
}

impl<U: Universe> DependencyProvider for Provider<'_, U> {
    async fn filter_candidates(
        &self,
        candidates: &[SolvableId],
        version_set: VersionSetId,
        inverse: bool,
    ) -> Vec<SolvableId> {
        let limit = self.pool.resolve_version_set(version_set);
        let name = self.name(self.version_set_name(version_set));
        let lies_in = |id: &SolvableId| match &self.pool.resolve_solvable(*id).record {
            Choice::Unknown => true,
            Choice::Version(version, _) => {
                Self::spend(&self.matches);
                self.matches.get() > 0 && self.universe.matches(name, &limit.set, version) == limit.inside
            }
        };
        candidates.iter().copied().filter(|id| lies_in(id) != inverse).collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates> {
        let mut answer = Candidates::default();
        match self.universe.candidates(self.name(name)) {
            Ok(candidates) => {
                let mut known = Vec::new();
                for (rank, candidate) in candidates.into_iter().enumerate() {
                    let is_known =
                        candidate.excluded.is_none() && self.universe.known(self.name(name), &candidate.version);
                    let id = self.pool.intern_solvable(name, Choice::Version(candidate.version, rank));
                    answer.candidates.push(id);
                    known.extend(is_known.then_some(id));
                    if let Some(reason) = candidate.excluded {
                        answer.excluded.push((id, self.pool.intern_string(reason)));
                    }
                }
                answer.hint_dependencies_available = HintDependenciesAvailable::Some(known);
            }
            Err(need) => {
                let id = self.pool.intern_solvable(name, Choice::Unknown);
                answer.candidates.push(id);
                self.missing.borrow_mut().insert(id, need);
            }
        }
        Some(answer)
    }

    async fn sort_candidates(&self, _: &SolverCache<Self>, solvables: &mut [SolvableId]) {
        solvables.sort_by_key(|id| self.rank(*id));
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        let Some((name, version)) = self.chosen(solvable) else {
            return Dependencies::Known(KnownDependencies::default());
        };
        let asked = match self.universe.requirements(&name, &version) {
            Ok(asked) => asked,
            Err(need) => {
                self.missing.borrow_mut().insert(solvable, need);
                return Dependencies::Known(KnownDependencies::default());
            }
        };
        let requirements: Option<Vec<_>> =
            asked.needs.iter().map(|alternatives| self.requirement(alternatives).map(Into::into)).collect();
        match requirements {
            Some(requirements) => Dependencies::Known(KnownDependencies {
                requirements,
                // No version excludes itself, and of its name there is no other beside it.
                constrains: asked
                    .excludes
                    .iter()
                    .filter(|(other, _)| *other != name)
                    .map(|(name, set)| self.limit(name, set, false))
                    .collect(),
            }),
            None => Dependencies::Unknown(self.pool.intern_string("a requirement of it has no alternative")),
        }
    }

    fn should_cancel_with_value(&self) -> Option<Box<dyn Any>> {
        Self::spend(&self.steps);
        if self.exhausted() { Some(Box::new(())) } else { None }
    }
}
