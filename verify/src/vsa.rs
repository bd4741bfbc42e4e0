//! A verdict as others can sign it and pass it on (SLSA 1.2, "Verification Summary Attestation").

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::canonical_json;
use model::statement::{Resource, Statement};
use serde_json::{Value, json};
use verifier::{Outcome, Verdict};

/// What predicates of that kind are called.
const SUMMARY: &str = "https://slsa.dev/verification_summary/v1";
/// Who judged.
const VERIFIER: &str = "urn:clnstrt:verifier";

/// The statement, which nobody has signed.
pub(crate) fn summary(verdict: &Verdict, policies: &[String], now: i64) -> Vec<u8> {
    // What it stands on that somebody attested: the image itself is none of it, nor is what does not count.
    let itself = verdict.digest.to_string();
    let is_digest = |text: &&String| text.starts_with("sha256:") && text.len() == 71 && **text != itself;
    let held = verdict.checks.iter().filter(|check| check.outcome == Outcome::Passed);
    let on: BTreeSet<&String> = held.flat_map(|check| &check.evidence).filter(is_digest).collect();
    let inputs: Vec<Value> =
        on.iter().map(|digest| json!({ "digest": { "sha256": digest.trim_start_matches("sha256:") } })).collect();
    // That there is provenance whose word counts is level 1; where and how builders run is known to whoever trusts them.
    let has_provenance =
        verdict.checks.iter().any(|check| check.name == "provenance" && check.outcome == Outcome::Passed);
    let levels: &[&str] = match (verdict.accepted, has_provenance) {
        (false, _) => &["FAILED"],
        (true, true) => &["SLSA_BUILD_LEVEL_1"],
        (true, false) => &["SLSA_BUILD_LEVEL_0"],
    };
    let time = Timestamp::from_second(now).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let policy = if policies.is_empty() { "urn:clnstrt:verify".to_owned() } else { policies.join(" ") };
    let predicate = json!({
        "verifier": { "id": VERIFIER, "version": { "clnstrt": env!("CARGO_PKG_VERSION") } },
        "timeVerified": time,
        "resourceUri": verdict.reference,
        "policy": { "uri": policy },
        "inputAttestations": inputs,
        "verificationResult": if verdict.accepted { "PASSED" } else { "FAILED" },
        "verifiedLevels": levels,
        "slsaVersion": "1.2",
    });
    let subject = vec![Resource::new(&verdict.reference, &verdict.digest)];
    canonical_json(&Statement::new(subject, SUMMARY, predicate))
}

#[cfg(test)]
mod tests {
    use model::{Digest, codes};
    use verifier::Check;

    use super::*;

    #[test]
    fn a_summary_stands_on_what_was_attested_and_holds() {
        let digest = |text: &str| Digest::of(text.as_bytes());
        let check = |name, outcome, on: &str| {
            Check::new(name, codes::STATEMENT_MISSING, outcome, "").on([digest(on).to_string()])
        };
        let verdict = Verdict {
            reference: "registry.example/app:1".to_owned(),
            digest: digest("image"),
            accepted: true,
            checks: vec![
                check("image", Outcome::Passed, "image"),
                check("provenance", Outcome::Passed, "held"),
                check("policy", Outcome::Passed, "held").on(["baseline.yaml".to_owned()]),
                check("sbom", Outcome::Failed, "failed"),
            ],
            passed_over: Vec::new(),
        };
        let summary: Value = serde_json::from_slice(&summary(&verdict, &[], 0)).unwrap();
        let predicate = &summary["predicate"];
        assert_eq!(predicate["inputAttestations"], json!([{ "digest": { "sha256": digest("held").hex() } }]));
        assert_eq!(predicate["verifiedLevels"], json!(["SLSA_BUILD_LEVEL_1"]));
        assert_eq!(predicate["timeVerified"], "1970-01-01T00:00:00Z");
        assert_eq!(summary["subject"][0]["digest"]["sha256"], digest("image").hex());
    }
}
