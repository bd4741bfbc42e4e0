use regex::Regex;
use regorus::Value;

use super::{Answer, long, text};

/// `regex.replace("a1b2", "[0-9]", "<$0>")`.
pub(super) fn replace(arguments: &[Value]) -> Answer {
    let (within, pattern, new) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    let pattern = Regex::new(pattern).map_err(|error| error.to_string())?;
    let (mut replaced, mut at) = (String::new(), 0);
    for captures in pattern.captures_iter(within) {
        let Some(whole) = captures.get(0) else { continue };
        replaced.push_str(within.get(at..whole.start()).unwrap_or_default());
        captures.expand(new, &mut replaced);
        at = whole.end();
        long(replaced.len())?;
    }
    replaced.push_str(within.get(at..).unwrap_or_default());
    Ok(Value::from(replaced))
}
