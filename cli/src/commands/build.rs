use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ::evidence::Bundle;
use compiler::template::Image;
use model::plan::{Op, Plan, PlanKey};
use model::{Arch, Digest, Finding, Findings, codes};
use runtime::archive::{ArchiveOptions, Written, write_archive};
use runtime::execute::{Executed, Executors, Options, Value, execute, limits};
use runtime::fetch::Wanted;
use runtime::prove::{Summary, prove};
use serde::Serialize;
use tempfile::TempDir;

use super::plan::{self, Planned, PlannedImage};
use crate::args::{Choice, ConfigArg, Execution, Format, Machine, Releasing};
use crate::artifacts::{Artifacts, Finished};
use crate::progress::phase;
use crate::project::Project;
use crate::released::{Candidate, Release};
use crate::report::{self, Failure};
use crate::sending::Job;
use crate::session::{self, Session};

/// `build`: from configuration to archives, one for each image.
pub(super) fn run(
    machine: &Machine,
    config: &ConfigArg,
    choice: &Choice,
    output: &Path,
    (execution, releasing): (&Execution, &Releasing),
    format: Format,
) -> Result<(), Failure> {
    check_executor(&execution.executor)?;
    let project = Project::load(&config.config, &config.select)?;
    report::print_warnings(&project.sources, &project.warnings);
    let output = Output::of(output, &project)?;
    let release = Release::new(machine, releasing, &project, &names(&project), execution.artifacts.is_some())?;
    // What is signed has to be written somewhere first.
    let scratch = match (release.signs(), &execution.artifacts) {
        (true, None) => Some(scratch()?),
        _ => None,
    };
    let artifacts = execution.artifacts.as_deref().or(scratch.as_ref().map(TempDir::path));
    let session = Session::open(machine, false)?;

    let mut replaced = BTreeSet::new();
    let mut built = loop {
        // planned anew in each round: what was captured of the author's files may be what was damaged
        let planned = plan::make(&session, &project, choice)?;
        let built = attempt(&session, &planned, &project, &output, (execution, artifacts))?;
        let damaged = session.store.take_damaged();
        // an object that is damaged once more after it was replaced will not get better
        if built.failed.is_empty() || session.offline || damaged.iter().all(|digest| replaced.contains(digest)) {
            break built;
        }
        for digest in damaged {
            replaced.insert(digest);
            session.progress.note(&format!("the stored object {digest} was damaged; it is fetched or made again"));
            session.store.discard(&digest)?;
        }
    };
    let mut findings: Findings = built.failed.iter().flat_map(|(_, found)| found.clone()).collect();
    for done in &built.done {
        let how = [("executor", execution.executor.clone()), ("plan", done.plan.to_string())];
        findings.extend(release.built(&done.name, done.digest, &how).err());
    }
    // What cannot be written down goes nowhere.
    let may_go = findings.iter().all(|finding| finding.code != codes::AUDIT_UNUSABLE);
    let candidates: Vec<Candidate<'_>> = built.done.iter().filter(|_| may_go).map(Done::candidate).collect();
    let sent = release.run(&candidates).unwrap_or_else(|finding| {
        findings.push(finding);
        None
    });
    for done in &mut built.done {
        let jobs = sent.iter().flat_map(|sent| &sent.pushed);
        done.pushed = jobs.filter(|job| job.digest == done.digest).cloned().collect();
    }
    findings.extend(sent.iter().flat_map(|sent| sent.failed.clone()));
    summarise(&built, &output, format, findings.is_empty())?;
    if let Some(sent) = &sent {
        if format != Format::Json {
            sent.lines()?;
        }
        sent.count();
    }
    if findings.is_empty() {
        return Ok(());
    }
    Err(Failure { sources: project.sources.clone(), findings })
}

fn scratch() -> Result<TempDir, Finding> {
    tempfile::tempdir().map_err(|e| Finding::error(codes::OUTPUT_IO, format!("no temporary folder can be made: {e}")))
}

