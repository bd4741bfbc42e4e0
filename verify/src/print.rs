//! How a verdict reaches people and programs: standard output has it, in every format.

mod junit;

use std::io::Write as _;
use std::slice;

use model::text::printable;
use model::{Finding, Findings, Sources, codes};
use serde_json::{Value, json};
use verifier::{Check, Outcome};

use crate::args::Format;
use crate::run::Told;

/// Prints what came of an image.
pub(crate) fn one(told: &Told, explain: bool, format: Format) -> Result<(), Finding> {
    match format {
        Format::Json => data(&pretty(&document(told))),
        _ => all(slice::from_ref(told), explain, format),
    }
}

/// Prints what came of several, as one document.
pub(crate) fn all(told: &[Told], explain: bool, format: Format) -> Result<(), Finding> {
    let rendered = |format| report::render(&Sources::default(), &findings(told), format);
    data(&match format {
        Format::Text => told.iter().map(|one| words(one, explain)).collect(),
        Format::Json => pretty(&told.iter().map(document).collect()),
        Format::Sarif => rendered(report::Format::Sarif),
        Format::Github => rendered(report::Format::Github),
        Format::Junit => junit::report(told),
    })
}

/// Everything that speaks against them.
pub(crate) fn findings(told: &[Told]) -> Findings {
    let verdicts = told.iter().filter_map(|one| match one {
        Told::Judged(verdict, _) => Some(verdict.findings()),
        Told::Allowed { .. } | Told::Unknown { .. } => None,
    });
    verdicts.flatten().collect()
}

fn words(told: &Told, explain: bool) -> String {
    let (verdict, decisions) = match told {
        Told::Judged(verdict, decisions) => (verdict, decisions),
        Told::Allowed { name, by } => {
            return format!("allowed   {}  by {by}: nothing was fetched, and nothing checked\n", printable(name));
        }
        Told::Unknown { name, .. } => return format!("unknown   {}\n", printable(name)),
    };
    let word = if verdict.accepted { "accepted" } else { "refused " };
    let mut text = format!("{word}  {}  {}\n", printable(&verdict.reference), verdict.digest);
    for check in &verdict.checks {
        if check.outcome == Outcome::Skipped && !explain {
            continue;
        }
        text.push_str(&line(check));
        if explain {
            for on in &check.evidence {
                text.push_str(&format!("              on {}\n", printable(on)));
            }
        }
        if let Some(help) = check.help.as_ref().filter(|_| check.outcome == Outcome::Failed) {
            text.push_str(&format!("              help: {help}\n"));
        }
    }
    if explain {
        for decision in decisions {
            let rule = format!("{} {}: {}", decision.policy, decision.rule, decision.verdict);
            text.push_str(&format!("  rule      {}\n", printable(&rule)));
        }
        for passed in &verdict.passed_over {
            let passed = format!("{}: {}", passed.place, passed.reason);
            text.push_str(&format!("  passed over {}\n", printable(&passed)));
        }
    } else if !verdict.passed_over.is_empty() {
        text.push_str(&format!("  {} document(s) say nothing here; `--explain` says why\n", verdict.passed_over.len()));
    }
    text
}

/// Nothing of what strangers wrote begins a line, or acts on a terminal.
fn line(check: &Check) -> String {
    let word = match check.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "FAILED",
        Outcome::Skipped => "skipped",
    };
    let platform = check.platform.as_ref().map(|platform| format!(" {platform}")).unwrap_or_default();
    let code = if check.outcome == Outcome::Failed { format!(" [{}]", check.code) } else { String::new() };
    let said = format!("{}{platform}{code}: {}", check.name, check.reason);
    format!("  {word:<8}  {}\n", printable(&said))
}

fn document(told: &Told) -> Value {
    let (verdict, decisions) = match told {
        Told::Judged(verdict, decisions) => (verdict, decisions),
        Told::Allowed { name, by } => return json!({ "reference": name, "accepted": true, "allowed": by }),
        Told::Unknown { name, .. } => return json!({ "reference": name, "accepted": false }),
    };
    let mut value = serde_json::to_value(verdict).unwrap_or_default();
    let checks = value.get_mut("checks").and_then(Value::as_array_mut).into_iter().flatten();
    for (value, check) in checks.zip(&verdict.checks) {
        if let Some(fields) = value.as_object_mut().filter(|_| check.outcome == Outcome::Failed) {
            fields.insert("code".to_owned(), json!(check.code.id));
            fields.extend(check.help.as_ref().map(|help| ("help".to_owned(), json!(help))));
        }
    }
    if let Some(fields) = value.as_object_mut().filter(|_| !decisions.is_empty()) {
        let rules = decisions.iter().map(|decision| {
            json!({
                "policy": decision.policy,
                "rule": decision.rule,
                "reads": decision.reads,
                "verdict": decision.verdict.to_string(),
            })
        });
        fields.insert("decisions".to_owned(), rules.collect());
    }
    value
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// A reader that closed it has seen enough.
fn data(text: &str) -> Result<(), Finding> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Finding::error(codes::OUTPUT_IO, format!("standard output cannot be written: {e}")))
        }
        _ => Ok(()),
    }
}
