use std::collections::BTreeMap;

use model::{Finding, Sources, Span};
use serde_json::{Value, json};

use crate::json::severity;

/// A SARIF 2.1.0 log with one run. Columns count Unicode characters from 1; a region's end column is the one after its last
/// character (§3.30).
pub(super) fn render(sources: &Sources, findings: &[&Finding]) -> String {
    let rules: BTreeMap<&str, Value> = findings
        .iter()
        .map(|finding| {
            let code = finding.code;
            (code.id, json!({ "id": code.id, "shortDescription": { "text": code.title } }))
        })
        .collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(sources, finding)).collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "clnstrt",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).map(|text| text + "\n").unwrap_or_default()
}

fn result(sources: &Sources, finding: &Finding) -> Value {
    let mut message = finding.message.clone();
    for cause in &finding.causes {
        message.push_str(&format!("\nbecause: {cause}"));
    }
    if let Some(help) = &finding.help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    let mut result = json!({
        "ruleId": finding.code.id,
        "level": severity(finding),
        "message": { "text": message },
        "locations": finding.span.map(|span| location(sources, span)).into_iter().collect::<Vec<_>>(),
    });
    if let Some(result) = result.as_object_mut().filter(|_| !finding.labels.is_empty()) {
        let related = finding.labels.iter().map(|label| {
            let mut location = location(sources, label.span);
            if let Some(location) = location.as_object_mut() {
                location.insert("message".into(), json!({ "text": label.text }));
            }
            location
        });
        result.insert("relatedLocations".into(), related.collect());
    }
    if let (Some(result), Some(fix)) = (result.as_object_mut(), &finding.fix) {
        let change = json!({
            "artifactLocation": artifact(sources, fix.span),
            "replacements": [{
                "deletedRegion": region(sources, fix.span),
                "insertedContent": { "text": fix.text },
            }],
        });
        result.insert("fixes".into(), json!([{ "artifactChanges": [change] }]));
    }
    result
}

fn location(sources: &Sources, span: Span) -> Value {
    json!({ "physicalLocation": { "artifactLocation": artifact(sources, span), "region": region(sources, span) } })
}

fn artifact(sources: &Sources, span: Span) -> Value {
    json!({ "uri": uri(sources.name(span.source)) })
}

fn region(sources: &Sources, span: Span) -> Value {
    let (line, column) = sources.line_column(span.source, span.start);
    let (end_line, end_column) = sources.line_column(span.source, span.end);
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

/// A path as a relative reference (RFC 3986): what is not plain is percent-encoded.
fn uri(path: &str) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_' | b'~');
    path.bytes().map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
