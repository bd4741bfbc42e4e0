//! What the parts of an image that are built here are built with: a root file system with compilers, and packages of the
//! language. Each is a question of its own to the lock.

use std::collections::{BTreeMap, BTreeSet};

use model::config::{Config, SystemPackage};
use model::lock::{Asked, Asker, Lock, Node, Origin};
use model::{Arch, Digest, Finding, Findings, Span, Spanned, codes};
use stdlib::base::Base;
use stdlib::language::{Catalogue, Line};
use stdlib::toolchain::Toolchains;

use crate::pypi::{self, Environment, Sources};
use crate::resolve::{Answer, Made, Runtime, conflict, done};
use crate::upstream::Chain;
use crate::{Fetched, Pins, config, debian, language};

/// The toolchain of a configuration without a language.
const NO_LANGUAGE: &str = "none";

/// What the root file system is made of in which a runtime is compiled.
pub(crate) fn toolchain_wanted(config: &Config, line: &Line, chain: &Chain) -> Result<debian::Wanted, Finding> {
    wanted(config, &line.suite, chain.toolchain().cloned())
}

/// What the root file system is made of in which packages and the application are built. A runtime that is compiled lies
/// over it; of one that is not, the packages are in it.
pub(crate) fn root_wanted(config: &Config, base: &Base, runtime: Option<&Runtime>) -> Result<debian::Wanted, Finding> {
    let suite = runtime.map_or(base.suite.as_str(), |runtime| runtime.line.suite.as_str());
    let of_runtime: Vec<String> = match runtime {
        Some(Runtime { made: Made::Compiled(chain), .. }) => chain.toolchain().cloned().collect(),
        Some(Runtime { line, .. }) => line.packages.iter().chain(line.variant("builder")).cloned().collect(),
        None => Vec::new(),
    };
    let mut wanted = wanted(config, suite, of_runtime.into_iter())?;
    wanted.roots.extend(config.build_packages.iter().map(|package| debian::WantedRoot {
        by: Asker::Config,
        package: package.value.clone(),
        span: Some(package.span),
    }));
    Ok(wanted)
}

fn wanted(config: &Config, suite: &str, more: impl Iterator<Item = String>) -> Result<debian::Wanted, Finding> {
    let language = config.base.language.as_ref().map_or(NO_LANGUAGE, |language| language.value.name());
    let toolchains = Toolchains::shipped()?;
    let packages: BTreeSet<String> = toolchains.packages(language).map(str::to_owned).chain(more).collect();
    let root =
        |name| debian::WantedRoot { by: Asker::Base, package: SystemPackage { name, relation: None }, span: None };
    Ok(debian::Wanted {
        arches: config.architectures.clone(),
        suites: language::suites(suite),
        roots: packages.into_iter().map(root).collect(),
        built: BTreeMap::new(),
    })
}

/// The packages of the language that tools of the application are chosen beside: they must go with what the image has.
pub(crate) fn application_tools(config: &Config, image: &BTreeMap<Arch, BTreeMap<&str, &str>>) -> Vec<String> {
    let tools = config.source.iter().flat_map(|source| &source.tools).map(|tool| tool.value.clone());
    let mut where_used: BTreeMap<(&str, &str), Vec<Arch>> = BTreeMap::new();
    for (arch, packages) in image {
        packages.iter().for_each(|(name, version)| where_used.entry((name, version)).or_default().push(*arch));
    }
    let pins = where_used.into_iter().flat_map(|((name, version), arches)| {
        let everywhere = arches.len() == image.len();
        let pin = move |arch: Option<Arch>| match arch {
            None => format!("{name}=={version}"),
            Some(arch) => format!("{name}=={version}; platform_machine == '{}'", arch.machine()),
        };
        let arches: Vec<Option<Arch>> = if everywhere { vec![None] } else { arches.into_iter().map(Some).collect() };
        arches.into_iter().map(pin).collect::<Vec<_>>()
    });
    let mut packages: Vec<String> = tools.chain(pins).collect();
    packages.sort();
    packages
}

/// Name and version of the Python packages among nodes.
pub(crate) fn packages<'n>(nodes: impl Iterator<Item = &'n Node>) -> BTreeMap<&'n str, &'n str> {
    let packages = nodes.filter(|node| node.origin == Origin::Pypi);
    packages.map(|node| (node.name.as_str(), node.version.as_str())).collect()
}

