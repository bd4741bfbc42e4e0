//! `clnstrt-verify`: what cosign and we signed, what was tampered with, and all of it without a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::{Done, cli, cli_path, flip_byte, run};

use crate::fixture::{SMALL, scratch};
use crate::image::{blob, index, json as read, layout};
use crate::registries::{Asked, Fault, From, Proxy, lister, registry};
use crate::sign::{PASSWORD, key, openssl, signed_by_cosign};

fn clnstrt(args: &[&str]) -> Done {
    run(cli().args(args).env("CLNSTRT_PASSWORD", PASSWORD))
}

/// The verifier that has neither compiler nor runtime.
pub fn verifier() -> PathBuf {
    cli_path().with_file_name("clnstrt-verify")
}

fn verify(args: &[&str]) -> Done {
    run(Command::new(verifier()).args(args))
}

#[track_caller]
pub fn accepted(done: Done) -> Done {
    let done = done.ok();
    assert!(done.stdout.starts_with("accepted"), "{}", done.stdout);
    done
}

#[track_caller]
pub fn refused(done: Done, code: &str, words: &str) -> Done {
    assert_eq!(done.code(), 1, "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.starts_with("refused") && done.stdout.contains(code), "{}", done.stdout);
    assert!(done.stdout.contains(words), "{}", done.stdout);
    done
}

/// A layout of the small image with its signature and everything that is said of it.
fn attested(folder: &Path) -> (PathBuf, PathBuf) {
    let layout = layout(&SMALL.archive(), folder);
    let (private, public) = key(folder, "team");
    let image = format!("oci:{}", layout.display());
    let artifacts = SMALL.artifacts();
    let of = ["--image", &image, "--key", private.to_str().unwrap()];
    clnstrt(&[["sign"].as_slice(), &of].concat()).ok();
    let statements = fs::read_to_string(artifacts.join("attestations.intoto.jsonl")).unwrap();
    for (number, line) in statements.lines().enumerate() {
        let statement: Value = serde_json::from_str(line).unwrap();
        let kind = statement["predicateType"].as_str().unwrap();
        let about = statement["subject"][0]["digest"]["sha256"].as_str().unwrap();
        if !layout.join("blobs/sha256").join(about).exists() {
            continue;
        }
        // What is about one architecture is put beside its image.
        let (file, digest) = (folder.join(format!("{number}.json")), format!("sha256:{about}"));
        fs::write(&file, line).unwrap();
        let bundle = folder.join(format!("{number}.bundle"));
        let said = ["--type", kind, "--predicate", file.to_str().unwrap(), "--output-bundle", bundle.to_str().unwrap()];
        clnstrt(&[["attest", "--image", &digest, "--key", private.to_str().unwrap()].as_slice(), &said].concat()).ok();
        attach(&layout, &digest, &bundle);
    }
    (layout, public)
}

/// Puts a bundle beside a manifest of a layout, whoever it is of.
fn attach(layout: &Path, subject: &str, bundle: &Path) -> String {
    let put = |bytes: &[u8]| {
        let folder = layout.join("blobs/sha256");
        let file = folder.join("new");
        fs::write(&file, bytes).unwrap();
        let hex = support::sha256_of(&file).trim_start_matches("sha256:").to_owned();
        fs::rename(&file, folder.join(&hex)).unwrap();
        format!("sha256:{hex}")
    };
    let bytes = fs::read(bundle).unwrap();
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": kind,
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": put(b"{}"), "size": 2 },
        "layers": [{ "mediaType": kind, "digest": put(&bytes), "size": bytes.len() }],
        "subject": { "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": subject, "size": 1 },
    });
    let manifest = manifest.to_string();
    let digest = put(manifest.as_bytes());
    let mut listed = read(&layout.join("index.json"));
    listed["manifests"].as_array_mut().unwrap().push(json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": manifest.len(),
    }));
    fs::write(layout.join("index.json"), listed.to_string()).unwrap();
    digest
}

