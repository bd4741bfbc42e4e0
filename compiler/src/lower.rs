//! From configuration and lock to a plan. Every leaf is pinned: package files by the lock, the
//! author's own files by the digest of the tree they were captured as.

use std::collections::{BTreeMap, BTreeSet};

use model::config::{Config, Run};
use model::lock::{Asker, Lock, Node, Origin, Resolution};
use model::plan::{Addition, ArchiveFormat, Check, ImageConfig, Op, Plan, PlanKey};
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
#[derive(Clone, Debug, Default)]
pub struct LocalTrees {
    /// Tree of `source.path`.
    pub source: Option<Digest>,
    /// Tree of each placed file, in order; each holds one file named as in `files[].to`.
    pub files: Vec<Digest>,
    /// PEM text of every certificate, one after another.
    pub certificates: String,
}

/// The plan that makes the image index over some of the configuration's architectures; its target is `index`, each image's is its architecture.
pub fn lower(config: &Config, arches: &[Arch], lock: &Lock, local: &LocalTrees) -> Result<Plan, Findings> {
    let base = Base::shipped()?;
    let catalogue = config.base.language.as_ref().map(|l| Catalogue::shipped(l.value)).transpose()?;
    let asked = crate::config::asked(config).digest();
    let mut lowering = Lowering { config, lock, asked, local, base, catalogue, plan: Plan::new(lock.epoch) };
    let images: Vec<PlanKey> = arches.iter().map(|arch| lowering.image(*arch)).collect::<Result<_, Findings>>()?;
    let annotations = lowering.annotations();
    let index = lowering.plan.add(Op::Index { v: version::INDEX, annotations }, images);
    lowering.plan.targets.insert("index".into(), index);
    Ok(lowering.plan)
}

struct Lowering<'a> {
    config: &'a Config,
    lock: &'a Lock,
    /// What of the lock answers the configuration.
    asked: Digest,
    local: &'a LocalTrees,
    base: Base,
    catalogue: Option<Catalogue>,
    plan: Plan,
}

impl Lowering<'_> {
    fn image(&mut self, arch: Arch) -> Result<PlanKey, Findings> {
        let resolution = self.lock.image(&self.asked, arch).ok_or_else(|| {
            let message = format!("the lock has nothing for {arch} of this configuration");
            Finding::error(codes::LOCK_INCONSISTENT, message).help("make it again: `clnstrt-cli lock --update`")
        })?;
        let line = self.line(arch, resolution)?;
        answers::check(self.config, self.lock, arch, resolution, &self.base, line.as_ref())?;
        let in_base = self.reachable_from_base(resolution);
        let nodes: Vec<(&str, &Node)> = self.lock.nodes_of(resolution).collect();
        let (base, added): (Vec<_>, Vec<_>) = nodes.into_iter().partition(|(id, _)| in_base.contains(id));

        let mut additions = self.base.additions(&self.local.certificates);
        additions.extend(line.iter().flat_map(|line| line.links.iter().map(Addition::from)));
        let base = self.unpack_all(&base, line.as_ref())?;
        let mut layers = vec![("base", self.compose(additions, base))];
        if !added.is_empty() {
            let added = self.unpack_all(&added, line.as_ref())?;
            layers.push(("packages", self.compose(Vec::new(), added)));
        }
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

    /// The catalogue line that a locked language version belongs to.
    fn line(&self, arch: Arch, resolution: &Resolution) -> Result<Option<Line>, Findings> {
        let Some(catalogue) = &self.catalogue else { return Ok(None) };
        let version = resolution.language_version.as_deref().unwrap_or_default();
        let belongs = |line: &&Line| version.strip_prefix(&line.version).is_some_and(|rest| rest.starts_with('.'));
        catalogue.lines.iter().find(belongs).cloned().map(Some).ok_or_else(|| {
            let message =
                format!("the lock has {} {version:?} for {arch}, which no line of the catalogue is", catalogue.name);
            Finding::error(codes::LOCK_INCONSISTENT, message)
                .help("make the lock again: `clnstrt-cli lock --update`")
                .into()
        })
    }

    /// Ids of the nodes the base needs, directly or not.
    fn reachable_from_base(&self, resolution: &Resolution) -> BTreeSet<&str> {
        let by_name: BTreeMap<(Origin, &str), (&str, &Node)> =
            self.lock.nodes_of(resolution).map(|(id, node)| ((node.origin, node.name.as_str()), (id, node))).collect();
        let mut open: Vec<(Origin, &str)> = resolution
            .roots
            .iter()
            .filter(|root| root.by == Asker::Base)
            .map(|root| (root.edge.origin, root.edge.name.as_str()))
            .collect();
        let mut reached = BTreeSet::new();
        while let Some(name) = open.pop() {
            if let Some((id, node)) = by_name.get(&name)
                && reached.insert(*id)
            {
                open.extend(node.requires.iter().map(|edge| (edge.origin, edge.name.as_str())));
            }
        }
        reached
    }

    fn unpack_all(&mut self, nodes: &[(&str, &Node)], line: Option<&Line>) -> Result<Vec<PlanKey>, Findings> {
        nodes.iter().map(|(_, node)| self.unpack(node, line)).collect()
    }

    fn unpack(&mut self, node: &Node, line: Option<&Line>) -> Result<PlanKey, Findings> {
        let fetch = Op::Fetch {
            origin: node.origin,
            name: node.name.clone(),
            file: node.file.clone(),
            sha256: node.sha256,
            size: node.size,
        };
        let fetch = self.plan.add(fetch, Vec::new());
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
        Ok(self.plan.add(Op::Unpack { v: version::UNPACK, format }, vec![fetch]))
    }

    fn compose(&mut self, add: Vec<Addition>, trees: Vec<PlanKey>) -> PlanKey {
        self.plan.add(Op::Compose { v: version::COMPOSE, add }, trees)
    }

    fn image_config(&self) -> ImageConfig {
        let Run { entrypoint, command, user, workdir, env, ports } = &self.config.run;
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

    /// OCI annotation keys, from the configuration and the lock alone.
    fn annotations(&self) -> BTreeMap<String, String> {
        let config = self.config;
        let metadata = &config.metadata;
        let oci = |key: &str| format!("org.opencontainers.image.{key}");
        let fields = [
            (oci("title"), Some(config.name.value.clone())),
            (oci("description"), config.description.as_ref().map(|d| d.value.clone())),
            (oci("version"), config.version.as_ref().map(|v| v.value.clone())),
            (oci("authors"), metadata.owner.clone()),
            (oci("documentation"), metadata.documentation.clone()),
            (oci("created"), Some(rfc3339(self.lock.epoch))),
            ("dev.clnstrt.compliance".into(), Some(metadata.compliance.join(",")).filter(|list| !list.is_empty())),
        ];
        fields.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

/// An absolute path of the image as a path of a tree.
fn tree_path(absolute: &str) -> Result<TreePath, Finding> {
    let relative = absolute.trim_start_matches('/').trim_end_matches('/');
    TreePath::new(relative).map_err(|e| Finding::error(codes::BAD_VALUE, format!("`{absolute}`: {e}")))
}

fn rfc3339(epoch: i64) -> String {
    jiff::Timestamp::from_second(epoch).map(|time| time.to_string()).unwrap_or_default()
}
