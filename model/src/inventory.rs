//! What lies in an image: every entry with the layer it is in and who put it there, and every package found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, Entry, TreePath};

/// What lies in the image of one architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// [`Inventory::FORMAT`].
    pub format: u32,
    /// As its configuration calls it: `amd64`.
    pub architecture: String,
    /// What the distribution says of itself (os-release, freedesktop.org): `ID`, `VERSION_ID`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub distribution: BTreeMap<String, String>,
    /// Who put things there: packages as in the lock, or what the plan calls a part. Nobody is known of an image that was not
    /// built here.
    pub parts: Vec<String>,
    /// Every entry, sorted by path.
    pub items: Vec<Item>,
    /// Every package that a record tells of; one that holds others stands before them.
    pub packages: Vec<Found>,
    /// Texts of licences, by the digest of the file each is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<Digest, String>,
    /// What could not be read, in words; what it would have said is unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
    /// What looks like a secret, in whichever layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
}

impl Inventory {
    /// The only format there is.
    pub const FORMAT: u32 = 1;
}

/// A file that looks like a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// Where it is.
    pub path: TreePath,
    /// What it looks like.
    pub kind: SecretKind,
}

/// What a secret looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretKind {
    /// A private key, in PEM or as PuTTY keeps it.
    PrivateKey,
    /// Passwords or tokens, where a program looks for them.
    Credentials,
}

/// An entry of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Where it is.
    pub path: TreePath,
    /// What it is.
    pub entry: Entry,
    /// The number of its layer, from 0 at the bottom.
    pub layer: u32,
    /// SHA-1 of a file's content, in hex, which SPDX 2.3 demands. Nothing here relies on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    /// Index into [`Inventory::parts`]: who put it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u32>,
}

/// Whose way it is to name, version and install packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// Debian packages.
    Deb,
    /// Python distributions.
    Pypi,
    /// Node packages.
    Npm,
    /// Ruby gems.
    Gem,
    /// Java archives.
    Maven,
    /// Go modules.
    Golang,
    /// Rust crates.
    Cargo,
}

impl Ecosystem {
    /// Every ecosystem.
    pub const ALL: [Ecosystem; 7] = [
        Ecosystem::Deb,
        Ecosystem::Pypi,
        Ecosystem::Npm,
        Ecosystem::Gem,
        Ecosystem::Maven,
        Ecosystem::Golang,
        Ecosystem::Cargo,
    ];

    /// As the type of a package URL.
    pub fn name(self) -> &'static str {
        match self {
            Ecosystem::Deb => "deb",
            Ecosystem::Pypi => "pypi",
            Ecosystem::Npm => "npm",
            Ecosystem::Gem => "gem",
            Ecosystem::Maven => "maven",
            Ecosystem::Golang => "golang",
            Ecosystem::Cargo => "cargo",
        }
    }
}

/// A package that a record in the image tells of. What the record does not say is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Whose record it is.
    pub ecosystem: Ecosystem,
    /// What its ecosystem puts before the name: a scope, a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The architecture it is for, as its ecosystem writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The licence it states, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Who answers for it: maintainer or author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<String>,
    /// Its home page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// One line about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The source package it was made from, with its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<(String, String)>,
    /// A digest its record gives of it, `sha256:…` or `h1:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// What it says it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// The file that tells of it.
    pub record: TreePath,
    /// Where in that file, if it is an archive: names of members, one in another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<String>,
    /// Its files that are in the image, sorted; also those of packages it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<TreePath>,
    /// Index into [`Inventory::packages`]: the package that brought it along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<u32>,
}

impl Found {
    /// A package of which only the name is known.
    pub fn new(ecosystem: Ecosystem, name: impl Into<String>, record: &TreePath) -> Self {
        Self {
            ecosystem,
            namespace: None,
            name: name.into(),
            version: None,
            architecture: None,
            licence: None,
            supplier: None,
            homepage: None,
            description: None,
            source: None,
            checksum: None,
            requires: Vec::new(),
            record: record.clone(),
            inside: Vec::new(),
            files: Vec::new(),
            holder: None,
        }
    }
}

/// A file that should tell of packages and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unread {
    /// Which.
    pub path: TreePath,
    /// Why.
    pub why: String,
}
