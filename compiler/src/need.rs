//! How resolvers and the world outside talk: `step(wanted, fetched)` answers with what it still needs, or is done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use inspect::debian::Index;
use inspect::pypi::{CoreMetadata, Page};
use model::lock::{Node, Origin, Root};
use model::{Arch, Digest, Findings};

/// A document a resolver cannot go on without.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The verified package index of a Debian suite.
    DebianIndex {
        /// Suite (`trixie`, `trixie-security`).
        suite: String,
        /// Architecture.
        arch: Arch,
    },
    /// The page of a PyPI project.
    PypiProject {
        /// Normalised name.
        name: String,
    },
    /// The core metadata of one wheel or source distribution.
    PypiMetadata {
        /// Normalised project name.
        name: String,
        /// File name.
        file: String,
        /// The digest the index gives for the file.
        sha256: Digest,
    },
}

/// A PyPI project as the index answered.
#[derive(Clone, Debug)]
pub enum Project {
    /// The index does not know it.
    Absent,
    /// Its page.
    Page {
        /// The files it lists.
        page: Arc<Page>,
        /// Whether it came over a connection whose server proved its name.
        over_tls: bool,
    },
}

/// The core metadata of a wheel or source distribution.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The parsed document.
    pub parsed: Arc<CoreMetadata>,
    /// Digest of the document as served.
    pub digest: Digest,
    /// Of a source distribution, the requirements of its build, sorted.
    pub build: Option<Vec<String>>,
}

/// What was fetched so far, and what of an earlier lock is to stay.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// Packages that keep the version an earlier lock gave them, wherever that version is still to be had.
    pub keep: BTreeMap<(Origin, String), BTreeSet<String>>,
    /// Debian indexes by suite and architecture.
    pub debian: BTreeMap<(String, Arch), Arc<Index>>,
    /// PyPI projects by normalised name.
    pub projects: BTreeMap<String, Project>,
    /// Core metadata by the digest of the file.
    pub metadata: BTreeMap<Digest, Metadata>,
}

/// What a resolver decided.
#[derive(Clone, Debug, Default)]
pub struct Pins {
    /// Every node, by id.
    pub nodes: BTreeMap<String, Node>,
    /// The root requirements of each architecture, sorted.
    pub roots: BTreeMap<Arch, Vec<Root>>,
    /// Node ids of each architecture, sorted.
    pub ids: BTreeMap<Arch, Vec<String>>,
    /// What the author should know although it worked.
    pub warnings: Findings,
}

/// The answer of a resolver.
#[derive(Clone, Debug)]
pub enum Step {
    /// These documents first; never empty.
    Need(Vec<Need>),
    /// Done.
    Pins(Pins),
    /// It cannot be done, and why.
    Conflict(Findings),
}
