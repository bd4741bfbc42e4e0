use std::collections::{BTreeMap, BTreeSet};

use compiler::template::Image;
use inspect::pypi::normalize;
use model::lock::{Lock, Origin};
use model::{Digest, Finding, codes};

use crate::args::{Choice, ConfigArg, Format, Machine, PolicyArgs};
use crate::driver::{Keep, Resolver};
use crate::policies;
use crate::progress::phase;
use crate::project::Project;
use crate::report::{self, Failure};
use crate::session::Session;

/// `lock`: resolves every dependency and writes the lock, unless it answers the configuration already.
pub(super) fn run(
    machine: &Machine,
    config: &ConfigArg,
    update: Option<&str>,
    policies: &PolicyArgs,
    format: Format,
) -> Result<(), Failure> {
    let project = Project::load(&config.config, &config.select)?;
    report::print_warnings(&project.sources, &project.warnings);
    let session = Session::open(machine, update.is_some())?;
    let old = match (project.read_lock(), update) {
        (Err(_), Some("")) => None, // an unreadable lock is made again
        (old, _) => old?,
    };
    let update = match (&old, update) {
        (_, None) => Update::Missing,
        (_, Some("")) => Update::All,
        (None, Some(_)) => return Err(missing(&project).into()),
        (Some(old), Some(name)) => Update::Package(locked_name(&project, old, name)?),
    };
    let every = project.every_image()?;
    let lock = renewed(&session, &project, old.as_ref(), &every.iter().collect::<Vec<_>>(), &update)?;
    if old.as_ref() != Some(&lock) {
        project.write_lock(&lock)?;
    }
    // What is refused is locked all the same: `policy explain` looks at it, and `plan` and `build` ask again.
    policies::judge(&project, &lock, &policies.policies, project.images().iter())?;
    tell_changes(old.as_ref(), &lock);
    Ok(summarise(&project, &lock, every.len(), format)?)
}

/// What of a lock is chosen anew.
enum Update<'a> {
    /// What it does not answer yet.
    Missing,
    /// Everything of the selected images.
    All,
    /// One package of the selected images.
    Package(&'a str),
}

/// The lock that a plan or build goes by: the one beside the configuration, or a new one unless `--locked`.
pub(super) fn current(session: &Session, project: &Project, choice: &Choice) -> Result<Lock, Failure> {
    let old = project.read_lock()?;
    match old {
        Some(old) if project.images().iter().all(|image| is_answered(&old, image)) => Ok(old),
        _ if choice.locked => Ok(locked(project)?),
        old => {
            // The images the lock knows stay in it; of the others, those that are asked for now come in.
            let is_locked = |image: &&Image| old.as_ref().is_some_and(|old| is_answered(old, image));
            let every = project.every_image()?;
            let wanted: Vec<&Image> =
                every.iter().filter(|image| project.is_selected(image) || is_locked(image)).collect();
            let lock = renewed(session, project, old.as_ref(), &wanted, &Update::Missing)?;
            project.write_lock(&lock)?;
            tell_changes(old.as_ref(), &lock);
            Ok(lock)
        }
    }
}

/// The lock beside the configuration, which must answer every selected image.
pub(super) fn locked(project: &Project) -> Result<Lock, Finding> {
    let lock = project.read_lock()?.ok_or_else(|| missing(project))?;
    match project.images().iter().find(|image| !is_answered(&lock, image)) {
        None => Ok(lock),
        Some(image) => {
            let message = format!("{} answers another configuration", project.lock_path().display());
            let finding = Finding::error(codes::LOCK_OUTDATED, message);
            let finding = if project.is_batch() { finding.because(project.about(image)) } else { finding };
            Err(finding.help(format!("run `{}`", project.command("lock"))))
        }
    }
}

/// What a lock answers an image by; empty where it does not.
pub(super) fn questions(lock: &Lock, image: &Image) -> Vec<Digest> {
    let questions = compiler::questions(&image.config, lock).unwrap_or_default();
    if questions.iter().all(|asked| lock.answers.contains_key(asked)) { questions } else { Vec::new() }
}

fn is_answered(lock: &Lock, image: &Image) -> bool {
    !questions(lock, image).is_empty()
}

/// The question of an image itself.
pub(super) fn asked(image: &Image) -> Digest {
    compiler::config::asked(&image.config).digest()
}

/// A lock that answers these images. Everything in it stands on the same releases, so either nothing is resolved or
/// everything is, keeping what may stay.
fn renewed(
    session: &Session,
    project: &Project,
    old: Option<&Lock>,
    wanted: &[&Image],
    update: &Update,
) -> Result<Lock, Failure> {
    if let (Some(old), Update::Missing) = (old, update)
        && wanted.iter().all(|image| is_answered(old, image))
    {
        let questions: BTreeSet<Digest> = wanted.iter().flat_map(|image| questions(old, image)).collect();
        let of_them = old.images().map(|(asked, arch, _)| (asked, arch));
        return Ok(old.narrowed(&of_them.filter(|(asked, _)| questions.contains(asked)).collect()));
    }
    phase("resolve");
    let mut resolver = Resolver::new(session);
    let (mut locks, mut done) = (Vec::new(), BTreeSet::new());
    for image in wanted {
        if !done.insert(asked(image)) {
            continue;
        }
        let keep = match (old, update) {
            (None, _) => Keep::Nothing,
            (Some(_), Update::All) if project.is_selected(image) => Keep::Nothing,
            (Some(old), Update::Package(name)) if project.is_selected(image) => Keep::AllBut(old, name),
            (Some(old), _) => Keep::All(old),
        };
        let resolved = resolver.resolve(&image.config, &keep).or_else(|findings| match (&keep, update) {
            (Keep::All(_), Update::Missing) => resolver.resolve(&image.config, &Keep::Nothing),
            _ => Err(findings),
        });
        let (lock, warnings) = resolved.map_err(|findings| project.failure(image, findings))?;
        report::print_warnings(&project.sources, &project.trace(image, warnings));
        locks.push(lock);
    }
    Ok(Lock::united(locks))
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
    let Some(old) = old else { return };
    let (before, now) = (versions(old), versions(lock));
    for (key, versions) in &now {
        let shown = |versions: &BTreeSet<&str>| versions.iter().copied().collect::<Vec<_>>().join(", ");
        match before.get(key) {
            Some(before) if before != versions => {
                anstream::eprintln!("{} {} -> {}", key.1, shown(before), shown(versions));
            }
            None => anstream::eprintln!("{} {} added", key.1, shown(versions)),
            Some(_) => {}
        }
    }
    for key in before.keys().filter(|key| !now.contains_key(*key)) {
        anstream::eprintln!("{} removed", key.1);
    }
}

/// The versions a lock has of each package; images may have different ones.
fn versions(lock: &Lock) -> BTreeMap<(Origin, &str), BTreeSet<&str>> {
    let mut versions: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for node in lock.nodes.values() {
        versions.entry((node.origin, node.name.as_str())).or_default().insert(&node.version);
    }
    versions
}

fn summarise(project: &Project, lock: &Lock, images: usize, format: Format) -> Result<(), Finding> {
    if format == Format::Json {
        return report::print_json(lock);
    }
    let verified = lock.nodes.values().filter(|node| node.proof.is_verified()).count();
    let of_images = if images > 1 { format!(" in {images} images") } else { String::new() };
    anstream::eprintln!(
        "{}: {} packages{of_images}, {verified} of them vouched for by a signature",
        project.lock_path().display(),
        lock.nodes.len()
    );
    Ok(())
}
