use regorus::Value;

use super::{Answer, TOO_MUCH, integer};

/// Numbers in an answer at most.
const MOST: u64 = 1_000_000;

/// `numbers.range(first, last)`: up or down, with both ends.
pub(super) fn range(arguments: &[Value]) -> Answer {
    numbers(integer(arguments, 0)?, integer(arguments, 1)?, 1)
}

/// `numbers.range_step(first, last, step)`: the same in steps, which are positive in both directions.
pub(super) fn range_step(arguments: &[Value]) -> Answer {
    let step = u64::try_from(integer(arguments, 2)?).unwrap_or(0);
    numbers(integer(arguments, 0)?, integer(arguments, 1)?, step)
}

fn numbers(first: i64, last: i64, step: u64) -> Answer {
    let number = first.abs_diff(last).checked_div(step).ok_or("a step is a positive number")?;
    if number >= MOST {
        return Err(format!("from {first} to {last} are more than {MOST} numbers, {TOO_MUCH}"));
    }
    let step = i128::from(step) * if first > last { -1 } else { 1 };
    let nth = |n: u64| i64::try_from(i128::from(first) + i128::from(n) * step);
    let numbers: Result<Vec<Value>, _> = (0..=number).map(|n| nth(n).map(Value::from)).collect();
    numbers.map(Value::from).map_err(|error| error.to_string())
}
