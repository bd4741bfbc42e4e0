use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use model::plan::Op;
use model::{Digest, Finding, Hasher, Tree, canonical_json};

use super::content::Pack;
use super::executor::{Commands, Ran};
use super::{Object, Options, Record, Value, broken, check, compose, image, inventory, layer, unpack};
use crate::store::Store;

/// Larger manifests of trees are not made here.
const MAX_TREE: u64 = 1 << 30;

/// What the steps of one execution share.
pub(crate) struct Context<'a> {
    pub(crate) store: &'a Store,
    trees: Mutex<BTreeMap<Digest, Arc<Tree>>>,
    packs: Mutex<BTreeMap<Digest, Arc<Pack>>>,
    trusted: Mutex<BTreeSet<Digest>>,
    laid_out: Mutex<BTreeMap<Digest, LaidOut>>,
}

/// Where a tree was laid out as a directory, or why it was not.
type LaidOut = Arc<OnceLock<Result<PathBuf, Finding>>>;

/// A step about to be executed.
pub(super) struct Job<'a> {
    pub(super) op: &'a Op,
    pub(super) inputs: Vec<Value>,
    /// What the inputs are to people: a file name, mostly.
    pub(super) names: Vec<&'a str>,
    /// Whether its commands are run a second time, to be compared.
    pub(super) again: bool,
}

impl<'a> Context<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self {
            store,
            trees: Mutex::default(),
            packs: Mutex::default(),
            trusted: Mutex::default(),
            laid_out: Mutex::default(),
        }
    }

    /// Executes a step.
    pub(super) fn run(&'a self, job: &Job, options: &Options) -> Ran {
        match job.op {
            Op::Run { v: 1, arch, title, commands, env, workdir } => {
                let ran = self.inputs(job).and_then(|root| {
                    let executor = options.executors.of(*arch, title)?;
                    let task = options.progress.step(title);
                    let again = job.again;
                    let ran = executor.run(self, &Commands { title, commands, env, workdir, root: &root, again });
                    task.finish();
                    ran
                });
                ran.unwrap_or_else(Ran::from)
            }
            _ => self.pure(job).into(),
        }
    }

    /// Executes a step that this process does itself.
    fn pure(&'a self, job: &Job) -> Result<Record, Finding> {
        match job.op {
            Op::Fetch { .. } | Op::Local { .. } => Err(broken("a leaf has no record to be executed from")),
            Op::Unpack { v: 1, format } => match job.inputs.as_slice() {
                [Value::Blob(blob)] => unpack::run(self, format, blob, job.names.first().copied().unwrap_or_default()),
                [built, Value::Blob(source)] => {
                    let name = job.names.last().copied().unwrap_or_default();
                    unpack::built(self, format, &self.input(built)?, source, name)
                }
                _ => Err(broken("an unpack step needs one file")),
            },
            Op::Compose { v: 1, add } => compose::run(self, &self.inputs(job)?, &job.names, add),
            Op::Pick { v: 1, path } => compose::pick(self, &self.inputs(job)?, path),
            Op::Inspect { v: 1, arch, profile, demands, parts } => {
                super::inspect::run(self, &self.inputs(job)?, parts, profile, demands, *arch)
            }
            Op::Inventory { v: 4, arch, layers, parts } => {
                let (layers, trees) =
                    job.inputs.split_at_checked(*layers as usize).ok_or_else(|| broken("layers are missing"))?;
                let trees = trees.iter().map(|value| self.input(value)).collect::<Result<Vec<_>, _>>()?;
                inventory::run(self, layers, &trees, parts, *arch)
            }
            Op::Check { v: 1, check, arch } => check::run(self, &self.inputs(job)?, *check, *arch),
            Op::Layer { v: 1, epoch, title } => layer::run(self, &self.inputs(job)?, *epoch, title),
            Op::Image { v: 1, arch, epoch, config, annotations } => {
                image::image(self, &job.inputs, *arch, *epoch, config, annotations)
            }
            Op::Index { v: 1, annotations } => image::index(self, &job.inputs, annotations),
            _ => Err(broken("it has a step of a version that is not known here")),
        }
    }

    fn inputs(&self, job: &Job) -> Result<Vec<Input>, Finding> {
        job.inputs.iter().map(|value| self.input(value)).collect()
    }

    fn input(&self, value: &Value) -> Result<Input, Finding> {
        match value {
            Value::Tree { tree, packs } => Ok(Input { digest: *tree, tree: self.tree(tree)?, packs: packs.clone() }),
            _ => Err(broken("a step that needs trees has another input")),
        }
    }

    pub(super) fn tree(&self, digest: &Digest) -> Result<Arc<Tree>, Finding> {
        if let Some(tree) = lock(&self.trees).get(digest) {
            return Ok(tree.clone());
        }
        let bytes = self.store.read(digest, MAX_TREE)?;
        let tree = serde_json::from_slice(&bytes).map_err(|e| broken(format!("{digest} is no tree: {e}")))?;
        Ok(lock(&self.trees).entry(*digest).or_insert(Arc::new(tree)).clone())
    }

    /// Keeps a tree; `objects` are those made for it.
    pub(crate) fn keep_tree(
        &self,
        tree: Tree,
        packs: Vec<Digest>,
        mut objects: Vec<Digest>,
    ) -> Result<Record, Finding> {
        let digest = self.store.put(&canonical_json(&tree))?;
        lock(&self.trees).insert(digest, Arc::new(tree));
        objects.push(digest);
        objects.sort();
        objects.dedup();
        Ok(Record::new(Value::Tree { tree: digest, packs }, objects))
    }

    /// Keeps a document.
    pub(super) fn keep_document(&self, bytes: &[u8]) -> Result<Object, Finding> {
        Ok(Object { digest: self.store.put(bytes)?, size: bytes.len() as u64 })
    }

    pub(super) fn pack(&self, digest: &Digest) -> Result<Arc<Pack>, Finding> {
        if let Some(pack) = lock(&self.packs).get(digest) {
            return Ok(pack.clone());
        }
        let pack = Arc::new(Pack::open(self, digest)?);
        Ok(lock(&self.packs).entry(*digest).or_insert(pack).clone())
    }

    /// The directory of a tree, made by `make` unless that was done; whoever else wants it waits.
    pub(super) fn laid_out(
        &self,
        tree: Digest,
        make: impl FnOnce() -> Result<PathBuf, Finding>,
    ) -> Result<PathBuf, Finding> {
        let cell = lock(&self.laid_out).entry(tree).or_default().clone();
        cell.get_or_init(make).clone()
    }

    /// This process wrote and hashed the object itself, or verified it: its bytes are not hashed again.
    pub(super) fn trust(&self, object: Digest) {
        lock(&self.trusted).insert(object);
    }

    pub(super) fn trusts(&self, object: &Digest) -> bool {
        lock(&self.trusted).contains(object)
    }

    /// Reads a whole object and compares its digest.
    pub(super) fn verify(&self, object: &Digest) -> Result<(), Finding> {
        let mut file = self.store.open_blob(object)?;
        let (mut hasher, mut buffer) = (Hasher::new(), vec![0; 1 << 17]);
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => hasher.update(buffer.get(..read).unwrap_or_default()),
                Err(e) => return Err(self.store.failed(&format!("{object} cannot be read"), &e)),
            }
        }
        if hasher.finish() == *object { Ok(()) } else { Err(self.store.damaged(object)) }
    }
}

/// A tree that a step reads.
#[derive(Clone)]
pub(super) struct Input {
    pub(super) digest: Digest,
    pub(super) tree: Arc<Tree>,
    pub(super) packs: Vec<Digest>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
