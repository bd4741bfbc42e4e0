//! Whether a predicate is as its JSON Schema says.

use boon::{Compiler, SchemaIndex, Schemas, UrlLoader};
use model::{Finding, codes};
use serde_json::Value;

/// What the schema is called while it is read; what it names besides itself is nowhere.
const SCHEMA: &str = "urn:clnstrt:predicate-schema";

/// Schemas are read from the file they were given in, and from nowhere else.
struct Nowhere;

impl UrlLoader for Nowhere {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err(format!("{url} is not read: a schema has to hold all it refers to").into())
    }
}

/// Holds a predicate against the text of a schema (JSON Schema 2020-12, or the draft that it names).
///
/// # Errors
/// `BUNDLE_UNREADABLE` where the schema is none, or the predicate does not keep it.
pub(crate) fn check(schema: &[u8], predicate: &Value) -> Result<(), Finding> {
    let wrong = |message: &str, why: String| Finding::error(codes::BUNDLE_UNREADABLE, message).because(why);
    let unusable =
        |why: String| wrong("the schema of the predicate is none", why).help("give a JSON Schema in one file");
    let schema: Value = serde_json::from_slice(schema).map_err(|e| unusable(e.to_string()))?;
    let mut schemas = Schemas::new();
    let index = compiled(schema, &mut schemas).map_err(|why| unusable(format!("{why:#}")))?;
    schemas.validate(predicate, index).map_err(|error| {
        let lines: Vec<String> = error.to_string().lines().skip(1).map(|line| line.trim().to_owned()).collect();
        wrong("the predicate does not keep its schema", lines.join("; ")).help("mend what is said, or the schema")
    })
}

fn compiled(schema: Value, schemas: &mut Schemas) -> Result<SchemaIndex, boon::CompileError> {
    let mut compiler = Compiler::new();
    compiler.use_loader(Box::new(Nowhere));
    compiler.add_resource(SCHEMA, schema)?;
    compiler.compile(SCHEMA, schemas)
}
