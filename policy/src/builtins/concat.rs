use regorus::Value;

use super::{Answer, long, text};

/// `concat(", ", ["a", "b"])`: a list or set of texts as one.
pub(super) fn concat(arguments: &[Value]) -> Answer {
    let between = text(arguments, 0)?;
    let parts: Vec<&Value> = match arguments.get(1) {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(Value::Set(set)) => set.iter().collect(),
        _ => return Err("argument 2 is no list and no set".into()),
    };
    let text = |part: &&Value| part.as_string().cloned().map_err(|_| "what is in argument 2 is no text".to_owned());
    let texts = parts.iter().map(text).collect::<Result<Vec<_>, String>>()?;
    let between_all = between.len().saturating_mul(texts.len().saturating_sub(1));
    long(texts.iter().fold(between_all, |sum, text| sum.saturating_add(text.len())))?;
    Ok(Value::from(texts.iter().map(|text| &**text).collect::<Vec<&str>>().join(between)))
}
