use regorus::Value;

use super::{Answer, long, text};

/// `replace("a.b", ".", "-")`.
pub(super) fn replace(arguments: &[Value]) -> Answer {
    all(text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?).map(Value::from)
}

/// `strings.replace_n({"a": "b"}, "abc")`: one after another, in the order of what is replaced.
pub(super) fn replace_n(arguments: &[Value]) -> Answer {
    let Some(Value::Object(pairs)) = arguments.first() else { return Err("argument 1 is no object".into()) };
    let mut pairs: Vec<(&Value, &Value)> = pairs.iter().collect();
    pairs.sort();
    let start = text(arguments, 1)?.to_owned();
    let replaced = pairs.into_iter().try_fold(start, |so_far, (old, new)| match (old, new) {
        (Value::String(old), Value::String(new)) => all(&so_far, old, new),
        _ => Err("what is replaced is no text".into()),
    });
    replaced.map(Value::from)
}

fn all(within: &str, old: &str, new: &str) -> Result<String, String> {
    let grown = new.len().saturating_mul(within.matches(old).count());
    long(within.len().saturating_add(grown))?;
    Ok(within.replace(old, new))
}
