use std::path::PathBuf;

use model::{Finding, Findings, Fix, Sources, has_errors};

use crate::args::Format;
use crate::project;
use crate::report::{self, Failure};

/// A correction may show another mistake; more rounds than any file needs.
const MAX_ROUNDS: usize = 10;

/// `validate`: reads and checks configurations and templates; all findings of all files.
pub(super) fn run(files: &[PathBuf], fix: bool, format: Format) -> Result<(), Failure> {
    let (mut sources, mut findings) = check(files);
    let mut fixed = 0;
    for _ in 0..MAX_ROUNDS {
        let corrected = if fix { correct(files, &sources, &findings)? } else { 0 };
        if corrected == 0 {
            break;
        }
        fixed += corrected;
        (sources, findings) = check(files);
    }
    if fixed > 0 {
        anstream::eprintln!("{fixed} correction(s) made");
    }
    if has_errors(&findings) {
        return Err(Failure { sources, findings });
    }
    report::print(&sources, &findings, format)?;
    let warnings =
        if findings.is_empty() { "nothing found".to_owned() } else { format!("{} warning(s)", findings.len()) };
    anstream::eprintln!("{} file(s) checked, {warnings}", files.len());
    Ok(())
}

fn check(files: &[PathBuf]) -> (Sources, Findings) {
    let mut sources = Sources::default();
    let findings = files.iter().flat_map(|file| project::check(file, &mut sources)).collect();
    (sources, findings)
}

/// Makes the proposed changes in the files that were named; answers how many.
fn correct(files: &[PathBuf], sources: &Sources, findings: &[Finding]) -> Result<usize, Finding> {
    let mut made = 0;
    for file in files {
        let name = file.display().to_string();
        let of_file = |fix: &&Fix| sources.name(fix.span.source) == name;
        let mut fixes: Vec<&Fix> = findings.iter().filter_map(|finding| finding.fix.as_ref()).filter(of_file).collect();
        fixes.sort_by_key(|fix| (fix.span.start, fix.span.end));
        fixes.dedup();
        let Some(first) = fixes.first() else { continue };
        let (text, count) = apply(sources.text(first.span.source), &fixes);
        project::rewrite(file, text.as_bytes())?;
        made += count;
    }
    Ok(made)
}

/// A text with changes made, those that overlap an earlier one left out.
fn apply(text: &str, fixes: &[&Fix]) -> (String, usize) {
    let (mut out, mut at, mut count) = (String::with_capacity(text.len()), 0, 0);
    for fix in fixes {
        let (start, end) = (fix.span.start as usize, fix.span.end as usize);
        let Some(between) = text.get(at..start) else { continue };
        out.push_str(between);
        out.push_str(&fix.text);
        (at, count) = (end, count + 1);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    (out, count)
}
