//! `build --check-reproducible`: every command is run twice.

use std::fs;

use serde_json::Value;
use support::{cli, full, run};

use crate::fixture::{COMPILED, SMALL};

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

/// Compiles the runtime once more, so only in the full tier.
#[test]
fn a_compiled_runtime_and_its_byte_code_are_the_same_twice() {
    if !full() {
        return;
    }
    let copy = COMPILED.warm_copy();
    let artifacts = copy.path().join("artifacts");
    let mut build = copy.build();
    let done = run(build.args(["--offline", "--check-reproducible", "--artifacts"]).arg(&artifacts)).ok();
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
