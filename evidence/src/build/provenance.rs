//! SLSA provenance v1 (SLSA 1.2): of an image, and of the plan it was made by. What the parameters mean is in
//! docs/src/reference/provenance.md.

use std::collections::{BTreeMap, BTreeSet};

use model::Digest;
use model::plan::{Op, Plan};
use model::statement::{BuildDefinition, Builder, PROVENANCE, Provenance, Resource, RunDetails, RunTimes, Statement};
use serde_json::{Map, Value, json};

use super::{Build, Commit};
use crate::sbom;

/// What `buildType` is of an image's provenance.
const BUILD_TYPE: &str = "urn:clnstrt:build:v1";
/// What `buildType` is of a plan's provenance.
const PLAN_TYPE: &str = "urn:clnstrt:plan:v1";
/// Who compiles plans: the same wherever it does, for a plan is a function of what it is made from.
const COMPILER: &str = "urn:clnstrt:compiler";
/// Who executes plans, with the executor's name behind it.
const BUILDER: &str = "urn:clnstrt:builder";
/// What plans are as files.
const PLAN_MEDIA_TYPE: &str = "application/vnd.clnstrt.plan+json";
/// What file trees are as files.
const TREE_MEDIA_TYPE: &str = "application/vnd.clnstrt.tree+json";

/// One run of a build.
#[derive(Clone, Debug)]
pub struct Run {
    /// When it began, seconds since 1970.
    pub started: i64,
    /// When the image was there.
    pub finished: i64,
    /// What it wrote besides: name and digest.
    pub byproducts: Vec<(String, Digest)>,
}

/// How an image was made from its plan: about the index and the manifest of each architecture.
pub fn provenance(build: &Build<'_>, run: &Run) -> Statement<Provenance> {
    let title = build.title();
    let mut subject = vec![Resource::new(&title, &build.index.digest)];
    subject.extend(build.images.iter().map(|image| {
        Resource::new(format!("{title}:{}", image.arch), &image.manifest.digest).with("architecture", image.arch.name())
    }));
    let byproducts = run.byproducts.iter().map(|(name, digest)| Resource::new(name, digest));
    let predicate = Provenance {
        build_definition: BuildDefinition {
            build_type: BUILD_TYPE.to_owned(),
            external_parameters: external(build),
            internal_parameters: internal(build),
            resolved_dependencies: dependencies(build, true),
        },
        run_details: RunDetails {
            builder: builder(&format!("{BUILDER}:{}", build.executor.name)),
            metadata: Some(RunTimes { started_on: sbom::time(run.started), finished_on: sbom::time(run.finished) }),
            byproducts: std::iter::once(plan_file(build.plan)).chain(byproducts).collect(),
        },
    };
    Statement::new(subject, PROVENANCE, predicate)
}

/// How a plan was made from a configuration: no run of it differs from another, so it has no times.
pub fn plan_provenance(build: &Build<'_>) -> Statement<Provenance> {
    let predicate = Provenance {
        build_definition: BuildDefinition {
            build_type: PLAN_TYPE.to_owned(),
            external_parameters: external(build),
            internal_parameters: Map::new(),
            resolved_dependencies: dependencies(build, false),
        },
        run_details: RunDetails { builder: builder(COMPILER), metadata: None, byproducts: Vec::new() },
    };
    Statement::new(vec![plan_file(build.plan)], PROVENANCE, predicate)
}

