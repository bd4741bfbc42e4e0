//! From configuration and lock to a plan. Every leaf is pinned: package files by the lock, the
//! author's own files by the digest of the tree they were captured as.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::config::{Config, Language, Run};
use model::lock::{Asker, Lock, Node, Origin, Resolution};
use model::plan::{Addition, ArchiveFormat, Check, ImageConfig, Op, Plan, PlanKey, Step};
use model::{Arch, Digest, Finding, Findings, TreePath, codes};
use stdlib::base::Base;
use stdlib::language::{Catalogue, Line};

use crate::answers;

/// Versions of the operations, raised when what they do changes.
mod version {
    pub(super) const UNPACK: u32 = 1;
    pub(super) const COMPOSE: u32 = 1;
    pub(super) const CHECK: u32 = 1;
    pub(super) const LAYER: u32 = 1;
    pub(super) const IMAGE: u32 = 1;
    pub(super) const INDEX: u32 = 1;
}

/// The author's files, captured before planning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalTrees {
    /// Tree of `source.path`.
    pub source: Option<Digest>,
    /// Tree of each placed file, in order; each holds one file named as in `files[].to`.
    pub files: Vec<Digest>,
    /// PEM text of every certificate, one after another.
    pub certificates: String,
}

/// The step that fetches a package, and the one that unpacks it.
type Unpacked = [(PlanKey, Arc<Step>); 2];

/// Lowers configurations over one lock. What their plans share is made once, from whichever thread.
pub struct Lowerer<'l> {
    lock: &'l Lock,
    base: Base,
    catalogues: BTreeMap<Language, Catalogue>,
    /// By node and the directories its language has, the steps that fetch and unpack it.
    unpacked: Mutex<BTreeMap<(&'l str, Option<String>), Unpacked>>,
    /// By what was asked, architecture and certificates, the layers the lock gives.
    locked: Mutex<BTreeMap<(Digest, Arch, Digest), Arc<Locked>>>,
}

impl<'l> Lowerer<'l> {
    /// Over a lock.
    ///
    /// # Errors
    /// `STDLIB_UNREADABLE`.
    pub fn new(lock: &'l Lock) -> Result<Self, Finding> {
        let languages = [Language::Python];
        let catalogues = languages.map(|language| Ok((language, Catalogue::shipped(language)?)));
        let catalogues = catalogues.into_iter().collect::<Result<_, Finding>>()?;
        Ok(Self { lock, base: Base::shipped()?, catalogues, unpacked: Mutex::default(), locked: Mutex::default() })
    }

    /// The plan that makes the image index over some of a configuration's architectures; its target is `index`, each
    /// image's is its architecture.
    ///
    /// # Errors
    /// `LOCK_INCONSISTENT` where the lock does not answer the configuration, `BAD_VALUE`.
    pub fn lower(&self, config: &Config, arches: &[Arch], local: &LocalTrees) -> Result<Plan, Findings> {
        let catalogue = config.base.language.as_ref().and_then(|language| self.catalogues.get(&language.value));
        let asked = crate::config::asked(config).digest();
        let plan = Plan::new(self.lock.epoch);
        let mut lowering =
            Lowering { shared: self, lock: self.lock, base: &self.base, config, asked, local, catalogue, plan };
        let images: Vec<PlanKey> = arches.iter().map(|arch| lowering.image(*arch)).collect::<Result<_, Findings>>()?;
        let annotations = lowering.annotations();
        let index = lowering.plan.add(Op::Index { v: version::INDEX, annotations }, images);
        lowering.plan.targets.insert("index".into(), index);
        Ok(lowering.plan)
    }

    /// The steps that fetch and unpack a node.
    fn unpack(&self, id: &'l str, node: &Node, line: Option<&Line>) -> Result<Unpacked, Findings> {
        let place = (id, line.filter(|_| node.origin == Origin::Pypi).map(|line| line.version.clone()));
        let mut unpacked = lock(&self.unpacked);
        if let Some(known) = unpacked.get(&place) {
            return Ok(known.clone());
        }
        let fetch = Op::Fetch {
            origin: node.origin,
            name: node.name.clone(),
            file: node.file.clone(),
            sha256: node.sha256,
            size: node.size,
        };
        let fetch = Step { op: fetch, inputs: Vec::new() }.keyed();
        let format = match node.origin {
            Origin::Debian => ArchiveFormat::Deb {
                package: node.name.clone(),
                version: node.version.clone(),
                scripts: stdlib::debian::scripts(&node.name)?,
            },
            Origin::Pypi => ArchiveFormat::Wheel {
                scheme: line.map(|line| line.wheels.clone()).ok_or_else(|| {
                    let message = format!("the lock has the wheel {} but the configuration has no language", node.file);
                    Finding::error(codes::LOCK_INCONSISTENT, message)
                })?,
                project: node.name.clone(),
                version: node.version.clone(),
                metadata: node.metadata,
            },
        };
        let unpack = Step { op: Op::Unpack { v: version::UNPACK, format }, inputs: vec![fetch.0] }.keyed();
        Ok(unpacked.entry(place).or_insert([fetch, unpack]).clone())
    }
}

