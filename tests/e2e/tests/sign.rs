//! Signatures and attestations, held against cosign and openssl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::{Done, cli, flip_byte, repository, run};

use crate::fixture::{SMALL, scratch};
use crate::image::{json as read, layout};
use crate::registries::{lister, registry};

pub const PASSWORD: &str = "correct horse";

/// Installed by `cargo xtask test`.
fn cosign(args: &[&str]) -> Done {
    let program = repository().join("target/tools/cosign-v3.1.3/cosign");
    assert!(program.is_file(), "{} is missing: `cargo xtask test` installs it", program.display());
    run(Command::new(program).args(args).env("COSIGN_PASSWORD", PASSWORD))
}

fn clnstrt(args: &[&str]) -> Done {
    run(cli().args(args).env("COSIGN_PASSWORD", PASSWORD))
}

/// Asks cosign whether an image is signed.
pub fn verify(key: &Path, image: &str) -> Done {
    let key = key.to_str().unwrap();
    cosign(&["verify", "--key", key, "--insecure-ignore-tlog", "--allow-http-registry", image])
}

fn verify_attestation(key: &Path, kind: &str, image: &str) -> Done {
    let key = key.to_str().unwrap();
    let options = ["--type", kind, "--insecure-ignore-tlog", "--allow-http-registry", image];
    cosign(&[["verify-attestation", "--key", key].as_slice(), &options].concat())
}

/// The same of the form of cosign 2.
fn verify_older(command: &str, key: &Path, options: &[&str], image: &str) -> Done {
    let form = ["--insecure-ignore-tlog", "--allow-http-registry", "--new-bundle-format=false"];
    cosign(&[[command, "--key", key.to_str().unwrap()].as_slice(), &form, options, &[image]].concat())
}

/// Lets cosign sign an image.
pub fn signed_by_cosign(key: &Path, options: &[&str], image: &str) {
    let without_log = ["--yes", "--tlog-upload=false", "--use-signing-config=false", "--allow-http-registry"];
    cosign(&[["sign", "--key", key.to_str().unwrap()].as_slice(), &without_log, options, &[image]].concat()).ok();
}

/// A key of ours: the private file and the public one.
pub fn key(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let prefix = folder.join(name);
    clnstrt(&["key", "generate", "--output", prefix.to_str().unwrap()]).ok();
    (folder.join(format!("{name}.key")), folder.join(format!("{name}.pub")))
}

/// A key that openssl made.
pub fn openssl(folder: &Path, name: &str, options: &[&str]) -> (PathBuf, PathBuf) {
    let (private, public) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.pub")));
    run(Command::new("openssl").arg("genpkey").args(options).arg("-out").arg(&private)).ok();
    run(Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(&private).arg("-out").arg(&public)).ok();
    (private, public)
}

/// Holds what `--output-signature` wrote against a key and the digest it is of.
#[track_caller]
pub fn openssl_accepts(public: &Path, plain: &Path, digest: &str) {
    let plain = plain.to_str().unwrap();
    assert_eq!(fs::read_to_string(format!("{plain}.digest")).unwrap(), digest);
    let script =
        "base64 -d \"$1.sig\" > \"$1.bin\" && openssl dgst -sha256 -verify \"$2\" -signature \"$1.bin\" \"$1.digest\"";
    run(Command::new("sh").args(["-c", script, "sh", plain, public.to_str().unwrap()])).ok();
}