fn builder(id: &str) -> Builder {
    let version = BTreeMap::from([(sbom::TOOL.to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    Builder { id: id.to_owned(), version }
}

fn plan_file(plan: &Plan) -> Resource {
    Resource { media_type: Some(PLAN_MEDIA_TYPE.to_owned()), ..Resource::new("plan.json", &plan.digest()) }
}

/// What the author chose: nothing else decides what is made.
fn external(build: &Build<'_>) -> Map<String, Value> {
    let declared = build.declared;
    let mut config = Map::new();
    if let Some((path, digest)) = declared.documents.first() {
        config.insert("path".into(), path.as_str().into());
        config.insert("digest".into(), json!({ "sha256": digest.hex() }));
    }
    if let Some(commit) = &declared.repository {
        config.extend(commit.repository.iter().map(|repository| ("repository".to_owned(), repository.as_str().into())));
        config.insert("commit".into(), commit.commit.as_str().into());
    }
    let architectures: Vec<&str> = build.images.iter().map(|image| image.arch.name()).collect();
    let parameters = Value::Object(declared.parameters.clone());
    [("config", Value::Object(config)), ("parameters", parameters), ("architectures", architectures.into())]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

/// What the plan and the builder add: what compilers were told, what was demanded of what they made, and in what rooms they ran.
fn internal(build: &Build<'_>) -> Map<String, Value> {
    let mut parameters = Map::new();
    let mut hardening = BTreeMap::new();
    let mut flags = BTreeMap::new();
    for step in build.plan.steps.values() {
        match &step.op {
            Op::Inspect { arch, profile, demands, .. } => {
                hardening.insert(arch.name(), json!({ "profile": profile, "demands": demands }));
            }
            Op::Run { title, env, .. } => {
                let told: BTreeMap<&String, &String> = env.iter().filter(|(name, _)| name.ends_with("FLAGS")).collect();
                if !told.is_empty() {
                    flags.insert(title, told);
                }
            }
            _ => {}
        }
    }
    if !hardening.is_empty() {
        parameters.insert("hardening".into(), json!(hardening));
    }
    if !flags.is_empty() {
        parameters.insert("flags".into(), json!(flags));
    }
    if build.runs() {
        let rooms: BTreeMap<&str, &str> = build.executor.rooms.iter().copied().collect();
        parameters.insert("sandbox".into(), json!(rooms));
    }
    parameters
}

/// Everything with a digest that was read on the way: of a plan, what the compiler reads; of an image, what steps read as well.
fn dependencies(build: &Build<'_>, of_image: bool) -> Vec<Resource> {
    let declared = build.declared;
    let mut all: Vec<Resource> = declared.documents.iter().map(|(path, digest)| Resource::new(path, digest)).collect();
    all.push(Resource::new(&declared.lock_name, &build.lock_file));
    for Commit { repository, commit } in declared.repository.iter().chain(&declared.source) {
        all.push(Resource {
            uri: repository.as_ref().map(|repository| format!("git+{repository}@{commit}")),
            digest: BTreeMap::from([("gitCommit".to_owned(), commit.clone())]),
            ..Resource::default()
        });
    }
    for (suite, release) in &build.lock.releases {
        if release.indexes.is_empty() {
            continue;
        }
        all.push(Resource::new(format!("{suite}/InRelease"), &release.in_release));
        let indexes = release.indexes.iter();
        all.extend(indexes.map(|(path, kept)| Resource::new(format!("{suite}/{path}"), &kept.digest)));
    }
    let mut documents = BTreeSet::new();
    for (id, node, images) in build.packages() {
        if let Some(document) = node.proof.document().filter(|document| documents.insert(document.digest)) {
            all.push(Resource::new(format!("proof of {} {}", node.name, node.version), &document.digest));
        }
        if of_image {
            let file = node.file.rsplit('/').next().unwrap_or(&node.file);
            let used = if images.is_empty() { "build" } else { "image" };
            let verification = crate::verification(&node.proof);
            all.push(Resource::new(file, &node.sha256).at(id).with("use", used).with("verification", verification));
        }
    }
    let trees = build.plan.steps.values().filter_map(|step| match &step.op {
        Op::Local { tree } => Some(*tree),
        _ => None,
    });
    let trees: BTreeSet<Digest> = trees.collect();
    all.extend(trees.iter().map(|tree| Resource {
        media_type: Some(TREE_MEDIA_TYPE.to_owned()),
        ..Resource::new("files beside the configuration", tree)
    }));
    all
}
