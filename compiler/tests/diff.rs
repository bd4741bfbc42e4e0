//! What differs between locks and plans, and that no difference is hidden.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use std::collections::BTreeMap;
use std::fs;

use compiler::diff::{Difference, Document, locks, plans, read};
use model::{codes, digest_of};
use serde_json::{Value, json};

fn case(name: &str, file: &str) -> Value {
    serde_json::from_slice(&fs::read(cases::place(&format!("compile/plan/{name}/{file}"))).unwrap()).unwrap()
}

fn lock() -> Value {
    case("python-two-architectures", "lock.json")
}

fn plan() -> Value {
    case("python-two-architectures", "plan.json")
}

/// What differs, or why one of the two cannot be read.
fn compare(before: &str, after: &str) -> Result<Difference, String> {
    let read = |name: &str, text: &str| read(name, text.as_bytes()).map_err(|finding| finding.message);
    match (read("before", before)?, read("after", after)?) {
        (Document::Lock(before), Document::Lock(after)) => Ok(locks(&before, &after)),
        (Document::Plans(before), Document::Plans(after)) => Ok(plans(&before, &after)),
        _ => Err("two kinds".into()),
    }
}

/// The lines people see.
#[track_caller]
fn lines(before: &Value, after: &Value) -> Vec<String> {
    let difference = compare(&before.to_string(), &after.to_string()).unwrap();
    let changes = difference.changes.iter().map(ToString::to_string);
    changes.chain(difference.affected.iter().map(ToString::to_string)).collect()
}

/// A plan whose steps were changed, each under its key again.
fn rekeyed(plan: &Value) -> Value {
    fn key(old: &str, from: &Value, done: &mut BTreeMap<String, String>, steps: &mut Value) -> String {
        if let Some(new) = done.get(old) {
            return new.clone();
        }
        let mut step = from["steps"][old].clone();
        if let Some(inputs) = step.get_mut("inputs").and_then(Value::as_array_mut) {
            for input in inputs {
                let old = input.as_str().unwrap_or_default().to_owned();
                // a key that is nobody's stays
                if from["steps"].get(&old).is_some() {
                    *input = key(&old, from, done, steps).into();
                }
            }
        }
        let new = digest_of(&step).to_string();
        steps[&new] = step;
        done.insert(old.to_owned(), new.clone());
        new
    }
    let (mut done, mut steps, mut after) = (BTreeMap::new(), json!({}), plan.clone());
    for old in plan["steps"].as_object().into_iter().flat_map(|steps| steps.keys()) {
        key(old, plan, &mut done, &mut steps);
    }
    after["steps"] = steps;
    for target in after.get_mut("targets").and_then(Value::as_object_mut).into_iter().flat_map(|map| map.values_mut()) {
        if let Some(new) = target.as_str().and_then(|old| done.get(old)) {
            *target = new.as_str().into();
        }
    }
    after
}

/// A lock whose questions were changed, each answer under its question's digest again.
fn asked_anew(lock: &Value) -> Value {
    let mut after = lock.clone();
    let answers = lock["answers"].as_object().into_iter().flat_map(|answers| answers.values());
    after["answers"] = answers.map(|answer| (digest_of(&answer["asked"]).to_string(), answer.clone())).collect();
    after
}

