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
        return context.nothing(name, codes::STATEMENT_MISSING, "statement of facts", &[facts::FACTS]);
    };
    let on = [said.place.clone()];
    if said.predicate().pointer("/build/fips") != Some(&Value::Bool(true)) {
        return failed("it was not built to use the cryptography of a FIPS 140 provider alone".to_owned()).on(on);
    }
    let Some(files) = said.predicate().pointer("/hardening/files").and_then(Value::as_array) else {
        return failed("nobody looked at its programs".to_owned()).on(on);
    };
    let architecture = part.platform.split('/').nth(1).unwrap_or_default();
    let own = files.iter().filter(|file| {
        architecture.is_empty() || file.get("architecture").and_then(Value::as_str) == Some(architecture)
    });
    let is_other = |file: &&Value| {
        let lacks = file.get("lacks").and_then(Value::as_array).into_iter().flatten();
        lacks.filter_map(Value::as_str).any(|what| what == "image-cryptography")
    };
    let others: Vec<&str> = own.filter(is_other).filter_map(|file| file.get("path")?.as_str()).collect();
    match others.as_slice() {
        [] => Check::new(name, codes::FIPS_REFUSED, Outcome::Passed, format!("nothing was found, says {}", said.by))
            .on(on),
        [first, ..] => failed(format!("{} files bring cryptography of their own: {first}, …", others.len())).on(on),
    }
}
