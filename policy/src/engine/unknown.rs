//! Facts that should be known and are not.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::facts::{Fact, schema};
use crate::rego::{Reads, Step, shown};

/// Those of the facts read that are not in a document, as they are written in Rego. What need not be there is never missing,
/// nor is what would be in something that is not there.
pub(super) fn facts(reads: &Reads, document: &Value) -> Vec<String> {
    let mut unknown = BTreeSet::new();
    for read in &reads.facts {
        if let Some(known) = missing(schema(), read, document, 0) {
            unknown.insert(shown(read.get(..known).unwrap_or(read)));
        }
    }
    unknown.into_iter().collect()
}

/// How many steps lead to what is missing.
fn missing(fact: Fact<'_>, read: &[Step], value: &Value, at: usize) -> Option<usize> {
    match read.get(at)? {
        Step::Name(name) => {
            let inner = fact.field(name)?;
            match value.get(name) {
                Some(value) => missing(inner, read, value, at + 1),
                None => inner.required.then_some(at + 1),
            }
        }
        Step::Any => {
            let inner = fact.any()?;
            let mut values: Box<dyn Iterator<Item = &Value>> = match value {
                Value::Array(values) => Box::new(values.iter()),
                Value::Object(values) => Box::new(values.values()),
                _ => return None,
            };
            values.find_map(|value| missing(inner, read, value, at + 1))
        }
    }
}
