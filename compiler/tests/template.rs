//! Every file of `tests/compile/template` is a case: documents, and as its last part what comes out of them. In `ok/` that is every
//! image with its values in place; in `err/` the findings, word for word as people see them. With `UPDATE=1` in the
//! environment the last part is written.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use compiler::template::{Document, Library};
use model::{Finding, Findings, Sources, codes};

struct Files(Vec<(String, String)>);

impl Library for Files {
    fn read(&self, path: &str) -> Result<(String, String), Finding> {
        let missing =
            || Finding::error(codes::TEMPLATE_UNREADABLE, format!("{path} is not there")).help("check the path");
        self.0.iter().find(|(name, _)| name == path).cloned().ok_or_else(missing)
    }
}

/// What comes out of the first file of a case: its images, and its findings.
fn outcome(text: &str) -> (String, Findings, Sources) {
    let files = Files(cases::parts(text));
    let mut sources = Sources::default();
    let (name, text) = files.0.first().unwrap();
    let source = sources.add(name, text);
    let parsed = grammar::yaml::parse(source, text);
    let mut findings = parsed.findings;
    let mut out = String::new();
    if let Some(root) = &parsed.root {
        let (document, found) = Document::load(name, root, &parsed.mended, &mut sources, &files);
        findings.extend(found);
        match document.images(&[]) {
            Ok((images, found)) => {
                findings.extend(found);
                for image in &images {
                    writeln!(out, "{}", format!("{} {}", image.config.name.value, image.assignment).trim_end())
                        .unwrap();
                    let expanded = document.expand(&image.assignment).print(&sources);
                    expanded.lines().for_each(|line| writeln!(out, "    {line}").unwrap());
                }
            }
            Err(found) => findings.extend(found),
        }
    }
    (out, findings, sources)
}

#[test]
fn what_is_right_expands_to_what_it_says() {
    cases::compare(cases::files("compile/template/ok", "txt").iter().map(|case| {
        let text = fs::read_to_string(case).unwrap();
        let (out, findings, sources) = outcome(&text);
        let findings = report::render(&sources, &findings, report::Format::Text { color: false });
        assert_eq!(findings, "", "{}", case.display());
        (case.clone(), cases::with_found(&text, &out))
    }));
}

#[test]
fn what_is_wrong_is_said_in_these_words() {
    let recorded = cases::files("compile/template/err", "txt");
    cases::compare(recorded.iter().map(|case| {
        let text = fs::read_to_string(case).unwrap();
        let (_, findings, sources) = outcome(&text);
        assert!(findings.iter().any(|finding| finding.span.is_some()), "{}: {findings:?}", case.display());
        check_places(case, &findings, &sources);
        (
            case.clone(),
            cases::with_found(&text, &report::render(&sources, &findings, report::Format::Text { color: false })),
        )
    }));
}

/// Every place lies in a text, and every finding says what helps.
fn check_places(case: &Path, findings: &[Finding], sources: &Sources) {
    for finding in findings {
        for span in finding.span.into_iter().chain(finding.labels.iter().map(|label| label.span)) {
            let text = sources.text(span.source);
            assert!(text.get(span.start as usize..span.end as usize).is_some(), "{}: {finding:?}", case.display());
        }
        assert!(finding.help.is_some(), "{}: {}", case.display(), finding.message);
    }
}