fn check_executor(name: &str) -> Result<(), Finding> {
    match name {
        "local" => Ok(()),
        "remote" | "emulated" => {
            let finding =
                Finding::error(codes::NOT_SUPPORTED_YET, format!("the executor `{name}` is not supported yet"));
            Err(finding.help("leave `--executor` out: commands run in sandboxes on this machine"))
        }
        _ => {
            let message = format!("there is no executor `{}`", name.escape_debug());
            Err(Finding::error(codes::USAGE, message).help("write `local`, or leave `--executor` out"))
        }
    }
}

/// Where archives go.
enum Output {
    /// The one image's archive.
    File(PathBuf),
    /// A folder, in which each archive has its image's name.
    Folder(PathBuf),
}

impl Output {
    /// A name that ends in `/`, or is a folder's, is for several; the ending of a file's name says what is written, and another one
    /// would promise something else.
    fn of(path: &Path, project: &Project) -> Result<Self, Finding> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_archive = [".tar", ".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending));
        let is_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.is_dir() && !is_archive;
        if is_folder {
            std::fs::create_dir_all(path).map_err(|e| {
                Finding::error(codes::OUTPUT_IO, format!("the folder {} cannot be made: {e}", path.display()))
            })?;
            return Ok(Output::Folder(path.to_owned()));
        }
        let several = project.images().len();
        if several > 1 {
            let message = format!("{} is no folder, and there are {several} images", path.display());
            let help = "name a folder, `--output images/`, or choose one image with `--select NAME=VALUE`";
            return Err(Finding::error(codes::USAGE, message).help(help));
        }
        if is_archive {
            project.check_output(path)?;
            return Ok(Output::File(path.to_owned()));
        }
        let message = format!("{} is no name of an archive that can be written", path.display());
        Err(Finding::error(codes::USAGE, message)
            .help("let it end in .tar.gz or .tgz, or in .tar; or in / for a folder"))
    }

    fn file(&self, image: &Image) -> PathBuf {
        match self {
            Output::File(path) => path.clone(),
            Output::Folder(folder) => folder.join(format!("{}.tar.gz", image.config.name.value)),
        }
    }
}

/// What became of the images.
struct Built {
    done: Vec<Done>,
    /// Images that failed, by name, and why.
    failed: Vec<(String, Findings)>,
    /// Where steps are run twice: how many were, and how many made something else.
    repeated: Option<(usize, usize)>,
}

/// An image that was built.
#[derive(Serialize)]
struct Done {
    name: String,
    output: PathBuf,
    written: Written,
    index: Value,
    packages: Summary,
    plan: Digest,
    /// Steps that were run twice and made the same, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeated: Option<usize>,
    /// Where it was sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pushed: Vec<Job>,
    /// The folder of what is said of it, and the statements there.
    #[serde(skip)]
    evidence: Option<(PathBuf, Bundle)>,
    #[serde(skip)]
    registries: Vec<String>,
    /// Of the index.
    #[serde(skip)]
    digest: Digest,
}

impl Done {
    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            name: &self.name,
            archive: &self.output,
            index: self.digest,
            evidence: self.evidence.as_ref(),
            registries: &self.registries,
        }
    }
}

