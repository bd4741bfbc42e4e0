//! Facts as the evaluator takes them.

use std::collections::{BTreeMap, HashMap};

use regorus::Value;
use serde_json::Value as Json;

/// Names of facts, each made once: a document has the same few in each of thousands of packages.
type Names<'f> = HashMap<&'f str, Value>;

/// A document as the evaluator's own value.
pub(super) fn input(document: &Json) -> Value {
    value(document, &mut Names::new())
}

fn value<'f>(json: &'f Json, names: &mut Names<'f>) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => Value::from(number),
            (None, Some(number), _) => Value::from(number),
            (None, None, number) => number.map_or(Value::Null, Value::from),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(values) => Value::from(values.iter().map(|json| value(json, names)).collect::<Vec<_>>()),
        Json::Object(fields) => {
            let field = |(name, json): (&'f String, &'f Json)| {
                let inner = value(json, names);
                (names.entry(name).or_insert_with(|| Value::from(name.as_str())).clone(), inner)
            };
            Value::from(fields.iter().map(field).collect::<BTreeMap<_, _>>())
        }
    }
}
