use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use model::plan::Op;
use model::{Digest, Finding, Hasher, Tree, canonical_json};

use super::content::Pack;
use super::{Object, Record, Value, broken, check, compose, image, layer, unpack};
use crate::store::Store;

/// Larger manifests of trees are not made here.
const MAX_TREE: u64 = 1 << 30;

/// What the steps of one execution share.
pub(crate) struct Context<'a> {
    pub(crate) store: &'a Store,
    trees: Mutex<BTreeMap<Digest, Arc<Tree>>>,
    packs: Mutex<BTreeMap<Digest, Arc<Pack>>>,
    trusted: Mutex<BTreeSet<Digest>>,
}

/// A step about to be executed.
pub(super) struct Job<'a> {
    pub(super) op: &'a Op,
    pub(super) inputs: Vec<Value>,
    /// What the inputs are to people: a file name, mostly.
    pub(super) names: Vec<&'a str>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store, trees: Mutex::default(), packs: Mutex::default(), trusted: Mutex::default() }
    }

    /// Executes a step.
    pub(super) fn run(&'a self, job: &Job) -> Result<Record, Finding> {
        match job.op {
            Op::Fetch { .. } | Op::Local { .. } => Err(broken("a leaf has no record to be executed from")),
            Op::Unpack { v: 1, format } => match job.inputs.as_slice() {
                [Value::Blob(blob)] => unpack::run(self, format, blob, job.names.first().copied().unwrap_or_default()),
                _ => Err(broken("an unpack step needs one file")),
            },
            Op::Compose { v: 1, add } => compose::run(self, &self.inputs(job)?, &job.names, add),
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
        let tree = |value: &Value| match value {
            Value::Tree { tree, packs } => Ok(Input { tree: self.tree(tree)?, packs: packs.clone() }),
            _ => Err(broken("a step that needs trees has another input")),
        };
        job.inputs.iter().map(tree).collect()
    }

    fn tree(&self, digest: &Digest) -> Result<Arc<Tree>, Finding> {
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
        Ok(Record { value: Value::Tree { tree: digest, packs }, objects })
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
pub(super) struct Input {
    pub(super) tree: Arc<Tree>,
    pub(super) packs: Vec<Digest>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
