//! Whether a lock answers its configuration. The digest of the configuration in it says so, and whoever edits a lock can
//! copy that: so what is asked for is compared with what is answered.

use std::collections::{BTreeMap, BTreeSet};

use model::config::Config;
use model::lock::{Asker, Node, Origin, Resolution};
use model::{Arch, Finding, Findings, SourceId, Span, Spanned, codes};
use stdlib::base::Base;

use crate::lower::Named;
use crate::resolve::{Made, Runtime};
use crate::upstream::Chain;
use crate::{debian, language, pypi, resolve};

/// A requirement of the configuration or the base, and what it demands of the package that answers it.
struct Asked<'a> {
    by: Asker,
    origin: Origin,
    requirement: String,
    accepts: Box<dyn Fn(&Node) -> bool + 'a>,
}

/// Checks that for an architecture a lock has exactly the roots its configuration and the base ask for, each answered by a
/// package that fits, and the very releases that are compiled; `runtime` is the one the locked language version stands for.
///
/// # Errors
/// `LOCK_INCONSISTENT` for each that is not so.
pub(crate) fn check(
    config: &Config,
    nodes: &Named<'_>,
    arch: Arch,
    resolution: &Resolution,
    base: &Base,
    runtime: Option<&Runtime>,
) -> Result<(), Findings> {
    let mut findings = Findings::new();
    let python = resolution.language_version.as_deref().unwrap_or_default();
    if let (Some(runtime), Some(wish)) = (runtime, &config.base.version) {
        let accepts = language::acceptance(wish)?;
        let locked = runtime.version();
        if locked != python || !language::may_hold(&wish.value, &runtime.line.version) || !accepts(python) {
            let wanted = wish.value.text();
            findings.push(wrong(format!("the lock has {locked} of {} for {arch}, not {wanted}", runtime.line.carrier)));
        }
    }
    let system = resolve::debian_wanted(config, base, runtime);
    let mut asked: Vec<Asked> = system.roots.iter().map(|root| of_debian(root, &system.built)).collect();
    if let Some(Runtime { made: Made::Compiled(chain), .. }) = runtime {
        asked.extend(chain.root().map(|root| Asked {
            by: root.by,
            origin: root.edge.origin,
            requirement: root.edge.requirement,
            accepts: Box::new(|_| true), // compared as a whole below
        }));
        findings.extend(releases(chain, nodes, arch));
    }
    if let Some(runtime) = runtime {
        let environment = environment(runtime.version(), nodes);
        let applying = pypi::applying(&config.packages, arch, &environment)?;
        asked.extend(applying.into_iter().map(of_pypi));
    }
    findings.extend(files(config, nodes));
    findings.extend(compare(&asked, nodes, arch, resolution));
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// What packages of the language must fit in an image of these nodes.
pub(crate) fn environment(python: &str, nodes: &Named<'_>) -> pypi::Environment {
    let glibc = nodes.get(&(Origin::Debian, "libc6")).and_then(|(_, node)| resolve::glibc_version(&node.version));
    pypi::Environment { python: python.to_owned(), glibc: glibc.unwrap_or((0, 0)) }
}

/// Whether each package that has to be built is one that can be, and is.
fn files(config: &Config, nodes: &Named<'_>) -> Findings {
    let packages = nodes.values().filter(|(_, node)| node.origin == Origin::Pypi);
    let wrong_ones = packages.filter(|(_, node)| {
        let is_wheel = node.file.ends_with(".whl");
        let must_be_built = config.flags.no_binary.iter().any(|name| name.value == node.name);
        is_wheel == node.build.is_some() || is_wheel && must_be_built
    });
    wrong_ones.map(|(id, _)| wrong(format!("{id} is not the kind of file that is asked for"))).collect()
}

/// The same for packages of the language that something is built with.
///
/// # Errors
/// `LOCK_INCONSISTENT`, `BAD_REQUIREMENT`.
pub(crate) fn check_tools(
    packages: &[String],
    nodes: &Named<'_>,
    arch: Arch,
    environment: &pypi::Environment,
    resolution: &Resolution,
) -> Result<(), Findings> {
    let nowhere = Span::new(SourceId(0), 0, 0);
    let packages: Vec<Spanned<String>> = packages.iter().map(|text| Spanned::new(text.clone(), nowhere)).collect();
    let asked: Vec<Asked> = pypi::applying(&packages, arch, environment)?.into_iter().map(of_pypi).collect();
    let findings = compare(&asked, nodes, arch, resolution);
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

fn of_pypi<'a>(requirement: pypi::Requirement) -> Asked<'a> {
    Asked {
        by: Asker::Config,
        origin: Origin::Pypi,
        requirement: requirement.text.clone(),
        accepts: Box::new(move |node| requirement.accepts(&node.name, &node.version)),
    }
}

/// The same for what things are compiled in.
///
/// # Errors
/// `LOCK_INCONSISTENT`.
pub(crate) fn check_toolchain(
    wanted: &debian::Wanted,
    nodes: &Named<'_>,
    arch: Arch,
    resolution: &Resolution,
) -> Result<(), Findings> {
    let asked: Vec<Asked> = wanted.roots.iter().map(|root| of_debian(root, &wanted.built)).collect();
    let findings = compare(&asked, nodes, arch, resolution);
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// What is compiled must be what the standard library says of it; what else a node says, other rules compare.
fn releases(chain: &Chain, nodes: &Named<'_>, arch: Arch) -> Findings {
    let differs = |(id, expected): &(String, Node)| match nodes.get(&(Origin::Upstream, expected.name.as_str())) {
        Some((found, node)) => {
            let of =
                |node: &Node| (node.version.clone(), node.file.clone(), node.sha256, node.size, node.proof.clone());
            *found != id || of(node) != of(expected)
        }
        None => true,
    };
    let wrong_ones = chain.nodes().into_iter().filter(differs);
    wrong_ones
        .map(|(id, _)| wrong(format!("the lock has not {id} for {arch} as the standard library describes it")))
        .collect()
}

fn compare(asked: &[Asked], nodes: &Named<'_>, arch: Arch, resolution: &Resolution) -> Findings {
    let mut findings = Findings::new();
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
    findings
}

fn of_debian<'a>(root: &'a debian::WantedRoot, built: &BTreeMap<String, debian::Built>) -> Asked<'a> {
    let package = &root.package;
    if built.contains_key(&package.name) {
        let requirement = debian::requirement(package);
        return Asked { by: root.by, origin: Origin::Upstream, requirement, accepts: Box::new(|_| true) };
    }
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
