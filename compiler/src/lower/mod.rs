//! From configuration and lock to a plan. Every leaf is pinned: package files by the lock, the
//! author's own files by the digest of the tree they were captured as.

mod application;
mod bytecode;
mod compile;
mod image;
mod parts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::config::{Config, Language, Variant};
use model::inventory::Ecosystem;
use model::lock::{Asker, Lock, Node, Origin, Resolution};
use model::plan::{Addition, ArchiveFormat, Brought, Check, Op, Part, Plan, PlanKey, Promised, Step, WheelScheme};
use model::{Arch, Digest, Finding, Findings, TreePath, codes};
use stdlib::base::Base;
use stdlib::hardening::Hardening;
use stdlib::language::Catalogue;

use self::compile::Compiled;
pub(crate) use self::image::{annotations, environment};
use self::parts::Root;
use crate::resolve::{Made, Runtime};
use crate::upstream::{self, Chain};
use crate::{answers, language};

/// Versions of the operations, raised when what they do changes.
mod version {
    pub(super) const UNPACK: u32 = 1;
    pub(super) const COMPOSE: u32 = 1;
    pub(super) const CHECK: u32 = 1;
    pub(super) const LAYER: u32 = 1;
    pub(super) const IMAGE: u32 = 1;
    pub(super) const INDEX: u32 = 1;
    pub(super) const PICK: u32 = 1;
    pub(super) const RUN: u32 = 1;
    pub(super) const INSPECT: u32 = 1;
    pub(super) const INVENTORY: u32 = 4;
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
    hardening: Hardening,
    catalogues: BTreeMap<Language, Catalogue>,
    /// By node and the directories its language has, the steps that fetch and unpack it.
    unpacked: Mutex<BTreeMap<(&'l str, Option<TreePath>), Unpacked>>,
    /// By what was asked, architecture, certificates and flags, the layers the lock gives.
    locked: Mutex<BTreeMap<(Digest, Arch, Digest, Digest), Arc<Locked>>>,
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
        Ok(Self {
            lock,
            base: Base::shipped()?,
            hardening: Hardening::shipped()?,
            catalogues,
            unpacked: Mutex::default(),
            locked: Mutex::default(),
        })
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
        let annotations = annotations(config, self.lock.epoch);
        let index = lowering.plan.add(Op::Index { v: version::INDEX, annotations }, images);
        lowering.plan.targets.insert("index".into(), index);
        Ok(lowering.plan)
    }

