//! The author's own requirements: reading them, what is wrong with each alone, and what is wrong with them together.

use std::collections::{BTreeMap, BTreeSet};

use grammar::quote;
use model::{Arch, Finding, Findings, Fix, Span, Spanned, codes};
use pep508_rs::pep440_rs::Version;

use super::catalogue::{Catalogue, Offer};
use super::requirement::{Requirement, mended};
use super::universe::{contains, written};
use crate::{Need, Project};

/// How many versions a message names.
const SHOWN: usize = 5;

/// A requirement of the configuration.
#[derive(Clone, Debug)]
pub(super) struct WantedRoot {
    pub(super) requirement: Requirement,
    pub(super) span: Span,
}

/// Reads all requirements, or says what is wrong with each that cannot be read.
pub(super) fn parse(requirements: &[Spanned<String>]) -> Result<Vec<WantedRoot>, Findings> {
    let mut findings = Findings::new();
    let mut roots = Vec::new();
    for Spanned { value, span } in requirements {
        match Requirement::parse(value) {
            Ok(requirement) => roots.push(WantedRoot { requirement, span: *span }),
            Err(error) => {
                let message = format!("the requirement {} cannot be read", quote(value));
                let finding = Finding::error(codes::BAD_REQUIREMENT, message).because(error.message);
                let finding = finding.at(inside(*span, value, error.start, error.len));
                findings.push(match mended(value) {
                    Some(near) => {
                        let fix = (span.len() == value.len()).then(|| Fix { span: *span, text: near.clone() });
                        Finding { fix, ..finding.help(format!("did you mean {}?", quote(&near))) }
                    }
                    None => finding.help("write name, extras, versions and marker as in `uvicorn[standard]>=0.24,<0.25; python_version >= '3.11'`"),
                });
            }
        }
    }
    if findings.is_empty() { Ok(roots) } else { Err(findings) }
}

/// The place of a part of a requirement, if the requirement is written as it is. One that is not of ASCII alone is shown
/// whole: escapes could have made it as long as what is written, and a place would lie inside a character.
fn inside(span: Span, value: &str, start: usize, len: usize) -> Span {
    if span.len() != value.len() || !value.is_ascii() {
        return span;
    }
    let (first, end) = (span.start as usize, span.end as usize);
    let from = (first + start).min(end.saturating_sub(1));
    Span::new(span.source, from, (from + len.max(1)).min(end))
}

/// What is wrong with single requirements; the pages that are still missing are an error.
pub(super) fn check(roots: &[WantedRoot], catalogue: &Catalogue<'_>) -> Result<Findings, BTreeSet<Need>> {
    let applying = || {
        roots.iter().filter_map(|root| {
            let platforms = catalogue.platforms.values();
            let arches: Vec<Arch> = platforms
                .filter(|platform| root.requirement.applies(&platform.markers))
                .map(|platform| platform.arch)
                .collect();
            (!arches.is_empty()).then_some((root, arches))
        })
    };
    let missing: BTreeSet<Need> =
        applying().filter_map(|(root, _)| catalogue.project(&root.requirement.project).err()).collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    Ok(applying().filter_map(|(root, arches)| check_one(root, &arches, catalogue)).collect())
}

