//! Which line of a language's catalogue answers a wanted version.

use std::str::FromStr;

use model::config::{Config, VersionWish};
use model::{Finding, Findings, Spanned, codes};
use pep440_rs::{Version, VersionSpecifiers};
use stdlib::language::{Catalogue, Line};
use stdlib::source::Release;

use crate::debian;
use crate::resolve::{Made, Runtime};
use crate::upstream::{self, Chain};
use crate::{Fetched, Need};

/// A line was chosen, or what is needed to choose.
pub(crate) enum Choice {
    Need(Vec<Need>),
    /// The line, and the carrier's Debian version that answers the wish.
    Line(Box<Line>, String),
    None(Findings),
}

/// The suites an image of a base suite draws from, the ones that win first.
pub(crate) fn suites(base: &str) -> Vec<String> {
    vec![format!("{base}-security"), format!("{base}-updates"), base.to_owned()]
}

/// The upstream part of a Debian version: `2:3.13.5-2+b1` gives `3.13.5`.
pub(crate) fn upstream(version: &str) -> &str {
    let after_epoch = version.split_once(':').map_or(version, |(_, rest)| rest);
    let upstream = after_epoch.rsplit_once('-').map_or(after_epoch, |(upstream, _)| upstream);
    upstream.split(['+', '~']).next().unwrap_or(upstream)
}

/// Finds the newest line that has a version as wished.
pub(crate) fn choose(config: &Config, catalogue: &Catalogue, wish: &Spanned<VersionWish>, fetched: &Fetched) -> Choice {
    let accepts = match acceptance(wish) {
        Ok(accepts) => accepts,
        Err(finding) => return Choice::None(finding.into()),
    };
    for line in catalogue.lines.iter().rev().filter(|line| may_hold(&wish.value, &line.version)) {
        let needs = needs(config, line, fetched);
        if !needs.is_empty() {
            return Choice::Need(needs);
        }
        let found = versions(config, line, fetched).into_iter().find(|version| accepts(upstream(version)));
        if let Some(version) = found {
            return Choice::Line(Box::new(line.clone()), version);
        }
    }
    let all: Vec<Need> = catalogue.lines.iter().flat_map(|line| needs(config, line, fetched)).collect();
    if !all.is_empty() {
        return Choice::Need(all); // only to be able to say which versions there are
    }
    let there: Vec<String> = catalogue
        .lines
        .iter()
        .flat_map(|line| {
            let mut versions: Vec<String> =
                versions(config, line, fetched).iter().map(|version| upstream(version).to_owned()).collect();
            versions.dedup();
            versions.into_iter().map(|version| format!("{version} ({})", line.suite))
        })
        .collect();
    let message = format!("no configured source has {} {}", catalogue.name, wish.value.text());
    Choice::None(
        Finding::error(codes::LANGUAGE_VERSION_UNAVAILABLE, message)
            .at(wish.span)
            .help(format!("there are: {}", there.join(", ")))
            .into(),
    )
}

/// Finds the newest release as wished that can be compiled here.
pub(crate) fn release(catalogue: &Catalogue, wish: &Spanned<VersionWish>) -> Result<Runtime, Findings> {
    let accepts = acceptance(wish)?;
    let mut there = Vec::new();
    for line in catalogue.lines.iter().rev() {
        let Some(source) = &line.source else { continue };
        let project = upstream::named(&source.project)?;
        let of_line = |release: &&Release| release.suite == line.suite && belongs(&release.version, line);
        let releases: Vec<&Release> = project.releases.iter().filter(of_line).collect();
        there.extend(releases.iter().map(|release| release.version.clone()));
        let found =
            releases.into_iter().find(|release| may_hold(&wish.value, &line.version) && accepts(&release.version));
        if let Some(release) = found {
            return Ok(Runtime { line: line.clone(), made: Made::Compiled(Chain::of(&project, release)?) });
        }
    }
    let message = format!("no release of {} {} can be compiled here", catalogue.name, wish.value.text());
    Err(Finding::error(codes::LANGUAGE_VERSION_UNAVAILABLE, message)
        .at(wish.span)
        .help(format!("there are: {}", there.join(", ")))
        .into())
}

