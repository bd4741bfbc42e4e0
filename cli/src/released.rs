//! What becomes of images once they are built: they are signed with every document about them, and sent to registries.

use std::path::{Path, PathBuf};

use ::evidence::Bundle;
use audit::Action;
use model::statement::Statement;
use model::{Digest, Finding, codes};
use registry::{Client, Descriptor, Named, Referrers, Sender, Source};
use serde::de::IgnoredAny;
use serde_json::json;
use signing::Signer;

use crate::args::{DECLARED, Machine, Releasing};
use crate::artifacts::SIGNED;
use crate::commands::signers;
use crate::layout::Layouts;
use crate::located::{options, refuse_offline};
use crate::project::{self, Project};
use crate::report::Failure;
use crate::sending::{Sent, Told, jobs, send};
use crate::signed::{self, SIGNATURE};
use crate::trail::{self, Trail};
use crate::webhooks::Webhooks;

/// What is to become of images.
pub(crate) struct Release<'r> {
    machine: &'r Machine,
    releasing: &'r Releasing,
    signers: Vec<Box<dyn Signer>>,
    webhooks: Webhooks,
    trail: Trail,
}

/// An image that was built.
pub(crate) struct Candidate<'c> {
    pub(crate) name: &'c str,
    pub(crate) archive: &'c Path,
    /// Its index.
    pub(crate) index: Digest,
    /// What is said of it, and the folder where that lies.
    pub(crate) evidence: Option<&'c (PathBuf, Bundle)>,
    /// Places in registries that its configuration names.
    pub(crate) registries: &'c [String],
}

impl<'r> Release<'r> {
    /// Opens keys and reads names, so that what is wrong with them is known before anything is built.
    /// Images are called by these names and tags. With `artifacts`, what is signed is kept even if it is sent nowhere.
    pub(crate) fn new(
        machine: &'r Machine,
        releasing: &'r Releasing,
        project: &Project,
        names: &[(String, String)],
        artifacts: bool,
    ) -> Result<Self, Failure> {
        let usage = |message: &str, help: &str| Err(Finding::error(codes::USAGE, message).help(help).into());
        if let Some(target) = releasing.push.first() {
            refuse_offline(machine, if target == DECLARED { "`--push`" } else { target })?;
        }
        let nowhere = |image: &&compiler::template::Image| image.config.registries.is_empty();
        if let (true, Some(image)) = (releasing.to_declared(), project.images().iter().find(nowhere)) {
            let message = format!("the configuration of {} names no registries", image.config.name.value);
            return usage(&message, "add `registries: [registry.example.com/team]`, or name one: `--push REF`");
        }
        if releasing.push.is_empty() && releasing.sending.says_something() {
            return usage("more is said of where images go, and they go nowhere", "say where to: `--push REF`");
        }
        let trail = Trail::open(machine)?;
        check_targets(releasing, project, names, trail.commit())?;
        if releasing.sign && releasing.push.is_empty() && !artifacts {
            return usage(
                "there is no place where signatures could be kept",
                "name a folder for them, `--artifacts DIR`, or send them with the image: `--push REF`",
            );
        }
        let signers = signers(&releasing.keys)?;
        let webhooks = Webhooks::at(machine, releasing.sending.webhooks.as_deref())?;
        Ok(Self { machine, releasing, signers, webhooks, trail })
    }

    /// Whether there has to be evidence.
    pub(crate) fn signs(&self) -> bool {
        !self.signers.is_empty()
    }

    /// Writes down what was built.
    pub(crate) fn built(&self, name: &str, index: Digest, how: &[(&str, String)]) -> Result<(), Finding> {
        self.trail.add(Action::Build, name, index, how)
    }

