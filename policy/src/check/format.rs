use model::{Finding, Span, codes};
use regorus::unstable::Expr;

use crate::rego::text;

/// Digits of a width or precision at most: what is written would be as long, in one step.
const DIGITS: usize = 3;

/// A format of `sprintf` that is not written out, or makes something very long.
pub(crate) fn format(expr: &Expr, span: Span) -> Option<Finding> {
    let finding =
        |message: &str, help: &str| Some(Finding::error(codes::POLICY_SHAPE, message.to_owned()).at(span).help(help));
    let Some(format) = text(expr) else {
        return finding("the format of `sprintf` is not written out", "write it out: `sprintf(\"%s\", [value])`");
    };
    let is_long = format.split('%').skip(1).any(|rest| {
        let width = rest.trim_start_matches(['-', '+', ' ', '#', '0']);
        width.split('.').take(2).any(|number| number.bytes().take_while(u8::is_ascii_digit).count() > DIGITS)
    });
    if is_long {
        finding("`sprintf` would write thousands of characters for one value", "use a smaller width")
    } else {
        None
    }
}
