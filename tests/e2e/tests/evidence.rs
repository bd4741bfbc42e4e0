//! Documents about images, held against what validators of other projects say, and against the lock.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{Done, cli, repository, run};

use crate::fixture::{SMALL, scratch};
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

#[test]
fn two_builds_write_the_same_bytes() {
    let copy = SMALL.warm_copy();
    let artifacts = copy.path().join("artifacts");
    run(copy.build().args(["--offline", "--locked", "--artifacts"]).arg(&artifacts)).ok();
    for form in FORMS {
        let name = format!("sbom-amd64.{form}");
        assert!(fs::read(artifacts.join(&name)).unwrap() == fs::read(SMALL.artifacts().join(&name)).unwrap(), "{name}");
    }
}
