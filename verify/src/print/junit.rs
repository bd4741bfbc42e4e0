//! Verdicts as JUnit reports tests: each check is a test case.

use std::io;
use std::slice;

use model::Finding;
use model::text::printable;
use quick_xml::Writer;
use quick_xml::events::BytesText;
use verifier::{Outcome, Verdict};

use crate::run::Told;

type Xml = Writer<Vec<u8>>;

/// The report of what came of images: a suite for each.
pub(super) fn report(told: &[Told]) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    let written = xml.create_element("testsuites").write_inner_content(|xml| {
        told.iter().try_for_each(|one| match one {
            Told::Judged(verdict, _) => judged(xml, verdict),
            Told::Allowed { name, by } => allowed(xml, name, by),
            Told::Unknown { name, findings } => unknown(xml, name, findings),
        })
    });
    match written {
        Ok(_) => format!("{}\n", String::from_utf8_lossy(&xml.into_inner())),
        Err(_) => String::new(),
    }
}

fn judged(xml: &mut Xml, verdict: &Verdict) -> io::Result<()> {
    let count = |wanted: Outcome| verdict.checks.iter().filter(|check| check.outcome == wanted).count();
    let counts = [verdict.checks.len(), count(Outcome::Failed), 0, count(Outcome::Skipped)];
    suite(xml, &verdict.reference, counts, |xml| {
        for check in &verdict.checks {
            let name = match &check.platform {
                Some(platform) => format!("{} {}", check.name, printable(platform)),
                None => check.name.to_owned(),
            };
            let digest = verdict.digest.to_string();
            let case = xml
                .create_element("testcase")
                .with_attributes([("classname", digest.as_str()), ("name", name.as_str())]);
            match check.outcome {
                Outcome::Passed => drop(case.write_empty()?),
                Outcome::Skipped => drop(case.write_inner_content(|xml| skipped(xml, &check.reason))?),
                Outcome::Failed => drop(case.write_inner_content(|xml| {
                    let help = check.help.iter().map(|help| format!("\nhelp: {help}")).collect::<String>();
                    let failure = xml
                        .create_element("failure")
                        .with_attributes([("type", check.code.id), ("message", check.code.title)]);
                    failure.write_text_content(BytesText::new(&(printable(&check.reason) + &help)))?;
                    Ok(())
                })?),
            }
        }
        Ok(())
    })
}

/// That nothing was checked.
fn allowed(xml: &mut Xml, name: &str, by: &str) -> io::Result<()> {
    suite(xml, name, [1, 0, 0, 1], |xml| {
        let case = xml.create_element("testcase").with_attribute(("name", "allowed"));
        case.write_inner_content(|xml| skipped(xml, by)).map(drop)
    })
}

/// That it could not be had.
fn unknown(xml: &mut Xml, name: &str, findings: &[Finding]) -> io::Result<()> {
    suite(xml, name, [1, 0, 1, 0], |xml| {
        let case = xml.create_element("testcase").with_attribute(("name", "image"));
        let written = case.write_inner_content(|xml| {
            let (code, text) = (findings.first().map_or("", |finding| finding.code.id), words(findings));
            let error = xml.create_element("error").with_attribute(("type", code));
            error.write_text_content(BytesText::new(&printable(&text))).map(drop)
        });
        written.map(drop)
    })
}

fn words(findings: &[Finding]) -> String {
    let one = |finding: &Finding| [slice::from_ref(&finding.message), &finding.causes].concat().join(": ");
    findings.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// `counts` are those of all cases, those that failed, those that could not be judged, and those that were passed over.
fn suite(
    xml: &mut Xml,
    name: &str,
    counts: [usize; 4],
    cases: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    let [tests, failures, errors, skipped] = counts.map(|count| count.to_string());
    let suite = xml.create_element("testsuite").with_attributes([
        ("name", printable(name).as_str()),
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", errors.as_str()),
        ("skipped", skipped.as_str()),
    ]);
    suite.write_inner_content(cases).map(drop)
}

fn skipped(xml: &mut Xml, why: &str) -> io::Result<()> {
    xml.create_element("skipped").with_attribute(("message", printable(why).as_str())).write_empty().map(drop)
}
