//! Whether what was tested passed (in-toto test result 0.1).

use model::{Code, codes};
use serde_json::Value;

use super::{Context, Finished, passed, skipped};
use crate::evidence::Part;
use crate::said::Said;
use crate::verdict::{Check, Outcome};

/// What predicates of that kind are called.
pub(super) const RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

pub(super) fn check(context: &Context<'_>, part: &Part) -> Check {
    let name = "tests";
    if !context.expected.tests {
        return skipped(name, "what was tested is not asked");
    }
    match chosen(context, part) {
        None => context.nothing(name, codes::STATEMENT_MISSING, "test report", &[RESULT]),
        Some((said, Ok(()))) => {
            let passed_tests = gates(said).1.len();
            passed(name, said, format!("{passed_tests} test(s) passed, says {}", said.by))
        }
        Some((said, Err((code, why)))) => Check::new(name, code, Outcome::Failed, why).on([said.place.clone()]),
    }
}

/// The report of a part that counts, and what speaks against it.
fn chosen<'c>(context: &'c Context<'_>, part: &Part) -> Option<(&'c Said, Result<(), (Code, String)>)> {
    let scope = context.scope(part);
    let is_ours = |said: &&Said| said.kind == RESULT && scope.iter().any(|digest| said.about.contains(digest));
    let all: Vec<(&Said, Finished)> =
        context.statements.said.iter().filter(is_ours).map(|said| (said, finished(said))).collect();
    let refused = |why: String| Err((codes::TESTS_REFUSED, why));
    // Which of them is the latest nobody knows then.
    if let Some((said, _)) = all.iter().find(|(_, time)| *time == Finished::Unreadable) {
        return Some((said, refused("when its tests finished cannot be read".to_owned())));
    }
    // One that failed, and does not say when, may be the latest. Builds sign that nothing was run: then nothing failed.
    let untimed = all.iter().filter(|(said, time)| *time == Finished::Unsaid && !is_idle(said));
    if let Some((said, Err(why))) = untimed.map(|(said, _)| (*said, judged(said))).find(|(_, judged)| judged.is_err()) {
        return Some((said, refused(why)));
    }
    let last = all.iter().map(|(_, time)| *time).max()?;
    // Of several of one time that counts which failed.
    let mut latest = all.iter().filter(|(_, time)| *time == last).map(|(said, _)| *said);
    let first = latest.clone().next()?;
    let said = latest.find(|said| judged(said).is_err()).unwrap_or(first);
    if let Some(why) = context.stale("test report", last.time()) {
        return Some((said, Err((codes::EVIDENCE_STALE, why))));
    }
    Some((said, judged(said).or_else(refused)))
}

/// What speaks against a report.
fn judged(said: &Said) -> Result<(), String> {
    let (result, ran, broken) = gates(said);
    match result.as_str() {
        "PASSED" if !ran.is_empty() && broken.is_empty() => Ok(()),
        _ if !broken.is_empty() => Err(format!("{} test(s) failed: {}", broken.len(), broken.join(", "))),
        _ if ran.is_empty() => Err("no test was run".to_owned()),
        other => Err(format!("the result of its tests is {other:?}")),
    }
}

/// Whether a report says that nothing was run, and no more.
fn is_idle(said: &Said) -> bool {
    let (result, ran, broken) = gates(said);
    result == "WARNED" && ran.is_empty() && broken.is_empty()
}

/// The result, and the names of what passed and what failed.
pub(crate) fn gates(said: &Said) -> (String, Vec<String>, Vec<String>) {
    let field = |name: &str| said.predicate().get(name).filter(|value| !value.is_null());
    let ran = field("passedTests").and_then(Value::as_array).into_iter().flatten();
    let ran = ran.filter_map(|test| Some(test.as_str()?.to_owned())).collect();
    // A failure without a name is one.
    let written = |test: &Value| test.as_str().map_or_else(|| test.to_string(), str::to_owned);
    let broken = match field("failedTests") {
        None => Vec::new(),
        Some(Value::Array(all)) => all.iter().map(written).collect(),
        Some(other) => vec![written(other)],
    };
    (field("result").and_then(Value::as_str).unwrap_or_default().to_owned(), ran, broken)
}

/// The test report of a part that counts, whatever its result is, if it is of a time that counts.
pub(crate) fn report<'c>(context: &'c Context<'_>, part: &Part) -> Option<&'c Said> {
    match chosen(context, part)? {
        (_, Err((codes::EVIDENCE_STALE, _))) => None,
        (said, _) => (finished(said) != Finished::Unreadable).then_some(said),
    }
}

fn finished(said: &Said) -> Finished {
    // The format has no time of its own.
    Finished::of(said.predicate().get("finishedOn").or_else(|| said.predicate().get("timestamp")))
}