/// Builds every planned image. Equal steps of different images are one, and an image that fails leaves the others whole.
///
/// # Errors
/// What concerns all images: proofs, and what could not be fetched.
fn attempt(
    session: &Session,
    planned: &Planned,
    project: &Project,
    output: &Output,
    (execution, artifacts): (&Execution, Option<&Path>),
) -> Result<Built, Failure> {
    // what the lock claims is proved before anything it names is fetched
    phase("prove");
    let started = session::now();
    let locked = planned.images.iter().flat_map(|planned| planned.locked.iter().copied()).collect();
    let mut built = Built { done: Vec::new(), failed: Vec::new(), repeated: None };
    let mut whole = Plan::new(planned.lock.epoch);
    planned.images.iter().for_each(|planned| whole.take_in(&planned.plan));
    let common =
        |findings: Findings| Ok(Built { done: Vec::new(), failed: vec![(String::new(), findings)], repeated: None });
    let executors = Executors::local(PathBuf::from("/proc/self/exe"), limits());
    let jobs = execution.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let options = Options {
        jobs,
        executors,
        keep_going: execution.keep_going,
        check_reproducible: execution.check_reproducible,
        progress: session.progress.clone(),
    };
    // an index is never shorter than what was declared, and nothing is fetched for one that cannot be whole
    if let Err(findings) = options.executors.check(&whole) {
        return common(findings);
    }
    let narrowed = planned.lock.narrowed(&locked);
    if let Err(findings) = session.wait(runtime::debian::fetch_proofs(&session.fetcher, &session.store, &narrowed)) {
        return common(findings);
    }
    let mut packages = Vec::new();
    for planned_image in &planned.images {
        match prove(&session.store, &planned.lock, &planned_image.locked, &session.trust) {
            Ok(summary) => packages.push(summary),
            Err(findings) => return common(findings),
        }
    }
    phase("fetch");
    if let Err(findings) = session.wait(session.fetcher.files(leaves(&whole))) {
        return common(findings);
    }
    phase("execute");
    let executed = execute(&whole, &session.store, &options)?;
    let mut folders = Vec::new();
    if let Some(dir) = artifacts {
        let several = planned.images.len() > 1;
        for planned in &planned.images {
            let dir = if several { dir.join(&planned.image.config.name.value) } else { dir.to_owned() };
            let mut own = Artifacts::new(&session.store, dir)?;
            own.of_steps(planned, &executed)?;
            folders.push(own);
        }
    }
    let mut folders = folders.into_iter();
    phase("release");
    built.repeated = execution.check_reproducible.then(|| {
        let different = executed.repeated.values().filter(|repeated| !repeated.is_equal()).count();
        (executed.repeated.len(), different)
    });
    for (planned_image, packages) in planned.images.iter().zip(packages) {
        let folder = folders.next();
        let documented = |mut done: Done| -> Result<Done, Findings> {
            if let Some(mut artifacts) = folder {
                let archive = done.output.file_name().unwrap_or_default().to_string_lossy();
                let statements = artifacts.of_image(&Finished {
                    project,
                    planned: planned_image,
                    lock: &planned.lock,
                    executed: &executed,
                    executors: &options.executors,
                    archive: (&archive, &done.written),
                    started,
                })?;
                done.evidence = Some((artifacts.dir, statements));
            }
            let own = || planned_image.plan.steps.keys().filter(|key| executed.repeated.contains_key(key)).count();
            done.repeated = execution.check_reproducible.then(own);
            Ok(done)
        };
        match release(session, planned_image, packages, &executed, output).and_then(documented) {
            Ok(done) => built.done.push(done),
            Err(findings) => {
                let name = planned_image.image.config.name.value.clone();
                built.failed.push((name, project.of_image(planned_image.image, findings)));
            }
        }
    }
    Ok(built)
}

/// Writes the archive of an image whose steps are all done.
fn release(
    session: &Session,
    PlannedImage { image, plan, .. }: &PlannedImage,
    packages: Summary,
    executed: &Executed,
    output: &Output,
) -> Result<Done, Findings> {
    let findings = executed.findings_of(plan);
    if !findings.is_empty() {
        return Err(findings);
    }
    let index = plan.targets.get("index").and_then(|key: &PlanKey| executed.values.get(key));
    let Some(index @ Value::Index { digest, .. }) = index else {
        return Err(Finding::error(codes::LOCK_INCONSISTENT, "the plan makes no image index").into());
    };
    let config = &image.config;
    let options = ArchiveOptions {
        name: config.name.value.clone(),
        tag: tag(image).to_owned(),
        plain_arch: machine_arch(),
        epoch: plan.epoch,
    };
    let file = output.file(image);
    let written = write_archive(&session.store, index, &options, &file)?;
    let name = format!("{}:{}", config.name.value, tag(image));
    let (index, plan) = (index.clone(), plan.digest());
    let registries = config.registries.iter().map(|place| place.value.clone()).collect();
    Ok(Done {
        name,
        output: file,
        written,
        index,
        packages,
        plan,
        repeated: None,
        pushed: Vec::new(),
        evidence: None,
        registries,
        digest: *digest,
    })
}

