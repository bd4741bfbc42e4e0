//! From a policy in YAML to Rego that anybody can print and read: one file for each rule. What is written uses the functions
//! that every evaluator of Rego has.

mod attestations;
mod fips;
mod gates;
mod hardening;
mod languages;
mod licenses;
mod provenance;
mod runtime;
mod signatures;
mod sources;
mod tests;
mod text;
mod versions;
mod vulnerabilities;

use std::collections::BTreeMap;

use model::Span;

use super::{Asked, Declared};
use text::Text;

/// A lowered policy.
pub(crate) struct Lowered {
    pub(crate) text: String,
    /// Where each rule was declared, by its name in what is said.
    pub(crate) places: BTreeMap<String, Span>,
}

/// Lowers a policy.
pub(crate) fn lower(declared: &Declared) -> Lowered {
    let mut text = Text::new(&declared.name);
    for asked in &declared.rules {
        of(asked.rule.name)(asked, &mut text);
    }
    let places = declared.rules.iter().flat_map(|asked| {
        let rule = asked.rule.name;
        let fields = asked.fields.iter().map(move |(field, (_, span))| (format!("{rule}.{field}"), *span));
        fields.chain([(rule.to_owned(), asked.span)])
    });
    Lowered { places: places.collect(), text: text.finish() }
}

fn of(rule: &str) -> fn(&Asked, &mut Text) {
    match rule {
        "attestations" => attestations::lower,
        "fips" => fips::lower,
        "gates" => gates::lower,
        "hardening" => hardening::lower,
        "languages" => languages::lower,
        "licenses" => licenses::lower,
        "provenance" => provenance::lower,
        "runtime" => runtime::lower,
        "signatures" => signatures::lower,
        "sources" => sources::lower,
        "tests" => tests::lower,
        "versions" => versions::lower,
        _ => vulnerabilities::lower,
    }
}
