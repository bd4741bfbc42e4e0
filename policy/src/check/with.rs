use model::{Finding, Span, codes};

/// A rule or function that is to be another one for a while.
pub(crate) fn with(name: &str, span: Span) -> Finding {
    Finding::error(codes::POLICY_SHAPE, format!("`with` puts nothing in the place of `{name}`"))
        .at(span)
        .help("`with` gives other facts: `with input as {…}`; what else differs is an argument of a function")
}
