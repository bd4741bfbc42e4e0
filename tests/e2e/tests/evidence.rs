//! Documents about images, held against what validators of other projects say, and against the lock.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{Done, cli, repository, run, sha256_of};

use crate::fixture::{COMPILED, Fixture, SMALL, scratch};
use crate::image::json;

const FORMS: [&str; 5] = ["cdx.json", "cdx.xml", "spdx", "spdx.json", "spdx.rdf.xml"];

/// Installed by `cargo xtask test`.
fn tool(name: &str) -> PathBuf {
    let program = repository().join("target/tools/sbom/bin").join(name);
    assert!(program.is_file(), "{} is missing: `cargo xtask test` installs it", program.display());
    program
}

/// What a validator that nobody here wrote says of a document.
fn validated(document: &Path) -> Done {
    let name = document.to_str().unwrap();
    if name.contains(".cdx.") {
        let script = "import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.validation.xml import XmlValidator
name = sys.argv[1]
validator = (JsonStrictValidator if name.endswith('json') else XmlValidator)(SchemaVersion.V1_5)
error = validator.validate_str(open(name).read())
sys.exit(error and str(error))";
        return run(Command::new(tool("python3")).args(["-c", script, name]));
    }
    run(Command::new(tool("pyspdxtools")).args(["-i", name]))
}

/// The SPDX project's own validator.
fn java(document: &Path) -> Done {
    let jar = repository().join("target/tools/spdx-java/tools-java-2.0.1-jar-with-dependencies.jar");
    assert!(jar.is_file(), "{} is missing: `cargo xtask test` installs it", jar.display());
    // Otherwise it asks a server for the list of licences.
    run(Command::new("java")
        .args(["-Dorg.spdx.useJARLicenseInfoOnly=true", "-jar"])
        .arg(jar)
        .arg("Verify")
        .arg(document))
}

#[test]
fn the_project_of_spdx_accepts_its_three_forms_and_refuses_a_broken_one() {
    for form in ["spdx", "spdx.json", "spdx.rdf.xml"] {
        let document = SMALL.artifacts().join(format!("sbom-amd64.{form}"));
        assert!(java(&document).ok().stdout.contains("This SPDX Document is valid."), "{form}");
    }
    let dir = scratch();
    let broken = dir.path().join("broken.spdx.json");
    let text = fs::read_to_string(SMALL.artifacts().join("sbom-amd64.spdx.json")).unwrap();
    fs::write(&broken, text.replacen("\"licenseDeclared\": \"", "\"licenseDeclared\": \"NOT A LICENCE AND ", 1))
        .unwrap();
    let done = java(&broken);
    assert!(!done.status.success() || !done.stdout.contains("This SPDX Document is valid."), "{}", done.stdout);
}

/// Names that would end a line, an element or a text of some form.
#[test]
fn names_that_mean_something_to_a_form_are_only_names() {
    let dir = scratch();
    let root = dir.path().join("root");
    let put = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("srv/x\nPackageName: injected\u{1}", "words");
    for (name, licence) in [
        ("a", "LicenseRef-words-1"),
        ("b", "some words"),
        ("c", "</te</text>xt><b>&amp;"),
        ("d", "DocumentRef-x:LicenseRef-y"),
        ("e", "]]>\u{ffff}\u{1b}[31m"),
    ] {
        let document = serde_json::json!({
            "name": name, "version": "1\u{1}.0\u{ffff}", "license": licence,
            "homepage": "https://[::1", "author": "A\u{202e} <a@example.com>", "description": "x\u{0}y",
        });
        put(&format!("app/node_modules/{name}/package.json"), &document.to_string());
    }
    for form in FORMS {
        let bill = dir.path().join(format!("bill.{form}"));
        run(cli().arg("generate-sbom").arg(&root).arg("--output").arg(&bill)).ok();
        validated(&bill).ok();
        let text = fs::read_to_string(&bill).unwrap();
        assert!(!text.contains("\nPackageName: injected"), "{form}");
        let named = ["a", "b", "c", "d", "e"].map(|name| text.contains(&format!("pkg:npm/{name}@1.0")));
        assert_eq!(named, [true; 5], "{form}");
    }
}

