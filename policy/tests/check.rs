//! Every file of `tests/policy/check` and `tests/policy/yaml` is a policy with something wrong: each line that is says with which
//! code, `# error: CS1203`. Nothing else may be found.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

mod support;

use std::fs;
use std::path::Path;

use model::{Findings, Sources};
use policy::{Budget, Engine};

#[test]
fn what_is_wrong_is_found_and_nothing_else() {
    let rego = cases::files("policy/check", "rego");
    cases::all(&[rego, cases::files("policy/yaml", "yaml")].concat(), |case| {
        let text = fs::read_to_string(case).unwrap();
        let (sources, findings) = found(case, &text);
        cases::agree(case, &findings, &sources, &cases::declared(&text))
    });
}

fn found(case: &Path, text: &str) -> (Sources, Findings) {
    let name = case.file_name().unwrap().to_str().unwrap();
    let mut sources = Sources::default();
    let policy = support::policy(&mut sources, name, text);
    let findings = policy.and_then(|policy| Engine::new(&[policy], Budget::default()).map(drop));
    (sources, findings.err().unwrap_or_default())
}
