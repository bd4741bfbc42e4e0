use model::{Finding, codes};

use crate::report::{self, Failure};

/// `schema`: the JSON Schema of a kind of document.
pub(super) fn run(kind: &str) -> Result<(), Failure> {
    match compiler::schema::schema(kind) {
        Some(schema) => Ok(report::print_json(&schema)?),
        None => {
            let message = format!("there is no kind of document called {kind}");
            let kinds = compiler::schema::KINDS.join(", ");
            Err(Finding::error(codes::USAGE, message).help(format!("there are {kinds}")).into())
        }
    }
}
