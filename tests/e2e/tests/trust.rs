//! Release files that are not what they are served as.

use std::path::Path;
use std::process::Command;

use support::{Fault, Mirror, run};

use crate::fixture::{scratch, unlocked};

/// Serves `release` instead of trixie's release file everywhere; the lock must be refused.
#[track_caller]
fn refused(finding: &str, release: impl FnOnce(&Mirror) -> Vec<u8>) {
    let mirror = Mirror::of_this_machine();
    let body = release(&mirror);
    mirror.fault("/dists/trixie/InRelease", Fault::Body(body), usize::MAX);
    let copy = unlocked();
    let done = run(copy.build().args(mirror.source_options()).args(["--timeout", "5"])).fails(1, finding);
    println!("{}", done.stderr);
    copy.assert_no_output();
    assert!(!copy.config().join("image.lock.json").exists(), "a lock was written");
}

/// The release file of a suite from whichever root has it.
fn in_release(mirror: &Mirror, suite: &str) -> String {
    let bodies = (0..mirror.debian_roots()).map(|n| mirror.body(&format!("/debian{n}/dists/{suite}/InRelease")));
    let texts = bodies.filter_map(|body| String::from_utf8(body).ok());
    texts.into_iter().find(|text| text.starts_with("-----BEGIN PGP SIGNED MESSAGE")).expect("a root has the suite")
}

#[test]
fn another_suite_of_the_same_archive() {
    refused("CS0702", |mirror| in_release(mirror, "bookworm").into_bytes());
}

#[test]
fn another_archive() {
    refused("CS0711", |mirror| in_release(mirror, "trixie-security").into_bytes());
}

#[test]
fn a_changed_word() {
    refused("CS0701", |mirror| {
        in_release(mirror, "trixie").replacen("Components: main", "Components: evil", 1).into_bytes()
    });
}

#[test]
fn no_signature() {
    refused("CS0701", |mirror| signed_text(&in_release(mirror, "trixie")).into_bytes());
}

#[test]
fn another_key() {
    let dir = scratch();
    let home = dir.path().join("gnupg");
    std::fs::create_dir(&home).unwrap();
    refused("CS0711", |mirror| {
        let text = dir.path().join("Release");
        std::fs::write(&text, signed_text(&in_release(mirror, "trixie"))).unwrap();
        gpg(&home, &["--quick-gen-key", "--passphrase", "", "Archive Signing Key <key@archive.example>", "rsa2048"]);
        gpg(&home, &["--clearsign", "--digest-algo", "SHA256", text.to_str().unwrap()]);
        std::fs::read(dir.path().join("Release.asc")).unwrap()
    });
    // The agent was started by gpg for this home alone; it ends with its home's socket.
    run(Command::new("gpgconf").arg("--homedir").arg(&home).args(["--kill", "gpg-agent"])).ok();
}

fn gpg(home: &Path, args: &[&str]) {
    let options = ["--batch", "--yes", "--pinentry-mode", "loopback"];
    run(Command::new("gpg").arg("--homedir").arg(home).args(options).args(args)).ok();
}

/// What a clear-signed file says, without its signature.
fn signed_text(signed: &str) -> String {
    let body = signed.split_once("\n\n").unwrap().1;
    body.split_once("-----BEGIN PGP SIGNATURE-----").unwrap().0.to_owned()
}