    /// The steps that fetch and unpack a node.
    fn unpack(&self, id: &'l str, node: &Node, wheels: Option<&WheelScheme>) -> Result<Unpacked, Findings> {
        let place = (id, wheels.filter(|_| node.origin == Origin::Pypi).map(|wheels| wheels.purelib.clone()));
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
            Origin::Upstream => ArchiveFormat::Release,
            Origin::Pypi if node.build.is_some() => ArchiveFormat::Release,
            Origin::Pypi => ArchiveFormat::Wheel {
                scheme: wheels.cloned().ok_or_else(|| {
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
    steps: Steps,
    /// What the layers are put together from, each with what it is to an inspection.
    parts: Vec<(Part, PlanKey)>,
    /// Debug information of what was compiled.
    debug: Option<PlanKey>,
    /// The language runtime.
    runtime: Option<Runtime>,
    /// Where the author's commands run, if there are any.
    root: Option<Root>,
}

impl Locked {
    /// The runtime, if something of the image is run while it is made. Of an image of which nothing is, nothing has to be: so it
    /// can be put together on any machine.
    fn running(&self) -> Option<&Runtime> {
        running(self.runtime.as_ref(), self.root.as_ref())
    }
}

fn running<'r>(runtime: Option<&'r Runtime>, root: Option<&Root>) -> Option<&'r Runtime> {
    runtime.filter(|runtime| root.is_some() || matches!(runtime.made, Made::Compiled(_)))
}

/// Steps by their keys, on the way to a plan.
type Steps = Vec<(PlanKey, Arc<Step>)>;

/// Adds a step.
fn add(steps: &mut Steps, op: Op, inputs: Vec<PlanKey>) -> PlanKey {
    let step = Step { op, inputs }.keyed();
    let key = step.0;
    steps.push(step);
    key
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
        let trees = |layers: &[(&'static str, PlanKey)]| layers.iter().map(|(_, tree)| *tree).collect::<Vec<_>>();
        let mut steps = Steps::new();
        let mut own = Vec::new();
        let mut checks = Vec::new();
        if let (Some(source), Some(files)) = (&self.config.source, self.local.source) {
            let below = trees(&layers);
            let built = self.application(arch, (source, files), &locked, &below, &mut steps)?;
            let application = ("application", built.tree);
            let modules = [source.to.value.clone()];
            let tree = self.with_bytecode(locked.running(), arch, application, &below, &modules, &mut steps)?;
            layers.push(("application", tree));
            own.extend(built.parts);
            checks.extend(built.tests);
        }
        if !self.local.files.is_empty() {
            let files = self.local.files.iter().map(|tree| self.plan.add(Op::Local { tree: *tree }, Vec::new()));
            let files = files.collect();
            let tree = self.compose(Vec::new(), files);
            own.push((Part::Prebuilt { package: "configuration".to_owned() }, tree));
            layers.push(("configuration", tree));
        }
        if let Some(tree) = self.post_build(arch, &locked, &trees(&layers), &mut steps)? {
            own.push((Part::Compiled { step: tree, package: "scripts".to_owned() }, tree));
            layers.push(("scripts", tree));
        }
        // What came on top may be another module than the one below, of which there is byte code.
        let came_on_top = layers.iter().any(|(title, _)| matches!(*title, "configuration" | "scripts"));
        if let Some(runtime) = locked.running().filter(|_| came_on_top) {
            let library = runtime.line.source.as_ref().map(|source| source.library.clone());
            let packages = format!("/{}", runtime.wheels().purelib.display());
            let application = self.config.source.as_ref().map(|source| source.to.value.clone());
            let directories: Vec<String> = library.into_iter().chain([packages]).chain(application).collect();
            let tree = self.bytecode(runtime, arch, "what came on top", &trees(&layers), &directories, &mut steps)?;
            layers.push(("byte code", tree));
        }
        self.plan.steps.extend(steps);

        let brought = self.brought(&locked, &own);
        checks.extend(self.inspection(arch, &locked, own));
        let trees = trees(&layers);
        let check = Op::Check { v: version::CHECK, check: Check::Libraries, arch };
        let check = self.plan.add(check, trees.clone());
        let mut inputs = Vec::new();
        for (depth, (title, tree)) in layers.iter().enumerate() {
            // the trees below say which directories are there already
            let below = trees.iter().take(depth).copied();
            let op = Op::Layer { v: version::LAYER, epoch: self.lock.epoch, title: (*title).into() };
            inputs.push(self.plan.add(op, std::iter::once(*tree).chain(below).collect()));
        }
        checks.push(check);
        let (parts, brought): (Vec<Brought>, Vec<PlanKey>) = brought.into_iter().unzip();
        let count = u32::try_from(inputs.len()).unwrap_or(u32::MAX);
        let op = Op::Inventory { v: version::INVENTORY, arch, layers: count, parts };
        let inventory = self.plan.add(op, inputs.iter().copied().chain(trees).chain(brought).collect());
        self.plan.targets.insert(format!("inventory/{arch}"), inventory);
        checks.push(inventory);
        inputs.extend(checks);
        let op = Op::Image {
            v: version::IMAGE,
            arch,
            epoch: self.lock.epoch,
            config: self.image_config(),
            annotations: annotations(self.config, self.lock.epoch),
        };
        let image = self.plan.add(op, inputs);
        self.plan.targets.insert(arch.name().into(), image);
        Ok(image)
    }

    /// Who brings what into an image, with the steps that give it.
    fn brought(&self, locked: &Locked, own: &[(Part, PlanKey)]) -> Vec<(Brought, PlanKey)> {
        let brought = |(part, tree): &(Part, PlanKey)| {
            let (Part::Prebuilt { package: by } | Part::Compiled { package: by, .. }) = part else { return None };
            let promised = self.lock.nodes.get(by).and_then(|node| {
                let ecosystem = match node.origin {
                    Origin::Debian => Ecosystem::Deb,
                    Origin::Pypi => Ecosystem::Pypi,
                    // What is compiled from a release leaves no record of itself.
                    Origin::Upstream => return None,
                };
                Some(Promised { ecosystem, name: node.name.clone(), version: node.version.clone() })
            });
            Some((Brought { by: by.clone(), promised }, *tree))
        };
        locked.parts.iter().chain(own).filter_map(brought).collect()
    }

    /// The layers that the lock gives. Images that ask the same have the same.
    fn locked(&self, arch: Arch) -> Result<Arc<Locked>, Findings> {
        let certificates = Digest::of(self.local.certificates.as_bytes());
        let place = (self.asked, arch, certificates, compile::flags_digest(self.config));
        if let Some(known) = lock(&self.shared.locked).get(&place) {
            return Ok(known.clone());
        }
        let resolution = self.lock.image(&self.asked, arch).ok_or_else(|| {
            let message = format!("the lock has nothing for {arch} of this configuration");
            Finding::error(codes::LOCK_INCONSISTENT, message).help("make it again: `clnstrt-cli lock --update`")
        })?;
        let runtime = self.runtime(arch, resolution)?;
        let wheels = runtime.as_ref().map(Runtime::wheels);
        let nodes: Named =
            self.lock.nodes_of(resolution).map(|(id, n)| ((n.origin, n.name.as_str()), (id, n))).collect();
        answers::check(self.config, &nodes, arch, resolution, self.base, runtime.as_ref())?;
        let in_base = reachable(&nodes, resolution, Asker::Base);
        let in_variant = reachable(&nodes, resolution, Asker::Variant);
        let in_config = reachable(&nodes, resolution, Asker::Config);

        let mut additions = self.base.additions(&self.local.certificates);
        let links = runtime.iter().flat_map(|runtime| &runtime.line.links);
        additions.extend(links.map(Addition::from));
        let (mut steps, mut base, mut added, mut variant) = (Steps::new(), Vec::new(), Vec::new(), Vec::new());
        let mut inspected = Vec::new();
        let mut compiled = Vec::new();
        if let Some(Runtime { line, made: Made::Compiled(chain) }) = &runtime {
            compiled = self.compile(arch, line, chain, &mut steps)?;
            base.extend(compiled.iter().map(|compiled| compiled.image));
            if self.config.variant == Variant::Builder {
                variant.extend(compiled.iter().filter_map(|compiled| compiled.dev));
            }
        }
        let builds = nodes.values().any(|(_, node)| node.build.is_some()) || self.config.has_commands();
        let root = if builds { Some(self.parts_root(arch, runtime.as_ref(), &compiled, &mut steps)?) } else { None };
        for (id, node) in self.lock.nodes_of(resolution).filter(|(_, node)| node.origin != Origin::Upstream) {
            // What only the variant needs is apart: all variants have the layers below.
            let layer = match id {
                id if in_base.contains(id) => &mut base,
                id if in_variant.contains(id) && !in_config.contains(id) => &mut variant,
                _ => &mut added,
            };
            if let (Some(_), Some(runtime), Some(root)) = (&node.build, &runtime, &root) {
                let environment = answers::environment(runtime.version(), &nodes);
                let built = self.build_package(arch, (id, node), runtime, (root, &environment), &mut steps)?;
                layer.push(built.image);
                compiled.push(built);
                continue;
            }
            let [fetch, unpack] = self.shared.unpack(id, node, wheels)?;
            layer.push(unpack.0);
            inspected.push((Part::Prebuilt { package: id.to_owned() }, unpack.0));
            steps.extend([fetch, unpack]);
        }
        inspected.extend(compiled.iter().flat_map(Compiled::parts));
        let debug: Vec<PlanKey> = compiled.iter().map(|compiled| compiled.debug).collect();
        let unite = |steps: &mut Steps| add(steps, Op::Compose { v: version::COMPOSE, add: Vec::new() }, debug.clone());
        let debug = (!debug.is_empty()).then(|| unite(&mut steps));
        let mut layers: Vec<(&'static str, PlanKey)> = Vec::new();
        let parts = [("base", additions, base), ("packages", Vec::new(), added), ("variant", Vec::new(), variant)];
        for (title, add, inputs) in parts {
            if title == "base" || !inputs.is_empty() {
                let tree = self::add(&mut steps, Op::Compose { v: version::COMPOSE, add }, inputs);
                let library = runtime.as_ref().and_then(|runtime| match title {
                    "base" => runtime.line.source.as_ref().map(|source| source.library.clone()),
                    _ => Some(format!("/{}", runtime.wheels().purelib.display())),
                });
                let below: Vec<PlanKey> = layers.iter().map(|(_, tree)| *tree).collect();
                let library = Vec::from_iter(library);
                let running = running(runtime.as_ref(), root.as_ref());
                let tree = self.with_bytecode(running, arch, (title, tree), &below, &library, &mut steps)?;
                layers.push((title, tree));
            }
        }
        let locked = Locked { layers, steps, parts: inspected, debug, runtime, root };
        Ok(lock(&self.shared.locked).entry(place).or_insert(Arc::new(locked)).clone())
    }

    /// The runtime that a locked language version stands for.
    fn runtime(&self, arch: Arch, resolution: &Resolution) -> Result<Option<Runtime>, Findings> {
        let Some(catalogue) = self.catalogue else { return Ok(None) };
        let version = resolution.language_version.as_deref().unwrap_or_default();
        let unknown = || {
            let message =
                format!("the lock has {} {version:?} for {arch}, which no line of the catalogue is", catalogue.name);
            Finding::error(codes::LOCK_INCONSISTENT, message).help("make the lock again: `clnstrt-cli lock --update`")
        };
        let line = catalogue.lines.iter().find(|line| language::belongs(version, line)).ok_or_else(unknown)?;
        let made = if self.config.from_source() {
            let project = upstream::named(&line.source.as_ref().ok_or_else(unknown)?.project)?;
            let release = project.releases.iter().find(|release| release.version == version).ok_or_else(unknown)?;
            Made::Compiled(Chain::of(&project, release)?)
        } else {
            let carrier = self
                .lock
                .nodes_of(resolution)
                .find(|(_, node)| node.origin == Origin::Debian && node.name == line.carrier);
            Made::Packaged(carrier.map(|(_, node)| node.version.clone()).unwrap_or_default())
        };
        Ok(Some(Runtime { line: line.clone(), made }))
    }

    fn compose(&mut self, add: Vec<Addition>, trees: Vec<PlanKey>) -> PlanKey {
        self.plan.add(Op::Compose { v: version::COMPOSE, add }, trees)
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
