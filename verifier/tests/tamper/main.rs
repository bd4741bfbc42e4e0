//! The tamper matrix: one good image with everything attached, and everything that can be done to it. What damages it is refused
//! for the reason it was made for; what only adds something leaves verdict and reasons as they were.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]
#![expect(clippy::disallowed_macros, reason = "it counts its cases")]

mod additions;
mod content;
mod documents;
mod excuses;
mod facts;
mod images;
mod legacy;
mod policies;
mod reports;
mod signatures;
mod times;
mod world;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use verifier::{Outcome, Verdict};
use world::{Item, NOW, World, owner};

/// What has to come of a mutation.
#[derive(Clone)]
enum Wanted {
    /// A check fails, and says one of these words.
    Refused(&'static str, &'static [&'static str]),
    /// Everything is as it was.
    Unchanged,
}

struct Mutation {
    class: &'static str,
    name: String,
    world: World,
    now: i64,
    wanted: Wanted,
}

#[derive(Default)]
struct Matrix(Vec<Mutation>);

impl Matrix {
    fn add(&mut self, class: &'static str, name: String, world: World, wanted: Wanted) {
        self.0.push(Mutation { class, name, world, now: NOW, wanted });
    }

    fn at(&mut self, class: &'static str, name: String, world: World, now: i64, wanted: Wanted) {
        self.0.push(Mutation { class, name, world, now, wanted });
    }
}

/// Why a document does not count that was changed, or is somebody else's.
const NOT_SIGNED: &[&str] = &[
    "was changed",
    "none of those who are allowed",
    "it is no sigstore bundle",
    "it is no JSON",
    "not \"application/vnd.dev.sigstore.bundle.v0.3+json\"",
    "no in-toto statement",
];

/// The world in which one thing that is said is said by this bundle instead.
fn replaced(item: usize, bundle: &[u8]) -> World {
    let mut world = World::bare("good");
    for (number, other) in world.items().into_iter().enumerate() {
        let own = owner().bundle(other.statement.to_string().as_bytes());
        world.attach(&other.at, if number == item { bundle } else { &own });
    }
    world
}

/// The bundle of a statement with another payload under the same signature.
fn forged(signed: &Value, payload: &Value) -> Vec<u8> {
    let mut bundle: Value = serde_json::from_slice(&owner().bundle(signed.to_string().as_bytes())).unwrap();
    bundle["dsseEnvelope"]["payload"] = json!(data_encoding::BASE64.encode(payload.to_string().as_bytes()));
    bundle.to_string().into_bytes()
}

fn signed(statement: &Value) -> Vec<u8> {
    owner().bundle(statement.to_string().as_bytes())
}

fn items() -> Vec<Item> {
    World::bare("good").items()
}

fn label(item: &Item, number: usize) -> String {
    format!("{}#{number}", item.check)
}

/// Every place in a document at which there is a text, a number or a truth.
fn leaves(value: &Value, path: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                leaves(value, &format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                leaves(value, &format!("{path}/{number}"), all);
            }
        }
        _ => all.push(path.to_owned()),
    }
}

fn is_same(before: &Verdict, after: &Verdict) -> bool {
    let said = |verdict: &Verdict| -> Vec<(String, Option<String>, Outcome, String)> {
        let each = verdict.checks.iter();
        each.map(|check| (check.name.to_owned(), check.platform.clone(), check.outcome, check.reason.clone())).collect()
    };
    said(before) == said(after)
}