#[test]
fn what_cosign_and_we_sign_is_accepted_in_both_forms_and_nothing_else() {
    let dir = scratch();
    let ((_registry, port), (_lister, lister)) = (registry(dir.path()), lister());
    let [ours, theirs, stranger] = ["ours", "theirs", "stranger"].map(|name| key(dir.path(), name));
    let provenance = SMALL.artifacts().join("provenance.json");
    let provenance = provenance.to_str().unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    for server in [format!("127.0.0.1:{port}"), lister] {
        let image = format!("{server}/team/small:1.0");
        clnstrt(&["push", SMALL.archive().to_str().unwrap(), &image]).ok();
        let (digest, _) = index(&layout(&SMALL.archive(), &scratch().keep()));
        let by_digest = format!("{server}/team/small@{digest}");
        refused(verify(&[&image, "--key", &path(&ours.1)]), "CS1703", "there is no signature");
        clnstrt(&["sign", "--image", &image, "--key", &path(&ours.0)]).ok();
        signed_by_cosign(&theirs.0, &[], &by_digest);
        for (_, public) in [&ours, &theirs] {
            accepted(verify(&[&image, "--key", &path(public)]));
            accepted(verify(&[&by_digest, "--key", &path(public)]));
        }
        accepted(verify(&[&image, "--key", &path(&ours.1), "--key", &path(&theirs.1), "--signatures", "2"]));
        let both = ["--key", &path(&ours.1), "--key", &path(&ours.1), "--signatures", "2"];
        refused(verify(&[[image.as_str()].as_slice(), &both].concat()), "CS1703", "2 have to");
        refused(verify(&[&image, "--key", &path(&stranger.1)]), "CS1703", "none of those who are allowed");
        let other = format!("{server}/team/small@sha256:{}", "0".repeat(64));
        assert_eq!(verify(&[&other, "--key", &path(&ours.1)]).code(), 1);
        // What is said of it.
        let demands = ["--key", &path(&ours.1), "--require-provenance"];
        refused(verify(&[[image.as_str()].as_slice(), &demands].concat()), "CS1704", "there is no provenance");
        let attest = ["attest", "--image", &image, "--type", "slsa", "--predicate", provenance];
        clnstrt(&[attest.as_slice(), &["--key", &path(&ours.0)]].concat()).ok();
        accepted(verify(&[[image.as_str()].as_slice(), &demands].concat()));
        let from = ["--source-uri", "https://git.example.com/other"];
        refused(verify(&[[image.as_str()].as_slice(), &demands, &from].concat()), "CS1705", "does not say");
    }
    // As cosign kept it before version 3.
    let image = format!("127.0.0.1:{port}/older/small:1.0");
    clnstrt(&["push", SMALL.archive().to_str().unwrap(), &image]).ok();
    let (digest, _) = index(&layout(&SMALL.archive(), &scratch().keep()));
    let by_digest = format!("127.0.0.1:{port}/older/small@{digest}");
    signed_by_cosign(&theirs.0, &["--new-bundle-format=false"], &by_digest);
    accepted(verify(&[&image, "--key", &path(&theirs.1)]));
    refused(verify(&[&image, "--key", &path(&ours.1)]), "CS1703", "none of those who are allowed");
    clnstrt(&[
        "attest",
        "--image",
        &image,
        "--type",
        "slsa",
        "--predicate",
        provenance,
        "--key",
        &path(&ours.0),
        "--legacy",
    ])
    .ok();
    accepted(verify(&[&image, "--key", &path(&ours.1), "--require-provenance"]));
    // Without a registry there is no verdict, and that is no refusal.
    assert_eq!(verify(&[&format!("127.0.0.1:{}/x:1", crate::image::free_port()), "--key", &path(&ours.1)]).code(), 3);
}

