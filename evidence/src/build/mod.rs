//! What is known of an image that was built here, and the documents about how that was done.

mod gates;
mod hashes;
mod provenance;
mod sources;

use std::collections::BTreeSet;

use model::lock::{Lock, Node};
use model::plan::{Op, Plan};
use model::{Arch, Digest};
use serde::Serialize;
use serde_json::{Map, Value};

pub use gates::test_report;
pub use hashes::software_hashes;
pub use provenance::{Run, plan_provenance, provenance};
pub use sources::source_manifest;

/// An image that was built, and what it was built from.
#[derive(Clone, Copy, Debug)]
pub struct Build<'b> {
    /// Its name.
    pub name: &'b str,
    /// Its version, if it has one.
    pub version: Option<&'b str>,
    /// What its author wrote.
    pub declared: &'b Declared,
    /// What of the lock it is made from.
    pub lock: &'b Lock,
    /// Digest of the whole lock file.
    pub lock_file: Digest,
    /// What of the lock answers its configuration.
    pub asked: Digest,
    /// Its plan.
    pub plan: &'b Plan,
    /// The index over its images.
    pub index: Blob,
    /// The image of each architecture, in the order of the index.
    pub images: &'b [Made],
    /// Who ran commands, if any were run.
    pub executor: &'b Executor,
}

/// What an author wrote.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// The configuration first, then every template it is made of: path, from the repository's root where there is one, and digest.
    pub documents: Vec<(String, Digest)>,
    /// The name of the lock file.
    pub lock_name: String,
    /// The repository they lie in, if all of it that matters is committed.
    pub repository: Option<Commit>,
    /// The repository of the application, where it comes from one.
    pub source: Option<Commit>,
    /// What tells the image from the others of its configuration.
    pub parameters: Map<String, Value>,
}

/// A commit of a git repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// Its address, without credentials; absent where it means something on one machine only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Its name in hex.
    pub commit: String,
}

/// The image of one architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its architecture.
    pub arch: Arch,
    /// Its manifest.
    pub manifest: Blob,
    /// Its configuration.
    pub config: Blob,
    /// Its layers, bottom first.
    pub layers: Vec<MadeLayer>,
}

/// A layer of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeLayer {
    /// What it is.
    pub title: String,
    /// As it is delivered.
    pub packed: Blob,
    /// Digest of its tar archive.
    pub diff_id: Digest,
}

/// Bytes by digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Blob {
    /// Their digest.
    pub digest: Digest,
    /// How many there are.
    pub size: u64,
}

/// Who ran the commands of a build, and in what rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Executor {
    /// As `--executor` names it.
    pub name: &'static str,
    /// What it says of its rooms, by name.
    pub rooms: &'static [(&'static str, &'static str)],
}

impl<'b> Build<'b> {
    /// `name:version`, or the name alone.
    pub fn title(&self) -> String {
        let version = self.version.iter().map(|version| format!(":{version}")).collect::<String>();
        format!("{}{version}", self.name)
    }

    /// Whether a command was run for it.
    fn runs(&self) -> bool {
        self.plan.steps.values().any(|step| matches!(step.op, Op::Run { .. }))
    }

    /// Every package of the lock that a step reads, in the order of their ids; with the architectures in whose image it is, none of
    /// what others are built with.
    fn packages(&self) -> impl Iterator<Item = (&'b str, &'b Node, Vec<Arch>)> + use<'b> {
        let (lock, images) = (self.lock, self.images);
        let asked = self.asked;
        let fetched: BTreeSet<Digest> = self
            .plan
            .steps
            .values()
            .filter_map(|step| match &step.op {
                Op::Fetch { sha256, .. } => Some(*sha256),
                _ => None,
            })
            .collect();
        lock.nodes.iter().filter(move |(_, node)| fetched.contains(&node.sha256)).map(move |(id, node)| {
            let has = |arch: &Arch| lock.image(&asked, *arch).is_some_and(|image| image.nodes.contains(id));
            (id.as_str(), node, images.iter().map(|image| image.arch).filter(has).collect())
        })
    }
}
