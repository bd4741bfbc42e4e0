//! The application: its files as they are, or as the author's commands leave them.

use std::collections::BTreeMap;

use model::config::{Command, Source};
use model::plan::{Addition, OUT, Op, Part, PlanKey};
use model::{Arch, Digest, Findings};
use stdlib::room::Room;

use super::{Locked, Lowering, Named, Steps, add, tree_path, version};
use crate::{answers, parts};

/// What the author's commands made.
pub(super) struct Built {
    /// The application's tree.
    pub(super) tree: PlanKey,
    /// What of it is what to an inspection.
    pub(super) parts: Vec<(Part, PlanKey)>,
    /// What must succeed before there is an image.
    pub(super) tests: Option<PlanKey>,
}

/// Trees under the root of a room, the lowest first.
type Trees = Vec<PlanKey>;

impl Lowering<'_, '_> {
    /// The application of one architecture's image; `layers` are those below it.
    pub(super) fn application(
        &self,
        arch: Arch,
        (source, files): (&Source, Digest),
        locked: &Locked,
        layers: &[PlanKey],
        steps: &mut Steps,
    ) -> Result<Built, Findings> {
        let to = tree_path(&source.to.value).map_err(|e| e.at(source.to.span))?;
        let files = add(steps, Op::Local { tree: files }, Vec::new());
        let place = Op::Compose { v: version::COMPOSE, add: vec![Addition::Move { input: 0, to }] };
        let placed = add(steps, place, vec![files]);
        let parts = vec![(Part::Prebuilt { package: "application".to_owned() }, placed)];
        let build: Vec<&Command> = self.config.scripts.pre_build.iter().chain(&source.build).collect();
        if build.is_empty() && source.tests.is_empty() {
            return Ok(Built { tree: placed, parts, tests: None });
        }
        let root = self.room(arch, locked, layers, steps)?;
        let workdir = &source.to.value;
        let mut built = Built { tree: placed, parts, tests: None };
        if !build.is_empty() {
            let kept = format!("{OUT}{workdir}");
            let keep = [vec!["mkdir", "-p", &kept], vec!["cp", "-a", "--", &format!("{workdir}/."), &kept]]
                .map(|command| command.into_iter().map(str::to_owned).collect::<Command>());
            let commands = build.into_iter().cloned().chain(keep).collect();
            let op = self.commands(arch, format!("build the application for {arch}"), commands, workdir)?;
            let inputs = root.iter().copied().chain([placed]).collect();
            built.tree = add(steps, op, inputs);
            built.parts = vec![(Part::Source { package: "application".to_owned() }, placed)];
            built.parts.push((Part::Compiled { step: built.tree, package: "application".to_owned() }, built.tree));
        }
        if !source.tests.is_empty() {
            let op = self.commands(arch, format!("test the application for {arch}"), source.tests.clone(), workdir)?;
            built.tests = Some(add(steps, op, root.into_iter().chain([built.tree]).collect()));
        }
        Ok(built)
    }

    /// What commands over a whole image leave besides.
    pub(super) fn post_build(
        &self,
        arch: Arch,
        locked: &Locked,
        layers: &[PlanKey],
        steps: &mut Steps,
    ) -> Result<Option<PlanKey>, Findings> {
        let commands = &self.config.scripts.post_build;
        if commands.is_empty() {
            return Ok(None);
        }
        let root = self.room(arch, locked, layers, steps)?;
        let op = self.commands(arch, format!("scripts.post_build for {arch}"), commands.clone(), "/")?;
        Ok(Some(add(steps, op, root)))
    }

    /// The image as far as it is, with compilers below it and the tools of the application above.
    fn room(&self, arch: Arch, locked: &Locked, layers: &[PlanKey], steps: &mut Steps) -> Result<Trees, Findings> {
        let Some(root) = &locked.root else { return Ok(Trees::new()) };
        let mut trees: Trees = root.toolchain.iter().chain(&root.runtime).chain(layers).copied().collect();
        let has_tools = self.config.source.iter().any(|source| !source.tools.is_empty());
        let image = self.lock.image(&self.asked, arch).filter(|_| has_tools);
        if let (Some(runtime), Some(image)) = (&locked.runtime, image) {
            let nodes: Named =
                self.lock.nodes_of(image).map(|(id, n)| ((n.origin, n.name.as_str()), (id, n))).collect();
            let of_arch = |arch: &Arch| {
                let nodes = self.lock.image(&self.asked, *arch).into_iter().flat_map(|image| self.lock.nodes_of(image));
                (*arch, parts::packages(nodes.map(|(_, node)| node)))
            };
            let tools = parts::application_tools(self.config, &self.config.architectures.iter().map(of_arch).collect());
            let environment = answers::environment(runtime.version(), &nodes);
            trees.extend(self.tools(arch, (runtime, &environment), tools, &nodes, steps)?);
        }
        trees.push(root.room);
        Ok(trees)
    }

    /// A step that runs commands of the author's.
    fn commands(&self, arch: Arch, title: String, commands: Vec<Command>, workdir: &str) -> Result<Op, Findings> {
        let own = self.catalogue.iter().flat_map(|catalogue| &catalogue.environment).chain(&self.config.run.env);
        let own = own.map(|(name, value)| (name.clone(), value.clone()));
        let env: BTreeMap<String, String> = own.chain(self.flags(arch)?).chain(Room::shipped()?.environment).collect();
        Ok(Op::Run { v: version::RUN, arch, title, commands, env, workdir: workdir.to_owned() })
    }
}
