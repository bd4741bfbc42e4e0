//! The build plan: a Merkle DAG of content-addressed steps. It is all the runtime learns from the compiler.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::inventory::Ecosystem;
use crate::lock::Origin;
use crate::{Arch, Digest, TreePath, digest_of};

/// The only plan format there is so far.
pub const FORMAT: u32 = 1;

/// Where the commands of a [`Op::Run`] leave what they make.
pub const OUT: &str = "/out";

/// Digest of a step's op and its inputs' plan keys.
pub type PlanKey = Digest;

/// A plan.
///
/// **Invariant:** every step stands under its own plan key, and every input names a step.
/// [`Plan::check`] refuses anything else, so a plan read from outside is as good as one made here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT`].
    pub format: u32,
    /// The one time there is, seconds since 1970.
    pub epoch: i64,
    /// Every step by its plan key.
    pub steps: BTreeMap<PlanKey, Arc<Step>>,
    /// What to make, by name; `index` is the image index.
    pub targets: BTreeMap<String, PlanKey>,
}

/// One step: an operation on the outputs of other steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What to do.
    pub op: Op,
    /// Plan keys of the inputs, in the order the op reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<PlanKey>,
}

impl Step {
    /// The step's plan key.
    pub fn key(&self) -> PlanKey {
        digest_of(self)
    }

    /// The step under its key, to be shared by plans.
    pub fn keyed(self) -> (PlanKey, Arc<Self>) {
        (self.key(), Arc::new(self))
    }
}

/// An operation. A change of what one of them does changes its `v`, so that no cache mistakes the old for the new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Op {
    /// A file of an upstream, by digest. No inputs. Output: blob.
    Fetch {
        /// Which ecosystem's servers have it.
        origin: Origin,
        /// Project or package name, for servers that sort files by it.
        name: String,
        /// File name as in the lock.
        file: String,
        /// SHA-256 of the file.
        sha256: Digest,
        /// Size in bytes; 0 where the lock does not know it.
        size: u64,
    },
    /// A tree taken from the author's files before planning, by the digest of its manifest. No inputs. Output: tree.
    Local {
        /// Digest of the canonical JSON of the [`crate::Tree`].
        tree: Digest,
    },
    /// An archive as a tree: the one input, a blob. Of a wheel that was built here, the first input is a tree with it alone, and
    /// the second the source distribution, which must have said all that the wheel needs.
    Unpack {
        /// Version of this operation.
        v: u32,
        /// What kind of archive.
        format: ArchiveFormat,
    },
    /// The union of the inputs (trees), with additions; the same name twice must be the same entry.
    Compose {
        /// Version of this operation.
        v: u32,
        /// What is put in besides the inputs, in order.
        add: Vec<Addition>,
    },
    /// A directory of the one input (a tree) as a tree of its own; one that is not there is an empty tree.
    Pick {
        /// Version of this operation.
        v: u32,
        /// The directory.
        path: TreePath,
    },
    /// Commands in a sealed room whose root file system is the inputs (trees), each covering those before it. Output: the
    /// tree the commands left in [`OUT`], owned by root.
    Run {
        /// Version of this operation: what a room looks like from within.
        v: u32,
        /// Architecture of the machine it runs on.
        arch: Arch,
        /// What it does, for people: `compile openssl 3.5.6`.
        title: String,
        /// Argument vectors, run one after another; the first that fails ends the step.
        commands: Vec<Vec<String>>,
        /// All of their environment.
        env: BTreeMap<String, String>,
        /// Absolute directory they start in.
        workdir: String,
    },
    /// Looks at how every ELF file of the inputs (trees) was compiled, and judges it. Output: the document
    /// [`crate::hardening::CompileFlags`], if nothing lacks what is demanded.
    Inspect {
        /// Version of this operation.
        v: u32,
        /// For which architecture.
        arch: Arch,
        /// Name of the hardening profile.
        profile: String,
        /// What is demanded.
        demands: crate::hardening::Profile,
        /// What each input is, in their order.
        parts: Vec<Part>,
    },
    /// Checks that every library an ELF file of the inputs (trees, united) needs is in them. Output: nothing.
    Check {
        /// Version of this operation.
        v: u32,
        /// What is checked.
        check: Check,
        /// For which architecture.
        arch: Arch,
    },
    /// What lies in an image. Its layers are read as they will be delivered. Inputs: the layers, bottom first; for each the tree it
    /// was made from; for each part the tree it brought, in which later parts cover earlier ones. Output: the document
    /// [`crate::inventory::Inventory`], if the layers hold just what their trees do and every promised package is among it.
    Inventory {
        /// Version of this operation: what is looked for.
        v: u32,
        /// For which architecture.
        arch: Arch,
        /// How many layers there are.
        layers: u32,
        /// What the parts are, in their order.
        parts: Vec<Brought>,
    },
    /// One image layer from the one input (a tree). Output: layer.
    Layer {
        /// Version of this operation, tar writer and compressor included.
        v: u32,
        /// Modification time of every entry, seconds since 1970.
        epoch: i64,
        /// What the layer is, for its history entry.
        title: String,
    },
    /// One architecture's image from layers (bottom first) and the checks that must have passed. Output: image.
    Image {
        /// Version of this operation.
        v: u32,
        /// Architecture.
        arch: Arch,
        /// Creation time, seconds since 1970.
        epoch: i64,
        /// Execution parameters.
        config: ImageConfig,
        /// Annotations of the manifest; labels of the configuration.
        annotations: BTreeMap<String, String>,
    },
    /// The index over images. Output: index.
    Index {
        /// Version of this operation.
        v: u32,
        /// Annotations of the index.
        annotations: BTreeMap<String, String>,
    },
}

