//! What the publisher says of vulnerabilities (OpenVEX).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use inspect::archive::target_bytes as percent_decoded;
use jiff::Timestamp;
use model::codes;
use serde_json::Value;

use super::{Context, passed, skipped, time};
use crate::evidence::Part;
use crate::said::Said;
use crate::verdict::{Check, Outcome};

/// What predicates of that kind are called; some write a version behind it.
pub(super) const KINDS: [&str; 2] = ["https://openvex.dev/ns", "https://openvex.dev/ns/v0.2.0"];
/// What its documents say they are.
const CONTEXT: &str = "https://openvex.dev/ns";
/// Why something is not affected (OpenVEX 0.2.0, "Status justifications").
const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

pub(super) fn check(context: &Context<'_>, part: &Part) -> Check {
    let (name, code) = ("vex", codes::STATEMENT_MISSING);
    let scope = context.scope(part);
    let found = super::latest(context.statements.of(&KINDS, &scope), issued);
    match found {
        None if !context.expected.vex => skipped(name, "no VEX document is demanded"),
        None => context.nothing(name, code, "VEX document", &KINDS),
        Some((said, time)) => {
            if let Some(why) = context.stale("VEX document", time) {
                let code = codes::EVIDENCE_STALE;
                let outcome = if context.expected.vex { Outcome::Failed } else { Outcome::Skipped };
                return Check::new(name, code, outcome, why).on([said.place.clone()]);
            }
            match statements(said) {
                Some(statements) => passed(name, said, format!("{} statement(s), by {}", statements.len(), said.by)),
                None => Check::new(name, code, Outcome::Failed, "it is no VEX document").on([said.place.clone()]),
            }
        }
    }
}

/// What is said of vulnerabilities of a part.
pub(super) fn words<'c>(context: &'c Context<'_>, part: &Part) -> Words<'c> {
    let scope = context.scope(part);
    let documents =
        context.statements.said.iter().filter(|said| {
            KINDS.contains(&said.kind.as_str()) && scope.iter().any(|digest| said.about.contains(digest))
        });
    let mut words = Words::default();
    for (document, said) in documents.enumerate() {
        for statement in statements(said).into_iter().flatten() {
            let Some(about) = about(statement, &part.digest.hex(), &context.evidence.digest.hex()) else { continue };
            let word = Word {
                // What cannot be read takes nothing away, and speaks against what does.
                status: statement.get("status").and_then(Value::as_str).unwrap_or_default().to_owned(),
                justification: statement.get("justification").and_then(Value::as_str).map(str::to_owned),
            };
            let time = first_time(statement).unwrap_or_else(|| issued(said));
            if word.lets_pass() && context.stale("VEX document", time).is_some() {
                continue;
            }
            let spoken = Spoken { document, time, about, word };
            for name in names(statement) {
                words.0.entry(name).or_default().push(spoken.clone());
            }
        }
    }
    words
}

/// What is said of vulnerabilities, by their identifiers, in the order of the documents.
#[derive(Default)]
pub(super) struct Words<'c>(BTreeMap<&'c str, Vec<Spoken<'c>>>);

#[derive(Clone)]
struct Spoken<'c> {
    /// The document it is in.
    document: usize,
    time: Option<Timestamp>,
    about: About<'c>,
    word: Word,
}

impl Words<'_> {
    /// The last word on a vulnerability in a package.
    pub(super) fn on(&self, id: &str, package: &str) -> Option<&Word> {
        let all =
            self.0.get(id).into_iter().flatten().filter(|spoken| spoken.about.is(package, spoken.word.is_against()));
        let mut last: Option<&Spoken<'_>> = None;
        for spoken in all {
            // Nobody knows what came after it.
            if spoken.time.is_none() && spoken.word.is_against() {
                return Some(&spoken.word);
            }
            let is_later = last.is_none_or(|last| match spoken.time.cmp(&last.time) {
                Ordering::Greater => true,
                Ordering::Less => false,
                // Of two documents of one time neither is later: what speaks against it counts.
                Ordering::Equal => {
                    spoken.document == last.document || last.word.lets_pass() && !spoken.word.lets_pass()
                }
            });
            if is_later {
                last = Some(spoken);
            }
        }
        last.map(|spoken| &spoken.word)
    }
}

/// What a publisher says of a vulnerability.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    /// `not_affected`, `affected`, `fixed`, `under_investigation`.
    pub(crate) status: String,
    pub(crate) justification: Option<String>,
}

impl Word {
    /// Whether it takes a vulnerability away. Why something is not affected has to be said (OpenVEX, "Status justifications").
    pub(crate) fn lets_pass(&self) -> bool {
        let is_justified = || self.justification.as_deref().is_some_and(|why| JUSTIFICATIONS.contains(&why));
        self.status == "fixed" || self.status == "not_affected" && is_justified()
    }

    /// Whether it says that there is, or may be, something to fear. What is not known may.
    fn is_against(&self) -> bool {
        !matches!(self.status.as_str(), "fixed" | "not_affected")
    }
}

fn issued(said: &Said) -> Option<Timestamp> {
    first_time(said.predicate()).flatten()
}

/// When something was said: `None` where it does not say, `Some(None)` where that cannot be read. An earlier time would be a guess.
fn first_time(of: &Value) -> Option<Option<Timestamp>> {
    let said = of.get("last_updated").or_else(|| of.get("timestamp"))?;
    Some(time(Some(said)))
}

fn statements(said: &Said) -> Option<&Vec<Value>> {
    let context = said.predicate().get("@context")?.as_str()?;
    said.predicate().get("statements")?.as_array().filter(|_| context.starts_with(CONTEXT))
}

