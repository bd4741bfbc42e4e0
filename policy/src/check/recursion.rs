use model::{Finding, Span, codes};

/// A rule that needs itself to be evaluated.
pub(crate) fn recursion(name: &str, span: Span) -> Finding {
    let message = format!("`{name}` needs itself to be evaluated");
    Finding::error(codes::POLICY_SHAPE, message).at(span).help("Rego has no recursion: go through the list instead")
}
