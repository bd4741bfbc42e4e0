use std::path::Path;

use model::config::Config;
use model::lock::Lock;
use model::plan::Plan;
use model::{Arch, Finding, Findings, canonical_json, codes};
use runtime::local;

use super::lock;
use crate::args::{Choice, ConfigArg, Format, Machine};
use crate::project::{self, Project};
use crate::report::{self, Failure};
use crate::session::Session;

/// `plan`: the build plan as canonical JSON.
pub(super) fn run(
    machine: &Machine,
    path: &ConfigArg,
    choice: &Choice,
    output: Option<&Path>,
    format: Format,
) -> Result<(), Failure> {
    let project = Project::load(&path.config, &path.select)?;
    report::print_warnings(&project.sources, &project.warnings);
    let session = Session::open(machine, false)?;
    let Planned { plan, .. } = make(&session, &project, choice)?;
    let json = canonical_json(&plan);
    let Some(output) = output else { return Ok(report::data(&json)?) };
    project.check_output(output)?;
    project::write_whole(output, &json)?;
    let digest = plan.digest();
    Ok(match format {
        Format::Json => report::print_json(&serde_json::json!({ "plan": digest, "output": output })),
        _ => report::line(format_args!("plan     {digest}  {}", output.display())),
    }?)
}

/// A plan, and what it was made from.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) lock: Lock,
    /// The architectures chosen of those the lock answers for.
    pub(super) arches: Vec<Arch>,
}

/// Lock, the author's files, and the plan over both.
pub(super) fn make(session: &Session, project: &Project, choice: &Choice) -> Result<Planned, Failure> {
    let wanted = chosen(project.config(), choice)?;
    // the author's files first: what is wrong with them is found without a server
    let local = capture(session, project).map_err(|findings| project.failure(findings))?;
    let lock = lock::current(session, project, choice)?;
    let plan = compiler::lower(&wanted, &lock, &local).map_err(|findings| project.failure(findings))?;
    Ok(Planned { plan, lock, arches: wanted.architectures })
}

/// The configuration with only the chosen architectures.
fn chosen(config: &Config, choice: &Choice) -> Result<Config, Finding> {
    if let Some(arch) = choice.arches.iter().find(|arch| !config.architectures.contains(arch)) {
        let message = format!("the configuration does not declare the architecture {arch}");
        return Err(Finding::error(codes::USAGE, message).help("add it to `architectures`"));
    }
    let mut config = config.clone();
    config.architectures.retain(|arch| choice.arches.is_empty() || choice.arches.contains(arch));
    Ok(config)
}

fn capture(session: &Session, project: &Project) -> Result<compiler::LocalTrees, Findings> {
    let config = project.config();
    let folder = project.folder()?;
    let store = &session.store;
    let mut findings = Findings::new();
    let mut local = compiler::LocalTrees::default();
    if let Some(source) = &config.source {
        match local::capture(store, &folder, &source.path.value) {
            Ok(tree) => local.source = Some(tree),
            Err(found) => findings.extend(found.into_iter().map(|f| f.or_at(source.path.span))),
        }
    }
    for file in &config.files {
        match local::capture_file(store, &folder, &file.from.value, &file.to.value, file.mode) {
            Ok(tree) => local.files.push(tree),
            Err(found) => findings.push(found.or_at(file.from.span)),
        }
    }
    for certificate in &config.certificates {
        match local::read_certificates(&folder, &certificate.value) {
            Ok(pem) => local.certificates.push_str(&pem),
            Err(found) => findings.push(found.or_at(certificate.span)),
        }
    }
    if findings.is_empty() { Ok(local) } else { Err(findings) }
}