/// The minimum elements of the NTIA: what is missing is what nobody knows.
#[test]
fn of_the_minimum_elements_only_the_unknown_are_missing() {
    let document = SMALL.artifacts().join("sbom-amd64.spdx.json");
    let dir = scratch();
    let report = dir.path().join("report.json");
    // It fails where anything is missing; the report says what.
    let _ =
        run(Command::new(tool("ntia-checker")).args(["--output", "json", "--output-file"]).arg(&report).arg(&document));
    let report = json(&report);
    let bill = json(&document);
    let unknown = |field: &str| -> BTreeSet<&str> {
        let packages = bill["packages"].as_array().unwrap().iter();
        packages
            .filter(|package| package[field].is_null() || package[field] == "NOASSERTION")
            .map(|package| package["name"].as_str().unwrap())
            .collect()
    };
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
    let missing = |name: &str| -> BTreeSet<&str> {
        report[name]["nonconformantComponents"].as_array().unwrap().iter().filter_map(Value::as_str).collect()
    };
    assert_eq!(missing("componentNames"), BTreeSet::new());
    assert_eq!(missing("componentIdentifiers"), BTreeSet::new());
    assert_eq!(missing("componentSuppliers"), unknown("supplier"));
    assert_eq!(missing("componentVersions"), unknown("versionInfo"));
    for element in ["authorNameProvided", "timestampProvided", "dependencyRelationshipsProvided"] {
        assert_eq!(report[element], true, "{element}");
    }
}

