//! Compiling language runtimes: Run steps over the toolchain, and the inspection of what comes out.

use std::collections::BTreeMap;

use model::config::Config;
use model::hardening::Demand;
use model::lock::{Asked, Origin, Resolution};
use model::plan::{Addition, Op, Part, PlanKey};
use model::{Arch, Digest, Finding, Findings, TreePath, codes, digest_of};
use stdlib::language::Line;
use stdlib::room::Room;
use stdlib::source;

use super::{Locked, Lowering, Named, Steps, add, version};
use crate::upstream::{Chain, Link};
use crate::{answers, config, debian, parts};

/// The trees that are made from a source.
pub(super) struct Compiled {
    pub(super) package: String,
    /// The step that ran the recipe.
    pub(super) step: PlanKey,
    /// What goes into an image.
    pub(super) image: PlanKey,
    /// What compiling against it needs besides.
    pub(super) dev: Option<PlanKey>,
    /// Debug information.
    pub(super) debug: PlanKey,
}

impl Compiled {
    /// What it is to an inspection.
    pub(super) fn parts(&self) -> [(Part, PlanKey); 2] {
        [(Part::Compiled { step: self.step, package: self.package.clone() }, self.image), (Part::Debug, self.debug)]
    }
}

/// Everything of a configuration that decides how things are built, besides what the lock answers.
pub(super) fn flags_digest(config: &Config) -> Digest {
    let flags = &config.flags;
    let asked = config::parts_asked(config, None).digest();
    digest_of(&(flags.hardening.name(), config.fips(), flags.strip, &flags.optimization, asked, config.has_commands()))
}

