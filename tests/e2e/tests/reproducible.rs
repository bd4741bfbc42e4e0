//! `build --check-reproducible`: every command is run twice.

use std::fs;

use serde_json::Value;
use support::{cli, full, run, run_within};

use crate::fixture::{COMPILED, COMPILING, PARTS, SMALL};

#[test]
fn an_image_without_commands_has_nothing_to_be_run_twice_and_says_so() {
    let copy = SMALL.warm_copy();
    let artifacts = copy.path().join("artifacts");
    let checked = || {
        let mut build = copy.build();
        build.args(["--offline", "--check-reproducible", "--artifacts"]).arg(&artifacts);
        build
    };
    let done = run(&mut checked()).ok();
    assert!(done.stdout.contains("repeated nothing: no step runs a command\n"), "{}", done.stdout);
    assert!(!artifacts.join("reproducibility.txt").exists());
    copy.assert_output(&SMALL);
    let json: Value = serde_json::from_str(&run(checked().args(["--format", "json"])).ok().stdout).unwrap();
    assert_eq!(json["repeated"], 0);
    // a build that was not asked says nothing of it
    let plain = run(copy.build().args(["--offline", "--format", "json"])).ok();
    assert_eq!(serde_json::from_str::<Value>(&plain.stdout).unwrap().get("repeated"), None);
}

#[test]
fn only_a_build_runs_anything_twice() {
    let refused = run(cli().args(["plan", "--check-reproducible"]));
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(refused.stderr.contains("--check-reproducible"), "{}", refused.stderr);
}

#[test]
fn packages_and_an_application_are_the_same_twice_and_one_that_writes_the_time_is_named() {
    let copy = PARTS.copy_over_store();
    let artifacts = copy.path().join("artifacts");
    let checked = || {
        let mut build = copy.build();
        build.args(["--offline", "--check-reproducible", "--artifacts"]).arg(&artifacts);
        build
    };
    let done = run(&mut checked()).ok();
    assert!(done.stdout.contains(" steps run twice, all equal\n"), "{}", done.stdout);
    copy.assert_output(&PARTS);
    let text = fs::read_to_string(artifacts.join("reproducibility.txt")).unwrap();
    for title in ["build psycopg2", "build the application", "test the application", "byte code of"] {
        assert!(text.contains(title), "{title} is missing: {text}");
    }

    fs::remove_file(copy.output()).unwrap();
    let config = copy.config().join("image.yaml");
    let yaml = fs::read_to_string(&config).unwrap();
    fs::write(&config, yaml.replace("- rm make.py", "- date +%s%N > when.txt")).unwrap();
    let refused = run(checked().args(["--format", "json"]));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let findings = serde_json::from_str::<Value>(&refused.stdout).unwrap()["findings"].clone();
    assert_eq!(findings[0]["code"], "CS1108", "{findings}");
    assert!(findings[0]["causes"].to_string().contains("srv/app/when.txt"), "{findings}");
    assert!(fs::read_to_string(artifacts.join("reproducibility.txt")).unwrap().contains("when.txt"));
    copy.assert_no_output();
}

/// Compiles the runtime once more, so only in the full tier.
#[test]
fn a_compiled_runtime_and_its_byte_code_are_the_same_twice() {
    if !full() {
        return println!("skipped: part of the full tier only");
    }
    let copy = COMPILED.copy_over_store();
    let artifacts = copy.path().join("artifacts");
    let mut build = copy.build();
    let repeat = build.args(["--offline", "--check-reproducible", "--artifacts"]).arg(&artifacts);
    let done = run_within(repeat, COMPILING).ok();
    let text = fs::read_to_string(artifacts.join("reproducibility.txt")).unwrap();
    let steps: Vec<&str> = text.lines().filter(|line| line.starts_with("== ")).collect();
    for title in ["compile zlib", "compile openssl", "compile cpython", "byte code of"] {
        assert!(steps.iter().any(|step| step.contains(title)), "{title} is missing: {text}");
    }
    assert_eq!(text.lines().filter(|line| line.starts_with("equal: sha256:")).count(), steps.len(), "{text}");
    let summary = format!("repeated {} steps run twice, all equal\n", steps.len());
    assert!(done.stdout.contains(&summary), "{}", done.stdout);
    copy.assert_output(&COMPILED);
}
