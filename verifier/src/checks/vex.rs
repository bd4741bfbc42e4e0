//! What the publisher says of vulnerabilities (OpenVEX).

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::codes;
use serde_json::Value;

use super::{Context, passed, skipped, time};
use crate::evidence::Part;
use crate::said::Said;
use crate::verdict::{Check, Outcome};

/// What predicates of that kind are called.
pub(crate) const VEX: &str = "https://openvex.dev/ns";
/// With a version, as some write it.
const VERSIONED: &str = "https://openvex.dev/ns/v0.2.0";

pub(super) fn check(context: &Context<'_>, part: &Part) -> Check {
    let (name, code) = ("vex", codes::STATEMENT_MISSING);
    let scope = context.scope(part);
    let found = super::latest(context.statements.of(&[VEX, VERSIONED], &scope), issued);
    match found {
        None if !context.expected.vex => skipped(name, "no VEX document is demanded"),
        None => context.nothing(name, code, "VEX document", &[VEX, VERSIONED]),
        Some((said, time)) => {
            if let Some(why) = context.stale("VEX document", time) {
                let code = codes::EVIDENCE_STALE;
                let outcome = if context.expected.vex { Outcome::Failed } else { Outcome::Skipped };
                return Check::new(name, code, outcome, why).on([said.place.clone()]);
            }
            match statements(said) {
                Some(statements) => passed(name, said, format!("{} statement(s), by {}", statements.len(), said.by)),
                None => Check::new(name, code, Outcome::Failed, "it is no VEX document").on([said.place.clone()]),
            }
        }
    }
}

/// What is said of vulnerabilities of a part, by their identifiers: the latest word on each.
pub(super) fn words(context: &Context<'_>, part: &Part) -> BTreeMap<String, Word> {
    let scope = context.scope(part);
    let mut documents: Vec<(&Said, Option<Timestamp>)> =
        context.statements.of(&[VEX, VERSIONED], &scope).map(|said| (said, issued(said))).collect();
    documents.retain(|(_, time)| context.stale("VEX document", *time).is_none());
    documents.sort_by_key(|(_, time)| *time);
    let mut words = BTreeMap::new();
    for statement in documents.iter().filter_map(|(said, _)| statements(said)).flatten() {
        if !is_about(statement, &part.digest.hex(), &context.evidence.digest.hex()) {
            continue;
        }
        let Some(status) = statement.get("status").and_then(Value::as_str) else { continue };
        let word = Word {
            status: status.to_owned(),
            justification: statement.get("justification").and_then(Value::as_str).map(str::to_owned),
        };
        for name in names(statement) {
            words.insert(name, word.clone());
        }
    }
    words
}

/// What a publisher says of a vulnerability.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    /// `not_affected`, `affected`, `fixed`, `under_investigation`.
    pub(crate) status: String,
    pub(crate) justification: Option<String>,
}

impl Word {
    /// Whether it takes a vulnerability away. Why something is not affected has to be said (OpenVEX, "Status justifications").
    pub(super) fn lets_pass(&self) -> bool {
        self.status == "fixed" || self.status == "not_affected" && self.justification.is_some()
    }
}

fn issued(said: &Said) -> Option<Timestamp> {
    time(said.predicate().get("last_updated")).or_else(|| time(said.predicate().get("timestamp")))
}

fn statements(said: &Said) -> Option<&Vec<Value>> {
    let context = said.predicate().get("@context")?.as_str()?;
    said.predicate().get("statements")?.as_array().filter(|_| context.starts_with(VEX))
}

/// Whether a statement names this image among its products, or none: then it is about what it is attached to.
fn is_about(statement: &Value, part: &str, top: &str) -> bool {
    let Some(products) = statement.get("products").and_then(Value::as_array).filter(|all| !all.is_empty()) else {
        return true;
    };
    products.iter().any(|product| {
        let names = [product.as_str(), product.get("@id").and_then(Value::as_str)];
        let hashes = product.get("hashes").and_then(Value::as_object).into_iter().flat_map(|hashes| hashes.values());
        let mut texts = names.into_iter().flatten().chain(hashes.filter_map(Value::as_str));
        texts.any(|text| text.contains(part) || text.contains(top))
    })
}

fn names(statement: &Value) -> Vec<String> {
    let Some(vulnerability) = statement.get("vulnerability") else { return Vec::new() };
    let of_field = |name: &str| vulnerability.get(name).and_then(Value::as_str);
    let aliases =
        vulnerability.get("aliases").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let plain = [vulnerability.as_str(), of_field("name")].into_iter().flatten();
    plain.chain(aliases).map(str::to_owned).collect()
}
