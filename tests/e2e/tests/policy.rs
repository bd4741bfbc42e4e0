//! Policies held against images by the program itself.

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{Done, cli, run};

use crate::fixture::{SMALL, scratch};

/// A policy that refuses each requirement by its name.
const NAMES: &str = "package clnstrt.policy.names

deny contains {\"code\": \"ORG1\", \"msg\": sprintf(\"%s is not wanted\", [one.name]), \"fact\": [\"requirements\", number]} if {
	some number, one in input.requirements
	startswith(one.name, \"mark\")
}
";

fn policy(words: &[&str]) -> Done {
    run(cli().arg("policy").args(words))
}

#[test]
fn shipped_policies_pass_their_own_tests() {
    let done = policy(&["test", "stdlib:production", "stdlib:fips", "--threshold", "100"]).ok();
    assert!(done.stdout.contains("100.0 % of the lines of production"), "{done:?}");
    policy(&["check", "stdlib:nothing"]).fails(2, "CS1217");
}

#[test]
fn a_finding_points_at_what_was_declared_and_at_the_rule() {
    let copy = SMALL.copy();
    let config = copy.config().join("image.yaml");
    let rule = copy.config().join("names.rego");
    fs::write(&rule, NAMES).unwrap();
    let refused = |done: Done| {
        let done = done.fails(1, "CS1206");
        assert!(done.stderr.contains("ORG1 (names): markupsafe is not wanted"), "{done:?}");
        assert!(done.stderr.contains("image.yaml:") && done.stderr.contains("names.rego:3"), "{done:?}");
    };
    let with = |words: &[&str]| run(cli().args(words).arg(&config).arg("--policy").arg(&rule));
    refused(with(&["validate"]));
    refused(with(&["policy", "explain", "--config"]));
    refused(run(copy.build().args(["--offline", "--locked", "--policy"]).arg(&rule)));
    // Named by the configuration, without a word on the command line.
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}policies: [names.rego]\n")).unwrap();
    refused(run(cli()
        .args(["plan", "--locked", "--offline", "--config"])
        .arg(&config)
        .arg("--store")
        .arg(copy.store())));
    // An exception lets it through, and is printed.
    let excepted = "kind: policy\nname: mild\nrules: {languages: {allow: [python]}}\nexceptions:\n  - {rule: ORG1, match: {fact: \"0\"}, until: 2999-01-01, reason: it is small, approved_by: owner@example.com}\n";
    fs::write(copy.config().join("mild.yaml"), excepted).unwrap();
    // It is about the rules of its own side only: the same rule on the command line refuses.
    fs::write(&config, format!("{text}policies: [names.rego, mild.yaml]\n")).unwrap();
    let done = run(cli().arg("validate").arg(&config));
    assert!(done.ok().stderr.contains("it is small, approved by owner@example.com"));
    refused(run(cli().arg("validate").arg(&config).arg("--policy").arg(&rule)));
}

#[test]
fn what_the_organisation_demands_is_switched_off_by_nothing() {
    let copy = SMALL.copy();
    let rule = copy.config().join("names.rego");
    fs::write(&rule, NAMES).unwrap();
    let check = policy(&["check", rule.to_str().unwrap()]).ok();
    let digest = check.stdout.split_whitespace().next().unwrap();
    let validate = || {
        let mut command = cli();
        command.arg("validate").arg(copy.config().join("image.yaml"));
        run(command.env("CLNSTRT_POLICY", format!("{}@{digest}", rule.display())))
    };
    validate().fails(1, "CS1206");
    fs::write(&rule, NAMES.replace("mark", "none")).unwrap();
    validate().fails(1, "CS1213");
}

#[test]
fn an_archive_of_a_policy_is_the_same_policy() {
    let dir = scratch();
    let folder = dir.path().join("rules");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("names.rego"), NAMES).unwrap();
    let archive = dir.path().join("rules.tar.gz");
    run(std::process::Command::new("tar").args(["-C"]).arg(&folder).arg("-czf").arg(&archive).arg(".")).ok();
    let digest = |path: &Path| {
        policy(&["check", path.to_str().unwrap()]).ok().stdout.split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(digest(&folder), digest(&archive));
}