/// Every document that differs from this one in one place.
fn mutations(document: &Value) -> Vec<Value> {
    fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
        let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(key, value)| pointers(value, &format!("{at}/{}", escaped(key)), found))
            }
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(key, value)| pointers(value, &format!("{at}/{key}"), found))
            }
            _ => {}
        }
        found.push(at.to_owned());
    }
    let mut found = Vec::new();
    pointers(document, "", &mut found);
    let mut mutated = Vec::new();
    for pointer in found {
        let mut change = |change: &dyn Fn(&mut Value)| {
            let mut after = document.clone();
            change(after.pointer_mut(&pointer).unwrap());
            if after != *document {
                mutated.push(after);
            }
        };
        match document.pointer(&pointer).unwrap() {
            Value::String(text) => {
                change(&|value| *value = format!("{text}0").into());
                change(&|value| *value = "".into());
                let end = if text.ends_with('0') { "1" } else { "0" };
                let last = text.char_indices().last().map_or(0, |(at, _)| at);
                change(&|value| *value = format!("{}{end}", &text[..last]).into());
            }
            Value::Number(number) => change(&|value| *value = (number.as_i64().unwrap() + 1).into()),
            Value::Bool(truth) => change(&|value| *value = (!truth).into()),
            Value::Array(list) => {
                change(&|value| *value = list.iter().skip(1).cloned().collect());
                change(&|value| *value = list.iter().rev().cloned().collect());
                change(&|value| *value = list.iter().chain(list.first()).cloned().collect());
            }
            Value::Object(map) => {
                for key in map.keys() {
                    change(&|value| drop(value.as_object_mut().unwrap().remove(key)));
                    change(&|value| {
                        let map = value.as_object_mut().unwrap();
                        let entry = map.remove(key).unwrap();
                        map.insert(format!("{key}0"), entry);
                    });
                }
            }
            Value::Null => {}
        }
    }
    mutated
}

/// An empty list or map is as good as none: what reads the same is the same.
fn same(before: &str, after: &str) -> bool {
    let canonical = |text: &str| -> Value {
        let plan = serde_json::from_str::<model::plan::Plan>(text).map(|plan| json!(plan));
        plan.or_else(|_| serde_json::from_str::<model::lock::Lock>(text).map(|lock| json!(lock))).unwrap()
    };
    canonical(before) == canonical(after)
}

#[track_caller]
fn nothing_is_hidden(document: &Value, repair: fn(&Value) -> Value) {
    let before = document.to_string();
    let (mut differing, mut refused, mut hidden) = (0, 0, Vec::new());
    for mutated in mutations(document) {
        for after in [mutated.to_string(), repair(&mutated).to_string()] {
            match compare(&before, &after) {
                Err(_) => refused += 1,
                Ok(difference) if !difference.changes.is_empty() => {
                    let other_way = compare(&after, &before).unwrap();
                    assert!(!other_way.changes.is_empty(), "{after}");
                    differing += 1;
                }
                Ok(_) if same(&before, &after) => {}
                Ok(_) => hidden.push(after),
            }
        }
    }
    assert!(hidden.is_empty(), "{} are hidden, such as {}", hidden.len(), hidden[0]);
    assert!(differing > 200 && refused > 200, "{differing} {refused}");
    assert_eq!(compare(&before, &before).unwrap(), Difference::default());
}

#[test]
fn no_difference_of_locks_is_hidden() {
    nothing_is_hidden(&lock(), asked_anew);
}

#[test]
fn no_difference_of_plans_is_hidden() {
    nothing_is_hidden(&case("no-language", "plan.json"), rekeyed);
}

#[test]
fn no_difference_of_a_python_plan_is_hidden() {
    nothing_is_hidden(&case("short-form", "plan.json"), rekeyed);
}

#[test]
fn packages_of_two_ecosystems_and_one_name_are_two() {
    let mut before = lock();
    let id = "pkg:pypi/libexpat1@1.0";
    let mut node = before["nodes"].as_object().unwrap().values().find(|node| node["origin"] == "pypi").unwrap().clone();
    (node["name"], node["version"]) = ("libexpat1".into(), "1.0".into());
    before["nodes"][id] = node;
    for answer in before["answers"].as_object_mut().unwrap().values_mut() {
        for image in answer["resolutions"].as_object_mut().unwrap().values_mut() {
            image["nodes"].as_array_mut().unwrap().push(id.into());
        }
    }
    let mut after = before.clone();
    after["nodes"][id]["version"] = "1.1".into();
    assert_eq!(lines(&before, &after), ["amd64, arm64: pypi libexpat1 1.0 -> 1.1"]);
    let mut after = before.clone();
    for (_, node) in
        after["nodes"].as_object_mut().unwrap().iter_mut().filter(|(id, _)| id.contains("deb/debian/libexpat1"))
    {
        node["version"] = "3".into();
    }
    assert_eq!(lines(&before, &after).len(), 1);
    assert!(lines(&before, &after)[0].starts_with("amd64, arm64: debian libexpat1 2.5.0-1 -> 3, for `libexpat1 "));
}