/// From a configuration to a refused twin: the whole story.
#[test]
fn what_is_built_signed_and_sent_is_accepted_and_a_tampered_twin_is_not() {
    let (copy, dir) = (SMALL.copy_over_store(), scratch());
    let (_registry, port) = registry(dir.path());
    let (private, public) = key(dir.path(), "release");
    let (private, public) = (private.to_str().unwrap(), public.to_str().unwrap());
    let image = format!("127.0.0.1:{port}/team/small:1.0");
    let artifacts = dir.path().join("artifacts");
    let release = ["--sign", "--key", private, "--push", &image, "--artifacts", artifacts.to_str().unwrap()];
    run(copy.build().args(release).env("CLNSTRT_PASSWORD", PASSWORD)).ok();
    let demands =
        ["--key", public, "--require-signature", "--require-sbom", "--require-provenance", "--require-hermetic"];
    let judged = |image: &str, more: &[&str]| verify(&[[image].as_slice(), &demands, more].concat());
    let told = accepted(judged(&image, &["--deep"]));
    assert!(told.stdout.contains("that are in the image") && told.stdout.contains("layers hashed"), "{}", told.stdout);
    // No gate was run, and whoever demands that they passed is told.
    refused(judged(&image, &["--require-tests"]), "CS1708", "no test was run");
    refused(judged(&image, &["--max-critical", "0"]), "CS1704", "there is no scan");
    refused(judged(&image, &["--require-vex"]), "CS1704", "there is no VEX document");
    refused(judged(&image, &["--fail-on-fips-issues"]), "CS1709", "was not built to use");
    refused(
        judged(&image, &["--builder-id", "https://other.example"]),
        "CS1705",
        "it was made by urn:clnstrt:builder:local",
    );
    // The same policy as when it was compiled, over the facts that were signed then and what is seen now.
    let policy = dir.path().join("deploy.yaml");
    let rules = |text: &str| fs::write(&policy, format!("kind: policy\nname: deploy\nrules:\n{text}")).unwrap();
    let policy_file = ["--policy-file", policy.to_str().unwrap()];
    rules(
        "  provenance: {hermetic: required, emulated: forbidden}\n  attestations: {require: [slsa-provenance, sbom]}\n  runtime: {root: forbidden}\n",
    );
    let told = accepted(judged(&image, &[&policy_file[..], &["--explain"]].concat()));
    assert!(told.stdout.contains("  rule      deploy provenance"), "{}", told.stdout);
    // What is in the layers is known to who looks there.
    rules("  runtime: {setuid: forbidden, secrets: forbidden}\n");
    for more in [["--deep"].as_slice(), &[]] {
        let told = accepted(judged(&image, &[&policy_file[..], more].concat()));
        assert!(told.stdout.contains("passed    policy: "), "{}", told.stdout);
    }
    rules("  vulnerabilities: {critical: 0}\n");
    assert_eq!(judged(&image, &policy_file).code(), 1, "what nobody looked for is not known, and refuses");
    rules("  provenance: {hermetik: required}\n");
    assert_eq!(judged(&image, &policy_file).code(), 2, "what nobody knows is no rule");
    // Made again from its source, it is the same; from another one it is not.
    let config = copy.config().join("image.yaml");
    let again = |config: &Path| {
        let store = copy.store();
        clnstrt(
            &[
                [
                    "verify",
                    "--image",
                    &image,
                    "--reproduce",
                    config.to_str().unwrap(),
                    "--store",
                    store.to_str().unwrap(),
                ]
                .as_slice(),
                &demands,
            ]
            .concat(),
        )
    };
    let told = accepted(again(&config));
    assert!(told.stdout.contains("passed    plan") && told.stdout.contains("passed    rebuild"), "{}", told.stdout);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text + "labels: {a: b}\n").unwrap();
    let done = again(&config);
    assert_eq!(done.code(), 1, "{}{}", done.stdout, done.stderr);

    // The twin: one layer is another's, with manifests that fit, pushed under the same name by whoever may push.
    let twin = dir.path().join("twin");
    fs::create_dir(&twin).unwrap();
    clnstrt(&["copy", &image, &format!("oci:{}", twin.join("layout").display())]).ok();
    let twin = twin.join("layout");
    accepted(judged(&format!("oci:{}", twin.display()), &[]));
    let (old, mut top) = {
        let listed = read(&twin.join("index.json"));
        let digest = listed["manifests"][0]["digest"].clone();
        (digest.clone(), read(&blob(&twin, &digest)))
    };
    let mut manifest = read(&blob(&twin, &top["manifests"][0]["digest"]));
    let mut config = read(&blob(&twin, &manifest["config"]["digest"]));
    config["config"]["Entrypoint"] = json!(["/bin/evil"]);
    let put = |value: &Value| {
        let file = twin.join("blobs/sha256/new");
        fs::write(&file, value.to_string()).unwrap();
        let hex = support::sha256_of(&file).trim_start_matches("sha256:").to_owned();
        fs::rename(&file, twin.join("blobs/sha256").join(&hex)).unwrap();
        (json!(format!("sha256:{hex}")), json!(value.to_string().len()))
    };
    (manifest["config"]["digest"], manifest["config"]["size"]) = put(&config);
    (top["manifests"][0]["digest"], top["manifests"][0]["size"]) = put(&manifest);
    let (new, size) = put(&top);
    // What was said of the good one is moved along, as far as that goes without a key.
    let mut listed = read(&twin.join("index.json"));
    for entry in listed["manifests"].as_array_mut().unwrap() {
        if entry["digest"] == old {
            (entry["digest"], entry["size"]) = (new.clone(), size.clone());
            continue;
        }
        let mut referrer = read(&blob(&twin, &entry["digest"]));
        if referrer["subject"]["digest"] == old {
            referrer["subject"]["digest"] = new.clone();
            (entry["digest"], entry["size"]) = put(&referrer);
        }
    }
    fs::write(twin.join("index.json"), listed.to_string()).unwrap();
    clnstrt(&["push", &format!("oci:{}", twin.display()), &image, "--move-tags"]).ok();
    refused(judged(&image, &[]), "CS1703", "and not of this");
}

