use std::path::PathBuf;

use crate::args::Format;
use crate::project::Project;
use crate::report::{self, Failure};

/// `validate`: reads and checks configurations; all findings of all files.
pub(super) fn run(files: &[PathBuf], format: Format) -> Result<(), Failure> {
    let mut failed: Option<Failure> = None;
    for file in files {
        match Project::load(file) {
            Ok(project) => report::print(&project.sources, &project.warnings, format),
            Err(failure) => {
                if let Some(earlier) = failed.replace(failure) {
                    report::print(&earlier.sources, &earlier.findings, format);
                }
            }
        }
    }
    match failed {
        Some(failure) => Err(failure),
        None => {
            anstream::eprintln!("{} configuration(s) checked, nothing found", files.len());
            Ok(())
        }
    }
}
