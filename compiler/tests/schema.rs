//! The schemas of locks and plans against the types that read them. The documents of `tests/compile/plan` are
//! accepted. One with everything in it is changed in every place in many ways: what the schema accepts must be read, and what was
//! read must be accepted as it is written. The fields and words that a type knows must be the schema's.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use model::lock::Lock;
use model::plan::Plan;
use regex::Regex;
use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value, json};

#[test]
fn the_schema_of_locks_is_what_the_compiler_reads() {
    agrees::<Lock>("lock", full_lock());
}

#[test]
fn the_schema_of_plans_is_what_the_runtime_reads() {
    agrees::<Plan>("plan", full_plan());
}

fn agrees<T: DeserializeOwned + Serialize>(kind: &str, full: Value) {
    let root = compiler::schema::schema(kind).unwrap();
    let schema = Schema { root: &root, seen: RefCell::default(), patterns: RefCell::default() };
    let format = full["format"].clone();
    let read = |document: &Value| match document.get("format") {
        Some(other) if *other != format => {
            Err(serde_json::Error::custom("another format, which readers look at first"))
        }
        _ => serde_json::from_value::<T>(document.clone()),
    };
    let recorded = cases::folders("compile/plan").into_iter().filter_map(|case| {
        let text = fs::read(case.join(format!("{kind}.json"))).ok()?;
        Some(serde_json::from_slice(&text).unwrap())
    });
    let documents: Vec<Value> = recorded.chain([full.clone()]).collect();
    assert!(documents.len() > 3, "there are recorded documents");
    for document in &documents {
        assert_eq!(serde_json::to_value(read(document).unwrap()).unwrap(), *document);
        schema.check(document).unwrap();
    }
    let all: BTreeSet<String> = fields(&root, String::new()).into_iter().collect();
    assert_eq!(*schema.seen.borrow(), all, "a field is in no document");

    let mut changes = 0;
    for pointer in places(&full, String::new()) {
        for change in changed(full.pointer(&pointer).unwrap()) {
            let document = with(&full, &pointer, change);
            changes += 1;
            match (schema.check(&document), read(&document)) {
                (Ok(()), Err(e)) => panic!("{pointer}: accepted by the schema, and not read: {e}"),
                (_, Ok(read)) => schema.check(&serde_json::to_value(read).unwrap()).unwrap(),
                (Err(_), Err(_)) => {}
            }
        }
        same_words(&schema, &full, &pointer, &|document| read(document).err());
    }
    assert!(changes > 1000, "{changes}");
}

/// A document with something else in one place.
fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let mut document = document.clone();
    *document.pointer_mut(pointer).unwrap() = value;
    document
}

/// The fields, or the words, that the type knows at a place are those that the schema has there.
fn same_words(schema: &Schema<'_>, full: &Value, pointer: &str, error: &dyn Fn(&Value) -> Option<serde_json::Error>) {
    let stranger = match full.pointer(pointer).unwrap() {
        Value::Object(map) => {
            map.iter().map(|(name, value)| (name.as_str(), value.clone())).chain([("?", json!(1))]).collect()
        }
        Value::String(_) => json!("?"),
        _ => return,
    };
    let Some(message) = error(&with(full, pointer, stranger)).map(|e| e.to_string()) else { return };
    let Some((_, known)) = message.split_once("`?`, expected ") else { return };
    let known: BTreeSet<&str> = known.split('`').skip(1).step_by(2).collect();
    assert_eq!(schema.words(full, pointer), known, "{pointer}");
}

/// Other values in place of one.
fn changed(value: &Value) -> Vec<Value> {
    let mut changes = vec![json!([]), json!({}), json!(true)];
    match value {
        Value::Object(map) => {
            for name in map.keys() {
                let mut without = map.clone();
                let taken = without.remove(name).unwrap();
                changes.push(Value::Object(without.clone()));
                without.insert("?".into(), taken.clone());
                changes.push(Value::Object(without));
                let mut with = map.clone();
                with.insert("?".into(), taken);
                changes.push(Value::Object(with));
            }
        }
        Value::Array(items) => changes.push(Value::Array(items.iter().cloned().chain([json!(1.5)]).collect())),
        Value::String(text) => {
            changes.extend([json!(7), json!(text.to_uppercase())]);
            let texts = ["", "?", "/a", "a/", "a//b", "./a", "a/..", "..a/.b/...", "."];
            changes.extend(texts.map(|text| json!(text)));
            changes.push(json!(format!("{text}0")));
        }
        Value::Number(_) => {
            let numbers = [-1_i64, 0, i64::from(u32::MAX), i64::from(u32::MAX) + 1];
            changes.extend(numbers.map(|number| json!(number)));
            changes.extend([json!(1.5), json!("1")]);
        }
        Value::Bool(_) => changes.push(json!("true")),
        Value::Null => {}
    }
    changes
}

