//! The Open Policy Agent says the same of the same facts, from the Rego that policies in YAML are lowered to.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use model::{Finding, Sources, codes};
use policy::testing::Cases;
use policy::{Budget, Engine, Facts, Outcome, Policy, Verdict};
use serde_json::Value;
use support::{repository, run};

use crate::fixture::scratch;

/// Installed by `cargo xtask test`.
fn opa() -> Command {
    let program: PathBuf = repository().join("target/tools/opa-v1.22.0/opa");
    assert!(program.is_file(), "{} is missing: `cargo xtask test` builds it", program.display());
    Command::new(program)
}

fn parsed(name: &str, text: &str) -> grammar::yaml::Node {
    grammar::yaml::parse(Sources::default().add(name, text), text).root.unwrap()
}

/// What OPA says: rule and words of each member of `deny`.
fn said(policy: &Policy, name: &str, facts: &Value) -> BTreeSet<(String, String)> {
    let dir = scratch();
    let (rego, input) = (dir.path().join("policy.rego"), dir.path().join("input.json"));
    fs::write(&rego, policy.text()).unwrap();
    fs::write(&input, facts.to_string()).unwrap();
    let query = format!("data.clnstrt.policy.{}.deny", name.replace('-', "_"));
    let mut command = opa();
    command
        .args(["eval", "--format", "json", "--strict-builtin-errors", "--data"])
        .arg(&rego)
        .arg("--input")
        .arg(&input);
    let done = run(command.arg(query)).ok();
    let answer: Value = serde_json::from_str(&done.stdout).unwrap();
    let members =
        answer["result"][0]["expressions"][0]["value"].as_array().unwrap_or_else(|| panic!("{done:?}")).clone();
    let text = |said: &Value, field: &str| said[field].as_str().map(str::to_owned);
    let rule = |said: &Value| text(said, "rule").or_else(|| text(said, "code")).unwrap();
    members.iter().map(|said| (rule(said), text(said, "msg").unwrap())).collect()
}

/// What our evaluator says, the same.
fn refused(outcome: &Outcome, policy: &str) -> BTreeSet<(String, String)> {
    let refused = outcome.findings.iter().filter(|finding| finding.code == codes::POLICY_REFUSES);
    let split = |finding: &Finding| {
        let (rule, words) = finding.message.split_once(&format!(" ({policy}): ")).unwrap();
        (rule.to_owned(), words.to_owned())
    };
    refused.map(split).collect()
}

#[test]
fn it_says_the_same_of_every_case_of_every_shipped_policy() {
    let mut compared = 0;
    for name in stdlib::policy::names() {
        let policy = Policy::yaml(&parsed(name, stdlib::policy::text(name).unwrap())).unwrap();
        let cases = Cases::read(&parsed("cases", stdlib::policy::cases(name).unwrap())).unwrap();
        let mut engine = Engine::new(std::slice::from_ref(&policy), Budget::default()).unwrap();
        for case in cases.all {
            let facts = Facts { document: case.facts, ..Facts::default() };
            let outcome = engine.ask(&facts);
            let ours = refused(&outcome, name);
            // What we put off, or refuse because it is not known, OPA does not say.
            let is_asked = |rule: &str| {
                let of_rule = outcome.decisions.iter().filter(|decision| decision.rule == rule);
                of_rule.into_iter().any(|decision| matches!(decision.verdict, Verdict::Holds | Verdict::Says(_)))
            };
            let theirs: BTreeSet<_> =
                said(&policy, name, &facts.document).into_iter().filter(|(rule, _)| is_asked(rule)).collect();
            assert_eq!(ours, theirs, "{name}: {}", case.name);
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared}");
}

#[test]
fn functions_that_are_ours_in_place_of_the_evaluators_answer_the_same() {
    let text = fs::read_to_string(repository().join("tests/policy/same/functions.rego")).unwrap();
    let policy = Policy::rego("same", Sources::default().add("functions.rego", &text), &text).unwrap();
    let mut engine = Engine::new(std::slice::from_ref(&policy), Budget::default()).unwrap();
    let document: Value = serde_json::from_str(stdlib::policy::example("compile")).unwrap();
    let theirs = said(&policy, "same", &document);
    let ours = refused(&engine.ask(&Facts { document, ..Facts::default() }), "same");
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), text.matches("deny contains").count());
}

#[test]
fn its_functions_are_ours_or_on_the_list_of_those_that_are_not() {
    let done = run(opa().args(["capabilities", "--current"])).ok();
    let capabilities: Value = serde_json::from_str(&done.stdout).unwrap();
    let theirs: BTreeSet<&str> =
        capabilities["builtins"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    let ours: BTreeSet<&str> = policy::functions().collect();
    let listed: BTreeSet<&str> = policy::missing().map(|(name, _)| name).collect();
    // Operators are functions to OPA, and syntax to everybody else.
    let operators = [
        "and",
        "assign",
        "div",
        "eq",
        "equal",
        "gt",
        "gte",
        "internal.member_2",
        "internal.member_3",
        "internal.print",
        "internal.template_string",
        "internal.test_case",
        "lt",
        "lte",
        "minus",
        "mul",
        "neq",
        "or",
        "plus",
        "rem",
    ];
    let missing: BTreeSet<&str> = theirs.difference(&ours).copied().filter(|name| !operators.contains(name)).collect();
    assert_eq!(missing, listed);
}