#[test]
fn a_layout_is_judged_without_a_network_and_every_blob_counts() {
    let dir = scratch();
    let (layout, public) = attested(dir.path());
    let (image, public) = (format!("oci:{}", layout.display()), public.to_str().unwrap());
    let all =
        [image.as_str(), "--key", public, "--require-signature", "--require-sbom", "--require-provenance", "--deep"];
    let online = accepted(verify(&all));
    let program = verifier();
    let offline =
        run(Command::new("unshare").args(["--net", "--map-root-user"]).arg(&program).args(all).arg("--offline"));
    assert_eq!(accepted(offline).stdout, online.stdout);
    let traced = dir.path().join("trace");
    let strace = ["-f", "-e", "trace=network", "-o", traced.to_str().unwrap()];
    accepted(run(Command::new("strace").args(strace).arg(&program).args(all).arg("--offline")));
    let trace = fs::read_to_string(&traced).unwrap();
    assert!(!trace.contains("socket(") && !trace.contains("connect("), "{trace}");
    // An archive is the same.
    let archive = dir.path().join("image.tar");
    clnstrt(&["--offline", "copy", &image, archive.to_str().unwrap()]).ok();
    accepted(verify(&[&[archive.to_str().unwrap()], &all[1..], &["--offline"]].concat()));
    // What one says in one format they say in all.
    let json: Value = serde_json::from_str(&verify(&[&all[..], &["--format", "json"]].concat()).ok().stdout).unwrap();
    assert_eq!((&json["accepted"], &json["checks"][0]["name"]), (&json!(true), &json!("image")));
    let vsa = dir.path().join("vsa.json");
    verify(&[&all[..], &["--format", "junit", "--output-vsa", vsa.to_str().unwrap()]].concat()).ok();
    let vsa = read(&vsa);
    assert_eq!(
        (&vsa["predicateType"], &vsa["predicate"]["verificationResult"]),
        (&json!("https://slsa.dev/verification_summary/v1"), &json!("PASSED"))
    );
    let stranger = openssl(dir.path(), "stranger", &["-algorithm", "ed25519"]).1;
    let sarif = verify(&[&image, "--key", stranger.to_str().unwrap(), "--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&sarif.stdout).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "CS1703");
    // A verdict is told, also where its summary cannot be written.
    let nowhere = ["--output-vsa", "/proc/nowhere/vsa.json"];
    let told = verify(&[&all[..], &nowhere].concat());
    assert!(told.code() == 3 && told.stdout.starts_with("accepted") && told.stderr.contains("CS"), "{}", told.stderr);
    // One of several is named by its tag.
    let digest = json["digest"].as_str().unwrap();
    let mut listed = read(&layout.join("index.json"));
    let tag = listed["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap().to_owned();
    accepted(verify(&[&[format!("{image}:{tag}").as_str()], &all[1..]].concat()));
    assert!(verify(&[&format!("{image}:none"), "--key", public]).stderr.contains("holds 0 images tagged `none`"));
    let mut other = read(&blob(&layout, &listed["manifests"][0]["digest"]))["manifests"][0].clone();
    other["annotations"] = json!({ "org.opencontainers.image.ref.name": "other" });
    listed["manifests"].as_array_mut().unwrap().push(other);
    let before = fs::read(layout.join("index.json")).unwrap();
    fs::write(layout.join("index.json"), listed.to_string()).unwrap();
    let several = verify(&[&image, "--key", public]);
    assert!(several.code() == 2 && several.stderr.contains(&format!("{digest}  {tag}")), "{}", several.stderr);
    accepted(verify(&[&format!("{image}:{tag}"), "--key", public]));
    // Whatever else lies there, also what nobody can read.
    listed["manifests"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "digest": format!("sha512:{}", "0".repeat(128)), "size": 1 }));
    fs::write(layout.join("index.json"), listed.to_string()).unwrap();
    accepted(verify(&[&[format!("{image}@{digest}").as_str()], &all[1..]].concat()));
    assert_eq!(verify(&[&format!("{image}:{tag}"), "--key", public]).code(), 1);
    fs::write(layout.join("index.json"), before).unwrap();
    // A layer that is another's is found where it is hashed, and else it is said that it is not.
    let (_, top) = index_of(&layout);
    let manifest = read(&blob(&layout, &top["manifests"][1]["digest"]));
    let layer = blob(&layout, &manifest["layers"][0]["digest"]);
    flip_byte(&layer);
    refused(verify(&[&image, "--key", public]), "CS1701", "the layer");
    let unhashed = accepted(verify(&[&image, "--key", public, "--manifests-only"]));
    assert!(unhashed.stdout.contains("other blobs not hashed"), "{}", unhashed.stdout);
    fs::remove_file(&layer).unwrap();
    refused(verify(&[&image, "--key", public]), "CS1701", "is not there");
    assert_eq!(verify(&[&image]).code(), 2, "nobody's word counts");
    assert_eq!(verify(&["--offline", "registry.example/x:1", "--key", public]).code(), 3);
}

/// The library without the program: the example of the book.
#[test]
fn whoever_calls_the_library_gives_it_what_it_asks_for() {
    let dir = scratch();
    let (layout, public) = attested(dir.path());
    let (digest, top) = index_of(&layout);
    let example = cli_path().with_file_name("examples").join("judge");
    let judge = |key: &Path| run(Command::new(&example).arg(&layout).arg(&digest).arg(key));
    let told = judge(&public).ok().stdout;
    assert!(told.contains("Passed signature: signed by") && told.contains("layers hashed"), "{told}");
    let stranger = openssl(dir.path(), "stranger", &["-algorithm", "ed25519"]).1;
    let refused = judge(&stranger);
    assert!(refused.code() == 1 && refused.stdout.contains("Failed signature"), "{}", refused.stdout);
    let manifest = read(&blob(&layout, &top["manifests"][0]["digest"]));
    flip_byte(&blob(&layout, &manifest["layers"][0]["digest"]));
    let refused = judge(&public);
    assert!(refused.code() == 1 && refused.stdout.contains("Failed image: the layer"), "{}", refused.stdout);
}

fn index_of(layout: &Path) -> (String, Value) {
    let listed = read(&layout.join("index.json"));
    let digest = listed["manifests"][0]["digest"].clone();
    (digest.as_str().unwrap().to_owned(), read(&blob(layout, &digest)))
}

#[test]
fn what_is_planted_beside_an_image_hides_nothing_and_has_an_end() {
    let dir = scratch();
    let (layout, public) = attested(dir.path());
    let (image, public) = (format!("oci:{}", layout.display()), public.to_str().unwrap());
    let (digest, _) = index_of(&layout);
    let garbage = dir.path().join("garbage");
    for number in 0..20 {
        fs::write(&garbage, format!("{{\"number\": {number}")).unwrap();
        attach(&layout, &digest, &garbage);
    }
    let told = accepted(verify(&[&image, "--key", public, "--require-provenance", "--explain"]));
    assert_eq!(told.stdout.matches("passed over").count(), 20, "{}", told.stdout);
    let listed = read(&layout.join("index.json"));
    // A list of what is not there, and of no manifests.
    let mut broken = listed.clone();
    let entries = broken["manifests"].as_array_mut().unwrap();
    entries.insert(1, json!({ "mediaType": "x", "digest": format!("sha256:{}", "1".repeat(64)), "size": 1 }));
    entries.push(entries[0].clone());
    fs::write(layout.join("index.json"), broken.to_string()).unwrap();
    let twice = verify(&[&format!("{image}@{digest}"), "--key", public]);
    accepted(twice);
    // Ten thousand are not looked at one by one.
    let mut many = listed.clone();
    let blobs = layout.join("blobs/sha256");
    let entries = many["manifests"].as_array_mut().unwrap();
    for number in 0..10_000 {
        let manifest = json!({
            "config": { "digest": digest, "size": 1 }, "subject": { "digest": digest, "size": 1 }, "annotations": { "number": number.to_string() },
        });
        let file = blobs.join("new");
        fs::write(&file, manifest.to_string()).unwrap();
        let name = support::sha256_of(&file);
        fs::rename(&file, blobs.join(name.trim_start_matches("sha256:"))).unwrap();
        entries.push(json!({ "digest": format!("sha256:{}", name.trim_start_matches("sha256:")), "size": manifest.to_string().len() }));
    }
    fs::write(layout.join("index.json"), many.to_string()).unwrap();
    refused(verify(&[&image, "--key", public]), "CS1702", "documents refer to it");
}

/// What a registry does not give may speak against an image: then there is no verdict. Nothing is asked for twice.
#[test]
fn a_registry_that_fails_gives_no_verdict_and_is_asked_for_nothing_twice() {
    let dir = scratch();
    let (_registry, port) = registry(dir.path());
    let (private, public) = key(dir.path(), "team");
    let public = public.to_str().unwrap();
    let direct = format!("127.0.0.1:{port}/team/small:1.0");
    clnstrt(&["push", SMALL.archive().to_str().unwrap(), &direct]).ok();
    let sign = ["--image", &direct, "--key", private.to_str().unwrap()];
    clnstrt(&[["sign"].as_slice(), &sign].concat()).ok();
    let provenance = SMALL.artifacts().join("provenance.json");
    let said = ["--type", "slsa", "--predicate", provenance.to_str().unwrap()];
    clnstrt(&[["attest"].as_slice(), &sign, &said].concat()).ok();
    let judged = |proxy: &Proxy| {
        let image = format!("{}/team/small:1.0", proxy.address);
        verify(&[&image, "--key", public, "--require-signature", "--timeout", "1"])
    };
    let honest = Proxy::new(port, Box::new(|_| Fault::None));
    accepted(judged(&honest));
    let mut asked = honest.asked();
    let count = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), count, "{asked:#?}");
    // One document of what refers to the image, whichever it is.
    let layout = layout(&SMALL.archive(), dir.path());
    let (_, top) = index(&layout);
    let manifests = top["manifests"].as_array().unwrap();
    let configs: Vec<String> = manifests
        .iter()
        .map(|entry| read(&blob(&layout, &entry["digest"]))["config"]["digest"].as_str().unwrap().to_owned())
        .collect();
    let is_statement = |one: &&String| one.contains("/blobs/") && !configs.iter().any(|config| one.ends_with(config));
    let statement = asked.iter().find(is_statement).unwrap().split(' ').nth(1).unwrap();
    for status in ["500 No", "403 No"] {
        let path = statement.to_owned();
        let judge = move |asked: &Asked| if asked.path == path { Fault::Status(status, "") } else { Fault::None };
        let done = judged(&Proxy::new(port, Box::new(judge)));
        assert_eq!((done.code(), done.stdout.as_str()), (3, ""), "{status}: {}", done.stderr);
    }
    let dripping = Proxy::new(
        port,
        Box::new(|asked| if asked.is("GET", "/blobs/") { Fault::Drip(From::Head) } else { Fault::None }),
    );
    assert_eq!(judged(&dripping).code(), 3);
}

