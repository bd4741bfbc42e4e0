use regorus::Value;

use super::{Answer, long, text};

/// `replace("a.b", ".", "-")`.
pub(super) fn replace(arguments: &[Value]) -> Answer {
    all(text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?).map(Value::from)
}

/// `strings.replace_n({"a": "b", "b": "a"}, "ab")`: in one pass, so that what was put in is not replaced again.
pub(super) fn replace_n(arguments: &[Value]) -> Answer {
    let Some(Value::Object(pairs)) = arguments.first() else { return Err("argument 1 is no object".into()) };
    let mut pairs = pairs
        .iter()
        .map(|(old, new)| match (old, new) {
            (Value::String(old), Value::String(new)) if !old.is_empty() => Ok((&**old, &**new)),
            _ => Err("what is replaced is no text, or an empty one".to_owned()),
        })
        .collect::<Result<Vec<(&str, &str)>, String>>()?;
    pairs.sort_unstable();
    let (mut rest, mut replaced) = (text(arguments, 1)?, String::new());
    while let Some(first) = rest.chars().next() {
        match pairs.iter().find(|(old, _)| rest.starts_with(old)) {
            Some((old, new)) => {
                replaced.push_str(new);
                rest = rest.get(old.len()..).unwrap_or_default();
            }
            None => {
                replaced.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
        long(replaced.len())?;
    }
    Ok(Value::from(replaced))
}

fn all(within: &str, old: &str, new: &str) -> Result<String, String> {
    let grown = new.len().saturating_mul(within.matches(old).count());
    long(within.len().saturating_add(grown))?;
    Ok(within.replace(old, new))
}