/// What of the image a statement is about.
#[derive(Clone, Default)]
struct About<'c> {
    /// All that is in it.
    is_all: bool,
    /// These packages.
    packages: Vec<&'c str>,
    /// Something else, which cannot be read.
    is_unclear: bool,
}

impl About<'_> {
    /// Whether it is about a package. What takes a vulnerability away has to name it exactly; what speaks against it counts wherever it
    /// may be meant.
    fn is(&self, package: &str, is_against: bool) -> bool {
        let package = bare(package);
        let is_named = |other: &&str| match (is_against, *other == package) {
            (_, true) => !package.is_empty(),
            (false, false) => false,
            (true, false) => is_perhaps(other, package),
        };
        self.is_all || is_against && (self.is_unclear || package.is_empty()) || self.packages.iter().any(is_named)
    }
}

/// Whether two names may mean the same package: one has no version, or is no package URL, or they are written in two ways.
fn is_perhaps(one: &str, other: &str) -> bool {
    let parts = |purl: &'_ str| {
        let name = purl.rfind('/').map_or(0, |at| at + 1);
        purl.get(name..).and_then(|name| name.find('@')).map(|at| name + at)
    };
    let plain = |purl: &'_ str| percent_decoded(parts(purl).and_then(|at| purl.get(..at)).unwrap_or(purl));
    let are_urls = one.starts_with("pkg:") && other.starts_with("pkg:");
    let is_unversioned = parts(one).is_none() || parts(other).is_none();
    !are_urls || percent_decoded(one) == percent_decoded(other) || is_unversioned && plain(one) == plain(other)
}

/// A package URL without its qualifiers.
fn bare(purl: &str) -> &str {
    purl.split(['?', '#']).next().unwrap_or_default()
}

/// What a statement is about, if this image is among its products, or it has none: then it is about what it is attached to.
fn about<'c>(statement: &'c Value, part: &str, top: &str) -> Option<About<'c>> {
    let mut about = About::default();
    let named: Vec<&Value> = match statement.get("products") {
        None => vec![statement],
        Some(Value::Array(all)) if all.is_empty() => vec![statement],
        Some(Value::Array(all)) => all.iter().filter(|product| is_this(product, part, top)).collect(),
        Some(_) => {
            about.is_unclear = true;
            return Some(about);
        }
    };
    for product in &named {
        // Version 0.0 of OpenVEX has them beside the products.
        match product.get("subcomponents").or_else(|| statement.get("subcomponents")) {
            None => about.is_all = true,
            Some(Value::Array(all)) if all.is_empty() => about.is_all = true,
            Some(Value::Array(all)) => {
                let ids = all.iter().map(|one| one.as_str().or_else(|| one.get("@id")?.as_str()));
                for id in ids {
                    about.is_unclear |= id.is_none();
                    about.packages.extend(id.map(bare));
                }
            }
            Some(_) => about.is_unclear = true,
        }
    }
    (!named.is_empty()).then_some(about)
}

/// Whether a product is this image, by a digest in its names.
fn is_this(product: &Value, part: &str, top: &str) -> bool {
    let names = [product.as_str(), product.get("@id").and_then(Value::as_str)];
    let hash = product.pointer("/hashes/sha-256").and_then(Value::as_str);
    hash.is_some_and(|hash| hash == part || hash == top)
        || names.into_iter().flatten().any(|name| name.contains(part) || name.contains(top))
}

fn names(statement: &Value) -> Vec<&str> {
    let Some(vulnerability) = statement.get("vulnerability") else { return Vec::new() };
    let aliases =
        vulnerability.get("aliases").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let plain = [vulnerability.as_str(), vulnerability.get("name").and_then(Value::as_str)].into_iter().flatten();
    plain.chain(aliases).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_product_is_the_image_by_a_digest_in_its_names_or_hashes() {
        let (part, top) = ("a".repeat(64), "b".repeat(64));
        for (product, wanted) in [
            (json!({ "@id": format!("pkg:oci/app@sha256:{part}") }), true),
            (json!(format!("registry.example/app@sha256:{top}")), true),
            (json!({ "@id": "pkg:oci/app", "hashes": { "sha-256": top } }), true),
            (json!({ "@id": "pkg:oci/app", "hashes": { "sha-256": part } }), true),
            (json!({ "@id": "pkg:oci/app", "hashes": { "sha-256": format!("{part}a") } }), false),
            (json!({ "@id": "pkg:oci/app", "hashes": { "sha-512": top } }), false),
            (json!({ "@id": "pkg:oci/app" }), false),
        ] {
            assert_eq!(is_this(&product, &part, &top), wanted, "{product}");
        }
    }

    #[test]
    fn what_speaks_against_a_package_counts_wherever_it_may_be_meant() {
        for (named, package, wanted) in [
            ("pkg:deb/debian/libfoo", "pkg:deb/debian/libfoo@1.2", true),
            ("pkg:deb/debian/libbar", "pkg:deb/debian/libfoo@1.2", false),
            ("pkg:deb/debian/libfoo@1.3", "pkg:deb/debian/libfoo@1.2", false),
            ("pkg:npm/%40team/app@1.2", "pkg:npm/@team/app@1.2", true),
            ("pkg:deb/debian/libstdc%2B%2B@1", "pkg:deb/debian/libstdc++@1", true),
            ("pkg:deb/debian/libstdc%2b%2b@1", "pkg:deb/debian/libstdc%2B%2B@1", true),
            ("libfoo", "pkg:deb/debian/libfoo@1.2", true),
        ] {
            let about = About { packages: vec![named], ..About::default() };
            assert_eq!(about.is(package, true), wanted, "{named} {package}");
            assert!(!about.is(package, false), "{named} {package}");
        }
    }
}
