//! Whether there is a bill of materials, and all that is in the image is on it.

use std::collections::BTreeSet;

use model::codes;
use serde::Deserialize;

use super::{Context, passed, skipped};
use crate::evidence::Part;
use crate::said::Said;
use crate::verdict::{Check, Outcome};

/// CycloneDX and SPDX, as predicates of that kind are called; some write a version behind it.
pub(super) const KINDS: [&str; 4] = [
    "https://cyclonedx.org/bom",
    "https://spdx.dev/Document",
    "https://cyclonedx.org/bom/v1.5",
    "https://spdx.dev/Document/v2.3",
];

/// What is looked at of a bill, in both forms.
#[derive(Deserialize)]
struct Bill {
    #[serde(default, rename = "bomFormat")]
    format: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default, rename = "spdxVersion")]
    version: Option<String>,
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    component: Subject,
}

#[derive(Default, Deserialize)]
struct Subject {
    #[serde(default)]
    hashes: Vec<Hash>,
}

#[derive(Deserialize)]
struct Hash {
    alg: String,
    content: String,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    purl: Option<String>,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default, rename = "externalRefs")]
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "referenceType")]
    kind: String,
    #[serde(rename = "referenceLocator")]
    locator: String,
}

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
    let bill: Bill = said.read().map_err(|why| format!("it is no bill of materials: {why}"))?;
    let listed = bill.purls().ok_or("it is neither CycloneDX nor SPDX")?;
    if listed.is_empty() {
        return Err("it lists no package".to_owned());
    }
    // Where a bill says by its digest which image it is of, it is this one.
    let hashes = bill.metadata.iter().flat_map(|metadata| &metadata.component.hashes);
    let named: Vec<&str> = hashes.filter(|hash| hash.alg == "SHA-256").map(|hash| hash.content.as_str()).collect();
    if !named.is_empty() && !context.scope(part).iter().any(|digest| named.contains(&digest.hex().as_str())) {
        return Err(format!("it is of another image: sha256:{}", named.join(", sha256:")));
    }
    let count = listed.len();
    let Some(found) = context.evidence.contents.get(&part.digest) else {
        if context.evidence.depth.contents {
            return Err("what is in the image is not known, and it cannot be compared".to_owned());
        }
        return Ok(format!("{count} packages, says {}; not compared with what is in the image", said.by));
    };
    if let Some(unread) = found.unread.first() {
        return Err(format!("a record of packages in the image cannot be read: {unread}"));
    }
    if found.packages.is_empty() {
        return Err("no record in the image tells of a package, and it cannot be compared".to_owned());
    }
    let bare = |purl: &str| purl.split(['?', '#']).next().unwrap_or_default().to_owned();
    let listed: BTreeSet<String> = listed.iter().map(|purl| bare(purl)).collect();
    let missing: Vec<&str> =
        found.packages.iter().map(String::as_str).filter(|purl| !listed.contains(&bare(purl))).collect();
    match missing.as_slice() {
        [] => Ok(format!("{count} packages, says {}; all {} that are in the image", said.by, found.packages.len())),
        [first, ..] => Err(format!("{} packages that are in the image are not on it: {first}, …", missing.len())),
    }
}

impl Bill {
    /// The packages, by their URLs.
    fn purls(&self) -> Option<Vec<&str>> {
        if self.format.as_deref() == Some("CycloneDX") {
            return Some(self.components.iter().filter_map(|one| one.purl.as_deref()).collect());
        }
        self.version.as_ref()?;
        let references = self.packages.iter().flat_map(|one| &one.references);
        Some(references.filter(|one| one.kind == "purl").map(|one| one.locator.as_str()).collect())
    }
}