/// Pointers to everything in a document.
fn places(value: &Value, pointer: String) -> Vec<String> {
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    let below: Vec<String> = match value {
        Value::Object(map) => {
            map.iter().flat_map(|(name, value)| places(value, format!("{pointer}/{}", escaped(name)))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(at, item)| places(item, format!("{pointer}/{at}"))).collect()
        }
        _ => Vec::new(),
    };
    [pointer].into_iter().chain(below).collect()
}

/// Every field of a schema, by where it stands.
fn fields(schema: &Value, place: String) -> Vec<String> {
    let own = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let own: Vec<String> = own.map(|(name, _)| format!("{place}/{name}")).collect();
    let below = ["oneOf", "definitions"].into_iter().filter_map(|word| Some((word, schema.get(word)?)));
    let below = below.flat_map(|(word, inner)| match inner {
        Value::Array(all) => {
            all.iter().enumerate().flat_map(|(at, one)| fields(one, format!("{place}/{word}/{at}"))).collect::<Vec<_>>()
        }
        Value::Object(all) => {
            all.iter().flat_map(|(name, one)| fields(one, format!("{place}/{word}/{name}"))).collect()
        }
        _ => Vec::new(),
    });
    own.into_iter().chain(below).collect()
}

/// As much of draft-07 as these schemas use; another word is a mistake.
struct Schema<'s> {
    root: &'s Value,
    /// Fields that were in an accepted document, by where they stand in the schema.
    seen: RefCell<BTreeSet<String>>,
    patterns: RefCell<BTreeMap<String, Regex>>,
}

impl<'s> Schema<'s> {
    fn check(&self, document: &Value) -> Result<(), String> {
        let seen = self.accepts(self.root, "", document)?;
        self.seen.borrow_mut().extend(seen);
        Ok(())
    }

