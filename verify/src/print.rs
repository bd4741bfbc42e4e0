//! How a verdict reaches people and programs: standard output has it, in every format.

mod junit;

use std::io::Write as _;
use std::path::Path;

use model::text::printable;
use model::{Finding, Sources, codes};
use policy::Decision;
use serde_json::{Value, json};
use verifier::{Check, Outcome, Verdict};

use crate::args::Format;

/// Prints a verdict.
pub(crate) fn verdict(verdict: &Verdict, decisions: &[Decision], explain: bool, format: Format) -> Result<(), Finding> {
    let text = match format {
        Format::Text => words(verdict, decisions, explain),
        Format::Json => document(verdict, decisions),
        Format::Sarif => report::render(&Sources::default(), &verdict.findings(), report::Format::Sarif),
        Format::Github => report::render(&Sources::default(), &verdict.findings(), report::Format::Github),
        Format::Junit => junit::report(verdict),
    };
    data(&text)
}

/// Prints that an image needs no check.
pub(crate) fn allowed(name: &str, list: &Path, line: usize, format: Format) -> Result<(), Finding> {
    let by = format!("line {line} of {}", list.display());
    data(&match format {
        Format::Text | Format::Github => {
            format!("allowed   {name}  by {by}: nothing was fetched, and nothing checked\n")
        }
        Format::Json => pretty(&json!({ "reference": name, "accepted": true, "allowed": by })),
        Format::Sarif => report::render(&Sources::default(), &[], report::Format::Sarif),
        Format::Junit => junit::allowed(name, &by),
    })
}

fn words(verdict: &Verdict, decisions: &[Decision], explain: bool) -> String {
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

fn document(verdict: &Verdict, decisions: &[Decision]) -> String {
    let mut value = serde_json::to_value(verdict).unwrap_or_default();
    let checks = value.get_mut("checks").and_then(Value::as_array_mut).into_iter().flatten();
    for (value, check) in checks.zip(&verdict.checks) {
        if let Some(fields) = value.as_object_mut().filter(|_| check.outcome == Outcome::Failed) {
            fields.insert("code".to_owned(), json!(check.code.id));
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
    pretty(&value)
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
