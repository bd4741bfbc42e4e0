//! Whether a lock answers its configuration. The digest of the configuration in it says so, and whoever edits a lock can
//! copy that: so what is asked for is compared with what is answered.

use std::collections::BTreeSet;

use model::config::Config;
use model::lock::{Asker, Node, Origin, Resolution};
use model::{Arch, Finding, Findings, codes};
use stdlib::base::Base;
use stdlib::language::Line;

use crate::lower::Named;
use crate::{debian, language, pypi, resolve};

/// A requirement of the configuration or the base, and what it demands of the package that answers it.
struct Asked<'a> {
    by: Asker,
    origin: Origin,
    requirement: String,
    accepts: Box<dyn Fn(&Node) -> bool + 'a>,
}

/// Checks that for an architecture a lock has exactly the roots its configuration and the base ask for, each answered by a
/// package that fits; `line` is the one the locked language version belongs to.
///
/// # Errors
/// `LOCK_INCONSISTENT` for each that is not so.
pub(crate) fn check(
    config: &Config,
    nodes: &Named<'_>,
    arch: Arch,
    resolution: &Resolution,
    base: &Base,
    line: Option<&Line>,
) -> Result<(), Findings> {
    let version = |name: &str| nodes.get(&(Origin::Debian, name)).map_or("", |(_, node)| node.version.as_str());
    let locked = line.map(|line| (line.clone(), version(&line.carrier).to_owned()));
    let mut findings = Findings::new();
    if let (Some((line, carried)), Some(wish)) = (&locked, &config.base.version) {
        let python = resolution.language_version.as_deref().unwrap_or_default();
        let accepts = language::acceptance(wish)?;
        if language::upstream(carried) != python || !language::may_hold(&wish.value, &line.version) || !accepts(python)
        {
            findings.push(wrong(format!(
                "the lock has {carried} of {} for {arch}, not {}",
                line.carrier,
                wish.value.text()
            )));
        }
    }
    let suite = locked.as_ref().map_or(base.suite.as_str(), |(line, _)| line.suite.as_str());
    let system = resolve::debian_wanted(config, base, locked.as_ref(), suite);
    let mut asked: Vec<Asked> = system.roots.iter().map(of_debian).collect();
    if let Some(python) = resolution.language_version.clone().filter(|_| line.is_some()) {
        let glibc = resolve::glibc_version(version("libc6")).unwrap_or((0, 0));
        let applying = pypi::applying(&config.packages, arch, &pypi::Environment { python, glibc })?;
        asked.extend(applying.into_iter().map(|requirement| Asked {
            by: Asker::Config,
            origin: Origin::Pypi,
            requirement: requirement.text.clone(),
            accepts: Box::new(move |node| requirement.accepts(&node.name, &node.version)),
        }));
    }
    let mut answered = BTreeSet::new();
    for root in &resolution.roots {
        let edge = &root.edge;
        let wants =
            |asked: &&Asked| (asked.by, asked.origin, &asked.requirement) == (root.by, edge.origin, &edge.requirement);
        let Some(asked) = asked.iter().find(wants) else {
            findings.push(wrong(format!("the lock answers `{}` for {arch}, which nothing asks for", edge.requirement)));
            continue;
        };
        answered.insert((asked.by, asked.origin, asked.requirement.as_str()));
        match nodes.get(&(edge.origin, edge.name.as_str())) {
            Some((_, node)) if (asked.accepts)(node) => {}
            Some((id, _)) => findings.push(wrong(format!("{id} does not answer `{}`", edge.requirement))),
            None => findings.push(wrong(format!("the lock has no {} for {arch}", edge.name))),
        }
    }
    for asked in asked.iter().filter(|a| !answered.contains(&(a.by, a.origin, a.requirement.as_str()))) {
        findings.push(wrong(format!("nothing in the lock answers `{}` for {arch}", asked.requirement)));
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

fn of_debian(root: &debian::WantedRoot) -> Asked<'_> {
    let package = &root.package;
    // A package of another name provides it; the resolver saw to it that the version provided fits.
    let accepts = move |node: &Node| match &package.relation {
        Some((relation, bound)) if node.name == package.name => {
            inspect::debian::version::satisfies(&node.version, *relation, bound)
        }
        _ => true,
    };
    Asked { by: root.by, origin: Origin::Debian, requirement: debian::requirement(package), accepts: Box::new(accepts) }
}

fn wrong(what: String) -> Finding {
    Finding::error(codes::LOCK_INCONSISTENT, what)
        .because("the lock was changed by hand, or merged wrongly")
        .help("make it again: `clnstrt-cli lock --update`")
}
