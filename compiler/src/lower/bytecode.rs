//! Byte code: what Python makes of a module when that is first imported, made once by the image's own interpreter.

use model::plan::{Addition, Op, PlanKey};
use model::{Arch, Findings};
use stdlib::language::BYTECODE;
use stdlib::room::Room;

use super::{Lowering, Steps, add, compile, version};
use crate::resolve::Runtime;

impl Lowering<'_, '_> {
    /// A tree with the byte code of its modules in `directories` (absolute), written by `runtime`, if there is one; `below` are
    /// the trees of the layers below.
    pub(super) fn with_bytecode(
        &self,
        runtime: Option<&Runtime>,
        arch: Arch,
        (title, tree): (&str, PlanKey),
        below: &[PlanKey],
        directories: &[String],
        steps: &mut Steps,
    ) -> Result<PlanKey, Findings> {
        let Some(runtime) = runtime else { return Ok(tree) };
        let trees: Vec<PlanKey> = below.iter().copied().chain([tree]).collect();
        let bytecode = self.bytecode(runtime, arch, title, &trees, directories, steps)?;
        Ok(add(steps, Op::Compose { v: version::COMPOSE, add: Vec::new() }, vec![tree, bytecode]))
    }

    /// The byte code that modules in `directories` of the trees of some layers lack, or have of another module.
    pub(super) fn bytecode(
        &self,
        runtime: &Runtime,
        arch: Arch,
        title: &str,
        trees: &[PlanKey],
        directories: &[String],
        steps: &mut Steps,
    ) -> Result<PlanKey, Findings> {
        let out = Addition::Dir { path: compile::path("out")?, mode: 0o755, uid: 0, gid: 0 };
        let script =
            Addition::File { path: compile::path("recipe/bytecode.py")?, text: BYTECODE.to_owned(), mode: 0o644 };
        let script = vec![out, script];
        let script = add(steps, Op::Compose { v: version::COMPOSE, add: script }, Vec::new());
        let interpreter = runtime.wheels().interpreter.clone();
        let command = [interpreter, "-I".into(), "-B".into(), "/recipe/bytecode.py".into()];
        let op = Op::Run {
            v: version::RUN,
            arch,
            title: format!("byte code of {title} for {arch}"),
            commands: vec![command.into_iter().chain(directories.iter().cloned()).collect()],
            env: Room::shipped()?.environment,
            workdir: "/".into(),
        };
        Ok(add(steps, op, trees.iter().copied().chain([script]).collect()))
    }
}
