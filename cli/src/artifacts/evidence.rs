use ::evidence::{
    Bill, Blob, Build, Bundle, Commit, Declared, Executor, Format as Form, LayerFacts, Licences, Locked, Made,
    MadeLayer, Page, Predicate, Run,
};
use files::input;
use model::config::Place;
use model::hardening::CompileFlags;
use model::inventory::Inventory;
use model::lock::Lock;
use model::plan::{ImageConfig, Op, Plan};
use model::statement::{Provenance, Resource, Statement};
use model::{Arch, Digest, Finding, canonical_json, codes};
use runtime::archive::Written;
use runtime::execute::{Executed, Executors, Image, Object, Value};
use runtime::local;
use serde::de::DeserializeOwned;

use super::facts::{Seen, at_release};
use super::{Artifacts, SIGNED, by_title};
use crate::commands::PlannedImage;
use crate::project::Project;
use crate::session;

/// A build whose archive is written.
pub(crate) struct Finished<'f> {
    pub(crate) project: &'f Project,
    pub(crate) planned: &'f PlannedImage<'f>,
    pub(crate) lock: &'f Lock,
    pub(crate) executed: &'f Executed,
    pub(crate) executors: &'f Executors,
    /// The archive's name and digest.
    pub(crate) archive: (&'f str, &'f Written),
    /// Seconds since 1970.
    pub(crate) started: i64,
}

