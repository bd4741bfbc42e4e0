//! What an exception lets through, and what it does not.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use model::Sources;
use policy::{Budget, Engine, Facts, Outcome};
use serde_json::json;

/// What a policy with these limits and exceptions says of an image with these vulnerabilities.
fn said(rules: &str, exceptions: &str, vulnerabilities: &[&str]) -> Outcome {
    let text = format!("kind: policy\nname: tried\nrules:\n  vulnerabilities: {rules}\nexceptions:\n{exceptions}");
    let policy = support::policy(&mut Sources::default(), "tried.yaml", &text).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(stdlib::policy::example("release")).unwrap();
    let found = vulnerabilities.iter().map(|id| {
        json!({ "id": id, "aliases": [], "package": "pkg:deb/debian/zlib1g@1", "severity": "critical", "kev": false, "status": "affected" })
    });
    document["vulnerabilities"] = found.collect();
    let facts = Facts { document, ..Facts::default() };
    assert_eq!(facts.misfits(), []);
    Engine::new(&[policy], Budget::default()).unwrap().ask(&facts)
}

fn codes(outcome: &Outcome) -> Vec<&str> {
    outcome.findings.iter().map(|finding| finding.code.id).collect()
}

fn exception(cve: &str, until: &str) -> String {
    format!(
        "  - {{rule: vulnerabilities, match: {{cve: {cve}}}, until: {until}, reason: unreachable, approved_by: owner@example.com}}\n"
    )
}

#[test]
fn what_is_excepted_does_not_count_among_those_that_are_allowed() {
    let three = ["CVE-1", "CVE-2", "CVE-3"];
    let one = exception("CVE-1", "2999-01-01");
    assert_eq!(codes(&said("{critical: 2}", &one, &three)), <[&str; 0]>::default());
    // Without it they are one too many, and with a lower limit as well.
    assert_eq!(codes(&said("{critical: 1}", &one, &three)), ["CS1206", "CS1206"]);
    let outcome = said("{critical: 2}", &one, &three);
    assert_eq!(outcome.excepted.len(), 1);
    assert_eq!(outcome.excepted[0].reason, "unreachable");
    assert_eq!(outcome.excepted[0].approved_by, "owner@example.com");
}

#[test]
fn an_exception_that_has_expired_or_is_about_nothing_is_a_warning() {
    let two = ["CVE-1", "CVE-2"];
    let expired = exception("CVE-1", "2020-01-01") + &exception("CVE-2", "2999-01-01");
    assert_eq!(codes(&said("{critical: 0}", &expired, &two)), ["CS1206", "CS1211"]);
    let unused = exception("CVE-*", "2999-01-01") + &exception("CVE-9", "2999-01-01");
    assert_eq!(codes(&said("{critical: 0}", &unused, &two)), ["CS1212"]);
}

#[test]
fn an_exception_counts_to_the_end_of_its_day() {
    // the examples are asked on 2027-01-01
    assert_eq!(codes(&said("{critical: 0}", &exception("CVE-1", "2027-01-01"), &["CVE-1"])), <[&str; 0]>::default());
    let expired = said("{critical: 0}", &exception("CVE-1", "2026-12-31"), &["CVE-1"]);
    assert_eq!(codes(&expired), ["CS1206", "CS1211"]);
}