impl<'l> Lowering<'_, 'l> {
    /// Compiles every release of a chain, in the order it has.
    pub(super) fn compile(
        &self,
        arch: Arch,
        line: &Line,
        chain: &Chain,
        steps: &mut Steps,
    ) -> Result<Vec<Compiled>, Findings> {
        let room = Room::shipped()?;
        let additions = room.additions(self.base);
        let mut root = vec![add(steps, Op::Compose { v: version::COMPOSE, add: additions }, Vec::new())];
        let wanted = parts::toolchain_wanted(self.config, line, chain)?;
        root.extend(self.toolchain(arch, &config::toolchain_asked(self.config, line), &wanted, steps)?);
        let mut compiled: Vec<(&str, Compiled)> = Vec::new();
        for link in chain.links() {
            let needed = compiled.iter().filter(|(name, _)| link.project.recipe.needs.iter().any(|need| need == name));
            let needed = needed.flat_map(|(_, compiled)| [compiled.image].into_iter().chain(compiled.dev));
            let inputs = root.iter().copied().chain(needed).collect();
            let done = self.run(arch, link, &room, inputs, steps)?;
            compiled.push((&link.project.name, done));
        }
        Ok(compiled.into_iter().map(|(_, compiled)| compiled).collect())
    }

    /// The trees of the packages of a toolchain.
    pub(super) fn toolchain(
        &self,
        arch: Arch,
        asked: &Asked,
        wanted: &debian::Wanted,
        steps: &mut Steps,
    ) -> Result<Vec<PlanKey>, Findings> {
        let (resolution, nodes) = self.answer(arch, asked)?;
        answers::check_toolchain(wanted, &nodes, arch, resolution)?;
        let mut trees = Vec::new();
        for (id, node) in self.lock.nodes_of(resolution) {
            let [fetch, unpack] = self.shared.unpack(id, node, None)?;
            trees.push(unpack.0);
            steps.extend([fetch, unpack]);
        }
        Ok(trees)
    }

    /// What of the lock answers a question about what things are built with.
    pub(super) fn answer(&self, arch: Arch, asked: &Asked) -> Result<(&'l Resolution, Named<'l>), Finding> {
        let resolution = self.lock.image(&asked.digest(), arch).ok_or_else(|| {
            let language = asked.language.iter().chain(&asked.version).map(String::as_str);
            let what: Vec<&str> = language.chain(asked.packages.iter().map(String::as_str)).collect();
            let message = format!("the lock has no toolchain of {} for {arch}", what.join(" "));
            Finding::error(codes::LOCK_INCONSISTENT, message).help("make it again: `clnstrt-cli lock --update`")
        })?;
        let nodes = self.lock.nodes_of(resolution).map(|(id, n)| ((n.origin, n.name.as_str()), (id, n)));
        Ok((resolution, nodes.collect()))
    }

    /// Runs one recipe over a root.
    fn run(
        &self,
        arch: Arch,
        link: &Link,
        room: &Room,
        mut inputs: Vec<PlanKey>,
        steps: &mut Steps,
    ) -> Result<Compiled, Findings> {
        let (project, release) = (&link.project, &link.release);
        let package = link.id();
        let missing = || {
            let message = format!("the lock has no {package}");
            Finding::error(codes::LOCK_INCONSISTENT, message).help("make it again: `clnstrt-cli lock --update`")
        };
        let (id, node) = self.lock.nodes.get_key_value(&package).ok_or_else(missing)?;
        debug_assert_eq!(node.origin, Origin::Upstream);
        let [fetch, unpack] = self.shared.unpack(id, node, None)?;
        let workdir = format!("build/{}", project.name);
        let mut additions = vec![Addition::Move { input: 0, to: path(&workdir)? }];
        for script in &project.recipe.scripts {
            let name = script.rsplit('/').next().unwrap_or(script);
            additions.push(Addition::File {
                path: path(&format!("recipe/{name}"))?,
                text: source::script(script).unwrap_or_default().to_owned(),
                mode: 0o644,
            });
        }
        inputs.push(add(steps, Op::Compose { v: version::COMPOSE, add: additions }, vec![unpack.0]));
        steps.extend([fetch, unpack]);
        let op = Op::Run {
            v: version::RUN,
            arch,
            title: format!("compile {} {} for {arch}", project.name, release.version),
            commands: project.recipe.commands.clone(),
            env: self.environment(arch, link, room)?,
            workdir: format!("/{workdir}"),
        };
        let step = add(steps, op, inputs);
        let [image, dev, debug] = ["image", "dev", "debug"]
            .map(|part| path(part).map(|path| add(steps, Op::Pick { v: version::PICK, path }, vec![step])));
        Ok(Compiled { package, step, image: image?, dev: Some(dev?), debug: debug? })
    }

    /// The environment of a recipe: what every room has, and of the rest what the recipe reads.
    fn environment(&self, arch: Arch, link: &Link, room: &Room) -> Result<BTreeMap<String, String>, Findings> {
        let truth = |yes: bool| if yes { "1" } else { "0" }.to_owned();
        let version = &link.release.version;
        let own = [
            ("ARCH", arch.name().to_owned()),
            ("TRIPLET", arch.multiarch().to_owned()),
            ("VERSION", version.clone()),
            ("LINE", version.split('.').take(2).collect::<Vec<_>>().join(".")),
            ("FIPS", truth(self.config.fips())),
            ("STRIP", truth(self.config.flags.strip)),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(self.flags(arch)?);
        let own = own.filter(|(name, _)| link.project.recipe.environment.contains(name));
        Ok(room.environment.clone().into_iter().chain(own).collect())
    }

    /// What compilers and linkers are told, as environment variables.
    pub(super) fn flags(&self, arch: Arch) -> Result<impl Iterator<Item = (String, String)> + use<>, Finding> {
        let flags = &self.config.flags;
        let hardening = &self.shared.hardening;
        let level = flags.optimization.as_deref().unwrap_or("O2");
        let profile = hardening.profile(flags.hardening.name()).zip(hardening.optimization(level));
        let (profile, level) = profile.ok_or_else(|| {
            let message = format!("the standard library has no profile {} at {level}", flags.hardening.name());
            Finding::error(codes::STDLIB_UNREADABLE, message)
        })?;
        let variables = profile.flags(arch, level).environment();
        Ok(variables.into_iter().map(|(name, value)| (name.to_owned(), value)))
    }

    /// The inspection of everything compiled in an image, where something is compiled here or demanded of what is not.
    pub(super) fn inspection(&mut self, arch: Arch, locked: &Locked, own: Vec<(Part, PlanKey)>) -> Option<PlanKey> {
        let profile = self.config.flags.hardening.name();
        let mut demands = self.shared.hardening.profile(profile)?.demands();
        if self.config.fips() {
            demands.compiled.insert(Demand::ImageCryptography);
            demands.prebuilt.insert(Demand::ImageCryptography);
        }
        let compiled = locked.parts.iter().chain(&own).any(|(part, _)| matches!(part, Part::Compiled { .. }));
        if !compiled && demands.prebuilt.is_empty() {
            return None;
        }
        let (parts, trees) = locked.parts.iter().cloned().chain(own).unzip();
        let op = Op::Inspect { v: version::INSPECT, arch, profile: profile.to_owned(), demands, parts };
        let inspected = self.plan.add(op, trees);
        self.plan.targets.insert(format!("compile-flags/{arch}"), inspected);
        if let Some(debug) = locked.debug {
            let op = Op::Layer { v: version::LAYER, epoch: self.lock.epoch, title: "debug".into() };
            let debug = self.plan.add(op, vec![debug]);
            self.plan.targets.insert(format!("debug/{arch}"), debug);
        }
        Some(inspected)
    }
}

pub(super) fn path(text: &str) -> Result<TreePath, Finding> {
    TreePath::new(text).map_err(|e| Finding::error(codes::STDLIB_UNREADABLE, e.to_string()))
}