impl Artifacts<'_> {
    /// Every document about an image that was built; answers the statements among them.
    pub(crate) fn of_image(&mut self, finished: &Finished<'_>) -> Result<Bundle, Finding> {
        let Finished { planned, executed, .. } = finished;
        let (plan, config) = (&planned.plan, &planned.image.config);
        let (name, version) = (&config.name.value, config.version.as_ref().map(|version| version.value.as_str()));
        let Some(Value::Index { digest, size, images }) =
            plan.targets.get("index").and_then(|key| executed.values.get(key))
        else {
            return Ok(Bundle::default());
        };
        let lock = finished.lock.narrowed(&planned.locked);
        let asked = compiler::config::asked(config).digest();
        let declared = declared(finished);
        let (executor, rooms) = finished.executors.first().unwrap_or_default();
        let made: Vec<Made> = images.iter().map(made).collect();
        let build = Build {
            name,
            version,
            declared: &declared,
            lock: &lock,
            lock_file: lock_file(finished),
            asked,
            plan,
            index: Blob { digest: *digest, size: *size },
            images: &made,
            executor: &Executor { name: executor, rooms },
        };
        let mut inventories: Vec<(&Image, Inventory)> = Vec::new();
        let mut flags: Vec<CompileFlags> = Vec::new();
        for image in images {
            inventories.extend(self.document(executed, plan, "inventory", image.arch)?.map(|found| (image, found)));
            flags.extend(self.document(executed, plan, "compile-flags", image.arch)?);
        }
        let bills: Vec<Bill<'_>> =
            inventories.iter().map(|(image, inventory)| bill(&build, image, inventory)).collect();

        let mut statements = Bundle::default();
        let provenance = self.provenances(&build, finished.started, &mut statements)?;
        self.bills(&build, &bills, &mut statements)?;
        let licences = Licences::of(&bills);
        self.of_all(&build, &licences, finished.archive, &mut statements)?;
        for flags in &flags {
            let subject = made.iter().find(|image| image.arch == flags.arch);
            let subject = subject.map(|image| Resource::new(build.title(), &image.manifest.digest));
            let kind = Predicate::CompileFlags;
            stated(statements.document(kind, subject.into_iter().collect(), &canonical_json(flags)))?;
        }
        let repeated = repeated(plan, executed);
        let seen = Seen {
            build: &build,
            bills: &bills,
            licences: &licences,
            flags: &flags,
            reproducible: repeated.as_ref().map(|(_, different)| different.is_empty()),
        };
        let facts = at_release(compiler::facts(config, &lock, &rules::now())?.document, &seen);
        self.bytes("policy-facts.json", "facts for policies", &::evidence::json(&facts))?;
        let subject = vec![Resource::new(build.title(), &build.index.digest)];
        stated(statements.document(Predicate::Facts, subject, &canonical_json(&of_any_time(facts))))?;
        // Those of an image that was here before say nothing of this one.
        self.remove(SIGNED)?;
        self.bytes("attestations.intoto.jsonl", "every statement, unsigned", statements.bytes())?;

        let documents = self.written.clone();
        let layers: Vec<Vec<LayerFacts>> = inventories.iter().map(|(image, _)| layers(image)).collect();
        let page = Page {
            bills: &bills,
            layers: &layers,
            runs: &vec![runs(plan); bills.len()],
            licences: &licences,
            build: Some((&build, &provenance)),
            flags: &flags,
            repeated: repeated.as_ref(),
            warnings: &[],
            documents: &documents,
        };
        self.bytes("report.html", "all of it, for people", ::evidence::report(&page).as_bytes())?;
        Ok(statements)
    }

    /// The plan, and how it and the image were made.
    fn provenances(
        &mut self,
        build: &Build<'_>,
        started: i64,
        statements: &mut Bundle,
    ) -> Result<Statement<Provenance>, Finding> {
        let run = Run { started, finished: session::now(), byproducts: self.digests() };
        let provenance = ::evidence::provenance(build, &run);
        let planned_by = ::evidence::plan_provenance(build);
        statements.add(&provenance);
        statements.add(&planned_by);
        self.bytes("plan.json", "the plan it was made by", &canonical_json(build.plan))?;
        self.bytes("provenance.json", "SLSA provenance of the image", &::evidence::json(&provenance))?;
        self.bytes("plan-provenance.json", "SLSA provenance of the plan", &::evidence::json(&planned_by))?;
        Ok(provenance)
    }

    /// The bill of each architecture, in every form.
    fn bills(&mut self, build: &Build<'_>, bills: &[Bill<'_>], statements: &mut Bundle) -> Result<(), Finding> {
        for bill in bills {
            let subject = || bill.image.manifest.map(|manifest| Resource::new(build.title(), &manifest));
            for form in Form::ALL {
                let document = rendered(bill, form)?;
                let name = format!("sbom-{}{}", bill.image.architecture, form.ending());
                self.bytes(&name, "bill of materials", &document)?;
                let kind = match form {
                    Form::CyclonedxJson => Predicate::CycloneDx,
                    Form::SpdxJson => Predicate::Spdx,
                    _ => continue,
                };
                stated(statements.document(kind, subject().into_iter().collect(), &document))?;
            }
        }
        Ok(())
    }

    /// What is about all architectures together.
    fn of_all(
        &mut self,
        build: &Build<'_>,
        licences: &Licences,
        (archive, written): (&str, &Written),
        statements: &mut Bundle,
    ) -> Result<(), Finding> {
        let archive = (archive, blob(written.sha256, written.size));
        let hashes = ::evidence::software_hashes(build, archive);
        for (name, about, kind, document) in [
            ("licence-report.json", "licences and their texts", Predicate::Licences, ::evidence::json(licences)),
            ("source-manifest.json", "what it was made from", Predicate::Sources, ::evidence::source_manifest(build)),
            ("software-hash.json", "digests of it all", Predicate::Hashes, hashes),
            ("test-report.json", "gates that were run", Predicate::Tests, ::evidence::test_report(build)),
        ] {
            self.bytes(name, about, &document)?;
            let index = vec![Resource::new(build.title(), &build.index.digest)];
            stated(statements.document(kind, index, &document))?;
        }
        Ok(())
    }

    /// A document that a step made for an architecture.
    fn document<T: DeserializeOwned>(
        &self,
        executed: &Executed,
        plan: &Plan,
        target: &str,
        arch: Arch,
    ) -> Result<Option<T>, Finding> {
        let value = plan.targets.get(&format!("{target}/{arch}")).and_then(|key| executed.values.get(key));
        let Some(Value::Blob(Object { digest, size })) = value else { return Ok(None) };
        let bytes = self.store.read(digest, *size)?;
        let document = serde_json::from_slice(&bytes);
        document.map(Some).map_err(|e| Finding::error(codes::STORE_IO, format!("{digest} cannot be read: {e}")))
    }
}