#[test]
fn a_lock_says_version_reason_and_proof() {
    let before = lock();
    let mut after = before.clone();
    let (id, node) =
        after["nodes"].as_object_mut().unwrap().iter_mut().find(|(_, node)| node["name"] == "lampwork").unwrap();
    node["version"] = "1.2".into();
    node["proof"] = json!({"state": "unsigned-upstream"});
    let id = id.clone();
    let found = lines(&before, &after);
    assert_eq!(
        found,
        [
            "amd64, arm64: pypi lampwork 1.1 -> 1.2, for `lampwork[kiln]<2` of the configuration",
            "amd64, arm64: pypi lampwork proof index-hash -> unsigned-upstream",
        ]
    );
    // in one architecture only
    let mut after = before.clone();
    let image = &mut after["answers"].as_object_mut().unwrap().values_mut().next().unwrap()["resolutions"]["arm64"];
    image["nodes"].as_array_mut().unwrap().retain(|node| *node != id);
    let found = lines(&before, &after);
    assert_eq!(
        found,
        ["arm64: pypi lampwork \"1.1 (index-hash)\" removed, for `lampwork[kiln]<2` of the configuration"]
    );
    let mut after = before.clone();
    after["releases"]["trixie"]["date"] = 1_700_000_001.into();
    let found = lines(&before, &after);
    assert_eq!(found, ["release trixie: date 2023-11-14T22:13:20Z -> 2023-11-14T22:13:21Z"]);
}

#[test]
fn locks_of_several_images_say_which_image() {
    let one = lock();
    let (_, answer) = one["answers"].as_object().unwrap().iter().next().unwrap();
    let batch = |versions: &[&str], packages: &[&str]| {
        let mut lock = one.clone();
        let mut answers = BTreeMap::new();
        for version in versions {
            let mut answer = answer.clone();
            answer["asked"]["version"] = (*version).into();
            answer["asked"]["packages"] = packages.into();
            answers.insert(digest_of(&answer["asked"]).to_string(), answer);
        }
        lock["answers"] = json!(answers);
        lock
    };
    let found = lines(&batch(&["3.11", "3.12"], &["lampwork"]), &batch(&["3.12", "3.13"], &["lampwork"]));
    assert_eq!(found, ["image with python 3.13 asked: version 3.11 -> 3.13"]);
    // a field that all have otherwise
    let found = lines(&batch(&["3.11", "3.12"], &["lampwork"]), &batch(&["3.11", "3.12"], &["lampwork>1"]));
    assert_eq!(
        found,
        [
            "image with python 3.11, image with python 3.12 asked: package lampwork removed",
            "image with python 3.11, image with python 3.12 asked: package lampwork>1 added",
        ]
    );
    let found = lines(&batch(&["3.11"], &["lampwork"]), &batch(&["3.11", "3.12"], &["lampwork"]));
    assert_eq!(found, ["image with python 3.12: image added"]);
}

fn with_environment(plan: &Value, entry: &str) -> Value {
    let mut after = plan.clone();
    for step in after["steps"].as_object_mut().unwrap().values_mut().filter(|step| step["op"]["op"] == "image") {
        step["op"]["config"]["env"].as_array_mut().unwrap().push(entry.into());
    }
    rekeyed(&after)
}

