//! Things with names and facts about them, and how two sets of them differ.

use std::collections::{BTreeMap, BTreeSet};

use model::Digest;
use serde_json::Value;

use super::{Change, Changes, Place};

/// The longest value that is shown as it is, in bytes; a longer one is shown by its digest.
const LONGEST: usize = 160;

/// What is known of one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fact {
    /// What it comes down to: a version, a value.
    pub(super) value: String,
    /// What differs whenever the value does, and says nothing more then: file name, digest, size.
    pub(super) following: BTreeMap<&'static str, String>,
    /// What is worth saying by itself.
    pub(super) own: BTreeMap<String, String>,
    /// The requirements it is there for.
    pub(super) required_by: Vec<String>,
}

impl From<String> for Fact {
    fn from(value: String) -> Self {
        Self { value, ..Self::default() }
    }
}

/// Facts by the names of what they are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts(BTreeMap<String, Fact>);

impl Facts {
    /// A name that is there already is numbered, for it must not hide another.
    pub(super) fn put(&mut self, name: &str, fact: impl Into<Fact>) {
        let mut free = name.to_owned();
        let mut number = 2;
        while self.0.contains_key(&free) {
            free = format!("{name} ({number})");
            number += 1;
        }
        self.0.insert(free, fact.into());
    }

    /// What has no value but may be there several times.
    pub(super) fn put_all(&mut self, names: impl IntoIterator<Item = String>) {
        for (name, value) in counted(names) {
            self.put(&name, value);
        }
    }

    /// Adds what differs; says whether anything does.
    pub(super) fn compare(&self, after: &Self, place: &Place, part: &str, changes: &mut Changes) -> bool {
        let names: BTreeSet<&String> = self.0.keys().chain(after.0.keys()).collect();
        let mut found = Vec::new();
        for name in names {
            match (self.0.get(name), after.0.get(name)) {
                (Some(old), Some(new)) => found.extend(between(name, old, new)),
                (Some(old), None) => found.push(Change { before: Some(old.shown()), ..change(name, old) }),
                (None, Some(new)) => found.push(Change { after: Some(new.shown()), ..change(name, new) }),
                (None, None) => {}
            }
        }
        let differs = !found.is_empty();
        found.into_iter().for_each(|change| changes.add(place, Change { part: part.into(), ..change }));
        differs
    }
}

impl Fact {
    /// What is said of a thing that comes or goes.
    fn shown(&self) -> String {
        match self.own.get("proof") {
            Some(proof) => format!("{} ({proof})", self.value),
            None => self.value.clone(),
        }
    }
}

/// Names, each with how often it is there if that is more than once.
pub(super) fn counted(names: impl IntoIterator<Item = String>) -> BTreeMap<String, String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    names.into_iter().for_each(|name| *counts.entry(name).or_default() += 1);
    let times = |count| if count > 1 { format!("{count} times") } else { String::new() };
    counts.into_iter().map(|(name, count)| (name, times(count))).collect()
}

/// A value as a line: a text as it is, all else as JSON; of what is too long to read, the digest.
pub(super) fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.len() {
        length if length > LONGEST => format!("{length} bytes, {}", Digest::of(text.as_bytes())),
        _ => text,
    }
}

fn change(name: &str, fact: &Fact) -> Change {
    Change { what: name.to_owned(), required_by: fact.required_by.clone(), ..Change::default() }
}

fn between(name: &str, old: &Fact, new: &Fact) -> Vec<Change> {
    let mut found = Vec::new();
    if old.value != new.value {
        let (before, after) = (Some(old.value.clone()), Some(new.value.clone()));
        found.push(Change { before, after, ..change(name, new) });
    } else {
        let text = |(key, value): (&&'static str, &String)| ((*key).to_owned(), value.clone());
        found.extend(fields(
            name,
            &old.following.iter().map(text).collect(),
            &new.following.iter().map(text).collect(),
        ));
    }
    found.extend(fields(name, &old.own, &new.own));
    found
}

fn fields(name: &str, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<Change> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differing = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
    let change = |key: &String| Change {
        what: format!("{name} {key}"),
        before: old.get(key).cloned(),
        after: new.get(key).cloned(),
        ..Change::default()
    };
    differing.map(change).collect()
}
