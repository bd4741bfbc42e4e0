//! The shipped policies: each accepts what is as it should be, and for each of its rules there is a case that breaks just that one.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;

use model::Sources;
use policy::testing::Tests;
use policy::{Engine, Facts, Stage};
use support::{cases, policy, shown};

#[test]
fn every_case_of_every_policy_holds_and_every_line_is_evaluated() {
    for name in stdlib::policy::names() {
        let mut sources = Sources::default();
        let policy = policy(&mut sources, name, stdlib::policy::text(name).unwrap())
            .unwrap_or_else(|f| panic!("{}", shown(&sources, &f)));
        let mut tests = Tests::default();
        tests.add_cases(
            cases(&mut sources, "cases", stdlib::policy::cases(name).unwrap())
                .unwrap_or_else(|f| panic!("{name}: {}", shown(&sources, &f))),
        );
        let report = tests.run(std::slice::from_ref(&policy)).unwrap_or_else(|f| panic!("{}", shown(&sources, &f)));
        let failures = report.tests.into_iter().filter_map(|test| test.failure).collect::<Vec<_>>();
        assert!(failures.is_empty(), "{name}\n{}", shown(&sources, &failures));
        for coverage in report.coverage {
            let missed = |line: &u32| policy.text().lines().nth(*line as usize - 1).unwrap_or_default().to_owned();
            assert!(
                coverage.missed.is_empty(),
                "{name}: {:#?}",
                coverage.missed.iter().map(missed).collect::<Vec<_>>()
            );
            assert!(coverage.covered.len() > 1, "{name}");
        }
    }
}

#[test]
fn every_rule_has_a_case_that_breaks_it_alone() {
    for name in stdlib::policy::names() {
        let mut sources = Sources::default();
        let policy = policy(&mut sources, name, stdlib::policy::text(name).unwrap()).unwrap();
        let cases = cases(&mut sources, "cases", stdlib::policy::cases(name).unwrap()).unwrap();
        let alone: BTreeSet<&str> =
            cases.all.iter().filter(|case| case.expected.len() == 1).map(|case| case.expected[0].as_str()).collect();
        let engine = Engine::new(&[policy], policy::Budget::default()).unwrap();
        let rules: BTreeSet<&str> = engine.rules().map(|(_, rule, _)| rule).collect();
        assert_eq!(alone, rules, "{name}");
    }
}

#[test]
fn the_examples_are_facts_of_their_stages() {
    for stage in Stage::ALL {
        let document = serde_json::from_str(stdlib::policy::example(stage.name())).unwrap();
        assert_eq!(policy::facts::schema().check(&document, stage), [], "{stage}");
        assert_eq!(Facts { document, ..Facts::default() }.stage(), Some(stage));
    }
}
