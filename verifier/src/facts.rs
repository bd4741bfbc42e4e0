//! What policies of stage `deploy` are asked about: what whoever built the image signed of it, and over that what was seen here.

mod attested;
mod seen;

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::codes;
use policy::Outcome as Asked;
use serde_json::{Map, Value, json};

use crate::checks::{self, Context};
use crate::evidence::Part;
use crate::said::{SIGNATURE, Said};
use crate::trust::Signer;
use crate::verdict::{Check, Outcome};

/// What the predicate is called that has the facts of a build.
pub const FACTS: &str = "urn:clnstrt:facts:v1";
/// What only the verifier says, whatever was signed.
const OWN: [&str; 9] =
    ["version", "stage", "now", "signatures", "attestations", "provenance", "vulnerabilities", "scan", "request"];

/// The facts that whoever built the image signed. Of several that differ none counts: which are true is not known.
pub(crate) fn signed<'c>(context: &'c Context<'_>) -> Option<&'c Said> {
    let mut all = context.statements.said.iter().filter(|said| is_one(context, said));
    let first = all.next()?;
    all.all(|other| other.predicate() == first.predicate()).then_some(first)
}

/// Whether something is said to be the facts of this image.
pub(crate) fn is_one(context: &Context<'_>, said: &Said) -> bool {
    said.kind == FACTS && said.about.contains(&context.evidence.digest)
}

/// The document. What is not known is not in it, and rules that read it refuse.
pub(crate) fn document(context: &Context<'_>) -> Value {
    let mut facts = signed(context).and_then(|said| said.predicate().as_object().cloned()).unwrap_or_default();
    facts.retain(|name, _| !OWN.contains(&name.as_str()));
    let now = jiff::Timestamp::from_second(context.now).unwrap_or_default();
    facts.extend(object(
        json!({ "version": 1, "stage": "deploy", "now": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() }),
    ));
    // What is seen is said, whatever was signed in its place.
    let mut image = facts.remove("image").map(object).unwrap_or_default();
    seen::put(context, &mut image);
    facts.insert("image".to_owned(), Value::Object(image));
    let images: Vec<&Part> = context.images().collect();
    facts.extend(object(json!({
        "signatures": context.statements.of(&[SIGNATURE], &[context.evidence.digest]).map(signature).collect::<Vec<_>>(),
        "attestations": attested::all(context, images.len()),
    })));
    facts.extend(provenance(context, &images).map(|value| ("provenance".to_owned(), value)));
    if let Some((scan, found)) = vulnerabilities(context, &images) {
        facts.insert("scan".to_owned(), scan);
        facts.insert("vulnerabilities".to_owned(), found);
    }
    facts.remove("gates");
    facts.extend(gates(context, &images).map(|value| ("gates".to_owned(), value)));
    Value::Object(facts)
}

/// What policies say, as checks: one for what refuses, or one that says that nothing does.
pub fn judged(asked: &Asked) -> Vec<Check> {
    let refused: Vec<Check> = asked
        .findings
        .iter()
        .filter(|finding| finding.severity == model::Severity::Error)
        .map(|finding| {
            let mut check = Check::new("policy", finding.code, Outcome::Failed, finding.message.clone());
            check.help.clone_from(&finding.help);
            check
        })
        .collect();
    if refused.is_empty() {
        let rules = asked.decisions.len();
        let reason = format!("{rules} rules hold, {} with exceptions", asked.excepted.len());
        return vec![Check::new("policy", codes::POLICY_REFUSES, Outcome::Passed, reason)];
    }
    refused
}

fn signature(said: &Said) -> Value {
    let mut fact = object(json!({ "verified": true }));
    fact.extend(signer(&said.by));
    Value::Object(fact)
}

fn signer(by: &Signer) -> Map<String, Value> {
    object(match by {
        Signer::Key { fingerprint, .. } => json!({ "key": fingerprint }),
        Signer::Identity { subject, issuer } => json!({ "subject": subject, "issuer": issuer }),
    })
}

