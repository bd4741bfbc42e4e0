//! What a source tree asks for: the packages that its manifests and lock files name.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::inventory::Ecosystem;

/// A manifest or lock file, and what it names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// Where it is in the tree.
    pub path: String,
    /// Whether it says which one version is meant of everything it names: a lock file.
    pub is_lock: bool,
    /// What it names, in its order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Dependency>,
    /// It is a lock file that does not say what is asked for directly, and neither does a manifest that was read beside it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub direct_unknown: bool,
    /// Why it, or a part of it, could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
}

/// A package as a manifest or lock file names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dependency {
    /// Whose way it is to name it.
    pub ecosystem: Ecosystem,
    /// Its name, as its ecosystem compares names.
    pub name: String,
    /// The one version that is meant, if it is one and known. Where there is a digest, the bytes are settled without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What is asked for, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// A digest that its bytes must have, as written; of what comes within another package, that of the other; or a commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Its licence, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// The source tree asks for it itself.
    pub direct: bool,
    /// The names of what it needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
}

impl Dependency {
    /// A package of which only the name is known.
    pub fn new(ecosystem: Ecosystem, name: impl Into<String>) -> Self {
        Self {
            ecosystem,
            name: name.into(),
            version: None,
            requirement: None,
            digest: None,
            licence: None,
            direct: false,
            requires: Vec::new(),
        }
    }
}

/// What a source tree asks for, and what is not settled in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dependencies {
    /// Every manifest and lock file, in the order of paths.
    pub manifests: Vec<Manifest>,
    /// What may be another version tomorrow: asked for by a manifest, in words that allow several versions, with no lock file
    /// beside or above it that chooses one.
    pub unpinned: Vec<Unsettled>,
    /// What is one version whose bytes nothing vouches for.
    pub unverified: Vec<Unsettled>,
    /// How many packages state each licence; those of which none is known under `unknown`. Of lock files, and of manifests that
    /// have none.
    pub licences: BTreeMap<String, usize>,
}

/// A package that is not settled, and where it is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unsettled {
    /// The manifest or lock file.
    pub path: String,
    /// Whose way it is to name it.
    pub ecosystem: Ecosystem,
    /// Its name.
    pub name: String,
    /// What is asked for, or the version.
    pub wanted: String,
}
