use std::path::{Path, PathBuf};

use model::{Findings, Sources};

use crate::project;
use crate::report::{self, Failure};

/// `fmt`: writes documents in the usual form, or names those that are not in it.
pub(super) fn run(files: &[PathBuf], check: bool) -> Result<(), Failure> {
    let (mut sources, mut findings, mut changed) = (Sources::default(), Findings::new(), Vec::new());
    for file in files {
        match formatted(file, &mut sources) {
            Ok((before, after)) if before == after => {}
            Ok((_, after)) => {
                if !check {
                    project::write_whole(file, after.as_bytes())?;
                }
                changed.push(file);
            }
            Err(found) => findings.extend(found),
        }
    }
    for file in &changed {
        report::line(file.display())?;
    }
    if check && !changed.is_empty() {
        let message = format!("{} of {} file(s) are not in the usual form", changed.len(), files.len());
        findings
            .push(model::Finding::error(model::codes::NOT_FORMATTED, message).help("run `clnstrt-cli fmt` on them"));
    }
    if findings.is_empty() {
        return Ok(());
    }
    Err(Failure { sources, findings })
}

fn formatted(file: &Path, sources: &mut Sources) -> Result<(String, String), Findings> {
    let (source, text) = project::read_text(file, sources)?;
    let after = grammar::yaml::format(source, &text)?;
    Ok((text, after))
}
