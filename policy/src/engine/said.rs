//! What rules say: an object with at least `msg`, or a text alone.

use model::Span;
use regorus::Value as Answer;
use serde_json::Value;

use crate::facts::Facts;

/// The members of the set that a clause answers with.
pub(super) fn all(answer: &Answer) -> Vec<Value> {
    let members = answer.as_set().map(|set| set.iter().map(|said| serde_json::to_value(said).unwrap_or_default()));
    members.into_iter().flatten().collect()
}

/// The words.
pub(super) fn message(said: &Value) -> String {
    let words = said.get("msg").or_else(|| said.get("message")).unwrap_or(said);
    words.as_str().map_or_else(|| words.to_string(), str::to_owned)
}

/// What helps.
pub(super) fn remedy(said: &Value) -> Option<String> {
    said.get("remedy")?.as_str().map(str::to_owned)
}

/// Where the fact was written: the one whose path `fact` gives, or the package whose URL `package` is.
pub(super) fn place(said: &Value, facts: &Facts) -> Option<Span> {
    if let Some(path) = said.get("fact").and_then(Value::as_array) {
        let name = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
        return facts.place(&path.iter().map(name).collect::<Vec<_>>());
    }
    let purl = said.get("package")?;
    let packages = facts.document.get("packages")?.as_array()?;
    let number = packages.iter().position(|package| package.get("purl") == Some(purl))?;
    facts.place(&["packages".to_owned(), number.to_string()])
}

/// How many of the same rule are let through.
pub(super) fn at_most(said: &Value) -> usize {
    let number = said.get("at_most").and_then(Value::as_u64);
    number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}
