//! Facts that should be known and are not.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::facts::{Fact, schema};
use crate::rego::{Read, Reads, Step, shown};

/// Facts that are not in a document, though what they would be in is, and it should have them.
pub(super) fn missing(document: &Value) -> BTreeSet<Read> {
    let mut found = BTreeSet::new();
    within(schema(), document, &mut Read::new(), &mut found);
    found
}

fn within(fact: Fact<'_>, value: &Value, path: &mut Read, found: &mut BTreeSet<Read>) {
    match value {
        Value::Object(fields) if fact.any().is_none() => {
            for (name, inner) in fact.fields() {
                let known = fields.get(name);
                if known.is_none() && !inner.required || known.is_some() && inner.is_leaf() {
                    continue;
                }
                path.push(Step::Name(name.to_owned()));
                match known {
                    Some(value) => within(inner, value, path, found),
                    None if found.contains(path.as_slice()) => {}
                    None => drop(found.insert(path.clone())),
                }
                path.pop();
            }
        }
        Value::Object(_) | Value::Array(_) => {
            let Some(inner) = fact.any().filter(|inner| !inner.is_leaf()) else { return };
            path.push(Step::Any);
            let mut each = |value| within(inner, value, path, found);
            match value {
                Value::Object(fields) => fields.values().for_each(&mut each),
                Value::Array(values) => values.iter().for_each(&mut each),
                _ => {}
            }
            path.pop();
        }
        _ => {}
    }
}

/// Those of the facts read that are missing, as they are written in Rego. Of what would be in something that is missing, that is said.
pub(super) fn facts(reads: &Reads, missing: &BTreeSet<Read>) -> Vec<String> {
    let start = |read: &Read| {
        let known = |length: &usize| read.get(..*length).is_some_and(|start| missing.contains(start));
        (1..=read.len()).find(known).and_then(|length| read.get(..length).map(shown))
    };
    reads.facts.iter().filter_map(start).collect::<BTreeSet<_>>().into_iter().collect()
}
