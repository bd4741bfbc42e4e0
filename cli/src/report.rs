//! How findings reach people and programs.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use model::{Finding, Findings, Severity, Sources, codes};
use serde::Serialize;

use crate::args::Format;

/// Why a command did not succeed.
pub(crate) struct Failure {
    /// The texts the findings point into.
    pub(crate) sources: Sources,
    /// What is wrong; at least one error, but where it was told already.
    pub(crate) findings: Findings,
}

impl Failure {
    /// What was asked for is printed, and is a refusal.
    pub(crate) fn told() -> Self {
        Findings::new().into()
    }
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
    if failure.findings.is_empty() {
        return ExitCode::FAILURE;
    }
    let printed = print(&failure.sources, &failure.findings, format);
    let errors = failure.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let code = errors.map(|finding| finding.code.class.exit_code()).min();
    ExitCode::from(code.filter(|_| printed.is_ok()).unwrap_or(3))
}

/// Prints findings: words for people to standard error, documents for programs to standard output.
pub(crate) fn print(sources: &Sources, findings: &[Finding], format: Format) -> Result<(), Finding> {
    let (for_people, written) = match format {
        Format::Text | Format::Junit => (true, ::report::Format::Text { color: true }),
        Format::Json => (false, ::report::Format::Json),
        Format::Sarif => (false, ::report::Format::Sarif),
        Format::Github => (false, ::report::Format::Github),
    };
    let text = ::report::render(sources, findings, written);
    if for_people {
        let _ = anstream::stderr().lock().write_all(text.as_bytes());
        return Ok(());
    }
    data(text.as_bytes())
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

/// Writes to standard output: what is asked for is written as it is.
pub(crate) fn data(bytes: &[u8]) -> Result<(), Finding> {
    pieces([bytes])
}

/// The same piece by piece. A reader that closed it has seen enough; otherwise what cannot be written is lost, which is a
/// failure.
pub(crate) fn pieces<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Result<(), Finding> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = pieces.into_iter().try_for_each(|piece| out.write_all(piece));
    match written.and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Finding::error(codes::OUTPUT_IO, format!("standard output cannot be written: {e}")))
        }
        _ => Ok(()),
    }
}
