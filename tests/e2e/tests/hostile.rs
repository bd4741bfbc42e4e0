//! Registries that are hostile: too much, nothing, lies, and another answer each time. What comes of it comes soon, takes
//! little memory, and is about what was asked. Beside each there is one that does no harm, and is accepted.

mod server;

use std::path::PathBuf;
use std::process::Command;
use std::slice::from_ref;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use data_encoding::BASE64;
use model::Digest;
use serde_json::{Value, json};
use support::{Done, run_within};

use crate::fixture::scratch;
use crate::sign::key;
use crate::verify::{accepted, refused, verifier};
use server::{Document, Held, Pace, Server, index, listed, path};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Bytes of the largest manifest, or list, that is read.
const LARGEST: u64 = 4 << 20;
/// Bytes of one that is far too large.
const LARGE: u64 = 100_000_000;
/// What a verifier may use (RLIMIT_AS): it is ended by a signal where it wants more.
const MEMORY: &str = "--as=536870912";
/// Longer than it takes to give up whoever says nothing.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whose word counts: the private file and the public one.
static KEY: LazyLock<(PathBuf, PathBuf)> = LazyLock::new(|| key(&scratch().keep(), "team"));

fn verify(image: &str, options: &[&str]) -> Done {
    let mut command = Command::new("prlimit");
    command.arg(MEMORY).arg(verifier()).arg(image).arg("--key").arg(&KEY.1).args(options);
    run_within(&mut command, PATIENCE)
}

/// There is no verdict at all, and it is said why.
#[track_caller]
fn failed(done: Done, exit: i32, code: &str, words: &str) {
    let done = done.fails(exit, code);
    assert!(done.stdout.is_empty() && done.stderr.contains(words), "{}{}", done.stdout, done.stderr);
}

/// A verdict is about this image.
#[track_caller]
fn is_about(done: &Done, image: &Value) {
    let first = done.stdout.lines().next().unwrap();
    assert!(first.ends_with(image["digest"].as_str().unwrap()), "{first}");
}

#[test]
fn a_manifest_that_is_too_large_is_not_taken() {
    let of_size = |size| {
        let mut tagged = Held::default();
        let manifest = tagged.image("large", &[]);
        let (image, _) = tagged.release(MANIFEST, Document::padded(&manifest, size));
        let mut named = tagged.clone();
        named.release(INDEX, Document::of(index(from_ref(&image))));
        (tagged, named, path("manifests", &image))
    };
    let (tagged, named, image) = of_size(LARGEST);
    let (large_tagged, large_named, large) = of_size(LARGE);
    for pace in [Pace::Announced, Pace::Chunked] {
        accepted(tagged.paced("manifests/1", pace).judged(&[]));
        accepted(named.paced(&image, pace).judged(&[]));
        let (tagged, named) = (large_tagged.paced("manifests/1", pace), large_named.paced(&large, pace));
        failed(tagged.judged(&[]), 1, "CS1405", "more than 4194304 bytes");
        refused(named.judged(&[]), "CS1701", "more than 4194304 bytes");
        assert!(tagged.taken().max(named.taken()) < LARGE / 2);
    }
}

#[test]
fn a_list_of_referrers_that_is_too_large_or_has_no_end_is_refused() {
    let (held, list) = listed();
    let text = String::from_utf8(held.0[&list].bytes.clone()).unwrap();
    let of_size = |size, pace| {
        let mut held = held.clone();
        held.0.insert(list.clone(), Document::padded(&text, size));
        held.paced(&list, pace)
    };
    for pace in [Pace::Announced, Pace::Chunked] {
        accepted(of_size(LARGEST, pace).judged(&[]));
        let large = of_size(LARGE, pace);
        refused(large.judged(&[]), "CS1702", "more than 4194304 bytes");
        assert!(large.taken() < LARGE / 2);
    }
    // The signature is on the last page.
    let paged = |pages| held.paged(&list, pages, Document::of(index(&[])));
    accepted(paged(3).judged(&[]));
    let endless = paged(usize::MAX);
    refused(endless.judged(&[]), "CS1702", "more than 64 pages");
    assert_eq!(endless.count(&list), 64);
}

