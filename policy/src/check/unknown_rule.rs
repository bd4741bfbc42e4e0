use grammar::suggest::nearest;
use model::{Finding, Span, codes};

/// A reference to a rule or package that no policy has.
pub(crate) fn unknown_rule<'n>(names: &[String], known: impl Iterator<Item = &'n str>, span: Span) -> Finding {
    let message = format!("there is no `data.{}` in the policies that are named together", names.join("."));
    let near = names.last().and_then(|name| nearest(name, known));
    let help = "rules see the facts in `input`, and other rules: what else they need is written into a policy";
    Finding::error(codes::UNKNOWN_FACT, message).at(span).suggest(near, help)
}
