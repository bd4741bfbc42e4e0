//! Which statements there are: those that are one by the judgement of their check, of what is said of every platform.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{object, signer};
use crate::checks::{self, Context};
use crate::expectations::Expectations;
use crate::said::{SIGNATURE, Said, Statements};
use crate::verdict::Outcome;

pub(super) fn all(context: &Context<'_>, images: usize) -> Vec<Value> {
    let each = context.statements.said.iter().filter(|said| said.kind != SIGNATURE);
    let each: Vec<(&Said, &str, Vec<bool>)> = each
        .map(|said| {
            let kind = kind(said);
            (said, kind, counts(context, said, kind))
        })
        .collect();
    let mut covered: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
    for (said, kind, counts) in &each {
        let known = covered.entry(key(said, kind)).or_insert_with(|| vec![false; images]);
        known.iter_mut().zip(counts).for_each(|(known, counts)| *known |= counts);
    }
    let is_listed = |said: &Said, kind: &str, counts: &[bool]| {
        let is_everywhere =
            covered.get(key(said, kind)).is_some_and(|known| known.iter().all(|is_covered| *is_covered));
        is_everywhere && counts.contains(&true)
    };
    each.iter()
        .filter(|(said, kind, counts)| is_listed(said, kind, counts))
        .map(|(said, kind, _)| {
            let mut fact = object(json!({ "type": kind, "predicate_type": said.kind, "verified": true }));
            fact.extend(signer(&said.by));
            Value::Object(fact)
        })
        .collect()
}

fn kind(said: &Said) -> &'static str {
    checks::KINDS.iter().find(|(_, kinds)| kinds.contains(&said.kind.as_str())).map_or("custom", |(name, _)| name)
}

/// Of what types are counted together; what is of no type of these, only with its like.
fn key<'s>(said: &'s Said, kind: &'s str) -> &'s str {
    if kind == "custom" { &said.kind } else { kind }
}

/// For which images a statement counts.
fn counts(context: &Context<'_>, said: &Said, kind: &str) -> Vec<bool> {
    match kind {
        "slsa-provenance" => holds(context, said, "provenance"),
        "sbom" => holds(context, said, "sbom"),
        _ => {
            context.images().map(|part| context.scope(part).iter().any(|digest| said.about.contains(digest))).collect()
        }
    }
}

/// For which images a check would hold if nothing else were said.
fn holds(context: &Context<'_>, said: &Said, check: &str) -> Vec<bool> {
    let statements = Statements { said: vec![said.clone()], rejected: Vec::new() };
    let expected = Expectations {
        provenance: true,
        sbom: true,
        made: context.expected.made.clone(),
        max_age: context.expected.max_age,
        ..Expectations::default()
    };
    let alone = Context {
        evidence: context.evidence,
        parts: context.parts,
        statements: &statements,
        expected: &expected,
        now: context.now,
    };
    let all = checks::all(&alone).into_iter().filter(|one| one.name == check);
    all.map(|one| one.outcome == Outcome::Passed).collect()
}