/// The layers a lock gives, each with the step that makes its tree, and all steps below those.
struct Locked {
    layers: Vec<(&'static str, PlanKey)>,
    steps: Vec<(PlanKey, Arc<Step>)>,
}

/// The nodes of an image by what they are called.
pub(crate) type Named<'l> = BTreeMap<(Origin, &'l str), (&'l str, &'l Node)>;

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One configuration on its way to a plan.
struct Lowering<'a, 'l> {
    shared: &'a Lowerer<'l>,
    lock: &'l Lock,
    base: &'a Base,
    config: &'a Config,
    /// What of the lock answers the configuration.
    asked: Digest,
    local: &'a LocalTrees,
    catalogue: Option<&'a Catalogue>,
    plan: Plan,
}

impl<'a, 'l> Lowering<'a, 'l> {
    fn image(&mut self, arch: Arch) -> Result<PlanKey, Findings> {
        let locked = self.locked(arch)?;
        self.plan.steps.extend(locked.steps.iter().cloned());
        let mut layers = locked.layers.clone();
        if let (Some(source), Some(tree)) = (&self.config.source, self.local.source) {
            let to = tree_path(&source.to.value).map_err(|e| e.at(source.to.span))?;
            let local = self.plan.add(Op::Local { tree }, Vec::new());
            layers.push(("application", self.compose(vec![Addition::Move { input: 0, to }], vec![local])));
        }
        if !self.local.files.is_empty() {
            let trees = self.local.files.iter().map(|tree| self.plan.add(Op::Local { tree: *tree }, Vec::new()));
            let trees = trees.collect();
            layers.push(("configuration", self.compose(Vec::new(), trees)));
        }

        let trees: Vec<PlanKey> = layers.iter().map(|(_, tree)| *tree).collect();
        let check = Op::Check { v: version::CHECK, check: Check::Libraries, arch };
        let check = self.plan.add(check, trees.clone());
        let mut inputs = Vec::new();
        for (depth, (title, tree)) in layers.iter().enumerate() {
            // the trees below say which directories are there already
            let below = trees.iter().take(depth).copied();
            let op = Op::Layer { v: version::LAYER, epoch: self.lock.epoch, title: (*title).into() };
            inputs.push(self.plan.add(op, std::iter::once(*tree).chain(below).collect()));
        }
        inputs.push(check);
        let op = Op::Image {
            v: version::IMAGE,
            arch,
            epoch: self.lock.epoch,
            config: self.image_config(),
            annotations: self.annotations(),
        };
        let image = self.plan.add(op, inputs);
        self.plan.targets.insert(arch.name().into(), image);
        Ok(image)
    }

    /// The layers that the lock gives. Images that ask the same have the same.
    fn locked(&self, arch: Arch) -> Result<Arc<Locked>, Findings> {
        let place = (self.asked, arch, Digest::of(self.local.certificates.as_bytes()));
        if let Some(known) = lock(&self.shared.locked).get(&place) {
            return Ok(known.clone());
        }
        let resolution = self.lock.image(&self.asked, arch).ok_or_else(|| {
            let message = format!("the lock has nothing for {arch} of this configuration");
            Finding::error(codes::LOCK_INCONSISTENT, message).help("make it again: `clnstrt-cli lock --update`")
        })?;
        let line = self.line(arch, resolution)?;
        let nodes: Named =
            self.lock.nodes_of(resolution).map(|(id, n)| ((n.origin, n.name.as_str()), (id, n))).collect();
        answers::check(self.config, &nodes, arch, resolution, self.base, line)?;
        let in_base = reachable(&nodes, resolution, Asker::Base);
        let in_variant = reachable(&nodes, resolution, Asker::Variant);
        let in_config = reachable(&nodes, resolution, Asker::Config);

        let mut additions = self.base.additions(&self.local.certificates);
        additions.extend(line.into_iter().flat_map(|line| line.links.iter().map(Addition::from)));
        let (mut steps, mut base, mut added, mut variant) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (id, node) in self.lock.nodes_of(resolution) {
            let [fetch, unpack] = self.shared.unpack(id, node, line)?;
            // What only the variant needs is apart: all variants have the layers below.
            let layer = match id {
                id if in_base.contains(id) => &mut base,
                id if in_variant.contains(id) && !in_config.contains(id) => &mut variant,
                _ => &mut added,
            };
            layer.push(unpack.0);
            steps.extend([fetch, unpack]);
        }
        let mut layers = Vec::new();
        let parts = [("base", additions, base), ("packages", Vec::new(), added), ("variant", Vec::new(), variant)];
        for (title, add, inputs) in parts {
            if title == "base" || !inputs.is_empty() {
                let step = Step { op: Op::Compose { v: version::COMPOSE, add }, inputs }.keyed();
                layers.push((title, step.0));
                steps.push(step);
            }
        }
        Ok(lock(&self.shared.locked).entry(place).or_insert(Arc::new(Locked { layers, steps })).clone())
    }

