//! Findings as people and programs read them. Everything here is a function of findings and texts: nothing is printed.

mod github;
mod json;
mod sarif;
mod text;

use model::{Finding, Sources};

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people, with the lines the findings point at.
    Text {
        /// With the escapes that color a terminal.
        color: bool,
    },
    /// One JSON document of this project's own shape.
    Json,
    /// SARIF 2.1.0 (OASIS), as code scanning reads it.
    Sarif,
    /// Workflow commands, which become annotations of a change.
    Github,
}

/// Writes findings in the order of the texts they point into; those without a place come first.
pub fn render(sources: &Sources, findings: &[Finding], format: Format) -> String {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
    match format {
        Format::Text { color } => sorted.iter().map(|finding| text::render(sources, finding, color)).collect(),
        Format::Json => json::render(sources, &sorted),
        Format::Sarif => sarif::render(sources, &sorted),
        Format::Github => sorted.iter().map(|finding| github::render(sources, finding)).collect(),
    }
}
