use std::collections::BTreeSet;

use regorus::Value;

use super::{Answer, text};

/// `clnstrt.spdx.satisfies("MIT OR GPL-2.0-only", {"MIT"})`: whether licences of a set are enough for an SPDX expression (SPDX
/// specification, annex D). `X+` is satisfied by `X` too; an exception has to be named with its licence: `GPL-2.0-only WITH …`.
pub(super) fn satisfies(arguments: &[Value]) -> Answer {
    let expression = text(arguments, 0)?;
    let accepted: BTreeSet<String> = match arguments.get(1) {
        Some(Value::Set(set)) => set.iter().map(name).collect::<Result<_, _>>()?,
        Some(Value::Array(array)) => array.iter().map(name).collect::<Result<_, _>>()?,
        _ => return Err("argument 2 is neither a set nor a list".into()),
    };
    let expression = ::spdx::Expression::parse_mode(expression, ::spdx::ParseMode::STRICT)
        .map_err(|error| format!("`{expression}` is no SPDX expression: {}", error.reason))?;
    let is_accepted = expression.evaluate(|wanted| {
        let whole = wanted.to_string();
        accepted.contains(&whole) || whole.strip_suffix('+').is_some_and(|base| accepted.contains(base))
    });
    Ok(is_accepted.into())
}

fn name(value: &Value) -> Result<String, String> {
    value.as_string().map(|name| name.to_string()).map_err(|_| "argument 2 holds something that is no text".into())
}