/// Resolves all that the parts of an image are built with: nothing, if nothing is built here but a runtime.
///
/// # Errors
/// What is needed first, or why it cannot be.
pub(crate) fn resolve(
    config: &Config,
    base: &Base,
    runtime: Option<&Runtime>,
    environments: &BTreeMap<Arch, Environment>,
    image: &Pins,
    fetched: &Fetched,
) -> Result<Vec<(Asked, Pins)>, Answer> {
    let builds: BTreeMap<&[String], &Node> =
        image.nodes.values().filter_map(|node| Some((node.build.as_deref()?, node))).collect();
    if builds.is_empty() && !config.has_commands() {
        return Ok(Vec::new());
    }
    let line = runtime.map(|runtime| &runtime.line);
    let root = done(debian::step(&root_wanted(config, base, runtime).map_err(conflict)?, fetched))?;
    let mut answers = vec![(config::parts_asked(config, line), root)];
    let Some(line) = line else { return Ok(answers) };
    for (requires, node) in builds {
        let span = root_span(config, node);
        let wanted = pypi::Wanted {
            environments: environments.clone(),
            requirements: requires.iter().map(|text| Spanned::new(text.clone(), span)).collect(),
            sources: Sources::Never,
        };
        let why = |finding: Finding| finding.because(format!("{} {} is built with it", node.name, node.version));
        let pins = done(pypi::step(&wanted, fetched)).map_err(|answer| match answer {
            Answer::Conflict(findings) => Answer::Conflict(findings.into_iter().map(why).collect()),
            other => other,
        })?;
        answers.push((config::tools_asked(config, line, requires.to_vec()), pins));
    }
    if let Some(tool) = config.source.iter().flat_map(|source| &source.tools).next() {
        let of_arch = |ids: &Vec<String>| packages(ids.iter().filter_map(|id| image.nodes.get(id)));
        let there = image.ids.iter().map(|(arch, ids)| (*arch, of_arch(ids))).collect();
        let requirements = application_tools(config, &there);
        let wanted = pypi::Wanted {
            environments: environments.clone(),
            requirements: requirements.iter().map(|text| Spanned::new(text.clone(), tool.span)).collect(),
            sources: pypi_sources(config),
        };
        let pins = done(pypi::step(&wanted, fetched))?;
        let unbuilt = pins.nodes.iter().filter(|(id, node)| node.build.is_some() && !image.nodes.contains_key(*id));
        let unbuilt: Findings = unbuilt
            .map(|(_, node)| {
                let message = format!("the tool {} {} has no wheel", node.name, node.version);
                let finding = Finding::error(codes::PYPI_NO_USABLE_FILE, message).at(tool.span);
                finding.because("what things are built with is not built itself").help("Ask for another version.")
            })
            .collect();
        if !unbuilt.is_empty() {
            return Err(Answer::Conflict(unbuilt));
        }
        answers.push((config::tools_asked(config, line, requirements), pins));
    }
    Ok(answers)
}

/// Which Python packages of an image may be built here.
pub(crate) fn pypi_sources(config: &Config) -> Sources {
    Sources::Allowed(config.flags.no_binary.iter().map(|name| name.value.clone()).collect())
}

/// Says which names under `no_binary` are of no package of the image: what was meant would come prebuilt.
pub(crate) fn check_no_binary(config: &Config, image: &Pins) -> Result<(), Answer> {
    let is_there = |name: &&Spanned<String>| image.nodes.values().any(|node| node.name == name.value);
    let absent = config.flags.no_binary.iter().filter(|name| !is_there(name));
    let findings: Findings = absent
        .map(|name| {
            let message = format!("`build_flags.no_binary` names {}, which the image does not have", name.value);
            Finding::error(codes::BAD_VALUE, message).at(name.span).help("correct the name, or remove it")
        })
        .collect();
    if findings.is_empty() { Ok(()) } else { Err(Answer::Conflict(findings)) }
}

/// Where a package is asked for, else the whole document.
fn root_span(config: &Config, node: &Node) -> Span {
    let asked = config.packages.iter().find(|package| config::package_name(&package.value) == node.name);
    asked.map_or(config.span, |package| package.span)
}

/// The questions a configuration asks besides the one for its image, as far as the answer to that is in the lock.
///
/// # Errors
/// `STDLIB_UNREADABLE`.
pub(crate) fn questions(config: &Config, lock: &Lock) -> Result<Vec<Digest>, Finding> {
    let asked = config::asked(config).digest();
    let Some(answer) = lock.answers.get(&asked) else { return Ok(Vec::new()) };
    let nodes = |arch: &Arch| answer.resolutions.get(arch).into_iter().flat_map(|image| lock.nodes_of(image));
    let builds: BTreeSet<&[String]> =
        answer.resolutions.keys().flat_map(nodes).filter_map(|(_, node)| node.build.as_deref()).collect();
    let line = match &config.base.language {
        Some(language) => {
            let version = answer.resolutions.values().find_map(|image| image.language_version.as_deref());
            let lines = Catalogue::shipped(language.value)?.lines;
            lines.into_iter().find(|line| language::belongs(version.unwrap_or_default(), line))
        }
        None => None,
    };
    let mut questions = Vec::new();
    if let Some(line) = line.as_ref().filter(|_| config.from_source()) {
        questions.push(config::toolchain_asked(config, line));
    }
    if !builds.is_empty() || config.has_commands() {
        questions.push(config::parts_asked(config, line.as_ref()));
    }
    if let Some(line) = &line {
        questions.extend(builds.into_iter().map(|requires| config::tools_asked(config, line, requires.to_vec())));
        if config.source.iter().any(|source| !source.tools.is_empty()) {
            let there = answer.resolutions.keys().map(|arch| (*arch, packages(nodes(arch).map(|(_, node)| node))));
            let tools = application_tools(config, &there.collect());
            questions.push(config::tools_asked(config, line, tools));
        }
    }
    Ok(questions.iter().map(Asked::digest).collect())
}