/// Whether a version is of a line.
pub(crate) fn belongs(version: &str, line: &Line) -> bool {
    version.strip_prefix(&line.version).is_some_and(|rest| rest.starts_with('.'))
}

/// Versions of a line's carrier on every wanted architecture, newest first.
fn versions(config: &Config, line: &Line, fetched: &Fetched) -> Vec<String> {
    debian::versions_of(fetched, &suites(&line.suite), &config.architectures, &line.carrier)
}

fn needs(config: &Config, line: &Line, fetched: &Fetched) -> Vec<Need> {
    let pairs = suites(&line.suite)
        .into_iter()
        .flat_map(|suite| config.architectures.iter().map(move |arch| (suite.clone(), *arch)));
    pairs
        .filter(|pair| !fetched.debian.contains_key(pair))
        .map(|(suite, arch)| Need::DebianIndex { suite, arch })
        .collect()
}

pub(crate) fn may_hold(wish: &VersionWish, line: &str) -> bool {
    match wish {
        VersionWish::Exact(version) => version.strip_prefix(line).is_some_and(|rest| rest.starts_with('.')),
        VersionWish::Line(wanted) => {
            wanted == line || line.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.starts_with('.'))
        }
        VersionWish::Range(_) | VersionWish::Latest => true,
    }
}

pub(crate) fn acceptance(wish: &Spanned<VersionWish>) -> Result<Box<dyn Fn(&str) -> bool>, Finding> {
    Ok(match &wish.value {
        VersionWish::Latest | VersionWish::Line(_) => Box::new(|_| true),
        VersionWish::Exact(version) => {
            let version = version.clone();
            Box::new(move |found| found == version)
        }
        VersionWish::Range(text) => {
            let range = VersionSpecifiers::from_str(text).map_err(|e| {
                let message = format!("`{text}` is no version range: {}", e.to_string().lines().next().unwrap_or(""));
                Finding::error(codes::BAD_VALUE, message).at(wish.span).help("write a range as `>=3.11,<3.14`")
            })?;
            Box::new(move |found| Version::from_str(found).is_ok_and(|version| range.contains(&version)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_revisions_are_not_part_of_the_language_version() {
        assert_eq!(upstream("3.13.5-2+deb13u1"), "3.13.5");
        assert_eq!(upstream("2:3.11.2-6"), "3.11.2");
        assert_eq!(upstream("3.11.2+really-1"), "3.11.2");
    }

    #[test]
    fn only_releases_of_the_catalogue_are_compiled_and_the_others_are_listed() {
        let catalogue = Catalogue::shipped(model::config::Language::Python).unwrap();
        let release =
            |wish: VersionWish| release(&catalogue, &Spanned::new(wish, model::Span::new(model::SourceId(0), 0, 0)));
        let version = |wish| release(wish).map(|runtime| runtime.version().to_owned());
        assert_eq!(version(VersionWish::Latest).unwrap(), "3.13.5");
        assert_eq!(version(VersionWish::Line("3.11".into())).unwrap(), "3.11.2");
        assert_eq!(version(VersionWish::Range("<3.13".into())).unwrap(), "3.11.2");
        assert_eq!(version(VersionWish::Exact("3.13.5".into())).unwrap(), "3.13.5");
        let findings = version(VersionWish::Exact("3.13.4".into())).unwrap_err();
        let finding = findings.into_iter().next().unwrap();
        assert_eq!(finding.code, codes::LANGUAGE_VERSION_UNAVAILABLE);
        assert_eq!(finding.help.as_deref(), Some("there are: 3.13.5, 3.11.2"));
    }

    #[test]
    fn a_line_holds_its_own_versions_only() {
        assert!(may_hold(&VersionWish::Exact("3.13.5".into()), "3.13"));
        assert!(!may_hold(&VersionWish::Exact("3.13.5".into()), "3.1"));
        assert!(may_hold(&VersionWish::Line("3".into()), "3.13"));
        assert!(!may_hold(&VersionWish::Line("3.1".into()), "3.13"));
    }
}
