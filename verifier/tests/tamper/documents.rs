//! What is done to the documents themselves; their signatures stay.

use model::Digest;
use serde_json::{Value, json};

use crate::world::World;
use crate::{Matrix, NOT_SIGNED, Wanted, forged, items, label, leaves, replaced, signed};

pub(crate) fn add(matrix: &mut Matrix) {
    for (number, item) in items().iter().enumerate() {
        let (name, refused) = (label(item, number), Wanted::Refused(item.check, NOT_SIGNED));
        let bundle = signed(&item.statement);
        for flip in 0..8 {
            let mut bytes = bundle.clone();
            let at = bytes.len() * (flip * 2 + 1) / 17;
            bytes[at] ^= 1;
            matrix.add("a byte is flipped", format!("{name} at {at}"), replaced(number, &bytes), refused.clone());
        }
        for cut in 1..=12 {
            let bytes = &bundle[..bundle.len() * cut / 13];
            matrix.add("truncated", format!("{name} after {cut}/13"), replaced(number, bytes), refused.clone());
        }
        let mut places = Vec::new();
        leaves(&item.statement, "", &mut places);
        for place in places {
            let mut payload = item.statement.clone();
            let leaf = payload.pointer_mut(&place).unwrap();
            *leaf = match leaf {
                Value::Bool(truth) => json!(!*truth),
                Value::Number(_) => json!(1_000_000),
                _ => json!("something else"),
            };
            let world = replaced(number, &forged(&item.statement, &payload));
            matrix.add("a field is changed", format!("{name}{place}"), world, refused.clone());
        }
        for (other, kind) in items().iter().map(|other| other.statement["predicateType"].clone()).enumerate() {
            let mut payload = item.statement.clone();
            if payload["predicateType"] != kind {
                payload["predicateType"] = kind;
                let world = replaced(number, &forged(&item.statement, &payload));
                matrix.add("the type is swapped", format!("{name} as that of {other}"), world, refused.clone());
            }
        }
        let bare = World::bare("good");
        let others = [Digest::of(b"other"), World::bare("another").index, bare.configs[0], bare.layers[0]];
        for (count, other) in others.iter().enumerate() {
            let mut payload = item.statement.clone();
            payload["subject"] = json!([{ "digest": { "sha256": other.hex() } }]);
            let world = replaced(number, &forged(&item.statement, &payload));
            matrix.add("the subject is swapped", format!("{name} for {count}"), world, refused.clone());
            let mut payload = item.statement.clone();
            payload["subject"].as_array_mut().unwrap().insert(0, json!({ "digest": { "sha256": other.hex() } }));
            let world = replaced(number, &forged(&item.statement, &payload));
            matrix.add("a subject is added", format!("{name} before {count}"), world, refused.clone());
        }
    }
}