/// What an input of an [`Op::Inspect`] is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Part {
    /// What was compiled here.
    Compiled {
        /// The step that compiled it.
        step: PlanKey,
        /// What it is, as in the lock.
        package: String,
    },
    /// What came compiled, or is no code at all.
    Prebuilt {
        /// What brought it, as in the lock.
        package: String,
    },
    /// What a step compiled from. It is not in the image; a file that comes out of the step as it went in was not compiled there.
    Source {
        /// What it is, as in the lock.
        package: String,
    },
    /// Debug information of what was compiled here, by build id.
    Debug,
}

/// Who brought something into an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brought {
    /// A package as in the lock, or what else it is: `application`.
    pub by: String,
    /// The package whose record has to be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised: Option<Promised>,
}

/// A package that is known before the image is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promised {
    /// Whose record tells of it.
    pub ecosystem: Ecosystem,
    /// Its name, as its ecosystem compares names.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// How an archive becomes a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ArchiveFormat {
    /// A Debian binary package: its data, merged-`/usr` names, and a `status.d` entry.
    Deb {
        /// Package name the archive must carry.
        package: String,
        /// Version the archive must carry.
        version: String,
        /// Maintainer scripts whose effect is modelled, by name (`preinst`, `postinst`).
        scripts: BTreeMap<String, Vec<ScriptModel>>,
    },
    /// A Python wheel, installed below a prefix the way the `installer` project does, nothing run.
    Wheel {
        /// Directories of the installation scheme.
        scheme: WheelScheme,
        /// Project name (normalised) the wheel must carry.
        project: String,
        /// Version the wheel must carry.
        version: String,
        /// SHA-256 of the metadata resolution read: of METADATA, where that was served apart from the wheel; of what the
        /// source distribution says, where it is built here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metadata: Option<Digest>,
    },
    /// A tar archive, plain or compressed with gzip, bzip2 or xz; owners are dropped.
    Tar,
    /// The same of a release of source code, all of which lies in one directory: that is left out.
    Release,
    /// A zip archive.
    Zip,
}

/// A maintainer script somebody read, and what it would have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptModel {
    /// SHA-256 of the script.
    pub sha256: Digest,
    /// What an image needs of its effects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Addition>,
}

/// Where a wheel's parts go; every path relative to the image's root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelScheme {
    /// Pure-Python modules.
    pub purelib: TreePath,
    /// Modules with compiled parts.
    pub platlib: TreePath,
    /// C headers; the project's name is appended.
    pub headers: TreePath,
    /// Scripts.
    pub scripts: TreePath,
    /// Data files.
    pub data: TreePath,
    /// Absolute path of the interpreter scripts start with.
    pub interpreter: String,
}