fn digest_of(layout: &Path) -> String {
    read(&layout.join("index.json"))["manifests"][0]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn cosign_accepts_what_we_sign_and_say_of_an_image() {
    let dir = scratch();
    let (_registry, port) = registry(dir.path());
    let image = format!("127.0.0.1:{port}/team/small:1.0");
    clnstrt(&["push", SMALL.archive().to_str().unwrap(), &image]).ok();
    let (private, public) = key(dir.path(), "ours");
    let private = private.to_str().unwrap();
    clnstrt(&["sign", "--image", &image, "--key", private]).ok();
    verify(&public, &image).ok();
    let (_, stranger) = key(dir.path(), "stranger");
    assert!(!verify(&stranger, &image).status.success());

    let artifacts = SMALL.artifacts();
    let vex = dir.path().join("vex.json");
    fs::write(&vex, json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "author": "a", "timestamp": "2026-01-01T00:00:00Z", "version": 1, "statements": []}).to_string()).unwrap();
    for (kind, theirs, predicate) in [
        ("slsa", "slsaprovenance1", artifacts.join("provenance.json")),
        ("cyclonedx", "cyclonedx", artifacts.join("sbom-amd64.cdx.json")),
        ("spdx", "spdxjson", artifacts.join("sbom-amd64.spdx.json")),
        ("openvex", "openvex", vex.clone()),
        ("https://example.com/custom/v1", "https://example.com/custom/v1", artifacts.join("licence-report.json")),
    ] {
        let predicate = predicate.to_str().unwrap();
        assert!(!verify_attestation(&public, theirs, &image).status.success(), "{kind}");
        clnstrt(&["attest", "--image", &image, "--key", private, "--type", kind, "--predicate", predicate]).ok();
        verify_attestation(&public, theirs, &image).ok();
        assert!(!verify_attestation(&stranger, theirs, &image).status.success(), "{kind}");
    }
    // A copy brings them along.
    let copy = format!("127.0.0.1:{port}/copy/small:1.0");
    clnstrt(&["copy", &image, &copy]).ok();
    verify(&public, &copy).ok();
    verify_attestation(&public, "spdxjson", &copy).ok();
}

