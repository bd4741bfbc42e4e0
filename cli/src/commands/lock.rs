use inspect::pypi::normalize;
use model::lock::{Lock, Origin, Proof};
use model::{Finding, codes};

use crate::args::{Choice, ConfigArg, Format, Machine};
use crate::driver::{self, Keep};
use crate::progress::phase;
use crate::project::Project;
use crate::report::{self, Failure};
use crate::session::Session;

/// `lock`: resolves every dependency and writes the lock, unless it answers the configuration already.
pub(super) fn run(machine: &Machine, path: &ConfigArg, update: Option<&str>, format: Format) -> Result<(), Failure> {
    let project = Project::load(&path.config, &path.select)?;
    report::print_warnings(&project.sources, &project.warnings);
    let session = Session::open(machine, update.is_some())?;
    let old = match (project.read_lock(), update) {
        (Err(_), Some("")) => None, // an unreadable lock is made again
        (old, _) => old?,
    };
    let lock = match (&old, update) {
        (None, Some(name)) if !name.is_empty() => return Err(missing(&project).into()),
        (Some(old), None) if answers(old, &project) => old.clone(),
        (_, Some("")) | (None, _) => resolve(&session, &project, &Keep::Nothing)?,
        (Some(old), None) => resolve_keeping(&session, &project, old)?,
        (Some(old), Some(name)) => {
            let name = locked_name(&project, old, name)?;
            resolve(&session, &project, &Keep::AllBut(old, name))?
        }
    };
    if old.as_ref() != Some(&lock) {
        project.write_lock(&lock)?;
    }
    tell_changes(old.as_ref(), &lock);
    Ok(summarise(&project, &lock, format)?)
}

/// The lock that a plan or build goes by: the one beside the configuration, or a new one unless `--locked`.
pub(super) fn current(session: &Session, project: &Project, choice: &Choice) -> Result<Lock, Failure> {
    let old = project.read_lock()?;
    match old {
        Some(old) if answers(&old, project) => Ok(old),
        _ if choice.locked => Ok(locked(project)?),
        old => {
            let lock = match &old {
                Some(old) => resolve_keeping(session, project, old)?,
                None => resolve(session, project, &Keep::Nothing)?,
            };
            project.write_lock(&lock)?;
            tell_changes(old.as_ref(), &lock);
            Ok(lock)
        }
    }
}

/// The lock beside the configuration, which must answer it.
pub(super) fn locked(project: &Project) -> Result<Lock, Finding> {
    let lock = project.read_lock()?.ok_or_else(|| missing(project))?;
    if answers(&lock, project) {
        return Ok(lock);
    }
    let message = format!("{} answers another configuration", project.lock_path().display());
    Err(Finding::error(codes::LOCK_OUTDATED, message).help(format!("run `{}`", project.command("lock"))))
}

fn answers(lock: &Lock, project: &Project) -> bool {
    lock.config == compiler::config::fingerprint(project.config())
}

/// Keeps what is locked where that is possible, and chooses all anew where it is not.
fn resolve_keeping(session: &Session, project: &Project, old: &Lock) -> Result<Lock, Failure> {
    resolve(session, project, &Keep::All(old)).or_else(|_| resolve(session, project, &Keep::Nothing))
}

fn resolve(session: &Session, project: &Project, keep: &Keep) -> Result<Lock, Failure> {
    phase("resolve");
    let (lock, warnings) =
        driver::resolve(session, project.config(), keep).map_err(|findings| project.failure(findings))?;
    report::print_warnings(&project.sources, &warnings);
    Ok(lock)
}

fn missing(project: &Project) -> Finding {
    Finding::error(codes::LOCK_MISSING, format!("{} does not exist", project.lock_path().display()))
        .help(format!("run `{}` first", project.command("lock")))
}

/// The name under which the lock has a package that its user names; Python projects have several spellings.
pub(super) fn locked_name<'a>(project: &Project, lock: &'a Lock, name: &str) -> Result<&'a str, Finding> {
    let names = || lock.nodes.values().map(|node| node.name.as_str());
    if let Some(found) = names().find(|known| *known == name) {
        return Ok(found);
    }
    let normal = normalize(name);
    let projects = lock.nodes.values().filter(|node| node.origin == Origin::Pypi).map(|node| node.name.as_str());
    if let Some(found) = projects.into_iter().find(|known| *known == normal) {
        return Ok(found);
    }
    let finding =
        Finding::error(codes::LOCK_NO_SUCH_NODE, format!("{} has no package {name}", project.lock_path().display()));
    let nearest = names().map(|known| (strsim::jaro_winkler(known, name), known));
    Err(match nearest.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, nearest)) if likeness > 0.8 => finding.help(format!("did you mean `{nearest}`?")),
        _ => finding,
    })
}

/// Says on standard error what another lock changes.
fn tell_changes(old: Option<&Lock>, lock: &Lock) {
    for (id, node) in &lock.nodes {
        let before = old.and_then(|old| old.nodes.values().find(|n| n.origin == node.origin && n.name == node.name));
        match before {
            Some(before) if before.version != node.version => {
                anstream::eprintln!("{} {} -> {}", node.name, before.version, node.version);
            }
            None if old.is_some() => anstream::eprintln!("{id} added"),
            _ => {}
        }
    }
    for (id, node) in old.into_iter().flat_map(|old| &old.nodes) {
        if !lock.nodes.values().any(|now| now.origin == node.origin && now.name == node.name) {
            anstream::eprintln!("{id} removed");
        }
    }
}

fn summarise(project: &Project, lock: &Lock, format: Format) -> Result<(), Finding> {
    if format == Format::Json {
        return report::print_json(lock);
    }
    let verified = lock.nodes.values().filter(|node| matches!(node.proof, Proof::VerifiedByOpenpgp { .. })).count();
    anstream::eprintln!(
        "{}: {} packages, {verified} of them vouched for by a signature",
        project.lock_path().display(),
        lock.nodes.len()
    );
    Ok(())
}
