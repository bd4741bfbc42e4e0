use model::{Finding, Span, codes};

/// A pattern of an object: whether what has more keys fits it, evaluators do not agree on.
pub(crate) fn object_pattern(span: Span) -> Finding {
    Finding::error(codes::POLICY_SHAPE, "an object is no pattern here")
        .at(span)
        .help("take the fields by their names: `name := object.name`")
}