#[test]
fn nothing_that_was_tampered_with_is_accepted() {
    let mut matrix = Matrix::default();
    documents::add(&mut matrix);
    signatures::add(&mut matrix);
    content::add(&mut matrix);
    excuses::add(&mut matrix);
    reports::add(&mut matrix);
    times::add(&mut matrix);
    images::add(&mut matrix);
    additions::add(&mut matrix);
    legacy::add(&mut matrix);

    // Unharmed, both are accepted.
    let (good, older) = (World::good().judged(), World::legacy().judged());
    for verdict in [&good, &older] {
        assert!(verdict.accepted, "{:#?}", verdict.findings());
        assert!(verdict.checks.iter().all(|check| check.outcome == Outcome::Passed), "{:#?}", verdict.checks);
    }
    let mut wrong = Vec::new();
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for Mutation { class, name, world, now, wanted } in &matrix.0 {
        *classes.entry(class).or_default() += 1;
        let verdict = world.judged_at(*now);
        let failed: Vec<String> = verdict
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Failed)
            .map(|check| format!("{}: {}", check.name, check.reason))
            .collect();
        let is_right = match wanted {
            Wanted::Unchanged => verdict.accepted && (is_same(&good, &verdict) || is_same(&older, &verdict)),
            Wanted::Refused(check, words) => {
                let says = |text: &String| {
                    text.starts_with(&format!("{check}: ")) && words.iter().any(|word| text.contains(word))
                };
                !verdict.accepted && failed.iter().any(says)
            }
        };
        if !is_right {
            wrong.push(format!("{class}: {name}: {failed:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), matrix.0.len(), wrong.join("\n"));
    let (count, flips) = (matrix.0.len(), classes["a byte is flipped"]);
    println!("{count} mutations: {classes:#?}");
    assert!(count >= 1000 && flips * 10 <= count, "{count}, of which {flips} are flipped bytes");
    assert!(classes.values().all(|number| *number >= 20), "{classes:#?}");
}

/// What cannot be listed may speak against an image, whatever else speaks for it.
#[test]
fn what_cannot_be_listed_refuses() {
    let world = World::good();
    let mut evidence = world.gather(verifier::Depth::default());
    let judged = |evidence: &verifier::Evidence| {
        verifier::verify(evidence, &world::trust(), &world::expectations(), NOW).verdict
    };
    assert!(judged(&evidence).accepted);
    let need = verifier::Need::Referrers(world.images[1]);
    evidence.give(need.read(verifier::Answer::Wrong("it has too many pages".into()), evidence.depth));
    let verdict = judged(&evidence);
    assert_eq!(verdict.findings()[0].code.id, "CS1702");
    assert!(verdict.checks[0].reason.contains("cannot be listed: it has too many pages"), "{:?}", verdict.checks);
}

/// Of several things that are wrong the first one said is the most specific: what counts and says too little, what does not count,
/// and that there is nothing.
#[test]
fn the_most_specific_failure_comes_first() {
    let mut world = World::good();
    world.referrers.clear();
    for Item { check, at, mut statement } in world.items() {
        match check {
            "fips" => continue,
            "sbom" => statement["predicate"]["components"] = json!([]),
            _ => {}
        }
        let text = statement.to_string();
        let signer = if check == "tests" { world::stranger() } else { owner() };
        world.attach(&at, &signer.bundle(text.as_bytes()));
    }
    let verdict = world.judged();
    let failed: Vec<&str> =
        verdict.checks.iter().take_while(|check| check.outcome == Outcome::Failed).map(|check| check.name).collect();
    let mut order = failed.clone();
    order.dedup();
    assert_eq!(order, ["sbom", "tests", "fips"], "{:#?}", verdict.checks);
    assert!(verdict.checks.iter().skip(failed.len()).all(|check| check.outcome != Outcome::Failed));
}

/// Of several scans of one time each counts, wherever it stands, and so does one that does not say when it was.
#[test]
fn no_order_of_scans_hides_what_one_of_them_found() {
    let good = World::good().items().into_iter().find(|item| item.check == "vulnerabilities").unwrap();
    let with = |number: usize, edit: &dyn Fn(&mut Value)| {
        let mut world = World::good();
        let mut statement = good.statement.clone();
        statement["predicate"]["scanner"]["result"] =
            json!([{ "id": "CVE-2026-0009", "severity": [{ "method": "CVSS_V3", "score": "9.8" }] }]);
        edit(&mut statement["predicate"]);
        let manifest = world.referrer(&good.at, &signed(&statement));
        world.referrers.get_mut(&good.at).unwrap().insert(number, manifest);
        world.judged()
    };
    for number in [0, 2] {
        for edit in [
            &|_: &mut Value| {},
            &|predicate: &mut Value| drop(predicate["metadata"].as_object_mut().unwrap().remove("scanFinishedOn")),
            &|predicate: &mut Value| predicate["metadata"]["scanFinishedOn"] = json!("yesterday"),
            &|predicate: &mut Value| predicate["scanner"]["db"]["lastUpdate"] = json!("2036-01-01T00:00:00Z"),
        ] as [&dyn Fn(&mut Value); 4]
        {
            let verdict = with(number, edit);
            assert!(!verdict.accepted && verdict.checks[0].name == "vulnerabilities", "{number}: {:?}", verdict.checks);
        }
        // One that is older does not count.
        let older = |predicate: &mut Value| predicate["metadata"]["scanFinishedOn"] = json!(world::time(NOW - 90_000));
        assert!(with(number, &older).accepted, "{number}");
    }
}

/// What lists the images of a layout is read in two ways as easily as a manifest.
#[test]
fn a_listing_that_programs_read_in_different_ways_is_refused() {
    let world = World::good();
    let mut evidence = world.gather(verifier::Depth::default());
    let entry = format!(r#"{{"digest":"{}","size":1,"annotations":{{"a":"b"}}}}"#, world.index);
    for (listing, accepted) in [
        (format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#), true),
        (format!(r#"{{"manifests":[{entry}],"Manifests":[{entry}]}}"#), false),
        (format!(r#"{{"manifests":[{}]}}"#, entry.replace("\"size\"", "\"Digest\":\"x\",\"size\"")), false),
        (format!(r#"{{"manifests":[{}]}}"#, entry.replace("\"size\":1", "\"size\":1,\"size\":2")), false),
    ] {
        evidence.listing = Some(listing.clone().into_bytes());
        let verdict = verifier::verify(&evidence, &world::trust(), &world::expectations(), NOW).verdict;
        assert_eq!(verdict.accepted, accepted, "{listing}");
    }
}

/// An index may call one image many things, and may be long; each thing has to be true, and there is an end.
#[test]
fn every_platform_that_an_index_names_is_compared_and_they_are_not_many() {
    let with = |platforms: &[(&str, &str)]| {
        let mut world = World::bare("good");
        let (index, image) = (world.index, world.images[0]);
        let mut value = world.json(&index);
        let entry = value["manifests"][0].clone();
        value["manifests"] = platforms
            .iter()
            .map(|(os, architecture)| {
                let mut entry = entry.clone();
                entry["platform"] = json!({ "os": os, "architecture": architecture });
                entry
            })
            .collect();
        world.index = world.put_json(&value);
        assert!(world.images.contains(&image));
        let evidence = world.gather(verifier::Depth::default());
        verifier::verify(&evidence, &world::trust(), &verifier::Expectations::default(), NOW).verdict
    };
    assert!(with(&[("linux", "amd64"), ("linux", "amd64")]).accepted);
    let verdict = with(&[("linux", "amd64"), ("linux", "arm64")]);
    assert!(verdict.checks[0].reason.contains("calls"), "{:?}", verdict.checks);
    assert!(with(&[("linux", "amd64"); 256]).accepted);
    let verdict = with(&[("linux", "amd64"); 257]);
    assert!(verdict.checks[0].reason.contains("more than 256 manifests"), "{:?}", verdict.checks);
}

/// Documents that nobody compares with their digests say what was signed, or nothing; a configuration that nobody signed is compared.
#[test]
fn what_is_not_hashed_is_held_against_its_signature() {
    let judged = |world: &World, unhashed: bool| {
        let evidence = world.gather(verifier::Depth { unhashed, ..verifier::Depth::default() });
        verifier::verify(&evidence, &world::trust(), &world::expectations(), NOW).verdict
    };
    let good = World::good();
    let whole = judged(&good, true);
    assert!(whole.accepted && whole.checks.iter().any(|check| check.reason.contains("other blobs not hashed")));
    let is_bundle = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains("dsseEnvelope");
    let documents: Vec<_> =
        good.blobs.iter().filter(|(_, bytes)| is_bundle(bytes)).map(|(digest, _)| *digest).collect();
    assert!(documents.len() > 4);
    for digest in &documents {
        let bundle: Value = serde_json::from_slice(&good.blobs[digest]).unwrap();
        for (field, value) in [("payload", "e30="), ("payload", "bm90aGluZw=="), ("payloadType", "text/plain")] {
            let mut changed = bundle.clone();
            changed["dsseEnvelope"][field] = json!(value);
            let mut world = World::good();
            world.blobs.insert(*digest, changed.to_string().into_bytes());
            let (unhashed, hashed) = (judged(&world, true), judged(&world, false));
            assert!(!unhashed.accepted && !hashed.accepted, "{field} {value}");
        }
        // What nobody signed of it says nothing.
        let mut world = World::good();
        world.blobs.insert(*digest, serde_json::to_vec_pretty(&bundle).unwrap());
        assert_eq!((judged(&world, true).accepted, judged(&world, false).accepted), (true, false));
    }
    let mut world = World::good();
    let config = world.configs[0];
    let text = String::from_utf8(world.blobs[&config].clone()).unwrap();
    world.blobs.insert(config, text.replace("65532", "00000").into_bytes());
    assert!(!judged(&world, true).accepted);
}

/// What an index says of one within it is said of all that is in that.
#[test]
fn what_an_index_in_an_index_is_for_is_compared() {
    let with = |said: Value, inner: Value| {
        let mut world = World::bare("good");
        let mut value = world.json(&world.index.clone());
        value["manifests"].as_array_mut().unwrap().truncate(1);
        value["manifests"][0].as_object_mut().unwrap().remove("platform");
        if !inner.is_null() {
            value["manifests"][0]["platform"] = inner;
        }
        let size = value.to_string().len();
        let within = world.put(value.to_string().into_bytes());
        let mut entry = json!({ "mediaType": value["mediaType"], "digest": within, "size": size });
        if !said.is_null() {
            entry["platform"] = said;
        }
        value["manifests"] = json!([entry]);
        world.index = world.put_json(&value);
        let evidence = world.gather(verifier::Depth::default());
        verifier::verify(&evidence, &world::trust(), &verifier::Expectations::default(), NOW).verdict
    };
    let of = |architecture: &str| json!({ "os": "linux", "architecture": architecture });
    for (said, inner, accepted) in [
        (Value::Null, Value::Null, true),
        (Value::Null, of("amd64"), true),
        (of("amd64"), of("amd64"), true),
        (of("arm64"), of("amd64"), false),
        (of("amd64"), Value::Null, true),
        (of("arm64"), Value::Null, false),
    ] {
        let verdict = with(said.clone(), inner.clone());
        let calls_it = verdict.checks[0].reason.contains("index calls");
        assert_eq!((verdict.accepted, calls_it), (accepted, !accepted), "{said} {inner}: {:?}", verdict.checks);
    }
}

/// Builds sign that they ran nothing. Whoever tests the image later says more; whoever failed, and does not say when, counts.
#[test]
fn a_report_of_nothing_does_not_speak_against_one_of_something() {
    for (result, failed, accepted) in
        [("WARNED", json!([]), true), ("WARNED", json!(["a"]), false), ("FAILED", json!([]), false)]
    {
        let mut world = World::good();
        let mut statement = world.items().into_iter().find(|item| item.check == "tests").unwrap().statement;
        statement["predicate"] =
            json!({ "result": result, "passedTests": [], "warnedTests": [], "failedTests": failed });
        let index = world.index;
        world.attach(&index, &signed(&statement));
        assert_eq!(world.judged().accepted, accepted, "{result} {failed}");
    }
}

/// One document may not take hours: each signature is as long to try as its payload is to hash.
#[test]
fn a_bundle_of_many_signatures_is_passed_over() {
    let mut world = World::good();
    let mut bundle: Value = serde_json::from_slice(&signed(&world.items()[1].statement)).unwrap();
    let signatures = bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap();
    *signatures = vec![signatures[0].clone(); 17];
    let index = world.index;
    world.attach(&index, bundle.to_string().as_bytes());
    let verdict = world.judged();
    assert!(verdict.accepted);
    assert!(verdict.passed_over[0].reason.contains("more did than are looked at"), "{:?}", verdict.passed_over);
}

/// `docker load` reads another document of an archive than everybody else.
#[test]
fn an_archive_that_leads_docker_elsewhere_is_refused() {
    let world = World::good();
    let mut evidence = world.gather(verifier::Depth::default());
    let mut judged = |loadable: Value| {
        evidence.loadable = Some(loadable.to_string().into_bytes());
        verifier::verify(&evidence, &world::trust(), &world::expectations(), NOW).verdict
    };
    let path = |digest: &model::Digest| format!("blobs/sha256/{}", digest.hex());
    let layers: Vec<String> = world.layers[..2].iter().map(path).collect();
    let good = json!({ "Config": path(&world.configs[0]), "RepoTags": ["app:1"], "Layers": layers });
    assert!(judged(json!([good])).accepted);
    for (field, value) in [
        ("Config", json!(path(&world.configs[1]))),
        ("Config", json!("evil.json")),
        ("Layers", json!([layers[0]])),
        ("Layers", json!(["layer.tar", layers[1]])),
        ("layers", json!([])),
    ] {
        let mut other = good.clone();
        other[field] = value;
        let verdict = judged(json!([good, other]));
        assert!(verdict.findings()[0].message.contains("manifest.json"), "{:?}", verdict.findings());
    }
    assert!(!judged(json!({})).accepted);
}
