//! Whether anything speaks against FIPS 140, by the facts that whoever built the image signed.

use model::codes;
use serde_json::Value;

use super::{Context, skipped};
use crate::evidence::Part;
use crate::facts;
use crate::verdict::{Check, Outcome};

pub(super) fn check(context: &Context<'_>, part: &Part) -> Check {
    let name = "fips";
    if !context.expected.fips {
        return skipped(name, "FIPS 140 is not asked");
    }
    let failed = |why: String| Check::new(name, codes::FIPS_REFUSED, Outcome::Failed, why);
    let Some(said) = facts::signed(context) else {
        let several = context.statements.said.iter().find(|said| facts::is_one(context, said));
        return match several {
            Some(said) => failed("what is said of its build contradicts itself".to_owned()).on([said.place.clone()]),
            None => context.nothing(name, codes::STATEMENT_MISSING, "statement of facts", &[facts::FACTS]),
        };
    };
    let on = [said.place.clone()];
    if said.predicate().pointer("/build/fips") != Some(&Value::Bool(true)) {
        return failed("it was not built to use the cryptography of a FIPS 140 provider alone".to_owned()).on(on);
    }
    let Some(files) = said.predicate().pointer("/hardening/files").and_then(Value::as_array) else {
        return failed("nobody looked at its programs".to_owned()).on(on);
    };
    let architecture = part.platform.split('/').nth(1).unwrap_or_default();
    let is_own = |file: &&Value| {
        architecture.is_empty() || file.get("architecture").and_then(Value::as_str) == Some(architecture)
    };
    let own: Vec<&Value> = files.iter().filter(is_own).collect();
    // Nothing found where nobody looked is no answer.
    if own.is_empty() {
        return failed("nobody looked at its programs".to_owned()).on(on);
    }
    let is_other = |file: &&Value| {
        let lacks = file.get("lacks").and_then(Value::as_array).into_iter().flatten();
        lacks.filter_map(Value::as_str).any(|what| what == "image-cryptography")
    };
    let others: Vec<&str> = own
        .into_iter()
        .filter(is_other)
        .map(|file| file.get("path").and_then(Value::as_str).unwrap_or("one without a name"))
        .collect();
    match others.as_slice() {
        [] => Check::new(name, codes::FIPS_REFUSED, Outcome::Passed, format!("nothing was found, says {}", said.by))
            .on(on),
        [first, ..] => failed(format!("{} files bring cryptography of their own: {first}, …", others.len())).on(on),
    }
}