    /// The catalogue line that a locked language version belongs to.
    fn line(&self, arch: Arch, resolution: &Resolution) -> Result<Option<&'a Line>, Findings> {
        let Some(catalogue) = self.catalogue else { return Ok(None) };
        let version = resolution.language_version.as_deref().unwrap_or_default();
        let belongs = |line: &&Line| version.strip_prefix(&line.version).is_some_and(|rest| rest.starts_with('.'));
        catalogue.lines.iter().find(belongs).map(Some).ok_or_else(|| {
            let message =
                format!("the lock has {} {version:?} for {arch}, which no line of the catalogue is", catalogue.name);
            Finding::error(codes::LOCK_INCONSISTENT, message)
                .help("make the lock again: `clnstrt-cli lock --update`")
                .into()
        })
    }

    fn compose(&mut self, add: Vec<Addition>, trees: Vec<PlanKey>) -> PlanKey {
        self.plan.add(Op::Compose { v: version::COMPOSE, add }, trees)
    }

    fn image_config(&self) -> ImageConfig {
        let Run { entrypoint, command, user, workdir, env, ports, health: _, read_only_root: _ } = &self.config.run;
        let language = self.catalogue.iter().flat_map(|catalogue| &catalogue.environment);
        let env: BTreeMap<&String, &String> = self.base.environment.iter().chain(language).chain(env).collect();
        let user = user.as_ref().map_or(self.base.user, |user| user.value);
        ImageConfig {
            user: format!("{user}:{user}"),
            env: env.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
            entrypoint: entrypoint.clone(),
            command: command.clone(),
            workdir: workdir.as_ref().map_or("/", |dir| dir.value.as_str()).into(),
            ports: ports.iter().map(|port| format!("{port}/tcp")).collect(),
        }
    }

    /// OCI annotation keys and, for what OCI has no words for, keys of this project; from the configuration and the lock alone.
    fn annotations(&self) -> BTreeMap<String, String> {
        let config = self.config;
        let (metadata, run) = (&config.metadata, &config.run);
        let health = run.health.as_ref();
        let oci = |key: &str| format!("org.opencontainers.image.{key}");
        let own = |key: &str| format!("dev.clnstrt.{key}");
        let fields = [
            (oci("title"), Some(config.name.value.clone())),
            (oci("description"), config.description.as_ref().map(|d| d.value.clone())),
            (oci("version"), config.version.as_ref().map(|v| v.value.clone())),
            (oci("authors"), metadata.owner.clone()),
            (oci("documentation"), metadata.documentation.clone()),
            (oci("created"), Some(rfc3339(self.lock.epoch))),
            (own("variant"), config.variant.unless_prod().map(str::to_owned)),
            (own("health.http"), health.map(|health| health.http.clone())),
            (own("health.port"), health.map(|health| health.port.to_string())),
            (own("read-only-root"), run.read_only_root.then(|| "true".to_owned())),
            (own("compliance"), Some(metadata.compliance.join(",")).filter(|list| !list.is_empty())),
        ];
        fields.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

/// Ids of the nodes that what one asks for needs, directly or not.
fn reachable<'l>(nodes: &Named<'l>, resolution: &'l Resolution, by: Asker) -> BTreeSet<&'l str> {
    let asked = resolution.roots.iter().filter(|root| root.by == by);
    let mut open: Vec<(Origin, &str)> = asked.map(|root| (root.edge.origin, root.edge.name.as_str())).collect();
    let mut reached = BTreeSet::new();
    while let Some(name) = open.pop() {
        if let Some((id, node)) = nodes.get(&name)
            && reached.insert(*id)
        {
            open.extend(node.requires.iter().map(|edge| (edge.origin, edge.name.as_str())));
        }
    }
    reached
}

/// An absolute path of the image as a path of a tree.
fn tree_path(absolute: &str) -> Result<TreePath, Finding> {
    let relative = absolute.trim_start_matches('/').trim_end_matches('/');
    TreePath::new(relative).map_err(|e| Finding::error(codes::BAD_VALUE, format!("`{absolute}`: {e}")))
}

fn rfc3339(epoch: i64) -> String {
    jiff::Timestamp::from_second(epoch).map(|time| time.to_string()).unwrap_or_default()
}