/// One command builds, signs and sends: what arrives has its signature and every document, and so have the images in it.
#[test]
fn a_build_signs_and_sends_all_that_is_said_of_its_image() {
    let (copy, dir) = (SMALL.copy_over_store(), scratch());
    let (_registry, port) = registry(dir.path());
    let (private, public) = key(dir.path(), "ours");
    let (private, artifacts) = (private.to_str().unwrap(), dir.path().join("artifacts"));
    let build = |options: &[&str]| run(copy.build().args(options).env("CLNSTRT_PASSWORD", PASSWORD));
    let sign = ["--sign", "--key", private];
    // What cannot be done is said before anything is built.
    build(&sign).fails(2, "CS0907");
    build(&["--sign"]).fails(2, "--key");
    build(&["--push"]).fails(2, "CS0907");
    build(&["--latest"]).fails(2, "CS0907");
    build(&["--push", "no name"]).fails(2, "CS1401");
    // An empty variable is not the configuration's list.
    build(&["--push", ""]).fails(2, "CS1401");
    build(&["--push", "registry.example/x/", "--tag", "no tag"]).fails(2, "CS0907");
    run(copy.build().args(["--push", "registry.example/x/"]).args(sign).env("CLNSTRT_PASSWORD", "other"))
        .fails(3, "CS1501");
    build(&[sign.as_slice(), &["--offline", "--push", "registry.example/x/"]].concat()).fails(3, "CS0605");
    copy.assert_no_output();

    let config = copy.config().join("image.yaml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}registries: [\"127.0.0.1:{port}/declared\"]\n")).unwrap();
    let named = format!("127.0.0.1:{port}/named/small:1.0");
    let folder = artifacts.to_str().unwrap();
    let done =
        build(&[sign.as_slice(), &["--artifacts", folder, "--push", &named, "--push", "--format", "json"]].concat())
            .ok();
    let done: Value = serde_json::from_str(&done.stdout).unwrap();
    let pushed = done["pushed"].as_array().unwrap();
    assert_eq!(pushed[0]["repository"], format!("127.0.0.1:{port}/named/small"));
    let declared = format!("{}:{}", pushed[1]["repository"].as_str().unwrap(), pushed[1]["tags"][0].as_str().unwrap());
    assert!(declared.starts_with(&format!("127.0.0.1:{port}/declared/small:")), "{declared}");
    let manifest = done["index"]["images"][0]["manifest"]["digest"].as_str().unwrap();
    let inner = format!("127.0.0.1:{port}/named/small@{manifest}");
    let tests = "https://in-toto.io/attestation/test-result/v0.1";
    for image in [&named, &declared] {
        verify(&public, image).ok();
        for kind in [
            "slsaprovenance1",
            "urn:clnstrt:licences:v1",
            "urn:clnstrt:sources:v1",
            "urn:clnstrt:software-hash:v1",
            tests,
        ] {
            verify_attestation(&public, kind, image).ok();
        }
    }
    verify(&public, &inner).ok();
    for kind in ["slsaprovenance1", "cyclonedx", "spdxjson"] {
        verify_attestation(&public, kind, &inner).ok();
    }
    // No gate was run, and the report says so.
    let report = read(&artifacts.join("test-report.json"));
    assert_eq!((&report["gatesRun"], &report["passedTests"]), (&json!(0), &json!([])));
    assert_ne!(report["result"], "PASSED");
    // All that was signed lies here too: every statement, the index, and the image of each architecture.
    let lines = |name: &str| fs::read_to_string(artifacts.join(name)).unwrap().lines().count();
    assert_eq!(lines("attestations.sigstore.jsonl"), lines("attestations.intoto.jsonl") + 3);
    // Signatures are the same a second time, so only what has the time in it is sent: provenance.
    let again = build(&[sign.as_slice(), &["--push", &named]].concat());
    assert!(again.stderr.lines().any(|line| line.starts_with("1 blobs sent")), "{}", again.stderr);
    // Without a key nothing is signed, and what was signed before is not taken for it.
    let trail = dir.path().join("trail");
    let unsigned = format!("127.0.0.1:{port}/unsigned/small:1.0");
    build(&["--artifacts", folder, "--push", &unsigned, "--audit", trail.to_str().unwrap()]).ok();
    assert!(!artifacts.join("attestations.sigstore.jsonl").exists());
    assert!(!verify(&public, &unsigned).status.success());
    let log = fs::read_to_string(trail.join("log.jsonl")).unwrap();
    assert!(log.contains(r#""what":"build""#) && log.contains(r#""what":"push""#) && !log.contains(r#""what":"sign""#));
}

#[test]
fn keys_of_every_kind_sign_and_openssl_accepts_the_plain_signature() {
    let dir = scratch();
    let (_registry, port) = registry(dir.path());
    let layout = layout(&SMALL.archive(), dir.path());
    let digest = digest_of(&layout);
    let theirs = dir.path().join("theirs");
    run(Command::new(repository().join("target/tools/cosign-v3.1.3/cosign"))
        .args(["generate-key-pair", "--output-key-prefix", theirs.to_str().unwrap()])
        .env("COSIGN_PASSWORD", PASSWORD))
    .ok();
    let kinds = [
        ("theirs", (dir.path().join("theirs.key"), dir.path().join("theirs.pub"))),
        ("ecdsa", openssl(dir.path(), "ecdsa", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])),
        ("ed25519", openssl(dir.path(), "ed25519", &["-algorithm", "ed25519"])),
        ("rsa", openssl(dir.path(), "rsa", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"])),
    ];
    for (name, (private, public)) in kinds {
        let image = format!("127.0.0.1:{port}/team/{name}:1.0");
        let plain = dir.path().join(format!("{name}.plain"));
        clnstrt(&["push", &format!("oci:{}", layout.display()), &image]).ok();
        let arguments = ["sign", "--image", &image, "--key", private.to_str().unwrap(), "--output-signature"];
        clnstrt(&[&arguments[..], &[plain.to_str().unwrap()]].concat()).ok();
        verify(&public, &image).ok();
        // openssl's `dgst` knows no Ed25519.
        if name != "ed25519" {
            openssl_accepts(&public, &plain, &digest);
        }
    }
    let key = fs::read_to_string(dir.path().join("ecdsa.key")).unwrap();
    run(cli()
        .args(["sign", "--image", &digest, "--key", "env://THE_KEY", "--output-bundle"])
        .arg(dir.path().join("env.json"))
        .env("THE_KEY", key))
    .ok();
}

/// Two owners of keys sign a digest apart from each other, and a third puts both signatures beside the image.
#[test]
fn signatures_made_apart_are_collected() {
    let dir = scratch();
    let layout = layout(&SMALL.archive(), dir.path());
    let digest = digest_of(&layout);
    let folder = format!("oci:{}", layout.display());
    let keys = [key(dir.path(), "first"), key(dir.path(), "second")];
    let mut attach = vec!["attach".to_owned(), "--image".to_owned(), folder.clone()];
    for (private, _) in &keys {
        let bundle = private.with_extension("json");
        let (private, bundle) = (private.to_str().unwrap(), bundle.to_str().unwrap());
        clnstrt(&["sign", "--offline", "--image", &digest, "--key", private, "--output-bundle", bundle]).ok();
        attach.push(bundle.to_owned());
    }
    let attach: Vec<&str> = attach.iter().map(String::as_str).collect();
    for _ in 0..2 {
        clnstrt(&attach).ok();
        assert_eq!(
            read(&layout.join("index.json"))["manifests"].as_array().unwrap().len(),
            3,
            "nothing is there twice"
        );
    }
    clnstrt(&["inspect", &folder]).ok();
    let (_registry, port) = registry(dir.path());
    let image = format!("127.0.0.1:{port}/small:1.0");
    clnstrt(&["push", &folder, &image]).ok();
    for (_, public) in &keys {
        verify(public, &image).ok();
    }
    // Of another image they are refused.
    let other = dir.path().join("other");
    run(Command::new("cp").arg("-r").arg(&layout).arg(&other)).ok();
    let mut index = read(&other.join("index.json"));
    let inner = read(&other.join("blobs").join(digest.replace(':', "/")))["manifests"][0].clone();
    index["manifests"] = Value::Array(vec![inner]);
    fs::write(other.join("index.json"), index.to_string()).unwrap();
    clnstrt(&["attach", "--image", &format!("oci:{}", other.display()), attach[3]]).fails(1, "CS1503");
}

/// What cosign signed is carried along, and its bundles are taken.
#[test]
fn what_cosign_signed_is_carried_along() {
    let dir = scratch();
    let (_registry, port) = registry(dir.path());
    let image = format!("127.0.0.1:{port}/team/small:1.0");
    clnstrt(&["push", SMALL.archive().to_str().unwrap(), &image]).ok();
    let (private, public) = key(dir.path(), "ours");
    let digest = digest_of(&layout(&SMALL.archive(), dir.path()));
    let by_digest = format!("127.0.0.1:{port}/team/small@{digest}");
    signed_by_cosign(&private, &[], &by_digest);
    let copy = format!("127.0.0.1:{port}/copy/small:1.0");
    clnstrt(&["copy", &image, &copy]).ok();
    verify(&public, &copy).ok();
}

/// Where a registry lists what refers to an image, no tag does; and what one has, another gets.
#[test]
fn a_registry_that_lists_referrers_needs_no_tag_for_them() {
    let dir = scratch();
    let ((_lister, lister), (_registry, port)) = (lister(), registry(dir.path()));
    let image = format!("{lister}/team/small:1.0");
    clnstrt(&["push", SMALL.archive().to_str().unwrap(), &image]).ok();
    let (private, public) = key(dir.path(), "ours");
    let private = private.to_str().unwrap();
    clnstrt(&["sign", "--image", &image, "--key", private]).ok();
    let provenance = SMALL.artifacts().join("provenance.json");
    let predicate = ["--type", "slsa", "--predicate", provenance.to_str().unwrap()];
    clnstrt(&[["attest", "--image", &image, "--key", private].as_slice(), &predicate].concat()).ok();
    let crane =
        |args: &[&str]| run(Command::new(repository().join("target/tools/crane-v0.22.1/crane")).args(args)).ok();
    assert_eq!(crane(&["ls", &format!("{lister}/team/small")]).stdout, "1.0\n");
    crane(&["validate", "--remote", &image]);
    let elsewhere = format!("127.0.0.1:{port}/copy/small:1.0");
    clnstrt(&["copy", &image, &elsewhere]).ok();
    let back = format!("{lister}/back/small:1.0");
    clnstrt(&["copy", &elsewhere, &back]).ok();
    for image in [&image, &elsewhere, &back] {
        verify(&public, image).ok();
        verify_attestation(&public, "slsaprovenance1", image).ok();
    }
    crane(&["validate", "--remote", &elsewhere]);
    assert_eq!(crane(&["ls", &format!("{lister}/back/small")]).stdout, "1.0\n");
}

/// Registries lock nothing; commands on one machine take turns.
#[test]
fn whoever_signs_at_the_same_time_loses_nothing() {
    let dir = scratch();
    let (_registry, port) = registry(dir.path());
    let image = format!("127.0.0.1:{port}/team/small:1.0");
    clnstrt(&["push", SMALL.archive().to_str().unwrap(), &image]).ok();
    let kind = ["-algorithm", "ed25519"];
    let keys: Vec<_> = (0..6).map(|number| openssl(dir.path(), &format!("k{number}"), &kind)).collect();
    std::thread::scope(|scope| {
        for (private, _) in &keys {
            let image = &image;
            scope.spawn(move || {
                clnstrt(&["sign", "--image", image, "--key", private.to_str().unwrap(), "--legacy"]).ok();
            });
        }
    });
    for (_, public) in &keys {
        verify(public, &image).ok();
        verify_older("verify", public, &[], &image).ok();
    }
}

/// For those who look for nothing newer: tags beside the image. What others wrote there stays.
#[test]
fn the_older_form_is_written_on_request() {
    let dir = scratch();
    let (_registry, port) = registry(dir.path());
    let layout = layout(&SMALL.archive(), dir.path());
    let image = format!("127.0.0.1:{port}/team/small:1.0");
    clnstrt(&["push", &format!("oci:{}", layout.display()), &image]).ok();
    let keys = ["first", "second", "theirs"].map(|name| key(dir.path(), name));
    assert!(!verify_older("verify", &keys[0].1, &[], &image).status.success());
    let by_digest = format!("127.0.0.1:{port}/team/small@{}", digest_of(&layout));
    signed_by_cosign(&keys[2].0, &["--new-bundle-format=false"], &by_digest);
    let provenance = SMALL.artifacts().join("provenance.json");
    for (private, _) in &keys[..2] {
        let key = ["--image", &image, "--legacy", "--key", private.to_str().unwrap()];
        clnstrt(&[["sign"].as_slice(), &key].concat()).ok();
        clnstrt(&[["attest", "--type", "slsa", "--predicate", provenance.to_str().unwrap()].as_slice(), &key].concat())
            .ok();
    }
    for (number, (_, public)) in keys.iter().enumerate() {
        verify_older("verify", public, &[], &image).ok();
        let attested = verify_older("verify-attestation", public, &["--type", "slsaprovenance1"], &image);
        assert_eq!(attested.status.success(), number < 2);
    }
    let stranger = key(dir.path(), "stranger");
    assert!(!verify_older("verify", &stranger.1, &[], &image).status.success());
    let folder = format!("oci:{}", layout.display());
    // A copy brings them along, whoever wrote them.
    let copy = format!("127.0.0.1:{port}/copy/small:1.0");
    clnstrt(&["copy", &image, &copy]).ok();
    for (_, public) in &keys {
        verify_older("verify", public, &[], &copy).ok();
    }
    let index = fs::read(layout.join("index.json")).unwrap();
    clnstrt(&["sign", "--image", &folder, "--key", keys[0].0.to_str().unwrap(), "--legacy"]).fails(2, "CS0907");
    assert_eq!(fs::read(layout.join("index.json")).unwrap(), index, "nothing was signed");
}

/// Whatever way an image goes, what is said of it goes along, in both forms.
#[test]
fn copies_go_to_layouts_and_archives_and_from_there() {
    let dir = scratch();
    let ((_registry, port), (_lister, lister)) = (registry(dir.path()), lister());
    let image = format!("127.0.0.1:{port}/team/small:1.0");
    clnstrt(&["push", SMALL.archive().to_str().unwrap(), &image]).ok();
    let (private, public) = key(dir.path(), "ours");
    let sign = ["--image", &image, "--key", private.to_str().unwrap(), "--legacy"];
    clnstrt(&[["sign"].as_slice(), &sign].concat()).ok();
    // Two predicates, and the key is opened once.
    let files = ["provenance.json", "sbom-amd64.spdx.json"].map(|name| SMALL.artifacts().join(name));
    let [slsa, spdx] = files.each_ref().map(|file| file.to_str().unwrap());
    let said = ["--type", "slsa", "--predicate", slsa, "--type", "spdx", "--predicate", spdx];
    clnstrt(&[["attest"].as_slice(), &sign, &said].concat()).ok();
    clnstrt(&[["attest"].as_slice(), &sign, &said[..6]].concat()).fails(2, "CS0907");
    clnstrt(&[["attest", "--schema", slsa].as_slice(), &sign, &said].concat()).fails(2, "CS0907");

    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (archive, folder, other) = (path("out.tar"), format!("oci:{}", path("out")), format!("{lister}/b/small:1.0"));
    let done = clnstrt(&["copy", &image, &archive, &folder, &other, "--format", "json"]).ok();
    let done: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done["saved"].as_array().unwrap().len(), done["pushed"].as_array().unwrap().len()), (2, 1));
    assert!(!dir.path().read_dir().unwrap().any(|file| file.unwrap().file_name().to_string_lossy().starts_with('.')));
    run(Command::new("skopeo").args(["inspect", "--raw", &format!("oci-archive:{archive}:1.0")])).ok();
    let [from_archive, from_folder] = ["archive", "folder"].map(|name| format!("127.0.0.1:{port}/{name}/small:1.0"));
    clnstrt(&["push", &archive, &from_archive]).ok();
    clnstrt(&["copy", &folder, &from_folder]).ok();
    for copy in [&other, &from_archive, &from_folder] {
        verify(&public, copy).ok();
        verify_older("verify", &public, &[], copy).ok();
        for kind in ["slsaprovenance1", "spdxjson"] {
            verify_attestation(&public, kind, copy).ok();
            verify_older("verify-attestation", &public, &["--type", kind], copy).ok();
        }
    }
    // Nothing of it needs a registry, and nothing is lost or added on the way.
    let again = path("again.tar");
    clnstrt(&["--offline", "copy", &folder, &again]).ok();
    assert!(fs::read(&again).unwrap() == fs::read(&archive).unwrap());
    clnstrt(&["--offline", "copy", &image, &again]).fails(3, "CS0605");
    clnstrt(&["--offline", "copy", &folder, &other]).fails(3, "CS0605");
    // What lies in a folder is not overwritten, and a copy that fails leaves nothing.
    clnstrt(&["copy", &image, &folder]).fails(3, "CS0903");
    let blobs = dir.path().join("out/blobs/sha256").read_dir().unwrap().map(|blob| blob.unwrap().path());
    let layer = blobs.max_by_key(|blob| blob.metadata().unwrap().len()).unwrap();
    flip_byte(&layer);
    clnstrt(&["copy", &folder, &path("broken.tar")]).fails(1, "CS0906");
    assert!(!dir.path().join("broken.tar").exists());
}