    /// The fields of the schema that a value has, by where they stand.
    fn accepts(&self, schema: &Value, place: &str, value: &Value) -> Result<Vec<String>, String> {
        let mut seen = Vec::new();
        for (word, rule) in schema.as_object().unwrap() {
            let fits = match word.as_str() {
                "$schema" | "title" | "description" | "definitions" => true,
                "$ref" => {
                    let (place, schema) = self.defined(rule);
                    seen.extend(self.accepts(schema, place, value)?);
                    true
                }
                "allOf" => {
                    for one in rule.as_array().unwrap() {
                        seen.extend(self.accepts(one, place, value)?);
                    }
                    true
                }
                "oneOf" => {
                    let all = rule.as_array().unwrap().iter().enumerate();
                    let mut fitting =
                        all.filter_map(|(at, one)| self.accepts(one, &format!("{place}/oneOf/{at}"), value).ok());
                    seen.extend(fitting.next().unwrap_or_default());
                    let (once, more) = (!seen.is_empty(), fitting.next().is_some());
                    once && !more
                }
                "type" => match rule.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64() || value.is_u64(),
                    other => panic!("{other}"),
                },
                "const" => value == rule,
                "enum" => rule.as_array().unwrap().contains(value),
                "pattern" => value.as_str().is_none_or(|text| self.matches(rule.as_str().unwrap(), text)),
                "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
                "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
                "required" => {
                    let has = |map: &Map<String, Value>| {
                        rule.as_array().unwrap().iter().all(|name| map.contains_key(name.as_str().unwrap()))
                    };
                    value.as_object().is_none_or(has)
                }
                "properties" => {
                    for (name, schema) in rule.as_object().unwrap() {
                        if let Some(value) = value.get(name) {
                            seen.push(format!("{place}/{name}"));
                            seen.extend(self.accepts(schema, place, value)?);
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    let known = schema.get("properties").and_then(Value::as_object);
                    let others = value.as_object().into_iter().flatten();
                    let mut others = others.filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
                    if rule == &json!(false) {
                        others.next().is_none()
                    } else {
                        for (_, value) in others {
                            seen.extend(self.accepts(rule, place, value)?);
                        }
                        true
                    }
                }
                "propertyNames" => {
                    for name in value.as_object().into_iter().flat_map(Map::keys) {
                        self.accepts(rule, place, &json!(name))?;
                    }
                    true
                }
                "items" => {
                    for item in value.as_array().into_iter().flatten() {
                        seen.extend(self.accepts(rule, place, item)?);
                    }
                    true
                }
                other => panic!("the schema says {other}, which nothing checks"),
            };
            if !fits {
                return Err(format!("{place}: {word} of {value}"));
            }
        }
        Ok(seen)
    }

    fn matches(&self, pattern: &str, text: &str) -> bool {
        let mut patterns = self.patterns.borrow_mut();
        patterns.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).unwrap()).is_match(text)
    }

    fn defined<'r>(&self, reference: &'r Value) -> (&'r str, &'s Value) {
        let place = reference.as_str().unwrap().strip_prefix('#').unwrap();
        (place, self.root.pointer(place).unwrap())
    }

    /// The fields a map may have, the names, or the words that may stand at a place of a document that is right.
    fn words(&self, document: &Value, pointer: &str) -> BTreeSet<&'s str> {
        let texts = |all: &'s Value| all.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let here = self.at(document, pointer);
        if let Some(fields) = here.get("properties").and_then(Value::as_object) {
            // A tag is read before the fields are.
            return fields
                .iter()
                .filter(|(_, field)| field.get("const").is_none_or(Value::is_number))
                .map(|(name, _)| name.as_str())
                .collect();
        }
        if let Some(names) = here.get("propertyNames") {
            return texts(&self.one(names, &Value::Null)["enum"]);
        }
        if here.get("const").is_none() {
            return texts(&here["enum"]);
        }
        let (parent, tag) = pointer.rsplit_once('/').unwrap();
        let kinds = self.several(document, parent)["oneOf"].as_array().unwrap();
        kinds.iter().filter_map(|kind| kind["properties"][tag]["const"].as_str()).collect()
    }

    /// The schema of a place.
    fn at(&self, document: &Value, pointer: &str) -> &'s Value {
        self.one(self.several(document, pointer), document.pointer(pointer).unwrap())
    }

    /// The same before one is chosen of several.
    fn several(&self, document: &Value, pointer: &str) -> &'s Value {
        let Some((parent, name)) = pointer.rsplit_once('/') else { return self.root };
        let above = self.at(document, parent);
        let own = above.get("properties").and_then(|all| all.get(name));
        let below = own.or_else(|| above.get("items")).or_else(|| above.get("additionalProperties")).unwrap();
        below.get("$ref").map_or(below, |reference| self.defined(reference).1)
    }

    fn one(&self, schema: &'s Value, value: &Value) -> &'s Value {
        if let Some(reference) = schema.get("$ref") {
            return self.one(self.defined(reference).1, value);
        }
        let all = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        all.into_iter().find(|one| self.accepts(one, "", value).is_ok()).unwrap_or(schema)
    }
}

fn full_lock() -> Value {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let node = |proof: Value| {
        json!({
            "origin": "pypi", "name": "a", "version": "1", "file": "a.whl", "size": 1, "sha256": digest, "metadata": digest,
            "build": ["a"], "license": "MIT", "proof": proof,
            "requires": [{ "origin": "debian", "name": "b", "requirement": "b (>= 1)" }],
            "omits": [{ "requirement": "c", "reason": "not needed" }],
        })
    };
    json!({
        "format": 2,
        "epoch": 1,
        "releases": {
            "trixie": {
                "label": "Debian", "codename": "trixie", "date": 1, "in_release": digest, "size": 1, "signed_by": ["AB"],
                "expired_accepted": true, "indexes": { "main/binary-amd64/Packages.xz": { "digest": digest, "size": 1 } },
            },
        },
        "nodes": {
            "a": node(json!({ "state": "verified-by-openpgp", "release": "trixie", "index": "main/binary-amd64/Packages.xz" })),
            "b": node(json!({ "state": "index-hash" })),
            "c": node(json!({ "state": "unsigned-upstream" })),
            "d": node(json!({ "state": "verified-by-signature", "signature": { "digest": digest, "size": 1 }, "signed_by": "ab" })),
            "e": node(json!({
                "state": "verified-by-dsc", "package": "a", "dsc": { "digest": digest, "size": 1 }, "signed_by": "ab",
            })),
        },
        "answers": {
            digest.as_str(): {
                "asked": {
                    "language": "python", "version": "3.13", "packages": ["a"], "system_packages": ["b"],
                    "architectures": ["amd64"], "variant": "dev", "from_source": true, "no_binary": ["a"], "toolchain": true,
                },
                "resolutions": {
                    "amd64": {
                        "language_version": "3.13.5", "nodes": ["a"],
                        "roots": [{ "by": "config", "edge": { "origin": "pypi", "name": "a", "requirement": "a" } }],
                    },
                },
            },
        },
    })
}

