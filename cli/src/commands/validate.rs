use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use files::input;
use model::{Finding, Findings, Fix, Sources, codes, has_errors};

use super::lock::locked;
use crate::args::{Format, PolicyArgs};
use crate::policies;
use crate::project::{self, Project};
use crate::report::{self, Failure};

/// A correction may show another mistake, and like ones are made one after another; more rounds than any file needs.
const MAX_ROUNDS: usize = 100;

/// `validate`: reads and checks configurations and templates; all findings of all files.
pub(super) fn run(files: &[PathBuf], fix: bool, policies: &PolicyArgs, format: Format) -> Result<(), Failure> {
    let (mut sources, mut findings) = check(files);
    let mut fixed = 0;
    for _ in 0..MAX_ROUNDS {
        let corrected = if fix { correct(files, &sources, &findings)? } else { Vec::new() };
        let made: Vec<&Finding> = corrected.iter().flat_map(|corrected| &corrected.made).copied().collect();
        if made.is_empty() {
            break;
        }
        let (new_sources, new_findings) = check(files);
        if new_findings.iter().any(|new| made.iter().any(|old| is_still(&sources, old, &new_sources, new))) {
            // A correction that corrects nothing is none: all of this round's are taken back.
            for Corrected { file, before, .. } in &corrected {
                project::rewrite(file, before.as_bytes())?;
            }
            break;
        }
        fixed += made.len();
        (sources, findings) = (new_sources, new_findings);
    }
    if fixed > 0 {
        anstream::eprintln!("{fixed} correction(s) made");
    }
    if has_errors(&findings) {
        return Err(Failure { sources, findings });
    }
    files.iter().try_for_each(|file| judge(file, policies))?;
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

/// Asks policies about what a configuration is locked to. Without a lock, policies are only read: no rule knows enough.
fn judge(file: &Path, args: &PolicyArgs) -> Result<(), Failure> {
    let Ok(project) = Project::load(file, &[]) else { return Ok(()) }; // a template
    match locked(&project) {
        Ok(lock) => policies::judge(&project, &lock, &args.policies, project.images().iter()),
        Err(finding) if finding.code != codes::LOCK_MISSING && finding.code != codes::LOCK_OUTDATED => {
            Err(finding.into())
        }
        Err(outdated) => {
            let mut sources = project.sources.clone();
            let (mut named, mut findings) = (false, Findings::new());
            for image in project.images() {
                match policies::of_image(&project, image, &args.policies, &mut sources) {
                    Ok(engines) => named |= !engines.is_empty(),
                    Err(found) => findings.extend(found),
                }
            }
            if has_errors(&findings) {
                return Err(Failure { sources, findings });
            }
            if named {
                anstream::eprintln!("policies were read and not asked: {}", outdated.message);
            }
            Ok(())
        }
    }
}

/// Whether a finding whose correction was made is there again.
fn is_still(sources: &Sources, old: &Finding, new_sources: &Sources, new: &Finding) -> bool {
    let place = |sources: &Sources, finding: &Finding| {
        finding.span.map(|span| (sources.name(span.source).to_owned(), sources.line_column(span.source, span.start)))
    };
    (old.code, &old.message) == (new.code, &new.message) && place(sources, old) == place(new_sources, new)
}

/// A file that was changed.
struct Corrected<'f> {
    file: PathBuf,
    /// What it held.
    before: String,
    /// The findings whose corrections were made.
    made: Vec<&'f Finding>,
}

/// Makes the proposed changes in the files that were named.
fn correct<'f>(files: &[PathBuf], sources: &Sources, findings: &'f [Finding]) -> Result<Vec<Corrected<'f>>, Finding> {
    let mut corrected = Vec::new();
    for file in files {
        let name = input::shown(file);
        let of_file =
            |finding: &&Finding| finding.fix.as_ref().is_some_and(|fix| sources.name(fix.span.source) == name);
        let mut fixes: Vec<(&Finding, &Fix)> =
            findings.iter().filter(of_file).filter_map(|finding| Some((finding, finding.fix.as_ref()?))).collect();
        // A file that several documents extend is there once for each.
        fixes.sort_by_key(|(_, fix)| (fix.span.start, fix.span.end));
        fixes.dedup_by(|(_, a), (_, b)| (a.span.start, a.span.end, &a.text) == (b.span.start, b.span.end, &b.text));
        let Some((_, first)) = fixes.first() else { continue };
        let before = sources.text(first.span.source).to_owned();
        let changes: Vec<&Fix> = fixes.iter().map(|(_, fix)| *fix).collect();
        let (text, made) = apply(&before, &changes);
        project::rewrite(file, text.as_bytes())?;
        let made = made.into_iter().filter_map(|at| fixes.get(at)).map(|(finding, _)| *finding).collect();
        corrected.push(Corrected { file: file.clone(), before, made });
    }
    Ok(corrected)
}

/// A text with changes made, and which were. Those that overlap an earlier one are left out; so are those that write the
/// same word as an earlier one, for both may stand in one map or list: the text is checked before the second is made.
fn apply(text: &str, fixes: &[&Fix]) -> (String, Vec<usize>) {
    let (mut out, mut at, mut words) = (String::with_capacity(text.len()), 0, BTreeSet::new());
    let mut made = Vec::new();
    for (number, fix) in fixes.iter().enumerate() {
        let (start, end) = (fix.span.start as usize, fix.span.end as usize);
        let Some(between) = text.get(at..start) else { continue };
        let word = fix.text.trim();
        if !word.is_empty() && !words.insert(word) {
            continue;
        }
        out.push_str(between);
        out.push_str(&fix.text);
        at = end;
        made.push(number);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    (out, made)
}

#[cfg(test)]
mod tests {
    use model::{SourceId, Span};

    use super::*;

    fn fix(start: usize, end: usize, text: &str) -> Fix {
        Fix { span: Span::new(SourceId(0), start, end), text: text.into() }
    }

    #[test]
    fn a_word_is_written_once_before_the_text_is_checked_again() {
        let fixes =
            [fix(0, 2, "name"), fix(3, 5, "name"), fix(6, 7, "x"), fix(6, 8, "y"), fix(9, 9, " "), fix(9, 10, " ")];
        let (text, made) = apply("na nm a b c", &fixes.each_ref());
        assert_eq!((text.as_str(), made), ("name nm x b  c", vec![0, 2, 4, 5]));
    }
}
