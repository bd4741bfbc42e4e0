//! The rules of `tests/policy/reads` say in their names from which stage on they can decide.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

mod support;

use std::fs;

use model::Sources;
use policy::{Budget, Engine, Policy};

#[test]
fn a_rule_waits_for_the_last_of_what_it_reads() {
    let mut sources = Sources::default();
    let policies: Vec<Policy> = cases::files("policy/reads", "rego")
        .iter()
        .map(|file| {
            let name = file.file_name().unwrap().to_str().unwrap();
            support::policy(&mut sources, name, &fs::read_to_string(file).unwrap()).unwrap()
        })
        .collect();
    let engine =
        Engine::new(&policies, Budget::default()).unwrap_or_else(|f| panic!("{}", support::shown(&sources, &f)));
    let wrong: Vec<String> = engine
        .rules()
        .filter(|(_, rule, stage)| !rule.starts_with(&format!("{stage}: ")))
        .map(|(_, rule, stage)| format!("{stage}, and not {rule}"))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
    assert!(engine.rules().count() > 30);
}
