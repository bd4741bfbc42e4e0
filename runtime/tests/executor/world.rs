//! A store, and a plan over a root file system of one static program.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use model::lock::Origin;
use model::plan::{Addition, ArchiveFormat, Op, Plan, PlanKey};
use model::{Arch, Digest, Finding, Kind, Tree};
use runtime::Quiet;
use runtime::execute::{Executed, Executors, Options, Repeated, Value, execute};
use runtime::store::Store;

/// Programs of the root, all of them the one.
const APPLETS: &[&str] = &[
    "cat", "chmod", "date", "dd", "echo", "env", "hostname", "id", "ln", "ls", "mkdir", "mkfifo", "mknod", "mount",
    "nc", "pwd", "rm", "sh", "sleep", "tail", "touch", "true", "umask", "yes", "kill", "ps", "stat", "seq", "grep",
    "unshare", "find",
];

pub(crate) struct World {
    dir: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) plan: Plan,
    root: PlanKey,
}

/// What became of a Run step.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) tree: Tree,
    pub(crate) digest: Digest,
    pub(crate) log: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let mut world = Self { dir, store, plan: Plan::new(0), root: Digest::of(b"") };
        let program = std::fs::read("/bin/busybox").expect("busybox-static is one of the parts tests need");
        let unpacked = world.tar(&[("usr/bin/busybox", &program, 0o755)]);
        let link = |name: &&str| Addition::Symlink {
            path: format!("usr/bin/{name}").parse().unwrap(),
            target: "busybox".into(),
        };
        let directory = |name: &str| Addition::Dir { path: name.parse().unwrap(), mode: 0o755, uid: 0, gid: 0 };
        let mut additions: Vec<Addition> = APPLETS.iter().map(link).collect();
        additions.extend(["out", "work"].map(directory));
        world.root = world.plan.add(Op::Compose { v: 1, add: additions }, vec![unpacked]);
        world
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A tree of regular files.
    pub(crate) fn tar(&mut self, files: &[(&str, &[u8], u32)]) -> PlanKey {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, content, mode) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(*mode);
            header.set_uid(0);
            header.set_gid(0);
            archive.append_data(&mut header, name, *content).unwrap();
        }
        let bytes = archive.into_inner().unwrap();
        let sha256 = self.store.put(&bytes).unwrap();
        let size = bytes.len() as u64;
        let fetch = Op::Fetch { origin: Origin::Debian, name: "a".into(), file: "a.tar".into(), sha256, size };
        let fetch = self.plan.add(fetch, vec![]);
        self.plan.add(Op::Unpack { v: 1, format: ArchiveFormat::Tar }, vec![fetch])
    }

    /// A step of commands over the root.
    pub(crate) fn run(&mut self, commands: &[&[&str]]) -> PlanKey {
        self.run_over(vec![self.root], commands)
    }

    /// The same over further trees.
    pub(crate) fn run_over(&mut self, inputs: Vec<PlanKey>, commands: &[&[&str]]) -> PlanKey {
        self.step(here(), inputs, commands)
    }

    pub(crate) fn run_on(&mut self, arch: Arch, commands: &[&[&str]]) -> PlanKey {
        self.step(arch, vec![self.root], commands)
    }

    pub(crate) fn root(&self) -> PlanKey {
        self.root
    }

    fn step(&mut self, arch: Arch, inputs: Vec<PlanKey>, commands: &[&[&str]]) -> PlanKey {
        let op = Op::Run {
            v: 1,
            arch,
            title: "the step".into(),
            commands: commands.iter().map(|argv| argv.iter().map(|word| (*word).to_owned()).collect()).collect(),
            env: BTreeMap::from([("PATH".into(), "/usr/bin".into()), ("COLOUR".into(), "green".into())]),
            workdir: "/work".into(),
        };
        self.plan.add(op, inputs)
    }

    fn execute(&self, executors: Executors, check_reproducible: bool) -> Executed {
        let options = Options { jobs: 2, executors, keep_going: true, check_reproducible, progress: Arc::new(Quiet) };
        execute(&self.plan, &self.store, &options).unwrap()
    }

    /// Executes the plan with every Run step twice: what became of one step's second run, and the step's own output.
    pub(crate) fn twice(&self, step: PlanKey, executors: Executors) -> (Repeated, Digest) {
        let mut done = self.execute(executors, true);
        let Some(Value::Tree { tree, .. }) = done.values.get(&step) else { panic!("{:?}", done.failed) };
        (done.repeated.remove(&step).unwrap(), *tree)
    }

    /// Executes the plan, and says what became of one step of it.
    pub(crate) fn outcome(&self, step: PlanKey, executors: Executors) -> Result<Done, Finding> {
        let options =
            Options { jobs: 2, executors, keep_going: true, check_reproducible: false, progress: Arc::new(Quiet) };
        let done = execute(&self.plan, &self.store, &options).unwrap();
        if let Some((_, finding)) = done.failed.iter().find(|(key, _)| *key == step) {
            return Err(finding.clone());
        }
        let Some(Value::Tree { tree: digest, .. }) = done.values.get(&step) else { panic!("{:?}", done.failed) };
        let read = |digest| self.store.read(digest, 1 << 28).unwrap();
        let log = String::from_utf8_lossy(&read(&done.logs[&step].digest)).into_owned();
        Ok(Done { tree: serde_json::from_slice(&read(digest)).unwrap(), digest: *digest, log })
    }
}

impl Done {
    /// What there is, each with its kind and mode.
    pub(crate) fn listing(&self) -> Vec<String> {
        let shown = |(path, entry): (&model::TreePath, &model::Entry)| {
            let what = match &entry.node {
                Kind::Dir => "dir".to_owned(),
                Kind::File { size, .. } => format!("file of {size}"),
                Kind::Symlink { target } => format!("link to {target}"),
                Kind::Hardlink { to } => format!("is {}", to.display()),
            };
            format!("{} {what} {:o} {}:{}", path.display(), entry.mode, entry.uid, entry.gid)
        };
        self.tree.entries().iter().map(shown).collect()
    }
}

/// The architecture of this machine.
pub(crate) fn here() -> Arch {
    if cfg!(target_arch = "aarch64") { Arch::Arm64 } else { Arch::Amd64 }
}