#[test]
fn a_plan_says_which_leaf_changed_and_what_that_changed() {
    let before = plan();
    assert_eq!(
        lines(&before, &with_environment(&before, "COLOUR=dark red")),
        [
            "amd64, arm64 configuration: env COLOUR \"dark red\" added",
            "amd64: 1 of 48 steps are others",
            "arm64: 1 of 48 steps are others",
            "index: 3 of 83 steps are others",
        ]
    );
    let mut after = before.clone();
    for step in after["steps"].as_object_mut().unwrap().values_mut() {
        if step["op"]["file"].as_str().is_some_and(|file| file.contains("netbase")) {
            step["op"]["size"] = 7.into();
        }
        if step["op"]["op"] == "local" {
            step["op"]["tree"] = model::Digest::of(b"").to_string().into();
        }
    }
    let found = lines(&before, &rekeyed(&after));
    assert_eq!(found[0], "amd64, arm64 layer base: debian netbase size 1007 -> 7");
    assert!(found[1].starts_with("amd64, arm64 layer application: the author's files in /app sha256:"), "{found:?}");
    assert!(found[2].ends_with("with them the layers base, packages, application"), "{found:?}");
}

#[test]
fn plans_of_several_images_say_which_image() {
    let plan = plan();
    let text = |images: &[(&str, &Value)]| {
        images.iter().map(|(image, plan)| json!({"image": image, "plan": plan}).to_string() + "\n").collect::<String>()
    };
    let changed = with_environment(&plan, "A=1");
    let shown = |before: &str, after: &str| {
        let difference = compare(before, after).unwrap();
        difference.changes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let before = text(&[("a", &plan), ("b", &plan), ("c", &plan)]);
    assert_eq!(
        shown(&before, &text(&[("a", &changed), ("b", &changed), ("d", &plan)])),
        ["a amd64, a arm64, b amd64, b arm64 configuration: env A 1 added", "c: image removed", "d: image added",]
    );
    assert_eq!(shown(&before, &before), [""; 0]);
    // a plan by itself is of the image it names
    assert_eq!(shown(&plan.to_string(), &text(&[("lamps", &plan), ("more", &plan)])), ["more: image added"]);
    let twice = compare(&before, &text(&[("a", &plan), ("a", &plan)])).unwrap_err();
    assert_eq!(twice, "line 2 of after has a second plan of the image `a`");
}

#[test]
fn what_is_neither_is_said_with_its_name() {
    let refused = |text: &[u8]| match read("x.json", text) {
        Ok(_) => panic!("{}", String::from_utf8_lossy(text)),
        Err(finding) => {
            assert!(finding.message.contains("x.json") && finding.message.len() < 400, "{}", finding.message);
            assert!(finding.help.is_some());
            (finding.code, finding.message)
        }
    };
    for text in [
        "",
        "{}",
        "[]",
        "null",
        "name: x",
        "\u{feff}{}",
        "{\"image\":1}",
        "{\"plan\":{}}",
        "{\"steps\":{}}",
        "{\"nodes\":1}",
    ] {
        assert_eq!(refused(text.as_bytes()).0, codes::LOCK_UNREADABLE, "{text}");
    }
    assert_eq!(refused(&vec![0x80; 50 << 20]).0, codes::LOCK_UNREADABLE);
    let long = "x".repeat(1 << 20);
    refused(format!("{{\"steps\":{{}},\"{long}\":1}}").as_bytes());
    let mut later = plan();
    later["format"] = 7.into();
    assert_eq!(refused(later.to_string().as_bytes()).1, "x.json is a plan of format 7, this version reads 1");
    let mut later = lock();
    later["format"] = 7.into();
    assert!(refused(later.to_string().as_bytes()).1.ends_with("it has format 7, expected 2"));
    let mut forged = plan();
    let mut steps = forged["steps"].as_object_mut().unwrap().values_mut();
    let step = steps.find(|step| step["op"]["title"].is_string()).unwrap();
    step["op"]["title"] = "other".into();
    assert_eq!(refused(forged.to_string().as_bytes()).0, codes::LOCK_INCONSISTENT);
}
