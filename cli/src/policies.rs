//! Policies and images: whose are asked about which, and what comes of it.

use std::path::Path;

use compiler::template::Image;
use model::lock::Lock;
use model::{Finding, Findings, Sources, has_errors};
use policy::{Engine, Input, Outcome, Verdict};
use rules::{Loaded, ask_all, now, of_organisation};

use crate::project::Project;
use crate::report::{self, Failure};

/// Those who demand something of an image, each with its policies ready: the organisation, the command line, the configuration.
/// They are asked apart, so that nobody's rules, names and exceptions reach into another's.
pub(crate) fn of_image(
    project: &Project,
    image: &Image,
    named: &[String],
    sources: &mut Sources,
) -> Result<Vec<Engine>, Findings> {
    let mut engines = Vec::new();
    engines.extend(Loaded::read(&of_organisation()?, Path::new(""), sources)?.demands()?);
    engines.extend(Loaded::read(named, Path::new(""), sources)?.demands()?);
    let declared: Vec<String> = image.config.policies.iter().map(|declared| declared.value.clone()).collect();
    let span = image.config.policies.first().map(|declared| declared.span);
    let placed = |found: Findings| -> Findings {
        found.into_iter().map(|finding| span.into_iter().fold(finding, Finding::or_at)).collect()
    };
    engines.extend(Loaded::read(&declared, project.directory(), sources).map_err(placed)?.demands()?);
    Ok(engines)
}

/// Asks the policies of images about them.
///
/// # Errors
/// What they refuse, and what is wrong with them.
pub(crate) fn judge<'i>(
    project: &Project,
    lock: &Lock,
    named: &[String],
    images: impl Iterator<Item = &'i Image>,
) -> Result<(), Failure> {
    let mut sources = project.sources.clone();
    let mut findings = Findings::new();
    let mut rules = [0_usize; 3];
    for image in images {
        let outcome = match of_image(project, image, named, &mut sources) {
            Ok(engines) => ask(engines, image, lock)?,
            Err(found) => {
                findings.extend(project.of_image(image, found));
                continue;
            }
        };
        for decision in &outcome.decisions {
            let place = match decision.verdict {
                Verdict::Holds => 0,
                Verdict::Excepted(_) => 1,
                Verdict::Deferred(_) => 2,
                _ => continue,
            };
            if let Some(count) = rules.get_mut(place) {
                *count += 1;
            }
        }
        for excepted in &outcome.excepted {
            anstream::eprintln!(
                "excepted until {} ({}, approved by {}): {}: {}",
                excepted.until,
                excepted.reason,
                excepted.approved_by,
                excepted.rule,
                excepted.message
            );
        }
        findings.extend(project.of_image(image, outcome.findings));
    }
    findings.dedup();
    if has_errors(&findings) {
        return Err(Failure { sources, findings });
    }
    report::print_warnings(&sources, &findings);
    if rules != [0; 3] {
        let [hold, excepted, deferred] = rules;
        let excepted = if excepted > 0 { format!(", {excepted} with exceptions") } else { String::new() };
        anstream::eprintln!("policies: {hold} rules hold{excepted}, {deferred} wait for a later stage");
    }
    Ok(())
}

/// Asks everybody's policies about one image, for now.
pub(crate) fn ask(engines: Vec<Engine>, image: &Image, lock: &Lock) -> Result<Outcome, Finding> {
    if engines.is_empty() {
        return Ok(Outcome::default());
    }
    let facts = compiler::facts(&image.config, lock, &now())?;
    let input = Input::of(&facts);
    ask_all(engines, facts, input)
}
