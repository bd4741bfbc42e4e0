//! Whether what was tested passed (in-toto test result 0.1).

use jiff::Timestamp;
use model::codes;
use serde_json::Value;

use super::{Context, passed, skipped, time};
use crate::evidence::Part;
use crate::said::Said;
use crate::verdict::{Check, Outcome};

/// What predicates of that kind are called.
const RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

pub(super) fn check(context: &Context<'_>, part: &Part) -> Check {
    let (name, code) = ("tests", codes::TESTS_REFUSED);
    if !context.expected.tests {
        return skipped(name, "what was tested is not asked");
    }
    let scope = context.scope(part);
    let Some((said, time)) = super::latest(context.statements.of(&[RESULT], &scope), finished) else {
        return context.nothing(name, codes::STATEMENT_MISSING, "test report", &[RESULT]);
    };
    let failed = |code, why: String| Check::new(name, code, Outcome::Failed, why).on([said.place.clone()]);
    // The format has no time of its own; where a report says one, it counts.
    if let Some(why) = time.and_then(|time| context.stale("test report", Some(time))) {
        return failed(codes::EVIDENCE_STALE, why);
    }
    let (result, ran, broken) = gates(said);
    match result.as_str() {
        "PASSED" if !ran.is_empty() && broken.is_empty() => {
            passed(name, said, format!("{} test(s) passed, says {}", ran.len(), said.by))
        }
        _ if !broken.is_empty() => failed(code, format!("{} test(s) failed: {}", broken.len(), broken.join(", "))),
        _ if ran.is_empty() => failed(code, "no test was run".to_owned()),
        other => failed(code, format!("the result of its tests is {other:?}")),
    }
}

/// The result, and the names of what passed and what failed.
pub(crate) fn gates(said: &Said) -> (String, Vec<String>, Vec<String>) {
    let list = |name: &str| {
        let list = said.predicate().get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|test| Some(test.as_str()?.to_owned())).collect()
    };
    let result = said.predicate().get("result").and_then(Value::as_str).unwrap_or_default().to_owned();
    (result, list("passedTests"), list("failedTests"))
}

/// The latest test report of a part.
pub(crate) fn report<'c>(context: &'c Context<'_>, part: &Part) -> Option<&'c Said> {
    let scope = context.scope(part);
    let found = super::latest(
        context
            .statements
            .said
            .iter()
            .filter(|said| said.kind == RESULT && scope.iter().any(|digest| said.about.contains(digest))),
        finished,
    );
    found.map(|(said, _)| said)
}

fn finished(said: &Said) -> Option<Timestamp> {
    time(said.predicate().get("finishedOn")).or_else(|| time(said.predicate().get("timestamp")))
}
