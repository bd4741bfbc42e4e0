//! What the store knows about steps that were executed before.

use model::plan::Op;
use model::{Digest, Finding, canonical_json, digest_of};
use serde::{Deserialize, Serialize};

use super::{Object, Value};
use crate::store::Store;

/// The record of an executed action.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// What it made.
    pub(crate) value: Value,
    /// The objects it put into the store; without them the record counts for nothing.
    pub(crate) objects: Vec<Digest>,
    /// What its commands printed, if it ran any; one of the objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<Object>,
}

impl Record {
    /// Of an action that ran no commands.
    pub(crate) fn new(value: Value, objects: Vec<Digest>) -> Self {
        Self { value, objects, log: None }
    }

    /// The same, of an action that ran commands.
    pub(crate) fn with_log(mut self, log: Object) -> Self {
        self.objects.push(log.digest);
        self.log = Some(log);
        self
    }
}

#[derive(Serialize)]
struct Action<'a> {
    op: &'a Op,
    inputs: Vec<Digest>,
}

/// The action digest: two steps with equal ones make the same.
pub(super) fn digest(op: &Op, inputs: &[Value]) -> Digest {
    digest_of(&Action { op, inputs: inputs.iter().map(Value::content).collect() })
}

/// What an action made before, if all of it is still there.
pub(super) fn recall(store: &Store, action: &Digest) -> Option<Record> {
    let record: Record = serde_json::from_slice(&store.action(action)?).ok()?;
    record.objects.iter().all(|object| store.has(object)).then_some(record)
}

pub(super) fn keep(store: &Store, action: &Digest, record: &Record) -> Result<(), Finding> {
    store.record(action, &canonical_json(record))
}

/// Whether a captured tree is still known, and all of it there.
pub(crate) fn has_local(store: &Store, tree: &Digest) -> bool {
    recall(store, &digest(&Op::Local { tree: *tree }, &[])).is_some()
}

/// Makes a captured tree known to the plan step that names it.
pub(crate) fn record_local(store: &Store, tree: Digest, record: &Record) -> Result<(), Finding> {
    keep(store, &digest(&Op::Local { tree }, &[]), record)
}
