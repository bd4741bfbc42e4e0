//! What differs between two locks or two plans, in the words of whoever wrote the configuration.

mod locks;
mod plans;

use std::collections::BTreeMap;

use serde::Serialize;

pub use locks::locks;
pub use plans::plans;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// Where: `release trixie`, `amd64 layer packages`.
    pub place: String,
    /// What: a package's name, a variable's.
    pub what: String,
    /// What it was; `None` where it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is; `None` where it is not there any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The entries that differ between two maps.
fn compare(place: &str, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Change> {
    let mut changes = Vec::new();
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if old != new {
            let (place, what) = (place.to_owned(), name.clone());
            changes.push(Change { place, what, before: old.cloned(), after: new.cloned() });
        }
    }
    changes
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Change { place, what, before, after } = self;
        match (before, after) {
            (Some(before), Some(after)) => write!(f, "{place}: {what} {before} -> {after}"),
            (None, Some(after)) => write!(f, "{place}: {what} {after} added"),
            (Some(before), None) => write!(f, "{place}: {what} {before} removed"),
            (None, None) => write!(f, "{place}: {what}"),
        }
    }
}
