use grammar::suggest::{nearest, there};
use model::{Finding, Span, codes};

use crate::facts::{Fact, Kind};

/// A name that no stage has a fact of.
pub(crate) fn unknown_fact(fact: &Fact<'_>, place: &str, name: &str, span: Span) -> Finding {
    let finding = |message: String| Finding::error(codes::UNKNOWN_FACT, message).at(span);
    match fact.schema.kind() {
        Kind::Object(_) => finding(format!("there is no fact `{name}` in `{place}`, at any stage"))
            .meant(nearest(name, fact.names()), &there(fact.names())),
        Kind::List(_) => finding(format!("`{place}` is a list and has no `{name}`"))
            .help(format!("go through it: `some one in {place}`, and then `one.{name}`")),
        _ => finding(format!("`{place}` is {} and has no `{name}`", fact.schema.noun())).help("leave it out"),
    }
}
