//! What can be said of the packages asked for by name before anything is solved.

use std::collections::BTreeSet;

use model::{Arch, Finding, Findings, codes};

use super::archive::Archive;
use super::{Wanted, WantedRoot};

/// Names longer than any there is are compared with none.
const LONGEST_NAME: usize = 100;

/// One finding for each root that nothing answers on some architecture.
pub(super) fn roots(wanted: &Wanted, archives: &[Archive<'_>]) -> Findings {
    wanted.roots.iter().filter_map(|root| check(root, &wanted.suites, archives)).collect()
}

fn check(root: &WantedRoot, suites: &[String], archives: &[Archive<'_>]) -> Option<Finding> {
    let package = &root.package;
    let lacking = |holds: &dyn Fn(&Archive<'_>) -> bool| -> Vec<Arch> {
        archives.iter().filter(|archive| !holds(archive)).map(|archive| archive.arch).collect()
    };
    let unknown = lacking(&|archive| archive.knows(&package.name));
    let suites = suites.join(", ");
    let finding = if !unknown.is_empty() {
        let message = format!("no package `{}` {} in {suites}", shown(&package.name), on(&unknown, archives));
        let finding = Finding::error(codes::DEBIAN_NO_SUCH_PACKAGE, message);
        if unknown.len() < archives.len() {
            let known = archives.iter().map(|archive| archive.arch).filter(|arch| !unknown.contains(arch));
            let known: Vec<&str> = known.map(Arch::name).collect();
            let help =
                format!("it is there for {}: build the image for that alone, or do without it", known.join(", "));
            return Some(Finding { span: root.span, ..finding.help(help) });
        }
        match similar(&package.name, archives).as_slice() {
            [] => finding.help("look the name up where the suite's packages are listed"),
            names => finding.help(format!("did you mean {}?", names.join(" or "))),
        }
    } else {
        let (relation, bound) = package.relation.as_ref()?;
        let answered = |archive: &Archive<'_>| !archive.answers(&package.name, package.relation.as_ref()).is_empty();
        let without = lacking(&answered);
        if without.is_empty() {
            return None;
        }
        let wish = format!("{} ({} {bound})", package.name, relation.symbol());
        let message = format!("no version of `{wish}` {} in {suites}", on(&without, archives));
        let there = archives.iter().map(|archive| format!("{} for {}", versions(archive, &package.name), archive.arch));
        let there: Vec<String> = there.collect();
        Finding::error(codes::DEBIAN_NO_SUCH_VERSION, message).help(format!("there are: {}", there.join("; ")))
    };
    Some(Finding { span: root.span, ..finding })
}

/// `for arm64`, or nothing where it holds for every architecture of the image.
fn on(arches: &[Arch], archives: &[Archive<'_>]) -> String {
    let names: Vec<&str> = arches.iter().map(|arch| arch.name()).collect();
    let everywhere = arches.len() == archives.len();
    if everywhere { "is".to_owned() } else { format!("for {} is", names.join(", ")) }
}

fn versions(archive: &Archive<'_>, name: &str) -> String {
    let all: Vec<String> = archive.versions(name).iter().map(|listed| listed.package.version.clone()).collect();
    if !all.is_empty() {
        return all.join(", ");
    }
    let providers: Vec<String> = archive.answers(name, None).into_iter().map(|(provider, _)| provider).collect();
    format!("only packages that provide it ({})", providers.join(", "))
}

/// At most three names that differ in one or two letters, the nearest first.
fn similar(wanted: &str, archives: &[Archive<'_>]) -> Vec<String> {
    if wanted.len() > LONGEST_NAME {
        return Vec::new();
    }
    let most = if wanted.len() < 5 { 1 } else { 2 };
    let names = archives.iter().flat_map(Archive::names).filter(|name| name.len().abs_diff(wanted.len()) <= most);
    let near: BTreeSet<(usize, &str)> = names
        .map(|name| (strsim::osa_distance(name, wanted), name))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    near.into_iter().take(3).map(|(_, name)| format!("`{name}`")).collect()
}

fn shown(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}
