//! Exceptions: what a rule refuses and is let through all the same, for a reason, by somebody, for a time.

use std::collections::BTreeMap;

use grammar::quote;
use grammar::suggest::{nearest, there};
use jiff::civil::Date;
use model::{Finding, Span, codes};
use serde_json::Value;

/// One exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exception {
    /// The rule, or the first names of several: `vulnerabilities`.
    pub(crate) rule: String,
    /// What is said has to hold all of these: values by field. A `*` at the end of a value stands for anything.
    pub(crate) matches: BTreeMap<String, String>,
    /// The last day on which it counts, in UTC.
    pub(crate) until: Date,
    pub(crate) reason: String,
    pub(crate) approved_by: String,
    pub(crate) span: Span,
}

impl Exception {
    /// Whether it is about what a rule says.
    pub(crate) fn is_about(&self, rule: &str, said: &Value) -> bool {
        let of_rule = rule.strip_prefix(&self.rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        of_rule
            && self.matches.iter().all(|(field, wanted)| said.get(field).is_some_and(|value| is_like(value, wanted)))
    }

    /// Whether it names a rule, or the first names of it.
    pub(crate) fn is_of(&self, rule: &str) -> bool {
        rule.strip_prefix(&self.rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// It names a rule there is not.
    pub(crate) fn lost(&self, rules: &[&str]) -> Finding {
        let message = format!("there is no rule {} to except anything from", quote(&self.rule));
        let finding = Finding::error(codes::POLICY_SHAPE, message).at(self.span);
        let near = nearest(&self.rule, rules.iter().copied());
        finding.suggest(near, &there(rules.iter().copied()))
    }

    /// Whether its last day is over.
    pub(crate) fn has_expired(&self, today: Date) -> bool {
        self.until < today
    }

    pub(crate) fn expired(&self) -> Finding {
        let message = format!("an exception of `{}` counts no more: it was given until {}", self.rule, self.until);
        Finding::warning(codes::EXCEPTION_EXPIRED, message)
            .at(self.span)
            .help(format!("remove it, or have {} decide anew", self.approved_by))
    }

    pub(crate) fn unused(&self) -> Finding {
        let message = format!("an exception of `{}` is about nothing that is said", self.rule);
        Finding::warning(codes::EXCEPTION_UNUSED, message).at(self.span).help(
            "remove it, or correct what it is about: `policy show --rego` shows the fields of what each rule says",
        )
    }
}

fn is_like(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => match wanted.strip_suffix('*') {
            Some(start) => text.starts_with(start),
            None => text == wanted,
        },
        Value::Array(values) => values.iter().any(|value| is_like(value, wanted)),
        value => serde_json::from_str::<Value>(wanted).is_ok_and(|wanted| *value == wanted),
    }
}
