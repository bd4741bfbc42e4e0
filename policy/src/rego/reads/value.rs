//! What is known of the value of an expression: which facts it may be, and which may be somewhere in it.

use std::collections::BTreeSet;

use super::{Read, Step};
use crate::facts::{Fact, schema};

/// A value, by the facts it may come from. Whatever is in it that is not named here comes from no fact.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Value {
    /// It may be one of these.
    is: BTreeSet<Read>,
    /// It may be a list, set or object of the policy's own, and each of its members this.
    members: Option<Box<Value>>,
    /// Of equal members it may have one only, so that how many they are says something of each.
    is_set: bool,
    /// It may be something else.
    other: bool,
    /// How deep lists lie in one another.
    depth: usize,
}

/// The fact of a path.
fn fact(read: &[Step]) -> Option<Fact<'static>> {
    read.iter().try_fold(schema(), |fact, step| match step {
        Step::Name(name) => fact.field(name),
        Step::Any => fact.any(),
    })
}

fn then(read: &[Step], step: Step) -> Read {
    read.iter().cloned().chain([step]).collect()
}

/// What is in a fact.
fn children(read: &Read) -> Vec<Read> {
    let Some(fact) = fact(read) else { return Vec::new() };
    let names = fact.names().map(|name| Step::Name(name.to_owned()));
    names.chain(fact.any().map(|_| Step::Any)).map(|step| then(read, step)).collect()
}

impl Value {
    /// All facts.
    pub(super) fn input() -> Self {
        Self { is: BTreeSet::from([Read::new()]), ..Self::default() }
    }

    /// Something in which there is no fact.
    pub(super) fn other() -> Self {
        Self { other: true, ..Self::default() }
    }

    /// A list that is made of others.
    pub(super) fn of(parts: impl IntoIterator<Item = Value>) -> Self {
        let members = parts.into_iter().fold(Self::default(), Self::or);
        let has_facts = !members.is.is_empty() || members.members.is_some();
        let depth = members.depth.saturating_add(1);
        Self { members: has_facts.then(|| Box::new(members)), depth, ..Self::other() }
    }

    /// A set, or an object by its keys.
    pub(super) fn set(parts: impl IntoIterator<Item = Value>) -> Self {
        Self { is_set: true, ..Self::of(parts) }
    }

    /// How deep lists of the policy's own lie in one another in it.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Whether how many there are depends on what they are.
    pub(super) fn is_set(&self) -> bool {
        self.is_set
    }

    /// One or the other.
    #[must_use]
    pub(super) fn or(mut self, other: Self) -> Self {
        self.is.extend(other.is);
        self.members = match (self.members, other.members) {
            (Some(one), Some(two)) => Some(Box::new(one.or(*two))),
            (one, two) => one.or(two),
        };
        self.is_set |= other.is_set;
        self.other |= other.other;
        self.depth = self.depth.max(other.depth);
        self
    }

    /// The fact that it is, where it can be nothing else.
    pub(super) fn only(&self) -> Option<(Fact<'static>, &Read)> {
        let mut all = self.is.iter();
        let (read, None, None, false) = (all.next()?, all.next(), &self.members, self.other) else { return None };
        Some((fact(read)?, read))
    }

    /// What it has under a name.
    pub(super) fn field(&self, name: &str) -> Self {
        let named = self.is.iter().map(|read| then(read, Step::Name(name.to_owned())));
        self.within(named.filter(|read| fact(read).is_some()).collect())
    }

    /// What its keys may be, or its members where they are their own keys. Those of facts are texts and numbers.
    pub(super) fn keys(&self) -> Self {
        self.within(BTreeSet::new()).or(Self::other())
    }

    /// What is in it, wherever.
    pub(super) fn inside(&self) -> Self {
        self.within(self.is.iter().flat_map(children).collect())
    }

    fn within(&self, is: BTreeSet<Read>) -> Self {
        let depth = self.depth.saturating_sub(1);
        let of_facts = Self { is, members: None, is_set: false, other: self.other, depth };
        self.members.iter().map(|members| (**members).clone()).fold(of_facts, Self::or)
    }

    /// The facts that it may be.
    pub(super) fn facts(&self) -> impl Iterator<Item = (Fact<'static>, &Read)> {
        self.is.iter().filter_map(|read| Some((fact(read)?, read)))
    }

    /// The facts that it may be or hold, and all that is in those.
    pub(super) fn all(&self) -> impl Iterator<Item = (Fact<'static>, Read)> + use<> {
        let levels = std::iter::successors(Some(self), |value| value.members.as_deref());
        let mut open: Vec<Read> = levels.flat_map(|value| value.is.iter().cloned()).collect();
        std::iter::from_fn(move || {
            let read = open.pop()?;
            open.extend(children(&read));
            Some((fact(&read)?, read))
        })
    }
}
