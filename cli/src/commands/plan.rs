use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use compiler::template::Image;
use compiler::{LocalTrees, Lowerer};
use model::config::{Config, Content, Place};
use model::lock::Lock;
use model::plan::Plan;
use model::{Arch, Digest, Finding, Findings, canonical_json, codes};
use rayon::prelude::*;
use runtime::local::{self, Folder};
use serde_json::json;

use super::lock;
use crate::args::{Choice, ConfigArg, Format, Machine};
use crate::policies;
use crate::project::{self, Project};
use crate::report::{self, Failure};
use crate::session::Session;

/// `plan`: build plans as canonical JSON, one on a line where there are several.
pub(super) fn run(
    machine: &Machine,
    config: &ConfigArg,
    choice: &Choice,
    output: Option<&Path>,
    format: Format,
) -> Result<(), Failure> {
    let project = Project::load(&config.config, &config.select)?;
    report::print_warnings(&project.sources, &project.warnings);
    let session = Session::open(machine, false)?;
    let planned = make(&session, &project, choice)?;
    let plans: Vec<u8> = match planned.images.as_slice() {
        [only] => canonical_json(&only.plan),
        several => several
            .iter()
            .flat_map(|planned| {
                let mut line =
                    canonical_json(&json!({ "image": planned.image.config.name.value, "plan": planned.plan }));
                line.push(b'\n');
                line
            })
            .collect(),
    };
    let Some(output) = output else { return Ok(report::data(&plans)?) };
    project.check_output(output)?;
    project::write_whole(output, &plans)?;
    let digests: BTreeMap<&str, Digest> = planned
        .images
        .iter()
        .map(|planned| (planned.image.config.name.value.as_str(), planned.plan.digest()))
        .collect();
    if format == Format::Json {
        return Ok(report::print_json(&json!({ "plans": digests, "output": output }))?);
    }
    for (name, digest) in digests {
        report::line(format_args!("plan     {digest}  {name}"))?;
    }
    Ok(())
}

/// The plans of the selected images, and what they were made from.
pub(super) struct Planned<'p> {
    pub(super) lock: Lock,
    pub(super) images: Vec<PlannedImage<'p>>,
}

/// The plan of one image.
pub(crate) struct PlannedImage<'p> {
    pub(crate) image: &'p Image,
    pub(crate) plan: Plan,
    /// What of the lock it is made from.
    pub(crate) locked: BTreeSet<(Digest, Arch)>,
}

/// Lock, the author's files, and the plans over both.
pub(super) fn make<'p>(session: &Session, project: &'p Project, choice: &Choice) -> Result<Planned<'p>, Failure> {
    // the author's files first: what is wrong with them is found without a server
    let mut captured = Captured::default();
    let folder = project.folder()?;
    let (mut local, mut findings) = (Vec::new(), Findings::new());
    for (image, arches) in chosen(project.images(), choice)? {
        match captured.of(session, &folder, &image.config) {
            Ok(trees) => local.push((image, arches, trees)),
            Err(found) => findings.extend(project.of_image(image, found)),
        }
    }
    if !findings.is_empty() {
        return Err(Failure { sources: project.sources.clone(), findings });
    }
    let lock = lock::current(session, project, choice)?;
    let mut images = Vec::new();
    let lowerer = Lowerer::new(&lock)?;
    let planned = local.par_iter().map(|(image, arches, trees)| {
        let plan = lowerer.lower(&image.config, arches, trees).map_err(|found| project.of_image(image, found))?;
        let questions = lock::questions(&lock, image);
        let locked = questions.iter().flat_map(|asked| arches.iter().map(|arch| (*asked, *arch))).collect();
        Ok(PlannedImage { image, plan, locked })
    });
    for image in planned.collect::<Vec<Result<_, Findings>>>() {
        match image {
            Ok(image) => images.push(image),
            Err(found) => findings.extend(found),
        }
    }
    if !findings.is_empty() {
        return Err(Failure { sources: project.sources.clone(), findings });
    }
    policies::judge(project, &lock, &choice.policies.policies, images.iter().map(|planned| planned.image))?;
    Ok(Planned { lock, images })
}

/// The images that have one of the chosen architectures, each with those it has.
fn chosen<'p>(images: &'p [Image], choice: &Choice) -> Result<Vec<(&'p Image, Vec<Arch>)>, Finding> {
    let declared = |arch: &&Arch| images.iter().any(|image| image.config.architectures.contains(arch));
    if let Some(arch) = choice.arches.iter().find(|arch| !declared(arch)) {
        let message = format!("the configuration does not declare the architecture {arch}");
        return Err(Finding::error(codes::USAGE, message).help("add it to `architectures`"));
    }
    let wanted = |arch: &Arch| choice.arches.is_empty() || choice.arches.contains(arch);
    let of_each = images.iter().map(|image| {
        let arches: Vec<Arch> = image.config.architectures.iter().copied().filter(wanted).collect();
        (image, arches)
    });
    Ok(of_each.filter(|(_, arches)| !arches.is_empty()).collect())
}

/// What was taken of the author's files; images that name the same share it.
#[derive(Default)]
struct Captured {
    folders: BTreeMap<String, Result<Digest, Findings>>,
}

impl Captured {
    fn of(&mut self, session: &Session, folder: &Folder, config: &Config) -> Result<LocalTrees, Findings> {
        let store = &session.store;
        let mut findings = Findings::new();
        let mut local = LocalTrees::default();
        if let Some(source) = &config.source {
            let (taken, span) = match &source.place {
                Place::Folder(path) => {
                    let take = || local::capture(store, folder, &path.value);
                    (self.folders.entry(path.value.clone()).or_insert_with(take).clone(), path.span)
                }
                Place::Git { url, commit } => {
                    let take = || {
                        let stall = session.fetcher.stall();
                        local::commit(store, &url.value, &commit.value, session.offline, stall).map_err(Findings::from)
                    };
                    (
                        self.folders.entry(format!("{} {}", url.value, commit.value)).or_insert_with(take).clone(),
                        url.span,
                    )
                }
            };
            match taken {
                Ok(tree) => local.source = Some(tree),
                Err(found) => findings.extend(found.into_iter().map(|finding| finding.or_at(span))),
            }
        }
        for file in &config.files {
            let to = &file.to.value;
            let (taken, span) = match &file.content {
                Content::File(from) => (local::capture_file(store, folder, &from.value, to, file.mode), from.span),
                Content::Text(text) => (local::capture_text(store, &text.value, to, file.mode), text.span),
            };
            match taken {
                Ok(tree) => local.files.push(tree),
                Err(found) => findings.push(found.or_at(span)),
            }
        }
        for certificate in &config.certificates {
            match local::read_certificates(folder, &certificate.value) {
                Ok(pem) => local.certificates.push_str(&pem),
                Err(found) => findings.push(found.or_at(certificate.span)),
            }
        }
        if findings.is_empty() { Ok(local) } else { Err(findings) }
    }
}
