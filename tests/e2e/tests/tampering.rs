//! One byte changed somewhere: the build stops, or replaces what is damaged and says so.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use support::{flip_byte, run};

use crate::fixture::{Copy, MIRROR, SMALL, node, release};

/// A copy with everything fetched, nothing remembered, and one object damaged.
fn damaged(object: impl FnOnce(&Copy) -> PathBuf) -> Copy {
    let copy = SMALL.warm_copy();
    copy.forget_actions();
    flip_byte(&object(&copy));
    copy
}

#[track_caller]
fn refused(copy: &Copy, exit: i32, finding: &str) {
    let done = run(copy.build().args(["--offline", "--locked"])).fails(exit, finding);
    println!("{}", done.stderr);
    copy.assert_no_output();
}

/// Online the object is fetched again, and standard error says so.
#[track_caller]
fn replaced(copy: &Copy, digest: &str) {
    let done = run(copy.build().args(MIRROR.source_options()).arg("--locked")).ok();
    assert!(done.stderr.contains("damaged") && done.stderr.contains(digest), "{}", done.stderr);
    copy.assert_output(&SMALL);
    copy.assert_store_is_clean();
}

fn digest_of_node(origin: &str, name: &str) -> String {
    node(&SMALL.lock(), origin, name).1["sha256"].as_str().unwrap().to_owned()
}

#[test]
fn a_stored_debian_package() {
    let digest = digest_of_node("debian", "libc6");
    let copy = damaged(|copy| copy.object(&digest));
    refused(&copy, 1, "CS0901");
    replaced(&copy, &digest);
}

#[test]
fn a_stored_wheel() {
    let digest = digest_of_node("pypi", "markupsafe");
    let copy = damaged(|copy| copy.object(&digest));
    refused(&copy, 1, "CS0901");
    replaced(&copy, &digest);
}

#[test]
fn a_kept_release_file() {
    let digest = release(&SMALL.lock(), "trixie")["in_release"].as_str().unwrap().to_owned();
    let copy = damaged(|copy| copy.object(&digest));
    refused(&copy, 1, "CS0706");
    replaced(&copy, &digest);
}

#[test]
fn a_kept_package_index() {
    let lock = SMALL.lock();
    let index = release(&lock, "trixie")["indexes"].as_object().unwrap().values().next().unwrap();
    let digest = index["digest"].as_str().unwrap().to_owned();
    let copy = damaged(|copy| copy.object(&digest));
    refused(&copy, 1, "CS0706");
    replaced(&copy, &digest);
}

#[test]
fn a_digest_in_the_lock() {
    let copy = SMALL.warm_copy();
    let mut lock = copy.lock();
    let id = node(&lock, "debian", "libc6").0.to_owned();
    let digest = lock["nodes"][&id]["sha256"].as_str().unwrap().to_owned();
    let last = if digest.ends_with('0') { "1" } else { "0" };
    lock["nodes"][&id]["sha256"] = json!(digest[..digest.len() - 1].to_owned() + last);
    copy.write_lock(&lock);
    refused(&copy, 1, "CS0705");
}

#[test]
fn a_proof_the_lock_has_not() {
    let copy = SMALL.warm_copy();
    let mut lock = copy.lock();
    let id = node(&lock, "pypi", "idna").0.to_owned();
    let index = release(&lock, "trixie")["indexes"].as_object().unwrap().keys().next().unwrap().clone();
    lock["nodes"][&id]["proof"] = json!({"state": "verified-by-openpgp", "release": "trixie", "index": index});
    copy.write_lock(&lock);
    refused(&copy, 1, "CS0705");
}

#[test]
fn a_key_the_release_was_not_signed_by() {
    let copy = SMALL.warm_copy();
    let mut lock = copy.lock();
    lock["releases"]["trixie"]["signed_by"] = json!(["0000000000000000000000000000000000000000"]);
    copy.write_lock(&lock);
    refused(&copy, 1, "CS0705");
}

/// Whatever is remembered of finished steps and parsed indexes is checked before it is used: the same archive, or none.
#[test]
fn every_record_and_every_derived_object_at_once() {
    let copy = SMALL.warm_copy();
    for folder in ["actions", "metadata"] {
        files_below(&copy.store().join(folder)).iter().for_each(|file| flip_byte(file));
    }
    run(copy.build().args(["--offline", "--locked"])).ok();
    copy.assert_output(&SMALL);

    // Every object that was not fetched was made here; damaged, each is made again.
    let copy = SMALL.warm_copy();
    let lock = SMALL.lock();
    let mut fetched: Vec<&str> =
        lock["nodes"].as_object().unwrap().values().filter_map(|n| n["sha256"].as_str()).collect();
    for release in lock["releases"].as_object().unwrap().values() {
        fetched.extend(release["in_release"].as_str());
        fetched.extend(release["indexes"].as_object().unwrap().values().filter_map(|kept| kept["digest"].as_str()));
    }
    let derived = files_below(&copy.store().join("blobs")).into_iter().filter(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        file.metadata().unwrap().len() > 0 && !fetched.iter().any(|digest| digest.ends_with(name))
    });
    let derived: Vec<PathBuf> = derived.collect();
    assert!(derived.len() > 3, "{derived:?}");
    derived.iter().for_each(|file| flip_byte(file));
    let done = run(copy.build().args(MIRROR.source_options()).arg("--locked")).ok();
    assert!(done.stderr.contains("damaged"), "{}", done.stderr);
    copy.assert_output(&SMALL);
}

/// The parsed form of a package index is a cache: a lock made from a damaged one would be another lock.
#[test]
fn the_parsed_index_cache() {
    let copy = SMALL.warm_copy();
    fs::remove_file(copy.config().join("image.lock.json")).unwrap();
    let index = files_below(&copy.store()).into_iter().filter(|file| file.metadata().unwrap().len() > 1_000_000);
    let lock = SMALL.lock();
    let compressed: Vec<String> = lock["releases"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|release| release["indexes"].as_object().unwrap().values())
        .map(|kept| kept["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned())
        .collect();
    let packages: Vec<String> = lock["nodes"]
        .as_object()
        .unwrap()
        .values()
        .map(|node| node["sha256"].as_str().unwrap().trim_start_matches("sha256:").to_owned())
        .collect();
    let name = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
    let derived: Vec<PathBuf> =
        index.filter(|file| !compressed.contains(&name(file)) && !packages.contains(&name(file))).collect();
    assert!(!derived.is_empty(), "the store keeps no parsed index");
    derived.iter().for_each(|file| flip_byte(file));
    run(copy.build().args(MIRROR.source_options())).ok();
    copy.assert_output(&SMALL);
    assert_eq!(copy.lock(), SMALL.lock());
}

fn files_below(dir: &std::path::Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_below(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files
}
