use model::{Finding, Severity, Sources, Span};
use serde::Serialize;

/// A document with a `findings` list.
pub(super) fn render(sources: &Sources, findings: &[&Finding]) -> String {
    let rows: Vec<Row> = findings.iter().map(|finding| Row::new(sources, finding)).collect();
    let text = serde_json::to_string_pretty(&serde_json::json!({ "findings": rows }));
    text.map(|text| text + "\n").unwrap_or_default()
}

/// A finding.
#[derive(Serialize)]
struct Row<'a> {
    code: &'static str,
    severity: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<Related<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    causes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Change<'a>>,
}

/// A text for the one that stands there.
#[derive(Serialize)]
struct Change<'a> {
    place: Place<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct Related<'a> {
    place: Place<'a>,
    text: &'a str,
}

impl<'a> Row<'a> {
    /// The finding as a row, its places in lines and columns (in characters, from 1) and in bytes (from 0).
    fn new(sources: &'a Sources, finding: &'a Finding) -> Self {
        let place = |span: Span| {
            let (line, column) = sources.line_column(span.source, span.start);
            Place { file: sources.name(span.source), line, column, start: span.start, end: span.end }
        };
        Self {
            code: finding.code.id,
            severity: severity(finding),
            message: &finding.message,
            place: finding.span.map(place),
            related: finding.labels.iter().map(|l| Related { place: place(l.span), text: &l.text }).collect(),
            causes: &finding.causes,
            help: finding.help.as_deref(),
            fix: finding.fix.as_ref().map(|fix| Change { place: place(fix.span), text: &fix.text }),
        }
    }
}

/// `error` or `warning`.
pub(super) fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