/// Facts without the time and the stage of the question: they are the same whenever the image is built.
fn of_any_time(mut facts: serde_json::Value) -> serde_json::Value {
    if let Some(facts) = facts.as_object_mut() {
        facts.retain(|name, _| !matches!(name.as_str(), "now" | "stage" | "version"));
    }
    facts
}

/// The digest of the lock as it lies there, which may be written in another way than it is written here.
fn lock_file(finished: &Finished<'_>) -> Digest {
    let bytes = input::read(&finished.project.lock_path(), model::lock::MAX_BYTES);
    bytes.map_or_else(|_| Digest::of(finished.lock.to_text().as_bytes()), |bytes| Digest::of(&bytes))
}

/// What the author wrote, and where that lies.
fn declared(finished: &Finished<'_>) -> Declared {
    let image = finished.planned.image;
    let files = finished.project.files();
    let source = image.config.source.as_ref().and_then(|source| match &source.place {
        Place::Git { url, commit } => {
            Some(Commit { repository: local::shareable(&url.value), commit: commit.value.clone() })
        }
        Place::Folder(_) => None,
    });
    let lock = finished.project.lock_path();
    let repository = local::committed(&files.root, &files.files);
    Declared {
        documents: files.files.clone(),
        lock_name: lock.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        repository: repository.map(|(repository, commit)| Commit { repository: Some(repository), commit }),
        source,
        parameters: image.assignment.pairs().map(|(name, value)| (name.to_owned(), value.as_str().into())).collect(),
    }
}

fn bill<'i>(build: &Build<'i>, image: &Image, inventory: &'i Inventory) -> Bill<'i> {
    let described = ::evidence::Image {
        name: build.name.to_owned(),
        version: build.version.map(str::to_owned),
        architecture: image.arch.name().to_owned(),
        manifest: Some(image.manifest.digest),
        layers: image.layers.iter().map(|layer| layer.digest).collect(),
        created: build.plan.epoch,
    };
    let resolution = build.lock.image(&build.asked, image.arch);
    Bill::new(described, inventory, resolution.map(|resolution| Locked { lock: build.lock, resolution }))
}

fn made(image: &Image) -> Made {
    let layers = image.layers.iter().map(|layer| MadeLayer {
        title: layer.title.clone(),
        packed: blob(layer.digest, layer.size),
        diff_id: layer.diff_id,
    });
    Made {
        arch: image.arch,
        manifest: blob(image.manifest.digest, image.manifest.size),
        config: blob(image.config.digest, image.config.size),
        layers: layers.collect(),
    }
}

fn layers(image: &Image) -> Vec<LayerFacts> {
    let facts = image.layers.iter().map(|layer| LayerFacts {
        digest: Some(layer.digest),
        size: Some(layer.size),
        title: Some(layer.title.clone()),
    });
    facts.collect()
}

/// What the images of a plan run: the same for every architecture.
fn runs(plan: &Plan) -> ImageConfig {
    let mut configs = plan.steps.values().filter_map(|step| match &step.op {
        Op::Image { config, .. } => Some(config.clone()),
        _ => None,
    });
    configs.next().unwrap_or_default()
}

/// How many steps were run twice, and which made something else.
fn repeated(plan: &Plan, executed: &Executed) -> Option<(usize, Vec<String>)> {
    let all = by_title(plan, &executed.repeated);
    let different = all.iter().filter(|(.., repeated)| !repeated.is_equal()).map(|(title, ..)| (*title).to_owned());
    (!all.is_empty()).then(|| (all.len(), different.collect()))
}

/// A bill in one of its forms.
fn rendered(bill: &Bill<'_>, form: Form) -> Result<Vec<u8>, Finding> {
    let mut document = Vec::new();
    ::evidence::sbom(bill, form, &mut document)
        .map_err(|e| Finding::error(codes::OUTPUT_IO, format!("a bill of materials cannot be written: {e}")))?;
    Ok(document)
}

fn stated(result: serde_json::Result<()>) -> Result<(), Finding> {
    result.map_err(|e| Finding::error(codes::OUTPUT_IO, format!("a document of this build is no JSON: {e}")))
}

fn blob(digest: Digest, size: u64) -> Blob {
    Blob { digest, size }
}
