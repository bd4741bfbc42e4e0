use model::{Finding, Span, codes};
use regorus::unstable::Expr;
use serde_json::Value;

use crate::facts::{Fact, Kind};
use crate::rego::text;

/// One side of a comparison.
pub(crate) enum Term<'s> {
    /// A fact, and what it is called.
    Fact(Fact<'s>, String),
    /// A value that is written out.
    Literal(Value),
}

/// What is written out, if it is no more than one value.
pub(crate) fn literal(expr: &Expr) -> Option<Value> {
    match expr {
        Expr::String { .. } | Expr::RawString { .. } => text(expr).map(Value::from),
        Expr::Bool { value, .. } => value.as_bool().ok().map(|value| Value::from(*value)),
        Expr::Number { span, .. } => serde_json::from_str(span.text()).ok(),
        _ => None,
    }
}

/// A statement that is written out as false.
pub(crate) fn is_false(expr: &Expr, span: Span) -> Option<Finding> {
    let is_false = literal(expr) == Some(Value::Bool(false));
    is_false.then(|| finding("this never holds, so nothing after it is ever said".into(), span).help("remove the rule"))
}

/// An equation of which the sides cannot be equal.
pub(crate) fn compare(left: &Term<'_>, right: &Term<'_>, span: Span) -> Option<Finding> {
    match (left, right) {
        (Term::Literal(left), Term::Literal(right)) if left != right => {
            Some(finding(format!("{left} is never {right}"), span).help("compare it with a fact"))
        }
        (Term::Fact(fact, name), Term::Literal(value)) | (Term::Literal(value), Term::Fact(fact, name)) => {
            differs(fact, name, value, span)
        }
        _ => None,
    }
}

fn differs(fact: &Fact<'_>, name: &str, value: &Value, span: Span) -> Option<Finding> {
    let fits = match (fact.schema.kind(), value) {
        (Kind::Text(accepted), Value::String(_)) if !accepted.is_empty() && !accepted.contains(value) => {
            let accepted: Vec<String> = accepted.iter().map(Value::to_string).collect();
            let message = format!("`{name}` is never {value}");
            return Some(finding(message, span).help(format!("it is one of {}", accepted.join(", "))));
        }
        (Kind::Text(_), value) => value.is_string(),
        (Kind::Boolean, value) => value.is_boolean(),
        (Kind::Number, value) => value.is_number(),
        (Kind::List(_) | Kind::Map(_) | Kind::Object(_), _) => false,
    };
    (!fits).then(|| finding(format!("`{name}` is {}, and never {value}", fact.schema.noun()), span))
}

/// A fact that is to have two values at once.
pub(crate) fn contradiction(name: &str, first: &Value, second: &Value, span: Span, before: Span) -> Finding {
    finding(format!("`{name}` is never both {first} and {second}"), span)
        .label(before, "here it has the other")
        .help("make two rules, or ask whether it is in a set of both")
}

fn finding(message: String, span: Span) -> Finding {
    Finding::error(codes::NEVER_HOLDS, message).at(span)
}
