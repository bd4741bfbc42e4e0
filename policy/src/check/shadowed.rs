use model::{Finding, Span, codes};

/// A variable with the name of a rule or import, for which the evaluator takes it.
pub(crate) fn shadowed(name: &str, span: Span) -> Finding {
    Finding::error(codes::POLICY_SHAPE, format!("`{name}` is the name of a rule or an import already"))
        .at(span)
        .help("give the variable another name")
}
