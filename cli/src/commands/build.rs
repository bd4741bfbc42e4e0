use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use model::plan::{Op, Plan, PlanKey};
use model::{Arch, Finding, Findings, codes};
use runtime::archive::{ArchiveOptions, Written, write_archive};
use runtime::execute::{Options, Value, execute};
use runtime::fetch::Wanted;
use runtime::prove::{Summary, prove};
use serde::Serialize;

use super::plan::{self, Planned};
use crate::args::{Choice, ConfigArg, Format, Machine};
use crate::progress::phase;
use crate::project::Project;
use crate::report::{self, Failure};
use crate::session::Session;

/// `build`: from configuration to archive.
pub(super) fn run(
    machine: &Machine,
    path: &ConfigArg,
    choice: &Choice,
    output: &Path,
    jobs: Option<usize>,
    format: Format,
) -> Result<(), Failure> {
    let project = Project::load(&path.config, &path.select)?;
    report::print_warnings(&project.sources, &project.warnings);
    check_name(output)?;
    project.check_output(output)?;
    let session = Session::open(machine, false)?;
    let jobs = jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));

    let mut replaced = BTreeSet::new();
    let (plan, summary, index, written) = loop {
        // planned anew in each round: what was captured of the author's files may be what was damaged
        let planned = plan::make(&session, &project, choice)?;
        let outcome = attempt(&session, &planned, &project, output, jobs);
        let damaged = session.store.take_damaged();
        match outcome {
            Ok((summary, index, written)) => break (planned.plan, summary, index, written),
            // an object that is damaged once more after it was replaced will not get better
            Err(findings) if damaged.iter().all(|digest| replaced.contains(digest)) || session.offline => {
                return Err(findings.into());
            }
            Err(_) => {
                for digest in damaged {
                    replaced.insert(digest);
                    session
                        .progress
                        .note(&format!("the stored object {digest} was damaged; it is fetched or made again"));
                    session.store.discard(&digest)?;
                }
            }
        }
    };
    let name = format!("{}:{}", project.config().name.value, tag(&project));
    let done = Summarised { name, output, written: &written, index: &index, packages: &summary, plan: plan.digest() };
    Ok(summarise(&done, format)?)
}

/// The ending of the name says what is written; another one would promise something else.
fn check_name(output: &Path) -> Result<(), Finding> {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    if [".tar", ".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending)) {
        return Ok(());
    }
    let message = format!("{} is no name of an archive that can be written", output.display());
    Err(Finding::error(codes::USAGE, message).help("let it end in .tar.gz or .tgz, or in .tar"))
}

fn attempt(
    session: &Session,
    Planned { plan, lock, arches }: &Planned,
    project: &Project,
    output: &Path,
    jobs: usize,
) -> Result<(Summary, Value, Written), Findings> {
    // what the lock claims is proved before anything it names is fetched
    phase("prove");
    session.wait(runtime::debian::fetch_proofs(&session.fetcher, &session.store, &lock.narrowed(arches)))?;
    let summary = prove(&session.store, lock, arches, &session.trust)?;
    phase("fetch");
    session.wait(session.fetcher.files(leaves(plan)))?;
    phase("execute");
    let mut values = execute(plan, &session.store, &Options { jobs, progress: session.progress.clone() })?;
    phase("release");
    let index = index_of(plan, &mut values)?;
    let options = ArchiveOptions {
        name: project.config().name.value.clone(),
        tag: tag(project).to_owned(),
        plain_arch: machine_arch(),
        epoch: plan.epoch,
    };
    let written = write_archive(&session.store, &index, &options, output)?;
    Ok((summary, index, written))
}

fn index_of(plan: &Plan, values: &mut BTreeMap<PlanKey, Value>) -> Result<Value, Finding> {
    let index = plan.targets.get("index").and_then(|key| values.remove(key));
    index.ok_or_else(|| Finding::error(codes::LOCK_INCONSISTENT, "the plan makes no image index"))
}

fn tag(project: &Project) -> &str {
    project.config().version.as_ref().map_or("unversioned", |version| version.value.as_str())
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

#[derive(Serialize)]
struct Summarised<'a> {
    name: String,
    output: &'a Path,
    written: &'a Written,
    index: &'a Value,
    packages: &'a Summary,
    plan: model::Digest,
}

fn summarise(done: &Summarised, format: Format) -> Result<(), Finding> {
    if format == Format::Json {
        return report::print_json(done);
    }
    let Value::Index { digest, images, .. } = done.index else { return Ok(()) };
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
    let Summary { verified, index_hash, unsigned, expired_accepted } = done.packages;
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
