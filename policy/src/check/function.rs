use grammar::suggest::nearest;
use model::{Finding, Span, codes};

use crate::builtins;

/// A function there is not.
pub(crate) fn unknown<'n>(name: &str, own: impl Iterator<Item = &'n str>, span: Span) -> Finding {
    let finding = Finding::error(codes::UNKNOWN_FUNCTION, format!("there is no function `{name}`")).at(span);
    if let Some(why) = builtins::impure(name) {
        return finding.help(why);
    }
    let known = builtins::names().map(|known| -> &'n str { known });
    finding.suggest(nearest(name, known.chain(own)), "`docs/src/reference/rego.md` lists the functions there are")
}

/// A function that takes another number of arguments.
pub(crate) fn arity(name: &str, takes: usize, given: usize, span: Span) -> Finding {
    let message = format!("`{name}` takes {takes} arguments, and is given {given}");
    Finding::error(codes::UNKNOWN_FUNCTION, message).at(span).help("give it as many as it takes")
}
