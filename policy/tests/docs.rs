//! Pages that are made of data: the facts, and the functions that rules can use. With `UPDATE=1` they are written.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic, and reads a page")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use policy::facts::{Fact, Kind, schema};

/// The part of the page on Rego that is made of data begins here.
const FUNCTIONS: &str = "\n## Functions\n\n| group | functions |\n|---|---|\n";

#[test]
fn the_page_of_facts_is_the_schema() {
    let mut page = "# Facts\n\nThe document that rules read: `input` in Rego. A fact is there from its stage on. Where it is not there, it is not known, \
                    or there is nothing to say.\n\nThis page is made from `stdlib/policies/facts.schema.json`, which editors and other evaluators of Rego can \
                    read. `clnstrt-cli policy explain --facts` prints the facts of an image.\n\n| fact | type | from | |\n|---|---|---|---|\n"
        .to_owned();
    rows(schema(), "", &mut page);
    cases::compare([(cases::place("../docs/src/reference/facts.md"), page)]);
}

fn rows(fact: Fact<'_>, path: &str, page: &mut String) {
    for name in fact.names() {
        let inner = fact.field(name).unwrap();
        row(inner, &if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }, page);
    }
}

fn row(fact: Fact<'_>, path: &str, page: &mut String) {
    let kind = match fact.schema.kind() {
        Kind::Text([]) => "text".to_owned(),
        Kind::Text(accepted) => {
            accepted.iter().map(|word| format!("`{}`", word.as_str().unwrap())).collect::<Vec<_>>().join(", ")
        }
        Kind::Boolean => "boolean".into(),
        Kind::Number => "number".into(),
        Kind::List(_) => "list".into(),
        Kind::Map(_) => "map".into(),
        Kind::Object(_) => "object".into(),
    };
    writeln!(page, "| `{path}` | {kind} | {} | {} |", fact.stage, fact.schema.description()).unwrap();
    match fact.schema.kind() {
        Kind::Object(_) => rows(fact, path, page),
        Kind::List(_) => {
            let inner = fact.any().unwrap();
            if matches!(inner.schema.kind(), Kind::Object(_)) {
                rows(inner, &format!("{path}[_]"), page);
            }
        }
        _ => {}
    }
}

#[test]
fn the_page_of_rego_lists_every_function() {
    let place = cases::place("../docs/src/reference/rego.md");
    let known = std::fs::read_to_string(&place).unwrap();
    let (words, _) = known.split_once(FUNCTIONS).unwrap();
    let mut page = format!("{words}{FUNCTIONS}");
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let names: std::collections::BTreeSet<&str> = policy::functions().collect();
    for name in &names {
        let group = name.rsplit_once('.').map_or("", |(group, _)| group);
        groups.entry(group).or_default().push(name);
    }
    for (group, names) in groups {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let group = if group.is_empty() { "–".to_owned() } else { format!("`{group}`") };
        writeln!(page, "| {group} | {} |", names.join(", ")).unwrap();
    }
    page.push_str("\n## What the Open Policy Agent has and is not here\n\n| function | why |\n|---|---|\n");
    for (name, why) in policy::missing() {
        writeln!(page, "| `{name}` | {why} |").unwrap();
        assert!(!names.contains(name), "{name} is there");
    }
    cases::compare([(place, page)]);
}