/// How all of them were made; unknown where that differs, or one has no provenance that counts.
fn provenance(context: &Context<'_>, images: &[&Part]) -> Option<Value> {
    let all = images.iter().map(|part| checks::origin(context, part)).collect::<Option<Vec<_>>>()?;
    // That whoever made it says how; whether its builder keeps them from lying is not seen here (SLSA 1.2, build track).
    let mut fact = object(json!({
        "builder": same(&all, |one| Some(one.builder.clone()))?,
        "build_type": same(&all, |one| Some(one.build_type.clone()))?,
        "level": 1,
    }));
    let known = [
        ("hermetic", same(&all, |one| one.hermetic).map(Value::Bool)),
        ("emulated", same(&all, |one| one.emulated).map(Value::Bool)),
        ("repository", same(&all, |one| one.repository.clone()).map(Value::String)),
        ("commit", same(&all, |one| one.commit.clone()).map(Value::String)),
    ];
    fact.extend(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Some(Value::Object(fact))
}

/// What is the same of all; what differs is not known of the image.
fn same<T, V: PartialEq>(all: &[T], field: impl Fn(&T) -> Option<V>) -> Option<V> {
    let first = field(all.first()?)?;
    all.iter().all(|one| field(one).as_ref() == Some(&first)).then_some(first)
}

fn vulnerabilities(context: &Context<'_>, images: &[&Part]) -> Option<(Value, Value)> {
    let scans = images.iter().map(|part| checks::scan(context, part)).collect::<Option<Vec<_>>>()?;
    let mut scan = Map::new();
    scan.extend(same(&scans, |one| Some(one.scanner.clone())).map(|scanner| ("scanner".to_owned(), json!(scanner))));
    // The oldest: what was found since is in no scan of that platform.
    let dates = scans.iter().map(|one| Some((one.database.parse::<Timestamp>().ok()?, &one.database)));
    let oldest = dates.collect::<Option<Vec<_>>>().and_then(|dates| dates.into_iter().min());
    scan.extend(oldest.map(|(_, date)| ("database".to_owned(), json!(date))));
    let found = scans.iter().flat_map(|scan| &scan.found).map(|one| {
        let word = one.word.as_ref();
        let status = match word.map(|word| (word.status.as_str(), word.lets_pass())) {
            // Without a reason it is not said, here as in the check.
            Some(("not_affected", true)) => "not-affected",
            Some(("under_investigation", _)) => "under-investigation",
            Some((status @ ("affected" | "fixed"), _)) => status,
            _ => "unstated",
        };
        let mut fact = object(json!({
            "id": one.id, "aliases": [], "package": one.package, "severity": one.severity, "status": status,
        }));
        fact.extend(one.score.map(|score| ("score".to_owned(), json!(score))));
        fact.extend(one.fixed.as_ref().map(|fixed| ("fixed".to_owned(), json!(fixed))));
        let justification = word.filter(|word| word.lets_pass()).and_then(|word| word.justification.as_ref());
        fact.extend(justification.map(|why| ("justification".to_owned(), json!(why))));
        Value::Object(fact)
    });
    Some((Value::Object(scan), found.collect()))
}

/// What was tested of all of them: what passed for each, and what failed for any; unknown where one has no report that counts.
fn gates(context: &Context<'_>, images: &[&Part]) -> Option<Value> {
    let reports = images.iter().map(|part| gates_of(context, part)).collect::<Option<Vec<_>>>()?;
    let first = reports.first()?;
    let failed: BTreeSet<&String> = reports.iter().flat_map(|one| &one.failed).collect();
    let is_passed = |name: &&String| !failed.contains(name) && reports.iter().all(|one| one.passed.contains(*name));
    let passed: BTreeSet<&String> = first.passed.iter().filter(is_passed).collect();
    // As many as there are where most are, and as few as were run where fewest were.
    let total = reports.iter().map(|one| one.total).max()?;
    let run = reports.iter().map(|one| one.passed.union(&one.failed).count()).min()?;
    Some(json!({ "total": total, "run": run, "passed": passed, "failed": failed }))
}

struct Gates {
    passed: BTreeSet<String>,
    failed: BTreeSet<String>,
    total: u64,
}

fn gates_of(context: &Context<'_>, part: &Part) -> Option<Gates> {
    let report = checks::report(context, part)?;
    let (result, passed, failed) = checks::gates(report);
    let (passed, failed): (BTreeSet<String>, BTreeSet<String>) =
        (passed.into_iter().collect(), failed.into_iter().collect());
    let run = passed.union(&failed).count() as u64;
    let total = match report.predicate().get("gatesTotal") {
        None => run,
        Some(total) => total.as_u64()?,
    };
    // Something failed, and what it was is not said.
    if result != "PASSED" && failed.is_empty() {
        return None;
    }
    Some(Gates { passed, failed, total })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