/// What images are called, and their tags.
fn names(project: &Project) -> Vec<(String, String)> {
    project.images().iter().map(|image| (image.config.name.value.clone(), tag(image).to_owned())).collect()
}

fn tag(image: &Image) -> &str {
    image.config.version.as_ref().map_or("unversioned", |version| version.value.as_str())
}

fn leaves(plan: &Plan) -> Vec<Wanted> {
    let steps = plan.steps.values();
    let files = steps.filter_map(|step| match &step.op {
        Op::Fetch { origin, name, file, sha256, size } => {
            Some(Wanted { origin: *origin, name: name.clone(), file: file.clone(), sha256: *sha256, size: *size })
        }
        _ => None,
    });
    files.collect()
}

/// Which image of the archive `docker load` gives the plain name.
fn machine_arch() -> Arch {
    if cfg!(target_arch = "aarch64") { Arch::Arm64 } else { Arch::Amd64 }
}

/// One image in all its lines; of several, one line each.
fn summarise(built: &Built, output: &Output, format: Format, succeeded: bool) -> Result<(), Finding> {
    match (output, built.done.as_slice()) {
        (_, []) if built.failed.iter().any(|(name, _)| name.is_empty()) || matches!(output, Output::File(_)) => Ok(()),
        // A failure is the one document then.
        _ if format == Format::Json && !succeeded => Ok(()),
        (Output::File(_), [only]) if format == Format::Json => report::print_json(only),
        _ if format == Format::Json => report::print_json(&built.done),
        (Output::File(_), [only]) => print(only),
        (_, several) => {
            for done in several {
                report::line(format_args!(
                    "built    {}  {}  {}",
                    done.written.sha256,
                    megabytes(done.written.size),
                    done.output.display()
                ))?;
            }
            for (name, _) in &built.failed {
                report::line(format_args!("failed   {name}"))?;
            }
            repeated(built.repeated)?;
            report::line(format_args!("images   {} built, {} failed", built.done.len(), built.failed.len()))
        }
    }
}

/// What became of the steps that were run twice.
fn repeated(repeated: Option<(usize, usize)>) -> Result<(), Finding> {
    match repeated {
        None => Ok(()),
        Some((0, _)) => report::line("repeated nothing: no step runs a command"),
        Some((steps, 0)) => report::line(format_args!("repeated {steps} steps run twice, all equal")),
        Some((steps, different)) => {
            report::line(format_args!("repeated {steps} steps run twice, {different} of them made something else"))
        }
    }
}

fn print(done: &Done) -> Result<(), Finding> {
    let Value::Index { digest, images, .. } = &done.index else { return Ok(()) };
    report::line(format_args!("name     {}", done.name))?;
    report::line(format_args!("index    {digest}"))?;
    for image in images {
        report::line(format_args!("{:<8} {}  {}", image.arch, image.manifest.digest, megabytes(image.size())))?;
    }
    report::line(format_args!("plan     {}", done.plan))?;
    report::line(format_args!(
        "archive  {}  {}  {}",
        done.written.sha256,
        megabytes(done.written.size),
        done.output.display()
    ))?;
    repeated(done.repeated.map(|steps| (steps, 0)))?;
    let Summary { verified, index_hash, unsigned, expired_accepted } = &done.packages;
    report::line(format_args!(
        "packages {verified} verified by OpenPGP, {index_hash} by a digest their index gave over TLS, {unsigned} unsigned upstream"
    ))?;
    if !expired_accepted.is_empty() {
        report::line(format_args!("expired  accepted, as this machine's apt does: {}", expired_accepted.join(", ")))?;
    }
    Ok(())
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}
