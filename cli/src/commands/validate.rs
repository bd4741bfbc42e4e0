use std::path::PathBuf;

use model::{Findings, Severity, Sources};

use crate::args::Format;
use crate::project;
use crate::report::{self, Failure};

/// `validate`: reads and checks configurations; all findings of all files.
pub(super) fn run(files: &[PathBuf], format: Format) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let findings: Findings = files.iter().flat_map(|file| project::check(file, &mut sources)).collect();
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(Failure { sources, findings });
    }
    report::print(&sources, &findings, format)?;
    let warnings =
        if findings.is_empty() { "nothing found".to_owned() } else { format!("{} warning(s)", findings.len()) };
    anstream::eprintln!("{} configuration(s) checked, {warnings}", files.len());
    Ok(())
}
