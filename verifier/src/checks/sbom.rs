//! Whether there is a bill of materials, and all that is in the image is on it.

use std::collections::BTreeSet;

use model::codes;
use serde_json::Value;

use super::{Context, passed, skipped};
use crate::evidence::Part;
use crate::said::Said;
use crate::verdict::{Check, Outcome};

/// CycloneDX and SPDX, as predicates of that kind are called; some write a version behind it.
const KINDS: [&str; 4] = [
    "https://cyclonedx.org/bom",
    "https://spdx.dev/Document",
    "https://cyclonedx.org/bom/v1.5",
    "https://spdx.dev/Document/v2.3",
];

pub(super) fn check(context: &Context<'_>, part: &Part) -> Check {
    let name = "sbom";
    if !context.expected.sbom {
        return skipped(name, "no bill of materials is demanded");
    }
    let scope = context.scope(part);
    let mut wrong = None;
    for said in context.statements.of(&KINDS, &scope) {
        match judged(context, part, said) {
            Ok(reason) => return passed(name, said, reason),
            Err(why) => wrong = wrong.or(Some((said, why))),
        }
    }
    match wrong {
        Some((said, why)) => Check::new(name, codes::SBOM_REFUSED, Outcome::Failed, why).on([said.place.clone()]),
        None => context.nothing(name, codes::STATEMENT_MISSING, "bill of materials", &KINDS),
    }
}

fn judged(context: &Context<'_>, part: &Part, said: &Said) -> Result<String, String> {
    let bill = &said.predicate;
    let listed = purls(bill).ok_or("it is neither CycloneDX nor SPDX")?;
    if listed.is_empty() {
        return Err("it lists no package".to_owned());
    }
    // Where a bill says by its digest which image it is of, it is this one.
    let named = bill.pointer("/metadata/component/hashes").and_then(Value::as_array).into_iter().flatten();
    let named: Vec<&str> = named
        .filter(|hash| hash.get("alg").and_then(Value::as_str) == Some("SHA-256"))
        .filter_map(|hash| hash.get("content").and_then(Value::as_str))
        .collect();
    if !named.is_empty() && !context.scope(part).iter().any(|digest| named.contains(&digest.hex().as_str())) {
        return Err(format!("it is of another image: sha256:{}", named.join(", sha256:")));
    }
    let count = listed.len();
    let Some(found) = context.evidence.contents.get(&part.digest) else {
        return Ok(format!("{count} packages, says {}; not compared with what is in the image", said.by));
    };
    let bare = |purl: &str| purl.split(['?', '#']).next().unwrap_or_default().to_owned();
    let listed: BTreeSet<String> = listed.iter().map(|purl| bare(purl)).collect();
    let missing: Vec<&str> =
        found.packages.iter().map(String::as_str).filter(|purl| !listed.contains(&bare(purl))).collect();
    match missing.as_slice() {
        [] => Ok(format!("{count} packages, says {}; all {} that are in the image", said.by, found.packages.len())),
        [first, ..] => Err(format!("{} packages that are in the image are not on it: {first}, …", missing.len())),
    }
}

/// The packages of a bill of materials, by their URLs.
fn purls(bill: &Value) -> Option<Vec<&str>> {
    if bill.get("bomFormat").and_then(Value::as_str) == Some("CycloneDX") {
        let components = bill.get("components").and_then(Value::as_array).into_iter().flatten();
        return Some(components.filter_map(|one| one.get("purl")?.as_str()).collect());
    }
    bill.get("spdxVersion")?;
    let packages = bill.get("packages").and_then(Value::as_array).into_iter().flatten();
    let references = packages.flat_map(|one| one.get("externalRefs").and_then(Value::as_array).into_iter().flatten());
    let purls = references.filter(|one| one.get("referenceType").and_then(Value::as_str) == Some("purl"));
    Some(purls.filter_map(|one| one.get("referenceLocator")?.as_str()).collect())
}
