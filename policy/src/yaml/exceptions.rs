//! Reading exceptions.

use std::collections::BTreeMap;

use grammar::reader::{Fields, Reader};
use grammar::yaml::Node;
use jiff::civil::Date;

use crate::exception::Exception;

const ITEM: &str = "exceptions[]";

pub(super) fn read(reader: &mut Reader, policy: &Fields<'_>) -> Vec<Exception> {
    let Some(list) = policy.get("exceptions") else { return Vec::new() };
    let items: Vec<&Node> = reader.list(list, "exceptions").collect();
    items.into_iter().filter_map(|item| exception(reader, item)).collect()
}

fn exception(reader: &mut Reader, node: &Node) -> Option<Exception> {
    let fields = reader.fields(node, ITEM, &["rule", "match", "until", "reason", "approved_by"])?;
    let line = |reader: &mut Reader, name: &'static str, help: &str| {
        let node = reader.required(&fields, name, help)?;
        reader.line(node, name)
    };
    let rule = line(reader, "rule", "name the rule: `rule: vulnerabilities`");
    let until = line(reader, "until", "say how long it counts: `until: 2027-01-31`");
    let reason = line(reader, "reason", "say why");
    let approved_by = line(reader, "approved_by", "say who decided it");
    let until = until.and_then(|until| match until.value.parse::<Date>() {
        Ok(date) => Some(date),
        Err(_) => {
            let message = format!("`until` must be a day, not {}", grammar::quote(&until.value));
            reader.bad_value(until.span, message, "write it like `2027-01-31`");
            None
        }
    });
    let matches: Option<BTreeMap<String, String>> = fields.get("match").map(|node| {
        let pairs: Vec<_> = reader.map(node, "match").collect();
        pairs
            .into_iter()
            .filter_map(|pair| Some((pair.key.value.to_string(), reader.line(&pair.value, "match")?.value)))
            .collect()
    });
    if let (Some(node), Some(matches)) = (fields.get("match"), &matches)
        && matches.values().all(|wanted| wanted == "*")
    {
        reader.bad_value(node.span, "`match` would let everything through", "say what it is about");
    }
    reader.required(&fields, "match", "say what it is about: `match: {cve: CVE-2024-1234}`");
    Some(Exception {
        rule: rule?.value,
        matches: matches?,
        until: until?,
        reason: reason?.value,
        approved_by: approved_by?.value,
        span: node.span,
    })
}