#[test]
fn what_cannot_sign_or_be_signed_is_said() {
    let dir = scratch();
    let (private, _) = key(dir.path(), "ours");
    let private = private.to_str().unwrap();
    let digest = format!("sha256:{}", "0".repeat(64));
    let bundle = dir.path().join("bundle.json");
    let bundle = bundle.to_str().unwrap();
    let sign = |key: &str| clnstrt(&["sign", "--image", &digest, "--key", key, "--output-bundle", bundle]);
    let wrong = run(cli()
        .args(["sign", "--image", &digest, "--key", private, "--output-bundle", bundle])
        .env("CLNSTRT_PASSWORD", "other"));
    let wrong = wrong.fails(3, "CS1501");
    assert!(wrong.stderr.contains("the password is not that of"), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("other"));
    run(cli().args(["sign", "--image", &digest, "--key", private, "--output-bundle", bundle])).fails(3, "CS1501");
    let (p384, _) = openssl(dir.path(), "p384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]);
    let (small, _) = openssl(dir.path(), "small", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]);
    sign(p384.to_str().unwrap()).fails(3, "CS1501");
    sign(small.to_str().unwrap()).fails(3, "CS1501");
    let cut = dir.path().join("cut.key");
    let text = fs::read_to_string(private).unwrap();
    fs::write(&cut, &text[..text.len() / 2]).unwrap();
    sign(cut.to_str().unwrap()).fails(3, "CS1501");
    sign("no/such.key").fails(3, "CS1501");
    sign("env://NOBODY_SET_THIS").fails(3, "CS1501");
    sign("awskms:///alias/x").fails(2, "CS0204");
    // Nothing is replaced.
    clnstrt(&["key", "generate", "--output", private.trim_end_matches(".key")]).fails(3, "CS0903");

    let predicate = dir.path().join("predicate.json");
    let attest = |text: &str, kind: &str| {
        fs::write(&predicate, text).unwrap();
        let file = predicate.to_str().unwrap();
        clnstrt(&[
            "attest",
            "--image",
            &digest,
            "--key",
            private,
            "--type",
            kind,
            "--predicate",
            file,
            "--output-bundle",
            bundle,
        ])
    };
    attest("{}", "slsa").ok();
    attest("no json", "slsa").fails(2, "CS1502");
    attest("[]", "slsa").fails(2, "CS1502");
    let schema = dir.path().join("schema.json");
    let kept = |schema_text: &str, text: &str| {
        fs::write(&predicate, text).unwrap();
        fs::write(&schema, schema_text).unwrap();
        let files = [
            "--predicate",
            predicate.to_str().unwrap(),
            "--schema",
            schema.to_str().unwrap(),
            "--output-bundle",
            bundle,
        ];
        clnstrt(&[["attest", "--image", &digest, "--key", private, "--type", "custom"].as_slice(), &files].concat())
    };
    let reviewed = r#"{"type": "object", "required": ["reviewer"], "properties": {"reviewer": {"type": "string", "pattern": "^[a-z]+$"}}}"#;
    kept(reviewed, r#"{"reviewer": "ann"}"#).ok();
    let refused = kept(reviewed, r#"{"reviewer": 7}"#).fails(2, "CS1502");
    assert!(refused.stderr.contains("/reviewer"), "{}", refused.stderr);
    kept(reviewed, "{}").fails(2, "CS1502");
    kept("no schema", "{}").fails(2, "CS1502");
    kept(r#"{"type": "nothing"}"#, "{}").fails(2, "CS1502");
    kept(r#"{"$ref": "file:///etc/hostname"}"#, "{}").fails(2, "CS1502");
    // What asks for too much is refused, and in time.
    kept(r#"{"properties": {"a": {"pattern": "^((((a{1,1000}){1,1000}){1,1000}){1,1000})$"}}}"#, "{}")
        .fails(2, "CS1502");
    let chain = |of: &dyn Fn(usize) -> Value, length: usize| {
        let steps: serde_json::Map<String, Value> = (0..length).map(|at| (format!("a{at}"), of(at + 1))).collect();
        let mut all = json!({"$ref": "#/$defs/a0", "$defs": steps});
        all["$defs"][format!("a{length}")] = json!({"type": "object"});
        all.to_string()
    };
    kept(&chain(&|next| json!({"$ref": format!("#/$defs/a{next}")}), 5000), "{}").ok();
    let doubling =
        |next| json!({"allOf": [{"$ref": format!("#/$defs/a{next}")}, {"$ref": format!("#/$defs/a{next}")}]});
    kept(&chain(&doubling, 40), "{}").fails(2, "CS1502");
    let names = format!(r#"{{"enum": [{}0]}}"#, "\"name\",".repeat(30_000));
    assert!(kept(&names, "{}").fails(2, "CS1502").stderr.len() < 10_000);
    // What canonical JSON would change is not signed.
    for number in ["12345678901234567890123", "1.0000000000000001", "1e999", "9007199254740993"] {
        attest(&format!(r#"{{"a": "\\\" 1e999", "b": {number}}}"#), "custom").fails(2, "CS1502");
    }
    attest(r#"{"a": 0.1, "b": -7, "c": 1.5e3, "d": "12345678901234567890123"}"#, "custom").ok();
    // A key that is given where one is named is not shown.
    let text = fs::read_to_string(dir.path().join("p384.key")).unwrap();
    let secret = text.lines().nth(1).unwrap();
    for given in [vec![format!("--key={text}")], vec!["--key".to_owned(), text.clone()]] {
        let done = run(cli().args(["sign", "--image", &digest, "--output-bundle", bundle]).args(given));
        assert!(!done.status.success() && !done.stderr.contains(secret), "{}", done.stderr);
    }
    // Nothing is signed for which there is no place.
    let plain = dir.path().join("plain");
    let both =
        ["sign", "--image", &digest, "--key", private, "--key", private, "--output-signature", plain.to_str().unwrap()];
    clnstrt(&both).fails(2, "CS0907");
    assert!(!dir.path().join("plain.sig").exists());
    clnstrt(&["sign", "--image", &digest, "--key", private, "--output-signature", plain.to_str().unwrap()]).ok();
    attest("{}", "unheard-of").fails(2, "CS0907");
    let statement = fs::read_to_string(SMALL.artifacts().join("provenance.json")).unwrap();
    attest(&statement, "slsa").fails(1, "CS1503");
    attest(&statement, "spdx").fails(2, "CS1502");
    // A digest has no place for signatures.
    clnstrt(&["sign", "--image", &digest, "--key", private]).fails(2, "CS0907");
    fs::write(&predicate, "{}").unwrap();
    let layout = layout(&SMALL.archive(), dir.path());
    let folder = format!("oci:{}", layout.display());
    clnstrt(&["attach", "--image", &folder, predicate.to_str().unwrap()]).fails(2, "CS1502");
    let mut unsigned = read(Path::new(bundle));
    unsigned["dsseEnvelope"]["signatures"] = json!([]);
    fs::write(&predicate, unsigned.to_string()).unwrap();
    clnstrt(&["attach", "--image", &folder, predicate.to_str().unwrap()]).fails(2, "CS1502");
}
