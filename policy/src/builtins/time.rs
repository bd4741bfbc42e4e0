use regorus::Value;

use super::{Answer, text};

/// `time.parse_rfc3339_ns("2027-01-31T00:00:00Z")`: nanoseconds since 1970, as in other evaluators of Rego.
pub(super) fn parse_rfc3339_ns(arguments: &[Value]) -> Answer {
    let written = text(arguments, 0)?;
    let time: jiff::Timestamp = written.parse().map_err(|_| format!("`{written}` is no time as RFC 3339 writes it"))?;
    let nanoseconds = i64::try_from(time.as_nanosecond()).map_err(|_| format!("`{written}` is too far away"))?;
    Ok(nanoseconds.into())
}
