//! Cases as files: adding one is adding a file or a folder.
//!
//! What must come out is recorded beside a case and compared; with `UPDATE=1` in the environment it is written instead.
//! What must be refused says so in its own text: `# error: CS0201 CS0203` at the end of the line that is wrong.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use model::{Finding, Sources};

/// The files with an extension in a folder below `tests/`, in order.
pub fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    entries(folder, |path| path.extension().is_some_and(|found| found == extension))
}

/// The folders in a folder below `tests/`, in order.
pub fn folders(folder: &str) -> Vec<PathBuf> {
    entries(folder, Path::is_dir)
}

/// A path below `tests/`.
pub fn place(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(1).expect("this folder lies below `tests/`").join(path)
}

fn entries(folder: &str, is_case: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let folder = place(folder);
    let listed = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut cases: Vec<PathBuf> = listed.map(|entry| entry.expect("it is listed").path()).collect();
    cases.retain(|path| is_case(path));
    cases.sort();
    assert!(!cases.is_empty(), "{} has no case", folder.display());
    cases
}

/// Compares what came out with what is recorded, file by file; a file that is not there is empty.
///
/// # Panics
/// Where anything differs, with all that does.
#[track_caller]
pub fn compare(found: impl IntoIterator<Item = (PathBuf, String)>) {
    let mut wrong = String::new();
    for (path, text) in found {
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
        if fs::read_to_string(&path).unwrap_or_default() != text {
            writeln!(wrong, "--- {}\n{text}", path.display()).expect("a string takes everything");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The files of a case that is one file, each after a line `-- name --`; text before the first such line belongs to nobody.
pub fn parts(text: &str) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        let name = line.trim_end().strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"));
        match (name, parts.last_mut()) {
            (Some(name), _) => parts.push((name.to_owned(), String::new())),
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => {}
        }
    }
    parts
}

/// A case of several files with what came out of it as its last part, called `found`.
pub fn with_found(text: &str, found: &str) -> String {
    let start = text.split("-- found --\n").next().unwrap_or_default();
    let gap = if start.ends_with('\n') { "" } else { "\n" };
    format!("{start}{gap}-- found --\n{found}")
}

/// Line (1 is the first) and code of everything a case says is wrong with it, in order.
pub fn declared(text: &str) -> Vec<(usize, String)> {
    let said = |(line, text): (usize, &str)| {
        let codes = text.split_once("# error: ").map_or("", |(_, codes)| codes);
        codes.split_whitespace().map(|code| (line + 1, code.to_owned())).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = text.lines().enumerate().flat_map(said).collect();
    all.sort_unstable();
    all
}

/// Checks that exactly what is expected was found; line 0 stands for a finding without a place. Every place must lie on
/// characters of the text, and every message in one line.
///
/// # Errors
/// What differs.
pub fn agree(case: &Path, findings: &[Finding], sources: &Sources, expected: &[(usize, String)]) -> Result<(), String> {
    assert!(!expected.is_empty(), "{} says nothing is wrong with it", case.display());
    let line = |f: &Finding| f.span.map_or(0, |span| sources.line_column(span.source, span.start).0);
    let mut found: Vec<_> = findings.iter().map(|f| (line(f), f.code.id.to_owned())).collect();
    found.sort_unstable();
    for finding in findings {
        for span in finding.span.into_iter().chain(finding.labels.iter().map(|label| label.span)) {
            let text = sources.text(span.source);
            assert!(text.get(span.start as usize..span.end as usize).is_some(), "{finding:?}");
        }
        assert!(finding.message.len() < 400 && !finding.message.contains('\n'), "{finding:?}");
    }
    if found == expected {
        return Ok(());
    }
    let shown: String = findings.iter().map(|f| format!("    {} {}\n", line(f), f.message)).collect();
    Err(format!("{}:\n  found    {found:?}\n  expected {expected:?}\n{shown}", case.display()))
}

/// Runs a check over all cases.
///
/// # Panics
/// Where it fails for any, with what it said of each.
#[track_caller]
pub fn all(cases: &[PathBuf], check: impl Fn(&Path) -> Result<(), String>) {
    let wrong: String = cases.iter().filter_map(|case| check(case).err()).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::codes;

    #[test]
    fn parts_are_told_apart_by_their_names() {
        let text = "words\n-- a.yaml --\nx: 1\n-- b --\n-- found --\nold\n";
        let part = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(parts(text), [part("a.yaml", "x: 1\n"), part("b", ""), part("found", "old\n")]);
        let renewed = with_found(text, "new\n");
        assert_eq!(parts(&renewed).last(), Some(&part("found", "new\n")));
        assert_eq!(with_found(&renewed, "new\n"), renewed);
    }

    #[test]
    fn what_differs_is_noticed() {
        let (case, sources) = (Path::new("case"), Sources::default());
        let findings = [Finding::error(codes::USAGE, "wrong")];
        let id = codes::USAGE.id.to_owned();
        assert_eq!(agree(case, &findings, &sources, &[(0, id.clone())]), Ok(()));
        assert!(agree(case, &findings, &sources, &[(1, id.clone())]).is_err());
        assert!(agree(case, &[], &sources, &[(0, id)]).is_err());
    }

    #[test]
    fn a_line_says_what_is_wrong_with_it() {
        let expected = [(2, "CS0101".to_owned()), (2, "CS0102".to_owned())];
        assert_eq!(declared("a: 1 # fine\nb: 2   # error: CS0102 CS0101\n"), expected);
    }

    #[test]
    #[should_panic(expected = "--- ")]
    fn a_recorded_text_that_differs_fails() {
        compare([(place("cases/src/none"), "something".to_owned())]);
    }
}