#[test]
fn a_list_of_many_full_pages_takes_little_memory() {
    let (held, list) = listed();
    let page = |count: u32| {
        let entry = |number: u32| json!({ "digest": Digest::of(&number.to_be_bytes()), "size": 1 });
        Document::of(index(&(0..count).map(entry).collect::<Vec<_>>()))
    };
    let full = page(40_000);
    assert!(full.size() < LARGEST, "{}", full.size());
    accepted(held.paged(&list, 60, page(1)).judged(&[]));
    refused(held.paged(&list, 60, full).judged(&[]), "CS1702", "refer");
}

/// Whoever may push may have others read that.
#[test]
fn what_refers_to_an_image_takes_little_memory_however_much_it_is() {
    let mut held = Held::default();
    let manifest = held.image("referred to", &[]);
    let (image, _) = held.release(MANIFEST, Document::of(manifest));
    for size in [64 << 10, LARGEST] {
        let mut many = held.clone();
        for number in 0..150 {
            let manifest = Document::padded(&json!({ "number": number }).to_string(), size);
            let referrer = many.put("manifests", MANIFEST, manifest);
            many.refer(&image, referrer);
        }
        let told = accepted(many.honest().judged(&[]));
        assert!(told.stdout.contains("150 document(s) say nothing here"), "{}", told.stdout);
    }
}

