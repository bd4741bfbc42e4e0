//! Parts of an image that are built for it: packages from their source distributions, the application by the author's commands.

use model::lock::Node;
use model::plan::{Addition, ArchiveFormat, Op, PlanKey};
use model::{Arch, Findings};
use stdlib::language::{PACK_WHEEL, WHEEL};
use stdlib::room::Room;
use stdlib::source;

use super::compile::{Compiled, path};
use super::{Lowering, Named, Steps, add, version};
use crate::pypi::Environment;
use crate::resolve::Runtime;
use crate::{answers, config, parts};

/// What debugging information is separated by, as it is for everything compiled here.
const FINISH: &str = "shared/finish.sh";

/// The root file system that parts are built in.
#[derive(Clone)]
pub(super) struct Root {
    /// Compilers, headers, and a prebuilt runtime.
    pub(super) toolchain: Vec<PlanKey>,
    /// A runtime that is compiled, with its headers.
    pub(super) runtime: Vec<PlanKey>,
    /// Directories and files of every room.
    pub(super) room: PlanKey,
}

impl<'l> Lowering<'_, 'l> {
    /// The root file system for parts of this architecture's image.
    pub(super) fn parts_root(
        &self,
        arch: Arch,
        runtime: Option<&Runtime>,
        compiled: &[Compiled],
        steps: &mut Steps,
    ) -> Result<Root, Findings> {
        let asked = config::parts_asked(self.config, runtime.map(|runtime| &runtime.line));
        let wanted = parts::root_wanted(self.config, self.base, runtime)?;
        let toolchain = self.toolchain(arch, &asked, &wanted, steps)?;
        let additions = Room::shipped()?.additions(self.base);
        let room = add(steps, Op::Compose { v: version::COMPOSE, add: additions }, Vec::new());
        Ok(Root {
            toolchain,
            runtime: compiled.iter().flat_map(|compiled| [compiled.image].into_iter().chain(compiled.dev)).collect(),
            room,
        })
    }

    /// The trees of packages of the language that something is built with, but those that are there already.
    pub(super) fn tools(
        &self,
        arch: Arch,
        (runtime, environment): (&Runtime, &Environment),
        packages: Vec<String>,
        there: &Named,
        steps: &mut Steps,
    ) -> Result<Vec<PlanKey>, Findings> {
        let asked = config::tools_asked(self.config, &runtime.line, packages);
        let (resolution, nodes) = self.answer(arch, &asked)?;
        answers::check_tools(&asked.packages, &nodes, arch, environment, resolution)?;
        let own = nodes.into_iter().filter(|(name, _)| !there.contains_key(name));
        let trees = own.map(|(_, (id, node))| {
            let [fetch, unpack] = self.shared.unpack(id, node, Some(runtime.wheels()))?;
            let key = unpack.0;
            steps.extend([fetch, unpack]);
            Ok(key)
        });
        trees.collect()
    }

    /// Builds a package from its source distribution.
    pub(super) fn build_package(
        &self,
        arch: Arch,
        (id, node): (&'l str, &'l Node),
        runtime: &Runtime,
        (root, environment): (&Root, &Environment),
        steps: &mut Steps,
    ) -> Result<Compiled, Findings> {
        let scheme = runtime.wheels();
        let Node { name, version: release, .. } = node;
        let [fetch, unpack] = self.shared.unpack(id, node, Some(scheme))?;
        let tools = node.build.iter().flatten().cloned().collect();
        let tools = self.tools(arch, (runtime, environment), tools, &Named::new(), steps)?;
        let workdir = format!("build/{name}");
        let finish = source::script(FINISH).unwrap_or_default();
        let script = |name: &str, text: &str| {
            Ok::<_, Findings>(Addition::File {
                path: path(&format!("recipe/{name}"))?,
                text: text.to_owned(),
                mode: 0o644,
            })
        };
        let additions = vec![
            Addition::Move { input: 0, to: path(&workdir)? },
            script("wheel.py", WHEEL)?,
            script("pack_wheel.py", PACK_WHEEL)?,
            script("finish.sh", finish)?,
        ];
        let sources = add(steps, Op::Compose { v: version::COMPOSE, add: additions }, vec![unpack.0]);
        let python = |script: &str| [&scheme.interpreter, "-I", "-B", script].map(str::to_owned).to_vec();
        let finish = ["sh", "-eu", "/recipe/finish.sh"].map(str::to_owned).to_vec();
        let strip = ("STRIP".to_owned(), if self.config.flags.strip { "1" } else { "0" }.to_owned());
        let op = Op::Run {
            v: version::RUN,
            arch,
            title: format!("build {name} {release} for {arch}"),
            commands: vec![python("/recipe/wheel.py"), finish, python("/recipe/pack_wheel.py")],
            env: self.flags(arch)?.chain(Room::shipped()?.environment).chain([strip]).collect(),
            workdir: format!("/{workdir}"),
        };
        let inputs = [root.room].into_iter().chain(root.toolchain.iter().chain(&root.runtime).copied());
        let step = add(steps, op, inputs.chain(tools).chain([sources]).collect());
        let pick = |steps: &mut Steps, part: &str| {
            let pick = Op::Pick { v: version::PICK, path: path(part)? };
            Ok::<_, Findings>(add(steps, pick, vec![step]))
        };
        let wheel = pick(steps, "wheel")?;
        let format = ArchiveFormat::Wheel {
            scheme: scheme.clone(),
            project: name.clone(),
            version: release.clone(),
            metadata: node.metadata,
        };
        let image = add(steps, Op::Unpack { v: version::UNPACK, format }, vec![wheel, fetch.0]);
        let debug = pick(steps, "debug")?;
        steps.extend([fetch, unpack]);
        Ok(Compiled { package: id.to_owned(), step, image, dev: None, debug })
    }
}
