use model::{Finding, Span, codes};
use regorus::unstable::Expr;

use crate::rego::text;

/// What a format may say of a value: what is written with a width, a precision or another verb differs between evaluators.
const VERBS: [char; 4] = ['s', 'v', 'd', '%'];

/// A format of `sprintf` that is not written out, or does not say the same everywhere.
pub(crate) fn format(expr: &Expr, span: Span) -> Option<Finding> {
    let finding =
        |message: &str, help: &str| Some(Finding::error(codes::POLICY_SHAPE, message.to_owned()).at(span).help(help));
    let Some(format) = text(expr) else {
        return finding("the format of `sprintf` is not written out", "write it out: `sprintf(\"%s\", [value])`");
    };
    let mut rest = format;
    while let Some((_, after)) = rest.split_once('%') {
        let Some(after) = after.strip_prefix(VERBS) else {
            return finding(
                "`sprintf` knows `%s`, `%v`, `%d` and `%%` here",
                "write values without width and precision",
            );
        };
        rest = after;
    }
    None
}
