//! A verdict as JUnit reports tests: each check is a test case.

use model::text::printable;
use quick_xml::Writer;
use quick_xml::events::BytesText;
use verifier::{Outcome, Verdict};

/// The report of a verdict.
pub(super) fn report(verdict: &Verdict) -> String {
    let count = |wanted: Outcome| verdict.checks.iter().filter(|check| check.outcome == wanted).count().to_string();
    let (tests, failures, skipped) =
        (verdict.checks.len().to_string(), count(Outcome::Failed), count(Outcome::Skipped));
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    let suite = xml.create_element("testsuite").with_attributes([
        ("name", printable(&verdict.reference).as_str()),
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", "0"),
        ("skipped", skipped.as_str()),
    ]);
    let written = suite.write_inner_content(|xml| {
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
                Outcome::Skipped => drop(case.write_inner_content(|xml| {
                    xml.create_element("skipped")
                        .with_attribute(("message", printable(&check.reason).as_str()))
                        .write_empty()?;
                    Ok(())
                })?),
                Outcome::Failed => drop(case.write_inner_content(|xml| {
                    let failure = xml
                        .create_element("failure")
                        .with_attributes([("type", check.code.id), ("message", check.code.title)]);
                    failure.write_text_content(BytesText::new(&printable(&check.reason)))?;
                    Ok(())
                })?),
            }
        }
        Ok(())
    });
    match written {
        Ok(_) => format!("{}\n", String::from_utf8_lossy(&xml.into_inner())),
        Err(_) => String::new(),
    }
}

/// That nothing was checked.
pub(super) fn allowed(name: &str, by: &str) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    let suite = xml.create_element("testsuite").with_attributes([
        ("name", name),
        ("tests", "1"),
        ("failures", "0"),
        ("skipped", "1"),
    ]);
    let written = suite.write_inner_content(|xml| {
        let case = xml.create_element("testcase").with_attribute(("name", "allowed"));
        case.write_inner_content(|xml| {
            xml.create_element("skipped").with_attribute(("message", by)).write_empty()?;
            Ok(())
        })?;
        Ok(())
    });
    match written {
        Ok(_) => format!("{}\n", String::from_utf8_lossy(&xml.into_inner())),
        Err(_) => String::new(),
    }
}
