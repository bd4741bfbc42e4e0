//! Rules that fail or never end, in `tests/policy/hostile`: each is denied with the code that its first line names, within bounds.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

mod support;

use std::fs;
use std::time::Duration;

use model::Sources;
use policy::{Budget, Engine, Facts, Verdict};

#[test]
fn what_cannot_be_evaluated_is_denied() {
    let budget = Budget { time: Duration::from_millis(500), memory: 64 << 20 };
    let document: serde_json::Value = serde_json::from_str(stdlib::policy::example("compile")).unwrap();
    let facts = Facts { document, ..Facts::default() };
    // One after another: the memory that others use counts as well.
    cases::all(&cases::files("policy/hostile", "rego"), |case| {
        let text = fs::read_to_string(case).unwrap();
        let expected = text.lines().next().unwrap().strip_prefix("# denied: ").unwrap();
        let mut sources = Sources::default();
        let name = case.file_name().unwrap().to_str().unwrap();
        let policy = support::policy(&mut sources, name, &text).unwrap();
        let mut engine =
            Engine::new(&[policy], budget).map_err(|found| format!("{name}: {}", support::shown(&sources, &found)))?;
        let outcome = engine.ask(&facts);
        let codes: Vec<&str> = outcome.findings.iter().map(|finding| finding.code.id).collect();
        let failed = |verdict: &Verdict| matches!(verdict, Verdict::Failed(_));
        if codes == [expected] && outcome.decisions.iter().all(|decision| failed(&decision.verdict)) {
            return Ok(());
        }
        Err(format!("{name}: expected {expected}, found {codes:?}: {:?}\n", outcome.findings))
    });
}