    /// Signs images, and sends them with what was signed. `None` if they go nowhere.
    pub(crate) fn run(&self, candidates: &[Candidate<'_>]) -> Result<Option<Sent>, Finding> {
        if candidates.is_empty() || (self.signers.is_empty() && self.releasing.push.is_empty()) {
            return Ok(None);
        }
        let archives: Vec<PathBuf> = candidates.iter().map(|candidate| candidate.archive.to_owned()).collect();
        let layouts = Layouts::at(&archives)?;
        let images: Vec<(&Named, &Candidate<'_>)> = layouts.images().zip(candidates).collect();
        if let Some((_, other)) = images.iter().find(|(image, candidate)| image.digest != candidate.index) {
            let message = format!("{} is not what was built any more", other.archive.display());
            return Err(Finding::error(codes::ARCHIVE_UNKNOWN, message).help("nothing else may write to the output"));
        }
        let mut referrers = Referrers::default();
        for (image, candidate) in images.iter().filter(|_| self.signs()) {
            if let Some((folder, statements)) = candidate.evidence {
                let mut subjects = vec![image.descriptor.clone()];
                subjects.extend(layouts.inside(&image.digest)?);
                let lines = self.sign(&subjects, statements, &mut referrers)?;
                project::write_whole(&folder.join(SIGNED), &lines)?;
                self.trail.add(Action::Sign, candidate.name, image.digest, &[trail::keys(&self.signers)])?;
            }
        }
        if self.releasing.push.is_empty() {
            return Ok(None);
        }
        let targets: Vec<Vec<String>> =
            images.iter().map(|(_, candidate)| targets(self.releasing, candidate.registries)).collect();
        let images: Vec<(&Named, &[String])> =
            images.iter().zip(&targets).map(|((image, _), to)| (*image, to.as_slice())).collect();
        let jobs =
            jobs(&images, &self.releasing.sending, self.trail.commit(), |image| layouts.architectures(&image.digest))?;
        let client = Client::new(options(self.machine));
        let layouts = layouts.with(referrers);
        let told = Told { trail: &self.trail, webhooks: &self.webhooks, action: Action::Push };
        let sender = Sender::new(Source::Here(&layouts));
        send(&client, &sender, jobs, &told).map(Some)
    }

    /// Signs each statement with every key, and each image too, which says nothing more of it. What is said of an image is put
    /// beside it; what is said of something else, such as the plan, is only in the answer: a bundle on each line.
    fn sign(
        &self,
        subjects: &[Descriptor],
        statements: &Bundle,
        referrers: &mut Referrers,
    ) -> Result<Vec<u8>, Finding> {
        let mut lines = Vec::new();
        for signer in &self.signers {
            for subject in subjects {
                let bundle = signed::sign(signer.as_ref(), &subject.digest, SIGNATURE, json!({}))?.bytes;
                add_line(&mut lines, &bundle);
                signed::add(referrers, subject, SIGNATURE, bundle);
            }
            for text in statements.statements() {
                let statement: Statement<IgnoredAny> = serde_json::from_slice(text)
                    .map_err(|e| Finding::error(codes::OUTPUT_IO, format!("a statement of this build is none: {e}")))?;
                let bundle = signed::seal(signer.as_ref(), &statement.predicate_type, text)?.bytes;
                add_line(&mut lines, &bundle);
                for subject in subjects.iter().filter(|subject| signed::is_about(&statement, &subject.digest)) {
                    signed::add(referrers, subject, &statement.predicate_type, bundle.clone());
                }
            }
        }
        Ok(lines)
    }
}

/// Where an image goes.
fn targets(releasing: &Releasing, registries: &[String]) -> Vec<String> {
    let named = releasing.push.iter().filter(|target| *target != DECLARED).cloned();
    let declared = registries.iter().filter(|_| releasing.to_declared());
    named.chain(declared.map(|place| format!("{place}/"))).collect()
}

/// Reads names as they will be read once there are images, of which only the digests are not known yet.
fn check_targets(
    releasing: &Releasing,
    project: &Project,
    names: &[(String, String)],
    commit: Option<&str>,
) -> Result<(), Finding> {
    let mut images = Vec::new();
    for (image, (name, tag)) in project.images().iter().zip(names) {
        let registries: Vec<String> = image.config.registries.iter().map(|place| place.value.clone()).collect();
        let descriptor = Descriptor::of("", name.as_bytes());
        let (name, tag) = (Some(name.clone()), Some(tag.clone()));
        images.push((Named { digest: descriptor.digest, descriptor, name, tag }, targets(releasing, &registries)));
    }
    let images: Vec<(&Named, &[String])> = images.iter().map(|(image, to)| (image, to.as_slice())).collect();
    jobs(&images, &releasing.sending, commit, |_| Ok(Vec::new())).map(drop)
}

fn add_line(lines: &mut Vec<u8>, bundle: &[u8]) {
    lines.extend(bundle);
    lines.push(b'\n');
}
