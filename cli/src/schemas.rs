//! Whether a predicate is as its JSON Schema says.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use boon::{CompileError, Compiler, SchemaIndex, Schemas, UrlLoader};
use model::{Finding, codes};
use regex::Regex;
use serde_json::Value;

/// What the schema is called while it is read; what it names besides itself is nowhere.
const SCHEMA: &str = "urn:clnstrt:predicate-schema";
/// Bytes of a schema. It is gone through on the stack, which is as large as chains of references in so many bytes ask for.
const LARGEST: usize = 256 << 10;
const STACK: usize = 256 << 20;
/// Schemas can say things that nobody lives to see the end of.
const PATIENCE: Duration = Duration::from_secs(10);
/// Lines that are said of what is wrong, and characters of each.
const LINES: usize = 10;
const LONGEST: usize = 300;

/// Schemas are read from the file they were given in, and from nowhere else.
struct Nowhere;

impl UrlLoader for Nowhere {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err(format!("{url} is not read: a schema has to hold all it refers to").into())
    }
}

fn wrong(message: &str, why: &str) -> Finding {
    let lines = why.lines().take(LINES).map(|line| line.trim().chars().take(LONGEST).collect::<String>());
    Finding::error(codes::BUNDLE_UNREADABLE, message).because(lines.collect::<Vec<_>>().join("; "))
}

fn unusable(why: &str) -> Finding {
    wrong("the schema of the predicate cannot be used", why).help("give a JSON Schema in one file")
}

/// Holds a predicate against the text of a schema (JSON Schema 2020-12, or the draft that it names).
///
/// # Errors
/// `BUNDLE_UNREADABLE` where the schema is none or asks for too much, or the predicate does not keep it.
pub(crate) fn check(schema: &[u8], predicate: &Value) -> Result<(), Finding> {
    if schema.len() > LARGEST {
        return Err(unusable(&format!("it has more than {LARGEST} bytes")));
    }
    let schema: Value = serde_json::from_slice(schema).map_err(|e| unusable(&e.to_string()))?;
    patterns(&schema).map_err(|why| unusable(&why))?;
    let (tell, told) = channel();
    let predicate = predicate.clone();
    // What takes too long is left alone; it ends with the program.
    let checking = thread::Builder::new().stack_size(STACK).spawn(move || tell.send(held(schema, &predicate)));
    checking.map_err(|e| unusable(&e.to_string()))?;
    told.recv_timeout(PATIENCE).map_err(|_| unusable(&format!("it takes more than {} s", PATIENCE.as_secs())))?
}

/// The library takes for granted that patterns can be compiled.
fn patterns(schema: &Value) -> Result<(), String> {
    match schema {
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            match value {
                Value::String(pattern) if name == "pattern" => compiles(pattern)?,
                Value::Object(named) if name == "patternProperties" => {
                    named.keys().try_for_each(|key| compiles(key))?
                }
                _ => {}
            }
            patterns(value)
        }),
        Value::Array(items) => items.iter().try_for_each(patterns),
        _ => Ok(()),
    }
}

fn compiles(pattern: &str) -> Result<(), String> {
    Regex::new(pattern).map(drop).map_err(|e| format!("a pattern of it cannot be used: {e}"))
}

fn held(schema: Value, predicate: &Value) -> Result<(), Finding> {
    let mut schemas = Schemas::new();
    let index = compiled(schema, &mut schemas).map_err(|why| unusable(&format!("{why:#}")))?;
    schemas.validate(predicate, index).map_err(|error| {
        let text = error.to_string();
        let lines = text.split_once('\n').map_or(text.as_str(), |(_, lines)| lines);
        wrong("the predicate does not keep its schema", lines).help("mend what is said, or the schema")
    })
}

fn compiled(schema: Value, schemas: &mut Schemas) -> Result<SchemaIndex, CompileError> {
    let mut compiler = Compiler::new();
    compiler.use_loader(Box::new(Nowhere));
    compiler.add_resource(SCHEMA, schema)?;
    compiler.compile(SCHEMA, schemas)
}