/// Strangers say what they like. What it takes to pass that over is no multiple of its bytes.
#[test]
fn what_strangers_say_takes_little_memory_whatever_it_is() {
    let mut held = Held::default();
    let manifest = held.image("spoken of", &[]);
    let (image, good) = held.release(MANIFEST, Document::of(manifest));
    let bundle: Value = serde_json::from_slice(&held.0[&path("blobs", &good)].bytes).unwrap();
    let with = |field: &str, text: &str| {
        let mut bundle = bundle.clone();
        bundle["verificationMaterial"]["publicKey"]["hint"] = json!("a stranger");
        bundle["dsseEnvelope"][field] = json!("the place");
        bundle.to_string().replace("\"the place\"", text)
    };
    let subjects = "{},".repeat(10 << 20);
    let head = r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"x","subject":["#;
    let payload = BASE64.encode([head, &subjects, "{}]}"].concat().as_bytes());
    for text in [
        with("payload", &format!("\"{payload}\"")),
        with("signatures", &format!("[{}{{\"sig\":\"\"}}]", r#"{"sig":""},"#.repeat(4 << 20))),
        with("more", &format!("{{{}\"\":1}}", r#""":1,"#.repeat(9 << 20))),
    ] {
        let mut hostile = held.clone();
        let bundle = hostile.put("blobs", good["mediaType"].as_str().unwrap(), Document::of(text));
        let empty = hostile.put("blobs", "application/vnd.oci.empty.v1+json", Document::of("{}"));
        let manifest = json!({ "schemaVersion": 2, "config": empty, "layers": [bundle], "subject": image });
        let referrer = hostile.put("manifests", MANIFEST, Document::of(manifest.to_string()));
        hostile.refer(&image, referrer);
        let told = accepted(hostile.honest().judged(&[]));
        assert!(told.stdout.contains("1 document(s) say nothing here"), "{}", told.stdout);
    }
}

#[test]
fn a_configuration_or_a_signature_that_never_ends_is_left() {
    let mut held = Held::default();
    let manifest = held.image("endless", &[]);
    let config = serde_json::from_str::<Value>(&manifest).unwrap()["config"].clone();
    let (_, bundle) = held.release(MANIFEST, Document::of(manifest));
    for (blob, code) in [(config, "CS1701"), (bundle, "CS1703")] {
        let place = path("blobs", &blob);
        accepted(held.paced(&place, Pace::Chunked).judged(&[]));
        let endless = held.paced(&place, Pace::Endless);
        refused(endless.judged(&[]), code, &format!("more than {} bytes", blob["size"]));
        assert!(endless.taken() < LARGE / 2);
    }
}

#[test]
fn a_layer_that_never_ends_is_left() {
    let mut held = Held::default();
    let (_, layer) = held.release_with_layer();
    let place = path("blobs", &layer);
    let told = accepted(held.paced(&place, Pace::Chunked).judged(&["--deep"]));
    assert!(told.stdout.contains("layers hashed"), "{}", told.stdout);
    let endless = held.paced(&place, Pace::Endless);
    failed(endless.judged(&["--deep"]), 1, "CS1405", &format!("more than {} bytes", layer["size"]));
    assert!(endless.taken() < LARGE / 2);
    // Who does not look into layers needs none.
    accepted(endless.judged(&[]));
    assert_eq!(endless.count(&place), 1);
}

#[test]
fn indexes_in_indexes_and_long_ones_are_followed_so_far_and_no_further() {
    let nested = |depth: usize| {
        let mut held = Held::default();
        let mut inner = held.add("innermost");
        for _ in 1..depth {
            inner = held.put("manifests", INDEX, Document::of(index(from_ref(&inner))));
        }
        held.release(INDEX, Document::of(index(from_ref(&inner))));
        held.honest().judged(&[])
    };
    accepted(nested(4));
    refused(nested(5), "CS1702", "more than 4 deep");
    let long = |count: usize| {
        let mut held = Held::default();
        let images: Vec<Value> = (0..count).map(|number| held.add(&number.to_string())).collect();
        held.release(INDEX, Document::of(index(&images)));
        let server = held.honest();
        let done = server.judged(&[]);
        let asked = images.iter().filter(|image| server.count(&path("manifests", image)) > 0).count();
        // Of what is too much nothing more is asked for.
        assert_eq!(asked, if count > 255 { 0 } else { count });
        done
    };
    accepted(long(255));
    refused(long(256), "CS1702", "more than 256 manifests");
    refused(long(10_000), "CS1701", "more than 256 manifests");
}

/// No index has its own digest in it: whoever gives it for one that is in it lies.
#[test]
fn an_index_that_is_given_for_what_is_in_it_is_a_lie() {
    let mut held = Held::default();
    let (one, other) = (held.add("one"), held.add("other"));
    let itself = Document::of(index(&[one, other.clone()]));
    let (top, _) = held.release(INDEX, itself.clone());
    let inner = path("manifests", &other);
    accepted(held.honest().judged(&[]));
    let words = format!("asked for {}", other["digest"].as_str().unwrap());
    let done = held.lying(&inner, itself.clone(), |_| true).judged(&[]);
    is_about(&refused(done, "CS1701", &words), &top);
    // The same of the one that is named.
    let named = |server: Server, image: &Value| {
        let image = format!("{}@{}", server.name, image["digest"].as_str().unwrap());
        verify(&image, &[])
    };
    is_about(&accepted(named(held.honest(), &top)), &top);
    failed(named(held.lying(&inner, itself, |_| true), &other), 1, "CS1405", "asked for");
}

#[test]
fn a_tag_that_moves_meanwhile_is_asked_for_once() {
    let mut held = Held::default();
    let other = held.add("other");
    let (signed, _) = held.release_with_layer();
    let moved = held.0[&path("manifests", &other)].clone();
    for options in [["--require-signature"].as_slice(), &["--require-signature", "--deep"]] {
        let later = held.lying("manifests/1", moved.clone(), |before| before == 1);
        is_about(&accepted(later.judged(options)), &signed);
        assert_eq!(later.count("manifests/1"), 1);
        // Then the tag leads to the other one, and then back again.
        is_about(&refused(later.judged(options), "CS1703", "there is no signature"), &other);
        assert_eq!(later.count("manifests/1"), 2);
        is_about(&accepted(later.judged(options)), &signed);
    }
}

#[test]
fn a_manifest_that_is_another_the_second_time_is_found() {
    let mut held = Held::default();
    let other = held.add("other");
    let other = held.0[&path("manifests", &other)].clone();
    let (image, _) = held.release_with_layer();
    let (top, _) = held.release(INDEX, Document::of(index(from_ref(&image))));
    let (deep, place) = (["--deep", "--require-signature"], path("manifests", &image));
    let honest = held.honest();
    is_about(&accepted(honest.judged(&deep)), &top);
    // Once to judge it, and once to take it with its layers.
    assert_eq!(honest.count(&place), 2);
    let later = held.lying(&place, other.clone(), |before| before == 1);
    failed(later.judged(&deep), 1, "CS1405", "asked for");
    // What the tag led to is not asked for again before its layers are.
    let top = held.lying(&path("manifests", &top), other, |_| true);
    failed(top.judged(&deep), 1, "CS1405", "asked for");
    accepted(top.judged(&[]));
}

#[test]
fn a_list_of_referrers_that_is_another_the_second_time_is_asked_for_once() {
    let ((held, list), empty) = (listed(), Document::of(index(&[])));
    let later = held.lying(&list, empty.clone(), |before| before > 0);
    accepted(later.judged(&[]));
    assert_eq!(later.count(&list), 1);
    let first = held.lying(&list, empty, |before| before == 0);
    refused(first.judged(&[]), "CS1703", "there is no signature");
    assert_eq!(first.count(&list), 1);
    accepted(first.judged(&[]));
}

/// One program reads the first of them, and another the last.
#[test]
fn a_name_that_stands_twice_or_in_another_case_makes_a_manifest_none() {
    let mut held = Held::default();
    let manifest = held.image("ambiguous", &[]);
    let image = held.put("manifests", MANIFEST, Document::of(manifest.clone()));
    let top = index(from_ref(&image));
    let other = format!("\"sha256:{}\",\"digest\":", "1".repeat(64));
    let mut judged = |kind: &str, text: String| {
        held.release(kind, Document::of(text));
        held.honest().judged(&[])
    };
    for (kind, text, name, other) in [
        (MANIFEST, &manifest, "layers", "[],\"layers\":"),
        (MANIFEST, &manifest, "config", "{},\"config\":"),
        (MANIFEST, &manifest, "digest", other.as_str()),
        (INDEX, &top, "manifests", "[],\"manifests\":"),
        (INDEX, &top, "digest", other.as_str()),
    ] {
        accepted(judged(kind, text.clone()));
        let field = format!("\"{name}\":");
        let with = |first: &str| text.replacen(&field, &format!("\"{first}\":{other}"), 1);
        let capital = name[..1].to_uppercase() + &name[1..];
        refused(judged(kind, with(name)), "CS1701", &format!("it has \"{name}\" twice"));
        refused(judged(kind, with(&capital)), "CS1701", &format!("read its field \"{capital}\" in different ways"));
    }
}

#[test]
fn an_ambiguous_manifest_in_an_index_makes_that_none() {
    let mut held = Held::default();
    let manifest = held.image("ambiguous", &[]);
    let mut judged = |text: String| {
        let image = held.put("manifests", MANIFEST, Document::of(text));
        held.release(INDEX, Document::of(index(from_ref(&image))));
        held.honest().judged(&[])
    };
    let with = |field: &str| manifest.replacen('{', &format!("{{{field},"), 1);
    accepted(judged(with("\"other\":[]")));
    for (field, words) in [
        ("\"layers\":[]", "it has \"layers\" twice"),
        ("\"Layers\":[]", "read its field \"Layers\" in different ways"),
        // Go takes this letter for an s.
        ("\"layer\\u017f\":[]", "in different ways"),
        ("\"mediaType\":\"x\"", "duplicate field"),
    ] {
        refused(judged(with(field)), "CS1701", words);
    }
}

#[test]
fn a_registry_that_drips_or_says_nothing_is_given_up() {
    let mut held = Held::default();
    let image = held.add("slow");
    let (top, bundle) = held.release(INDEX, Document::of(index(from_ref(&image))));
    let held = &held;
    let patience: &[&str] = &["--timeout", "2"];
    let (inner, list, blob) = (path("manifests", &image), path("referrers", &top), path("blobs", &bundle));
    let paces = [(Pace::Silent, "no answer within 2 s"), (Pace::Bodyless, "it sent"), (Pace::Dripping, "it sent")];
    // Waiting costs nothing: all of them at once.
    thread::scope(|scope| {
        for place in ["manifests/1", inner.as_str(), list.as_str(), blob.as_str()] {
            scope.spawn(move || accepted(held.paced(place, Pace::Announced).judged(patience)));
            for (pace, words) in paces {
                scope.spawn(move || failed(held.paced(place, pace).judged(patience), 3, "CS1402", words));
            }
        }
    });
}
