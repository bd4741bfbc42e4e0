use std::collections::BTreeMap;

use compiler::template::{Assignment, Expanded};
use model::{Sources, has_errors};
use serde::Serialize;

use crate::args::{ConfigArg, Format};
use crate::project;
use crate::report::{self, Failure};

/// `expand`: the images of a configuration as the compiler reads them.
pub(super) fn run(config: &ConfigArg, format: Format) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let read = project::open(&config.config, &mut sources);
    let expanded = read.and_then(|(document, mut findings)| {
        let (images, found) = document.expand_all(&config.select, |assignment, mut expanded| {
            let findings = std::mem::take(&mut expanded.findings);
            let printed = match format {
                Format::Json => as_json(assignment, &expanded),
                _ => as_yaml(assignment, &expanded, &sources),
            };
            (printed, findings)
        })?;
        findings.extend(found);
        if has_errors(&findings) { Err(findings) } else { Ok((images, findings)) }
    });
    let (images, warnings) = match expanded {
        Ok(done) => done,
        Err(findings) => return Err(Failure { sources, findings }),
    };
    report::print_warnings(&sources, &warnings);
    let (start, between, end) = if format == Format::Json { ("[\n", ",\n", "\n]\n") } else { ("", "---\n", "") };
    let images = images.iter().enumerate().flat_map(|(at, image)| [if at > 0 { between } else { start }, image]);
    Ok(report::pieces(images.chain([end]).map(str::as_bytes))?)
}

/// An image in JSON.
#[derive(Serialize)]
struct Row<'a, T> {
    name: Option<&'a str>,
    select: BTreeMap<&'a str, String>,
    image: T,
}

fn as_json(assignment: &Assignment, expanded: &Expanded) -> String {
    let select = assignment.pairs().map(|(name, value)| (name, value.into())).collect();
    let row = Row { name: expanded.name.as_deref(), select, image: expanded.json() };
    serde_json::to_string(&row).unwrap_or_default()
}

/// A document that starts by saying which image it is.
fn as_yaml(assignment: &Assignment, expanded: &Expanded, sources: &Sources) -> String {
    let name = expanded.name.as_deref().unwrap_or("without a name");
    let title = format!("{name} {assignment}").replace(char::is_control, "\u{fffd}");
    format!("# {}\n{}", title.trim_end(), expanded.print(sources))
}
