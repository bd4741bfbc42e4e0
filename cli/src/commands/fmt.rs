use std::path::{Path, PathBuf};

use model::{Finding, Findings, Sources, Span, codes};

use crate::args::Format;
use crate::project::{self, Text};
use crate::report::{self, Failure};

/// `fmt`: writes documents in the usual form and names those it changed, or finds those that are not in it.
pub(super) fn run(files: &[PathBuf], check: bool, format: Format) -> Result<(), Failure> {
    let (mut sources, mut findings, mut changed) = (Sources::default(), Findings::new(), Vec::new());
    for file in files {
        match formatted(file, check, &mut sources) {
            Ok(true) => changed.push(file),
            Ok(false) => {}
            Err(found) => findings.extend(found),
        }
    }
    if !findings.is_empty() {
        return Err(Failure { sources, findings });
    }
    if format == Format::Json {
        return Ok(report::print_json(&changed)?);
    }
    Ok(changed.iter().try_for_each(|file| report::line(file.display()))?)
}

/// Whether a file was changed.
fn formatted(file: &Path, check: bool, sources: &mut Sources) -> Result<bool, Findings> {
    let Text { source, text: before, .. } = project::read_text(file, sources)?;
    let after = grammar::yaml::format(source, &before)?;
    if before == after {
        return Ok(false);
    }
    if check {
        let finding = Finding::error(codes::NOT_FORMATTED, "the document is not in the usual form");
        return Err(finding.at(Span::new(source, 0, 0)).help("run `clnstrt-cli fmt` on it").into());
    }
    project::rewrite(file, after.as_bytes())?;
    Ok(true)
}