fn full_plan() -> Value {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let additions = json!([
        { "add": "dir", "path": "a/b", "mode": 493, "uid": 0, "gid": 0 },
        { "add": "file", "path": "a", "text": "b", "mode": 420 },
        { "add": "symlink", "path": "a", "target": "b" },
        { "add": "concat", "path": "a", "from": "b", "suffix": ".crt", "extra": "" },
        { "add": "move", "input": 0, "to": "a" },
    ]);
    let deb = json!({ "format": "deb", "package": "a", "version": "1", "scripts": { "postinst": [{ "sha256": digest, "effects": additions }] } });
    let scheme =
        json!({ "purelib": "a", "platlib": "a", "headers": "a", "scripts": "a", "data": "a", "interpreter": "/a" });
    let wheel = json!({ "format": "wheel", "scheme": scheme, "project": "a", "version": "1", "metadata": digest });
    let config = json!({
        "user": "1:1", "env": ["A=b"], "entrypoint": ["a"], "command": ["b"], "workdir": "/", "ports": ["80/tcp"],
    });
    let ops = [
        json!({ "op": "fetch", "origin": "pypi", "name": "a", "file": "a.whl", "sha256": digest, "size": 1 }),
        json!({ "op": "local", "tree": digest }),
        json!({ "op": "unpack", "v": 1, "format": deb }),
        json!({ "op": "unpack", "v": 1, "format": wheel }),
        json!({ "op": "unpack", "v": 1, "format": { "format": "tar" } }),
        json!({ "op": "unpack", "v": 1, "format": { "format": "zip" } }),
        json!({ "op": "unpack", "v": 1, "format": { "format": "release" } }),
        json!({ "op": "pick", "v": 1, "path": "a" }),
        json!({
            "op": "run", "v": 1, "arch": "amd64", "title": "a", "commands": [["a", "b"]], "env": { "A": "b" }, "workdir": "/a",
        }),
        json!({
            "op": "inspect", "v": 1, "arch": "amd64", "profile": "maximum", "demands": { "compiled": ["pie"], "prebuilt": ["nx"] },
            "parts": [{ "part": "compiled", "step": digest, "package": "a" }, { "part": "prebuilt", "package": "b" }, { "part": "source", "package": "c" }, { "part": "debug" }],
        }),
        json!({
            "op": "inventory", "v": 1, "arch": "amd64", "layers": 1,
            "parts": [{ "by": "a", "promised": { "ecosystem": "deb", "name": "a", "version": "1" } }, { "by": "b" }],
        }),
        json!({ "op": "compose", "v": 1, "add": additions }),
        json!({ "op": "check", "v": 1, "check": "libraries", "arch": "amd64" }),
        json!({ "op": "layer", "v": 1, "epoch": 1, "title": "base" }),
        json!({ "op": "image", "v": 1, "arch": "arm64", "epoch": 1, "config": config, "annotations": { "a": "b" } }),
        json!({ "op": "index", "v": 1, "annotations": { "a": "b" } }),
    ];
    let key = |number: usize| format!("sha256:{number:064x}");
    let step = |(number, op): (usize, &Value)| (key(number), json!({ "op": op, "inputs": [digest] }));
    let steps: Map<String, Value> = ops.iter().enumerate().map(step).collect();
    json!({ "format": 1, "epoch": 1, "steps": steps, "targets": { "index": digest } })
}
