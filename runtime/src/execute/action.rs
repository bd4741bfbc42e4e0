//! What the store knows about steps that were executed before.

use model::plan::Op;
use model::{Digest, Finding, canonical_json, digest_of};
use serde::{Deserialize, Serialize};

use super::Value;
use crate::store::Store;

/// The record of an executed action.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// What it made.
    pub(crate) value: Value,
    /// The objects it put into the store; without them the record counts for nothing.
    pub(crate) objects: Vec<Digest>,
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
pub(super) fn recall(store: &Store, action: &Digest) -> Option<Value> {
    let record: Record = serde_json::from_slice(&store.action(action)?).ok()?;
    record.objects.iter().all(|object| store.has(object)).then_some(record.value)
}

pub(super) fn keep(store: &Store, action: &Digest, record: &Record) -> Result<(), Finding> {
    store.record(action, &canonical_json(record))
}

/// Makes a captured tree known to the plan step that names it.
pub(crate) fn record_local(store: &Store, tree: Digest, record: &Record) -> Result<(), Finding> {
    keep(store, &digest(&Op::Local { tree }, &[]), record)
}