fn check_one(root: &WantedRoot, arches: &[Arch], catalogue: &Catalogue<'_>) -> Option<Finding> {
    let Requirement { project, specifiers, .. } = &root.requirement;
    let Project::Page { page, .. } = catalogue.project(project).ok()? else {
        let finding = Finding::error(codes::PYPI_NO_SUCH_PROJECT, format!("the index knows no project `{project}`"));
        return Some(
            finding
                .help(format!(
                    "Check the spelling of `{}`; `clnstrt-cli sources` shows which index is asked.",
                    root.requirement.text
                ))
                .at(root.span),
        );
    };
    let (matching, others): (Vec<&Version>, Vec<&Version>) =
        page.releases().map(|(version, _)| version).partition(|version| contains(specifiers, version));
    if matching.is_empty() {
        let limit = written(specifiers);
        let message = if others.is_empty() {
            format!("the index lists no file of {project}")
        } else {
            format!("{project} has no version {limit}")
        };
        let finding = Finding::error(codes::PYPI_NO_SUCH_VERSION, message).at(root.span);
        return Some(if others.is_empty() {
            finding.help("The project was never released, or all of it was deleted.")
        } else {
            finding.help(format!("There are {}.", newest(&others)))
        });
    }
    let mut reasons: BTreeMap<String, Vec<Version>> = BTreeMap::new();
    let mut failing = Vec::new();
    for arch in arches {
        let offers = catalogue.offers(project, *arch).ok()?;
        let there: Vec<&Offer<'_>> = offers.list.iter().filter(|offer| contains(specifiers, &offer.version)).collect();
        if there.iter().all(|offer| offer.dist.is_err()) {
            failing.push(arch.name());
            for offer in there {
                reasons
                    .entry(offer.dist.as_ref().err().cloned().unwrap_or_default())
                    .or_default()
                    .push(offer.version.clone());
            }
        } else if there.iter().all(|offer| offer.dist.is_err() || offer.yanked.is_some()) && !is_pinned(root) {
            return Some(only_yanked(root, &there));
        }
    }
    if failing.is_empty() {
        return None;
    }
    let limit = written(specifiers);
    let what = if limit.is_empty() { project.clone() } else { format!("{project} {limit}") };
    let finding = Finding::error(
        codes::PYPI_NO_USABLE_FILE,
        format!("no file of {what} can be installed on {}", failing.join(" and ")),
    );
    let mut causes: Vec<(Vec<Version>, String)> = reasons
        .into_iter()
        .map(|(reason, mut versions)| {
            versions.sort_by(|a, b| b.cmp(a));
            versions.dedup();
            (versions, reason)
        })
        .collect();
    causes.sort_by(|a, b| b.0.first().cmp(&a.0.first()).then_with(|| a.1.cmp(&b.1)));
    let finding = causes.iter().take(SHOWN).fold(finding.at(root.span), |finding, (versions, reason)| {
        finding.because(format!("{project} {}: {reason}", newest(&versions.iter().collect::<Vec<_>>())))
    });
    Some(finding.help("Ask for another version, another package that does the same, or build for fewer architectures."))
}

fn is_pinned(root: &WantedRoot) -> bool {
    super::universe::pin(&root.requirement.specifiers).is_some()
}

fn only_yanked(root: &WantedRoot, there: &[&Offer<'_>]) -> Finding {
    let Requirement { project, text, .. } = &root.requirement;
    let yanked = there.iter().filter_map(|offer| Some((&offer.version, offer.yanked?)));
    let finding =
        Finding::error(codes::PYPI_NO_SUCH_VERSION, format!("every version that answers `{text}` was yanked"));
    let finding = yanked.clone().take(SHOWN).fold(finding.at(root.span), |finding, (version, reason)| {
        finding.because(format!("{project} {version} was yanked{}", stated(reason)))
    });
    finding.help("Its authors took these releases back. A yanked release is used only where it is pinned with `==`.")
}

/// A reason somebody gave, in one line, or nothing.
pub(super) fn stated(reason: &str) -> String {
    let line: String = reason.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
    if line.is_empty() { line } else { format!(": {line}") }
}

fn newest(versions: &[&Version]) -> String {
    let shown: Vec<String> = versions.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = versions.len().saturating_sub(SHOWN);
    let end = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{end}", shown.join(", "))
}

/// The finding for requirements that cannot be met together; `lines` is the solver's story.
pub(super) fn unsatisfiable(
    roots: &[WantedRoot],
    catalogue: &Catalogue<'_>,
    arches: &[Arch],
    lines: Vec<String>,
) -> Finding {
    let everywhere = arches.len() == catalogue.platforms.len();
    let names: Vec<&str> = arches.iter().map(|arch| arch.name()).collect();
    let place = if everywhere { String::new() } else { format!(" on {}", names.join(" and ")) };
    let mut finding =
        Finding::error(codes::PYPI_UNSATISFIABLE, format!("the Python requirements cannot be met together{place}"))
            .help("Loosen one of the requirements the chains start with.");
    let starts = |root: &&WantedRoot| {
        lines.iter().filter_map(|line| line.strip_prefix("the image needs ")).any(|rest| {
            let end = rest.find([' ', '[']).unwrap_or(rest.len());
            rest.get(..end) == Some(root.requirement.project.as_str())
        })
    };
    for root in roots.iter().filter(starts) {
        finding = match finding.span {
            None => finding.at(root.span),
            Some(_) => finding.label(root.span, "and this"),
        };
    }
    finding.causes = lines;
    finding
}
