use model::{Finding, Span, codes};

/// A variable in a head to which the body gives no value.
pub(crate) fn unbound(name: &str, span: Span) -> Finding {
    Finding::error(codes::POLICY_SYNTAX, format!("nothing gives `{name}` a value"))
        .at(span)
        .help(format!("give it one in the body: `{name} := …`"))
}