#[test]
fn tests_and_facts_of_ones_own() {
    let dir = scratch();
    let file = |name: &str, text: &str| {
        fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name).to_str().unwrap().to_owned()
    };
    file("names.rego", NAMES);
    file(
        "names_test.rego",
        "package clnstrt.policy.names\n\ntest_refused if count(deny) == 1 with input as {\"requirements\": [{\"name\": \"markupsafe\"}]}\n\ntest_let_through if count(deny) == 0 with input as {\"requirements\": []}\n",
    );
    let junit = dir.path().join("junit.xml");
    let here = dir.path().to_str().unwrap();
    policy(&["test", here, "--threshold", "100", "--junit", junit.to_str().unwrap()]).ok();
    assert!(fs::read_to_string(&junit).unwrap().contains("tests=\"2\" failures=\"0\""));
    file(
        "more_test.rego",
        "package clnstrt.policy.names\n\ntest_wrong if count(deny) == 3 with input as {\"requirements\": []}\n",
    );
    policy(&["test", here, "--junit", junit.to_str().unwrap()]).fails(1, "CS1215");
    let report = fs::read_to_string(&junit).unwrap();
    assert!(report.contains("tests=\"3\" failures=\"1\"") && report.contains("<failure"), "{report}");
    let sarif = policy(&["test", here, "--format", "sarif"]).fails(1, "");
    let sarif: Value = serde_json::from_str(&sarif.stdout).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "CS1215");
    file("unused.rego", "package clnstrt.policy.unused\n\nwarn contains \"x\" if input.build.fips\n");
    std::fs::remove_file(dir.path().join("more_test.rego")).unwrap();
    policy(&["test", here, "--threshold", "100"]).fails(1, "CS1216");
    // Facts by hand, and facts that are none.
    let facts =
        policy(&["explain", "--facts", "--config", SMALL.copy().config().join("image.yaml").to_str().unwrap()]).ok();
    let mut document: Value = serde_json::from_str(&facts.stdout).unwrap();
    let rule = dir.path().join("names.rego");
    let eval = |document: &Value| {
        policy(&["eval", "--facts", &file("facts.json", &document.to_string()), "--policy", rule.to_str().unwrap()])
    };
    eval(&document).fails(1, "CS1206");
    document["requirements"] = serde_json::json!([]);
    assert!(eval(&document).ok().stdout.contains("ORG1: holds"));
    document["requirments"] = serde_json::json!([]);
    eval(&document).fails(2, "CS1214");
    // What is shown is the policy, without its tests.
    let shown = policy(&["show", here]).ok().stdout;
    assert!(shown.contains("package clnstrt.policy.names") && !shown.contains("test_refused"), "{shown}");
    policy(&["check", &file("copy.yaml", &policy(&["show", "stdlib:production"]).ok().stdout)]).ok();
    let shown: Value = serde_json::from_str(&policy(&["show", here, "--format", "json"]).ok().stdout).unwrap();
    let names: Vec<&str> = shown["texts"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().all(|name| !name.ends_with("_test.rego")), "{names:?}");
}

#[test]
fn several_images_are_explained_in_one_document() {
    let copy = SMALL.copy();
    let config = copy.config().join("image.yaml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(copy.config().join("names.rego"), NAMES.replace("mark", "none")).unwrap();
    // The same questions for every image, so the lock answers them all.
    fs::write(&config, format!("{text}policies: [names.rego]\n")).unwrap();
    let explain = |words: &[&str]| {
        let all = [&["explain", "--format", "json", "--config", config.to_str().unwrap()], words].concat();
        serde_json::from_str::<Value>(&policy(&all).ok().stdout).unwrap()
    };
    let one = explain(&[]);
    assert!(!one["decisions"].as_array().unwrap().is_empty(), "{one}");
    let two = text.replace("name: small", "name: small-${{ letter }}");
    fs::write(&config, format!("{two}policies: [names.rego]\nmatrix: {{letter: [a, b]}}\n")).unwrap();
    let two = explain(&[]);
    assert_eq!(two.as_array().unwrap().len(), 2, "{two}");
    assert_eq!(two[0], one);
    assert_eq!(explain(&["--facts"]).as_array().unwrap().len(), 2);
}

#[test]
fn without_a_lock_policies_are_read_and_that_is_said() {
    let copy = SMALL.copy();
    let config = copy.config().join("image.yaml");
    fs::remove_file(copy.config().join("image.lock.json")).unwrap();
    let rule = copy.config().join("names.rego");
    let validate = || run(cli().arg("validate").arg(&config).arg("--policy").arg(&rule));
    fs::write(&rule, NAMES).unwrap();
    assert!(validate().ok().stderr.contains("policies were read and not asked"));
    fs::write(&rule, NAMES.replace("input.requirements", "input.requirments")).unwrap();
    validate().fails(2, "CS1203");
}

#[test]
fn what_cannot_be_evaluated_points_at_its_rule() {
    let copy = SMALL.copy();
    let config = copy.config().join("image.yaml");
    let rule = copy.config().join("broken.rego");
    fs::write(&rule, "package clnstrt.policy.broken\n\ndeny contains \"x\" if 1 / (count(input.packages) - count(input.packages)) > 0\n").unwrap();
    let done = run(cli().arg("validate").arg(&config).arg("--policy").arg(&rule)).fails(1, "CS1208");
    assert!(done.stderr.contains("broken.rego:3") && done.stderr.contains("divide by zero"), "{done:?}");
}