/// Ids of the components of a CycloneDX document.
fn components(document: &Value) -> BTreeSet<String> {
    let components = document["components"].as_array().unwrap();
    components.iter().map(|component| component["bom-ref"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn others_accept_every_bill_of_materials_and_refuse_a_broken_one() {
    let broken = scratch();
    for form in FORMS {
        for arch in ["amd64", "arm64"] {
            validated(&SMALL.artifacts().join(format!("sbom-{arch}.{form}"))).ok();
        }
        let text = fs::read_to_string(SMALL.artifacts().join(format!("sbom-amd64.{form}"))).unwrap();
        let edited = text
            .replacen("bom-ref", "bum-ref", 1)
            .replacen("type=\"container\"", "type=\"box\"", 1)
            .replacen("PackageDownloadLocation: NOASSERTION\n", "", 1)
            .replacen("\"downloadLocation\": \"NOASSERTION\",", "", 1)
            .replacen("<spdx:downloadLocation>NOASSERTION</spdx:downloadLocation>", "", 1);
        assert_ne!(edited, text, "{form}");
        let file = broken.path().join(format!("broken.{form}"));
        fs::write(&file, edited).unwrap();
        assert!(!validated(&file).status.success(), "{form}");
    }
}

#[test]
fn a_bill_lists_the_lock_and_what_a_stranger_finds() {
    let lock = SMALL.lock();
    let ours = json(&SMALL.artifacts().join("sbom-amd64.cdx.json"));
    let image = lock["answers"].as_object().unwrap().values().find(|answer| !answer["asked"]["toolchain"].is_boolean());
    let nodes = image.unwrap()["resolutions"]["amd64"]["nodes"].as_array().unwrap();
    let mut expected: BTreeSet<String> = nodes.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    expected.insert("application".to_owned());
    assert_eq!(components(&ours), expected);
    // Every package of Debian and of Python has files, a layer and its digest.
    for component in ours["components"].as_array().unwrap().iter().filter(|one| one["purl"].is_string()) {
        assert!(component["evidence"]["occurrences"].is_array(), "{component}");
        assert_eq!(component["hashes"][0]["alg"], "SHA-256", "{component}");
        assert!(component["properties"].to_string().contains("clnstrt:layer"), "{component}");
    }
    // Without the lock, from the archive alone: the same packages, but nothing is known of how they were verified.
    let dir = scratch();
    let output = dir.path().join("found.cdx.json");
    let generate =
        |arch: &[&str]| run(cli().arg("generate-sbom").arg(SMALL.archive()).args(arch).arg("--output").arg(&output));
    generate(&["--arch", "amd64"]).ok();
    // The lock knows the file of a Python package as well.
    let short = |purl: &str| match purl.split_once('?') {
        Some((short, _)) if purl.starts_with("pkg:pypi/") => short.to_owned(),
        _ => purl.to_owned(),
    };
    let purls = |document: &Value| -> BTreeSet<String> {
        document["components"].as_array().unwrap().iter().filter_map(|one| Some(short(one["purl"].as_str()?))).collect()
    };
    let found = json(&output);
    assert_eq!(purls(&found), purls(&ours));
    assert!(!found.to_string().contains("clnstrt:verification"));
    validated(&output).ok();
    generate(&[]).fails(2, "CS0907");
    generate(&["--arch", "riscv64"]).fails(2, "CS0907");
}

/// The statements of a build, each on its line.
fn statements(artifacts: &Path) -> Vec<Value> {
    let text = fs::read_to_string(artifacts.join("attestations.intoto.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_statement_keeps_the_rules_and_is_about_the_image() {
    let artifacts = SMALL.artifacts();
    let hashes = json(&artifacts.join("software-hash.json"));
    let hex = |digest: &Value| digest.as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let mut known = BTreeSet::from([hex(&hashes["index"]["digest"]), hex(&hashes["plan"])]);
    known.extend(hashes["images"].as_array().unwrap().iter().map(|image| hex(&image["manifest"]["digest"])));
    let statements = statements(&artifacts);
    let mut kinds = BTreeSet::new();
    for statement in &statements {
        assert_eq!(inspect::statement::check(statement), [], "{}", statement["predicateType"]);
        for subject in statement["subject"].as_array().unwrap() {
            assert!(known.contains(subject["digest"]["sha256"].as_str().unwrap()), "{subject}");
        }
        kinds.insert(statement["predicateType"].as_str().unwrap());
    }
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        [
            "https://cyclonedx.org/bom",
            "https://in-toto.io/attestation/test-result/v0.1",
            "https://slsa.dev/provenance/v1",
            "https://spdx.dev/Document",
            "urn:clnstrt:facts:v1",
            "urn:clnstrt:licences:v1",
            "urn:clnstrt:software-hash:v1",
            "urn:clnstrt:sources:v1",
        ]
    );
    assert_eq!(statements[0], json(&artifacts.join("provenance.json")));
    assert_eq!(statements[1], json(&artifacts.join("plan-provenance.json")));
    // What the hashes name is what there is.
    assert_eq!(hex(&hashes["archive"]["digest"]), SMALL.sha256);
    assert_eq!(hex(&hashes["plan"]), sha256_of(&artifacts.join("plan.json")));
}

#[test]
fn provenance_names_every_package_and_what_vouches_for_it() {
    let (artifacts, lock) = (SMALL.artifacts(), SMALL.lock());
    let provenance = json(&artifacts.join("provenance.json"));
    let definition = &provenance["predicate"]["buildDefinition"];
    let materials = definition["resolvedDependencies"].as_array().unwrap();
    let digest_of = |uri: &str| {
        let found = materials.iter().find(|one| one["uri"] == uri).unwrap_or_else(|| panic!("{uri} is missing"));
        found["digest"]["sha256"].as_str().unwrap().to_owned()
    };
    let nodes = lock["nodes"].as_object().unwrap();
    for (id, node) in nodes {
        assert_eq!(format!("sha256:{}", digest_of(id)), node["sha256"].as_str().unwrap(), "{id}");
    }
    for release in lock["releases"].as_object().unwrap().values().filter(|one| one["indexes"] != serde_json::json!({}))
    {
        let hex = release["in_release"].as_str().unwrap().trim_start_matches("sha256:");
        assert!(materials.iter().any(|one| one["digest"]["sha256"] == hex), "{hex}");
    }
    let config = &definition["externalParameters"]["config"];
    let path = config["path"].as_str().unwrap();
    assert!(path.ends_with("image.yaml") && !path.starts_with('/'), "{path}");
    let file = sha256_of(&repository().join("tests/e2e/configs/small/image.yaml"));
    assert_eq!(config["digest"]["sha256"], file);
    // It is in no commit, and nothing of this machine is told.
    assert!(config["repository"].is_null());
    let text = provenance.to_string();
    assert!(!text.contains(SMALL.artifacts().parent().unwrap().to_str().unwrap()), "{text}");
    let manifest = json(&artifacts.join("source-manifest.json"));
    let listed: Vec<&str> =
        manifest["packages"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(listed, nodes.keys().collect::<Vec<_>>());
    // The plan's own provenance knows packages by the lock alone.
    let planned = json(&artifacts.join("plan-provenance.json"));
    assert_eq!(planned["subject"][0]["digest"]["sha256"], sha256_of(&artifacts.join("plan.json")));
    assert!(!planned.to_string().contains("pkg:deb/"));
}

#[test]
fn a_configuration_that_is_committed_is_named_by_its_commit() {
    let copy = SMALL.warm_copy();
    let config = copy.config();
    let git = |arguments: &[&str]| {
        let name = ["-c", "user.name=n", "-c", "user.email=e@example.com"];
        run(Command::new("git").arg("-C").arg(&config).args(name).args(arguments)).ok().stdout
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "a"]);
    git(&["remote", "add", "origin", "https://me:secret@git.example.com/app.git"]);
    let commit = git(&["rev-parse", "HEAD"]).trim().to_owned();
    let built = |name: &str| {
        let artifacts = copy.path().join(name);
        run(copy.build().args(["--offline", "--locked", "--arch", "amd64", "--artifacts"]).arg(&artifacts)).ok();
        json(&artifacts.join("provenance.json"))["predicate"]["buildDefinition"]["externalParameters"].clone()
    };
    let parameters = built("committed");
    assert_eq!(parameters["config"]["repository"], "https://git.example.com/app.git");
    assert_eq!(parameters["config"]["commit"], commit);
    assert_eq!(parameters["architectures"], serde_json::json!(["amd64"]));
    let image = config.join("image.yaml");
    fs::write(&image, fs::read_to_string(&image).unwrap() + "# not committed\n").unwrap();
    assert!(built("changed")["config"]["commit"].is_null());
}

#[test]
fn licences_are_held_against_the_texts_in_the_image() {
    let report = json(&SMALL.artifacts().join("licence-report.json"));
    let packages = report["packages"].as_array().unwrap();
    let of = |name: &str| packages.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    for package in packages.iter().filter(|one| one["id"].as_str().unwrap().starts_with("pkg:pypi/")) {
        assert!(!package["texts"].as_array().unwrap().is_empty(), "{package}");
        assert_ne!(package["agreement"], "differs", "{package}");
    }
    // Every Debian package has its copyright file.
    for package in packages.iter().filter(|one| one["id"].as_str().unwrap().starts_with("pkg:deb/")) {
        assert!(!package["texts"].as_array().unwrap().is_empty(), "{package}");
    }
    assert!(of("libc6")["expression"].is_string());
    let summed: u64 = report["summary"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(summed, packages.len() as u64);
    let texts = report["texts"].as_object().unwrap();
    assert!(texts.values().any(|text| text["licences"] == serde_json::json!(["MIT"])));
    for text in texts.values() {
        assert!(!text["files"].as_array().unwrap().is_empty());
    }
    // Of the archive alone, the texts are the same.
    let dir = scratch();
    let output = dir.path().join("licences.json");
    run(cli().arg("generate-report").arg(SMALL.archive()).arg("--output").arg(&output)).ok();
    assert_eq!(json(&output)["texts"], report["texts"]);
    run(cli().arg("generate-report").arg(SMALL.archive()).args(["--output", "x.pdf"])).fails(2, "CS0907");
}

/// What a policy of these rules says of an image that was built.
fn judged(fixture: &Fixture, rules: &str) -> Done {
    let dir = scratch();
    let policy = dir.path().join("own.yaml");
    fs::write(&policy, format!("kind: policy\nname: own\nrules:\n{rules}")).unwrap();
    let facts = fixture.artifacts().join("policy-facts.json");
    run(cli().args(["policy", "eval", "--facts"]).arg(&facts).arg("--policy").arg(&policy))
}

/// What a policy of stage `release` is asked about was seen in the image: no lock has the licences of Debian packages.
#[test]
fn policies_judge_the_finished_image_by_its_facts() {
    judged(&SMALL, "  runtime: {setuid: forbidden}\n  tests: {passed: required}\n").ok();
    let done = judged(&SMALL, "  licenses: {allow: [MIT, BSD-3-Clause, Apache-2.0]}\n").fails(1, "CS1206");
    assert!(done.stderr.contains("libc6"), "{}", done.stderr);
    // Nobody searched for vulnerabilities, and nothing was compiled and inspected: nobody can say how that is.
    judged(&SMALL, "  vulnerabilities: {critical: 0}\n").fails(1, "CS1210");
    judged(&SMALL, "  hardening: {require: [nx]}\n").fails(1, "CS1210");
    judged(&COMPILED, "  hardening: {require: [nx, pie, relro]}\n").ok();
}

/// Content documents are the same bytes; run records are, but for their times. Every step is done twice.
#[test]
fn two_builds_differ_in_times_only() {
    let copy = SMALL.warm_copy();
    let built = |name: &str| {
        let artifacts = copy.path().join(name);
        run(copy.build().args(["--offline", "--locked", "--artifacts"]).arg(&artifacts)).ok();
        artifacts
    };
    let first = built("first");
    copy.forget_actions();
    let second = built("second");
    let names = |dir: &Path| -> BTreeSet<String> {
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names(&first), names(&second));
    assert!(names(&first).len() >= 17, "{:?}", names(&first));
    let mut with_times = BTreeSet::new();
    for name in names(&first) {
        let texts = [&first, &second].map(|dir| fs::read_to_string(dir.join(&name)).unwrap());
        if texts[0] != texts[1] {
            assert_eq!(without_times(&texts[0]), without_times(&texts[1]), "{name}");
            with_times.insert(name);
        }
    }
    assert!(with_times.is_subset(
        &["attestations.intoto.jsonl", "policy-facts.json", "provenance.json", "report.html"].map(String::from).into()
    ));
}

/// A text without the times of a run, and without the digests of the documents that have them.
fn without_times(text: &str) -> String {
    let mut text = text.to_owned();
    for (start, length) in [
        ("\"startedOn\":\"", 20),
        ("\"startedOn\": \"", 20),
        ("\"finishedOn\":\"", 20),
        ("\"finishedOn\": \"", 20),
        ("\"now\": \"", 20),
        ("[\"provenance.json\",\"SLSA provenance of the image\",\"sha256:", 64),
        ("[\"policy-facts.json\",\"facts for policies\",\"sha256:", 64),
        ("[\"attestations.intoto.jsonl\",\"every statement, unsigned\",\"sha256:", 64),
    ] {
        if let Some(at) = text.find(start) {
            text.replace_range(at + start.len()..at + start.len() + length, "");
        }
    }
    text
}

#[test]
fn what_differs_between_two_images_is_named() {
    let copy = SMALL.warm_copy();
    let image = copy.config().join("image.yaml");
    let text = fs::read_to_string(&image).unwrap();
    fs::write(&image, text + "run: {env: {GREETING: hello}}\n").unwrap();
    let application = copy.config().join("app");
    fs::write(application.join("added.txt"), "added\n").unwrap();
    let artifacts = copy.path().join("artifacts");
    run(copy.build().args(["--offline", "--artifacts"]).arg(&artifacts)).ok();
    let diff = |before: &Path, after: &Path| run(cli().arg("diff").arg(before).arg(after)).ok();
    let done = diff(&SMALL.archive(), &copy.output());
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(lines.iter().any(|line| line.contains("configuration: env GREETING hello added")), "{}", done.stdout);
    assert!(lines.iter().any(|line| line.contains("added.txt") && line.contains(" added")), "{}", done.stdout);
    assert!(!done.stdout.contains("pypi ") && !done.stdout.contains("deb "), "{}", done.stdout);
    assert!(diff(&SMALL.archive(), &SMALL.archive()).stderr.contains("no difference"));
    let done = diff(&SMALL.artifacts(), &artifacts);
    assert!(done.stdout.contains("document: sbom-amd64.cdx.json"), "{}", done.stdout);
    assert!(done.stdout.contains("GREETING"), "{}", done.stdout);
    run(cli().arg("diff").arg(SMALL.archive()).arg(SMALL.artifacts())).fails(2, "CS0907");
    // Of several images, each beside the one of its name.
    let [before, after] = ["before", "after"].map(|name| copy.path().join(name));
    for (folder, to) in [
        (before.join("one"), SMALL.artifacts()),
        (after.join("one"), artifacts.clone()),
        (after.join("two"), artifacts),
    ] {
        fs::create_dir_all(folder.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, folder).unwrap();
    }
    let done = diff(&before, &after);
    assert!(done.stdout.contains("one document: sbom-amd64.cdx.json"), "{}", done.stdout);
    assert!(done.stdout.contains("two: artifacts added"), "{}", done.stdout);
}

#[test]
fn a_source_tree_is_analysed() {
    let done = run(cli().arg("analyze-dependencies").arg(repository().join("tests/e2e/configs/manifests"))).ok();
    assert_eq!(
        done.stdout.lines().collect::<Vec<_>>(),
        [
            "lock       old/pnpm-lock.yaml  0 packages, 0 of them asked for here",
            "lock       package-lock.json  2 packages, 1 of them asked for here",
            "asks       package.json  2 packages, 2 of them asked for here",
            "asks       service/requirements.txt  2 packages, 2 of them asked for here",
            "unpinned   npm right-pad ^1.0.0  in package.json",
            "unpinned   pypi starlette starlette>=0.40  in service/requirements.txt",
            "unverified npm left-pad 1.3.0  in package-lock.json",
            "unverified pypi idna 3.10  in service/requirements.txt",
            "licence    WTFPL  1 packages",
            "licence    unknown  4 packages",
        ]
    );
    assert!(done.stderr.contains("CS1301") && done.stderr.contains("pnpm-lock.yaml"), "{}", done.stderr);
    let dir = scratch();
    run(cli().arg("analyze-dependencies").arg(dir.path())).fails(2, "CS0904");
}