#[test]
fn images_on_a_list_need_no_look_and_all_that_a_build_starts_from_get_one() {
    let dir = scratch();
    let (_registry, port) = registry(dir.path());
    let (_, public) = key(dir.path(), "team");
    let public = public.to_str().unwrap();
    let list = dir.path().join("allowed");
    fs::write(&list, "# images of the cluster itself\nregistry.example/system/*\n").unwrap();
    let list = list.to_str().unwrap();
    let traced = dir.path().join("trace");
    let strace = ["-f", "-e", "trace=network", "-o", traced.to_str().unwrap()];
    let allowed = ["registry.example/system/pause:1", "--key", public, "--allow-list", list];
    let done = run(Command::new("strace").args(strace).arg(verifier()).args(allowed)).ok();
    assert!(done.stdout.starts_with("allowed") && done.stdout.contains("line 2"), "{}", done.stdout);
    assert!(!fs::read_to_string(&traced).unwrap().contains("socket("));
    fs::write(dir.path().join("wrong"), "*\n").unwrap();
    let wrong = dir.path().join("wrong");
    assert_eq!(verify(&["registry.example/x:1", "--key", public, "--allow-list", wrong.to_str().unwrap()]).code(), 2);

    let base = format!("127.0.0.1:{port}/base/small:1.0");
    clnstrt(&["push", SMALL.archive().to_str().unwrap(), &base]).ok();
    let dockerfile = dir.path().join("Dockerfile");
    fs::write(&dockerfile, format!("ARG BASE={base}\nFROM $BASE AS build\nFROM scratch\nCOPY --from=build /a /a\n"))
        .unwrap();
    let judged = ["base", dockerfile.to_str().unwrap(), "--key", public];
    refused(verify(&judged), "CS1703", "there is no signature");
    let private = dir.path().join("team.key");
    clnstrt(&["sign", "--image", &base, "--key", private.to_str().unwrap()]).ok();
    accepted(verify(&judged));
    // Several are one document, and one that cannot be had hides no other.
    let unsigned = format!("127.0.0.1:{port}/base/other:1.0");
    clnstrt(&["push", SMALL.archive().to_str().unwrap(), &unsigned]).ok();
    fs::write(&dockerfile, format!("FROM {base}\nFROM {unsigned}\n")).unwrap();
    let json = verify(&[&judged[..], &["--format", "json"]].concat());
    let told: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&told[0]["accepted"], &told[1]["accepted"], json.code()), (&json!(true), &json!(false), 1));
    let junit = verify(&[&judged[..], &["--format", "junit"]].concat()).stdout;
    assert_eq!((junit.matches("<testsuites>").count(), junit.matches("<testsuite ").count()), (1, 2), "{junit}");
    fs::write(&dockerfile, format!("FROM {base}x\nFROM {unsigned}\n")).unwrap();
    let text = verify(&judged);
    assert!(text.stdout.contains(&unsigned) && text.stderr.contains("CS1404"), "{}{}", text.stdout, text.stderr);
    let sarif: Value = serde_json::from_str(&verify(&[&judged[..], &["--format", "sarif"]].concat()).stdout).unwrap();
    let rules: Vec<&Value> =
        sarif["runs"][0]["results"].as_array().unwrap().iter().map(|result| &result["ruleId"]).collect();
    assert_eq!(rules, ["CS1404", "CS1703"]);
    // One that cannot be had for now is in every format, and changes nothing of what is refused for good.
    let closed = Proxy::new(port, Box::new(|_| Fault::Status("403 No", "")));
    let away = format!("{}/base/small:1.0", closed.address);
    for (others, code) in [(&unsigned, 1), (&base, 3)] {
        fs::write(&dockerfile, format!("FROM {away}\nFROM {others}\n")).unwrap();
        for format in ["text", "json", "sarif", "junit", "github"] {
            let done = verify(&[&judged[..], &["--format", format]].concat());
            assert_eq!(done.code(), code, "{format}: {}{}", done.stdout, done.stderr);
            assert!(done.stdout.contains(&away) || format == "text" && done.stderr.contains(&away), "{}", done.stdout);
        }
    }
    let junit = verify(&[&judged[..], &["--format", "junit"]].concat()).stdout;
    assert!(junit.contains("errors=\"1\"") && junit.contains("<error type=\"CS1403\">"), "{junit}");
    // What was said before is not left lying where nothing is said.
    let summary = dir.path().join("vsa.json");
    let summarized = ["--key", public, "--output-vsa", summary.to_str().unwrap()];
    verify(&[&[base.as_str()], &summarized[..]].concat()).ok();
    assert!(summary.exists());
    assert_eq!(verify(&[&[format!("{base}x").as_str()], &summarized[..]].concat()).code(), 1);
    assert_eq!(fs::read(&summary).unwrap(), b"");
    fs::write(&dockerfile, "FROM $UNKNOWN\n").unwrap();
    assert_eq!(verify(&judged).code(), 2);
}
