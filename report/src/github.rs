use model::text::is_plain;
use model::{Finding, Sources};

use crate::json::severity;

/// A workflow command (`::error file=…,line=…::message`). Line breaks and what would end a property are written as percent
/// escapes, so that no text of a finding starts a command of its own.
pub(super) fn render(sources: &Sources, finding: &Finding) -> String {
    let mut properties = Vec::new();
    if let Some(span) = finding.span {
        let (line, column) = sources.line_column(span.source, span.start);
        let (end_line, end_column) = sources.line_column(span.source, span.end);
        properties.push(format!("file={}", property(sources.name(span.source))));
        properties.push(format!("line={line},endLine={end_line}"));
        if line == end_line {
            properties.push(format!("col={column},endColumn={}", end_column.max(column + 1) - 1));
        }
    }
    properties.push(format!("title={}", property(&format!("{} {}", finding.code, finding.code.title))));
    let mut message = finding.message.clone();
    for cause in &finding.causes {
        message.push_str(&format!("\nbecause: {cause}"));
    }
    for label in &finding.labels {
        let (line, column) = sources.line_column(label.span.source, label.span.start);
        message.push_str(&format!("\n{}:{line}:{column}: {}", sources.name(label.span.source), label.text));
    }
    if let Some(help) = &finding.help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    format!("::{} {}::{}\n", severity(finding), properties.join(","), data(&message))
}

fn data(text: &str) -> String {
    // What a stranger wrote acts on no terminal.
    let text = text.replace(|c| !is_plain(c) && !matches!(c, '\r' | '\n'), "\u{fffd}");
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
