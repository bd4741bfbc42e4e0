//! Reading policies for tests.

#![allow(dead_code, reason = "each test file uses a part")]

use model::{Findings, Sources};
use policy::Policy;
use policy::testing::Cases;

/// A policy of a text; a name that ends in `.rego` says that it is Rego.
pub(crate) fn policy(sources: &mut Sources, name: &str, text: &str) -> Result<Policy, Findings> {
    let source = sources.add(name, text);
    if let Some(name) = name.strip_suffix(".rego") {
        return Policy::rego(name, source, text);
    }
    let parsed = grammar::yaml::parse(source, text);
    assert_eq!(parsed.findings, Findings::new(), "{name}");
    Policy::yaml(&parsed.root.unwrap())
}

pub(crate) fn cases(sources: &mut Sources, name: &str, text: &str) -> Result<Cases, Findings> {
    let parsed = grammar::yaml::parse(sources.add(name, text), text);
    assert_eq!(parsed.findings, Findings::new(), "{name}");
    Cases::read(&parsed.root.unwrap())
}

/// Findings as text.
pub(crate) fn shown(sources: &Sources, findings: &Findings) -> String {
    report::render(sources, findings, report::Format::Text { color: false })
}