/// Something put into a tree besides what archives bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "add", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Addition {
    /// A directory.
    Dir {
        /// Path.
        path: TreePath,
        /// Permission bits.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// A text file, owned by root.
    File {
        /// Path.
        path: TreePath,
        /// Content.
        text: String,
        /// Permission bits.
        mode: u32,
    },
    /// A symbolic link.
    Symlink {
        /// Path.
        path: TreePath,
        /// Target as written.
        target: String,
    },
    /// One file out of every regular file below a directory, in path order, each ended by a newline.
    Concat {
        /// Path.
        path: TreePath,
        /// Directory whose files are taken.
        from: TreePath,
        /// Only files whose name ends so.
        suffix: String,
        /// Text put behind them.
        extra: String,
    },
    /// One input moved below a directory instead of being united at the root.
    Move {
        /// Index of the input.
        input: u32,
        /// Directory it goes to.
        to: TreePath,
    },
}

/// What a [`Op::Check`] checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Every `DT_NEEDED` and program interpreter is provided.
    Libraries,
}

/// Execution parameters of an OCI image configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageConfig {
    /// `uid` or `uid:gid`.
    pub user: String,
    /// Environment, `NAME=value`, sorted.
    pub env: Vec<String>,
    /// Entrypoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// Default arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Working directory.
    pub workdir: String,
    /// Documented ports, `8000/tcp`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<String>,
}

/// Why a plan is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// Another format number.
    Format(u32),
    /// A step stands under a key that is not its own.
    Key(PlanKey),
    /// A step or target names a step that is not there.
    Missing(PlanKey),
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PlanError::Format(found) => write!(f, "plan format {found} is not known, only {FORMAT}"),
            PlanError::Key(key) => write!(f, "the step under {key} has another digest"),
            PlanError::Missing(key) => write!(f, "no step has the key {key}"),
        }
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// A plan without steps.
    pub fn new(epoch: i64) -> Self {
        Self { format: FORMAT, epoch, steps: BTreeMap::new(), targets: BTreeMap::new() }
    }

    /// Adds a step and returns its key; an equal step is added once.
    pub fn add(&mut self, op: Op, inputs: Vec<PlanKey>) -> PlanKey {
        let (key, step) = Step { op, inputs }.keyed();
        self.steps.insert(key, step);
        key
    }

    /// Takes in the steps of another plan; equal steps are one. Its targets are not taken.
    pub fn take_in(&mut self, other: &Plan) {
        self.steps.extend(other.steps.iter().map(|(key, step)| (*key, step.clone())));
    }

    /// Checks the invariant. Steps cannot form a cycle: each key is a digest over its inputs' keys.
    pub fn check(&self) -> Result<(), PlanError> {
        if self.format != FORMAT {
            return Err(PlanError::Format(self.format));
        }
        for (key, step) in &self.steps {
            if step.key() != *key {
                return Err(PlanError::Key(*key));
            }
        }
        let named = self.steps.values().flat_map(|step| &step.inputs).chain(self.targets.values());
        match named.copied().find(|key| !self.steps.contains_key(key)) {
            Some(key) => Err(PlanError::Missing(key)),
            None => Ok(()),
        }
    }

    /// The plan's own digest: over its canonical JSON.
    pub fn digest(&self) -> Digest {
        digest_of(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch() -> Op {
        Op::Fetch { origin: Origin::Pypi, name: "a".into(), file: "a.whl".into(), sha256: Digest::of(b"a"), size: 1 }
    }

    /// A golden digest: it changes only when the meaning of plans changes, and then on purpose.
    #[test]
    fn a_plan_key_never_changes_silently() {
        let key = Step { op: fetch(), inputs: vec![] }.key();
        assert_eq!(key.to_string(), "sha256:a77da4c1d4f8ffaaabb728fb462048caef2eb5dfa575eee20220327f4c6dbc7a");
    }

    #[test]
    fn a_step_under_a_foreign_key_and_a_missing_input_are_refused() {
        let mut plan = Plan::new(0);
        let key = plan.add(fetch(), vec![]);
        assert_eq!(plan.check(), Ok(()));
        let stranger = Digest::of(b"stranger");
        plan.targets.insert("index".into(), stranger);
        assert_eq!(plan.check(), Err(PlanError::Missing(stranger)));
        if let Some(step) = plan.steps.remove(&key) {
            plan.steps.insert(stranger, step);
        }
        assert_eq!(plan.check(), Err(PlanError::Key(stranger)));
    }
}
