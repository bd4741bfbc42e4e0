use regorus::Value;

use super::{Answer, integer};

/// `bits.lsh(number, places)`, within 64 bits: no fact is a larger number.
pub(super) fn left(arguments: &[Value]) -> Answer {
    let (number, places) = (integer(arguments, 0)?, integer(arguments, 1)?);
    let places = u32::try_from(places).map_err(|_| format!("{places} is no number of places"))?;
    let shifted = number.checked_shl(places).filter(|shifted| shifted >> places == number);
    shifted.map(Value::from).ok_or_else(|| format!("{number} shifted by {places} is no number of 64 bits"))
}
