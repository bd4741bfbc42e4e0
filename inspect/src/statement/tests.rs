//! A statement that is right, and changes that make it wrong: `mutations.json` says what, and what is said then.

use serde_json::Value;

use super::check;

const RIGHT: &str = include_str!("right.json");
const MUTATIONS: &str = include_str!("mutations.json");

fn said(document: &Value) -> Vec<String> {
    check(document).into_iter().map(|violation| format!("{}: {}", violation.at, violation.message)).collect()
}

#[test]
fn what_is_right_is_left_alone() {
    let right: Value = serde_json::from_str(RIGHT).unwrap();
    assert_eq!(said(&right), Vec::<String>::new());
}

#[test]
fn every_change_is_noticed_where_it_was_made() {
    let right: Value = serde_json::from_str(RIGHT).unwrap();
    let mutations: Vec<Value> = serde_json::from_str(MUTATIONS).unwrap();
    for mutation in &mutations {
        let pointer = mutation["at"].as_str().unwrap();
        let mut changed = right.clone();
        match mutation.get("put") {
            Some(value) => match changed.pointer_mut(pointer) {
                Some(place) => *place = value.clone(),
                None => {
                    let (above, name) = pointer.rsplit_once('/').unwrap();
                    changed.pointer_mut(above).unwrap()[name] = value.clone();
                }
            },
            None => {
                let (above, name) = pointer.rsplit_once('/').unwrap();
                assert!(
                    changed.pointer_mut(above).unwrap().as_object_mut().unwrap().remove(name).is_some(),
                    "{pointer}"
                );
            }
        }
        assert_eq!(said(&changed), [mutation["says"].as_str().unwrap()], "{mutation}");
    }
    assert!(mutations.len() > 30);
}

#[test]
fn what_is_no_object_at_all_is_said_to_be_none() {
    assert_eq!(said(&Value::Null), [": it is null, not an object"]);
    assert_eq!(said(&serde_json::json!([])), [": it is a list, not an object"]);
}

/// Statements about other things may say what they like, and fields nobody knows are no violation.
#[test]
fn other_predicates_are_not_looked_into() {
    let mut other: Value = serde_json::from_str(RIGHT).unwrap();
    other["predicateType"] = "https://example.com/other".into();
    other["predicate"] = serde_json::json!({ "anything": [1, null] });
    other["later"] = 1.into();
    assert_eq!(said(&other), Vec::<String>::new());
    other["predicate"] = 1.into();
    assert_eq!(said(&other), ["/predicate: it is a number, not an object"]);
}
