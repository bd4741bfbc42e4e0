//! A policy that says less than it seems to: a field that nobody knows would demand nothing.

use model::Sources;
use policy::Policy;

const POLICY: &str = "
kind: policy
name: deploy
rules:
  signatures: {keys: [\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"]}
  attestations: {require: [slsa-provenance, sbom]}
  provenance: {hermetic: required, emulated: forbidden}
  vulnerabilities: {critical: 0, high: 4, unfixed: allow, kev: 0}
  gates: {passed: all}
";

fn is_read(text: &str) -> bool {
    let source = Sources::default().add("policy.yaml", text);
    let parsed = grammar::yaml::parse(source, text);
    parsed.findings.is_empty() && parsed.root.is_some_and(|root| Policy::yaml(&root).is_ok())
}

#[test]
fn a_policy_with_a_field_that_nobody_knows_is_refused() {
    assert!(is_read(POLICY));
    for name in [
        "signatures",
        "keys",
        "attestations",
        "require",
        "provenance",
        "hermetic",
        "emulated",
        "vulnerabilities",
        "critical",
        "high",
        "unfixed",
        "kev",
        "gates",
        "passed",
        "rules",
        "kind",
    ] {
        for other in [name.to_uppercase(), format!("{name}s"), format!("_{name}"), format!("{}\u{200b}", name)] {
            let text = POLICY.replace(&format!("{name}:"), &format!("{other}:"));
            assert_ne!(text, POLICY);
            assert!(!is_read(&text), "{text}");
        }
    }
    for (from, to) in [
        ("required", "optional?"),
        ("forbidden", "no"),
        ("critical: 0", "critical: -1"),
        ("high: 4", "high: many"),
        ("passed: all", "passed: some"),
        ("sbom]", "sbon]"),
        ("critical: 0", "critical: 0, critical: 99"),
    ] {
        let text = POLICY.replace(from, to);
        assert!(!is_read(&text), "{text}");
    }
}
