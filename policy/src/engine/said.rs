//! What rules say: an object with at least `msg`, or a text alone.

use std::cell::OnceCell;
use std::collections::HashMap;

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

/// Where the facts of an image were written.
pub(super) struct Places<'f> {
    facts: &'f Facts,
    /// The place of each package in their list, by its URL; made when it is first asked for.
    packages: OnceCell<HashMap<&'f str, usize>>,
}

impl<'f> Places<'f> {
    pub(super) fn of(facts: &'f Facts) -> Self {
        Self { facts, packages: OnceCell::new() }
    }

    /// Where the fact was written that something is said of: the one whose path `fact` gives, or the package whose URL `package` is.
    pub(super) fn find(&self, said: &Value) -> Option<Span> {
        if self.facts.places.is_empty() {
            return None;
        }
        if let Some(path) = said.get("fact").and_then(Value::as_array) {
            let name = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
            return self.facts.place(&path.iter().map(name).collect::<Vec<_>>());
        }
        let packages = self.packages.get_or_init(|| {
            let packages = self.facts.document.get("packages").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            // Of two with one URL, the first.
            let named = packages.iter().enumerate().rev();
            named.filter_map(|(number, package)| Some((package.get("purl")?.as_str()?, number))).collect()
        });
        let number = packages.get(said.get("package")?.as_str()?)?;
        self.facts.place(&["packages".to_owned(), number.to_string()])
    }
}

/// How many of the same rule are let through.
pub(super) fn at_most(said: &Value) -> usize {
    let number = said.get("at_most").and_then(Value::as_u64);
    number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}
