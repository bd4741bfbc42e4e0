//! How findings reach people and programs.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use model::{Finding, Findings, Severity, Sources, codes};
use serde::Serialize;

use crate::args::Format;

/// Why a command did not succeed.
pub(crate) struct Failure {
    /// The texts the findings point into.
    pub(crate) sources: Sources,
    /// What is wrong; at least one error.
    pub(crate) findings: Findings,
}

impl From<Findings> for Failure {
    fn from(findings: Findings) -> Self {
        Self { sources: Sources::default(), findings }
    }
}

impl From<Finding> for Failure {
    fn from(finding: Finding) -> Self {
        Findings::from(finding).into()
    }
}

/// Prints the findings of a failed command and gives its exit code: a verdict counts before a mistake, and that before a
/// failure of the machine.
pub(crate) fn fail(failure: &Failure, format: Format) -> ExitCode {
    let printed = print(&failure.sources, &failure.findings, format);
    let errors = failure.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let code = errors.map(|finding| finding.code.class.exit_code()).min();
    ExitCode::from(code.filter(|_| printed.is_ok()).unwrap_or(3))
}

/// Prints findings, those of one place in the order of the text.
pub(crate) fn print(sources: &Sources, findings: &[Finding], format: Format) -> Result<(), Finding> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.span);
    match format {
        Format::Text => {
            let mut err = anstream::stderr().lock();
            for finding in sorted {
                let _ = err.write_all(render(sources, finding).as_bytes());
            }
            Ok(())
        }
        Format::Json => {
            let list: Vec<Row> = sorted.iter().map(|finding| Row::new(sources, finding)).collect();
            print_json(&serde_json::json!({ "findings": list }))
        }
    }
}

/// Prints warnings of a command that goes on. They are words, so they go to standard error in every format.
pub(crate) fn print_warnings(sources: &Sources, warnings: &[Finding]) {
    let _ = print(sources, warnings, Format::Text);
}

/// Prints a document for programs.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Finding> {
    line(serde_json::to_string_pretty(value).unwrap_or_default())
}

/// Prints a line of what the command was asked for.
pub(crate) fn line(text: impl fmt::Display) -> Result<(), Finding> {
    data(format!("{text}\n").as_bytes())
}

/// Writes to standard output. A reader that closed it has seen enough; otherwise what cannot be written is lost, which is
/// a failure.
pub(crate) fn data(bytes: &[u8]) -> Result<(), Finding> {
    let mut out = anstream::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Finding::error(codes::OUTPUT_IO, format!("standard output cannot be written: {e}")))
        }
        _ => Ok(()),
    }
}

/// One finding as text, with the source line it points at.
pub(crate) fn render(sources: &Sources, finding: &Finding) -> String {
    let mut text = String::new();
    let shown = Shown::new(sources, finding);
    let theme = GraphicalTheme::unicode();
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false);
    match handler.render_report(&mut text, &shown) {
        Ok(()) => text,
        Err(_) => format!("{}: {}\n", finding.code, finding.message),
    }
}

#[derive(Debug)]
struct Shown {
    code: String,
    message: String,
    severity: miette::Severity,
    help: Option<String>,
    cause: Option<Box<Cause>>,
    text: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
}

#[derive(Debug)]
struct Cause {
    text: String,
    next: Option<Box<Cause>>,
}

impl Shown {
    fn new(sources: &Sources, finding: &Finding) -> Self {
        let cause =
            finding.causes.iter().rev().fold(None, |next, text| Some(Box::new(Cause { text: text.clone(), next })));
        let at = finding
            .span
            .map(|span| LabeledSpan::new_primary_with_span(Some("here".into()), (span.start as usize, span.len())));
        let same =
            finding.labels.iter().filter(|label| finding.span.is_some_and(|span| span.source == label.span.source));
        let more = same.map(|label| {
            LabeledSpan::new_with_span(Some(label.text.clone()), (label.span.start as usize, label.span.len()))
        });
        Self {
            code: finding.code.to_string(),
            message: finding.message.clone(),
            severity: match finding.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
            },
            help: finding.help.clone(),
            cause,
            text: finding
                .span
                .map(|span| NamedSource::new(sources.name(span.source), sources.text(span.source).to_owned())),
            labels: at.into_iter().chain(more).collect(),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.next.as_deref().map(|cause| cause as _)
    }
}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.text.as_ref().map(|text| text as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as _)
    }
}

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
    fn new(sources: &'a Sources, finding: &'a Finding) -> Self {
        let place = |span: model::Span| {
            let (line, column) = sources.line_column(span.source, span.start);
            Place { file: sources.name(span.source), line, column, start: span.start, end: span.end }
        };
        Self {
            code: finding.code.id,
            severity: match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            message: &finding.message,
            place: finding.span.map(place),
            related: finding.labels.iter().map(|l| Related { place: place(l.span), text: &l.text }).collect(),
            causes: &finding.causes,
            help: finding.help.as_deref(),
        }
    }
}
