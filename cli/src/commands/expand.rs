use model::{Sources, has_errors};
use serde_json::{Value, json};

use crate::args::{ConfigArg, Format};
use crate::project;
use crate::report::{self, Failure};

/// `expand`: the images of a configuration as the compiler reads them.
pub(super) fn run(config: &ConfigArg, format: Format) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let read = project::open(&config.config, &mut sources);
    let expanded = read.and_then(|(document, mut findings)| {
        let mut images = Vec::new();
        for assignment in document.assignments(&config.select)? {
            let expanded = document.expand(&assignment);
            for finding in &expanded.findings {
                if !findings.contains(finding) {
                    findings.push(finding.clone());
                }
            }
            images.push((assignment, expanded));
        }
        if has_errors(&findings) { Err(findings) } else { Ok((images, findings)) }
    });
    let (images, warnings) = match expanded {
        Ok(done) => done,
        Err(findings) => return Err(Failure { sources, findings }),
    };
    report::print_warnings(&sources, &warnings);
    if format == Format::Json {
        let rows: Vec<Value> = images
            .iter()
            .map(|(assignment, expanded)| {
                let values: serde_json::Map<String, Value> =
                    assignment.pairs().map(|(name, value)| (name.to_owned(), value.into())).collect();
                json!({ "select": values, "image": expanded.json() })
            })
            .collect();
        return Ok(report::print_json(&rows)?);
    }
    for (at, (assignment, expanded)) in images.iter().enumerate() {
        let title = assignment.to_string();
        if images.len() > 1 {
            report::data(format!("{}# {title}\n", if at > 0 { "---\n" } else { "" }).as_bytes())?;
        }
        report::data(expanded.print(&sources).as_bytes())?;
    }
    Ok(())
}
