//! Rooms for tests, with layers of programs copied from this machine.

#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use sandbox::{Error, Launcher, Limits, Report, Room, Status};
use tempfile::TempDir;

const PROBE: &str = env!("CARGO_BIN_EXE_sandbox-probe");
/// Whom root's tests also run as.
const NOBODY: u32 = 65534;

const LIMITS: Limits = Limits { seconds: 60, processes: 64, memory: 1 << 30, written: 64 << 20, log: 1 << 20 };

/// A room in the making, and where its files lie.
pub(crate) struct Trial {
    dir: TempDir,
    pub(crate) room: Room,
    launcher: Launcher,
    /// Whether somebody else than this process's user is the caller.
    other: Option<u32>,
}

/// What happened, and what was printed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) report: Report,
    pub(crate) log: String,
}

impl Outcome {
    /// What was printed by commands that all exited with 0.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert!(self.report.succeeded(), "{self:#?}");
        self.log
    }

    /// The status of each command.
    pub(crate) fn statuses(&self) -> Vec<Status> {
        self.report.commands.iter().map(|command| command.status.clone()).collect()
    }
}

impl Trial {
    /// A room with a layer that has a shell, the usual small programs, the probe as `/bin/probe`, and `/work`.
    pub(crate) fn new() -> Self {
        Self::of(None)
    }

    /// The same for everybody who can be the caller: whoever runs the tests, and nobody besides root.
    pub(crate) fn each() -> Vec<Self> {
        let root = fs::metadata("/proc/self").unwrap();
        let is_root = std::os::unix::fs::MetadataExt::uid(&root) == 0;
        [Some(Self::of(None)), is_root.then(|| Self::of(Some(NOBODY)))].into_iter().flatten().collect()
    }

    fn of(other: Option<u32>) -> Self {
        let dir = tempfile::Builder::new().prefix("room-").tempdir().unwrap();
        fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let (layer, scratch) = (dir.path().join("layer"), dir.path().join("scratch"));
        fs::create_dir_all(layer.join("work")).unwrap();
        fs::create_dir(&scratch).unwrap();
        for program in PROGRAMS.iter() {
            copy(program, &layer);
        }
        copy(&(PathBuf::from(PROBE), "bin/probe".into()), &layer);
        let room = Room {
            layers: vec![layer],
            scratch,
            commands: vec![],
            env: BTreeMap::from([("PATH".into(), "/bin".into())]),
            workdir: "/work".into(),
            limits: LIMITS,
            build_id: sandbox::BUILD_ID,
        };
        let trial = Self { dir, room, launcher: Launcher::new(PROBE.into()), other };
        trial.hand_over(trial.path());
        trial
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Another directory that can be a layer.
    pub(crate) fn layer(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let layer = self.dir.path().join(name);
        for (path, text) in files {
            let file = layer.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        self.hand_over(&layer);
        layer
    }

    /// Makes the caller the owner of a tree.
    pub(crate) fn hand_over(&self, path: &Path) {
        let Some(user) = self.other else { return };
        std::os::unix::fs::lchown(path, Some(user), Some(user)).unwrap();
        if path.is_dir() && !path.is_symlink() {
            for entry in fs::read_dir(path).unwrap() {
                self.hand_over(&entry.unwrap().path());
            }
        }
    }

    /// Runs one command line.
    pub(crate) fn run(&mut self, command: &[&str]) -> Outcome {
        self.run_all(&[command])
    }

    /// Runs a script in the shell.
    pub(crate) fn sh(&mut self, script: &str) -> Outcome {
        self.run(&["sh", "-c", script])
    }

    pub(crate) fn run_all(&mut self, commands: &[&[&str]]) -> Outcome {
        let (report, log) = self.try_all(commands);
        Outcome { report: report.unwrap(), log }
    }

    pub(crate) fn try_all(&mut self, commands: &[&[&str]]) -> (Result<Report, Error>, String) {
        self.prepare(commands);
        let log = self.dir.path().join("log");
        let report = match self.other {
            None => sandbox::run(&self.launcher, &self.room, File::create(&log).unwrap()),
            Some(_) => {
                let output = self.caller().stdout(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
                assert!(output.status.success(), "{output:?}");
                serde_json::from_slice(&output.stdout).unwrap()
            }
        };
        (report, String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned())
    }

    fn prepare(&mut self, commands: &[&[&str]]) {
        self.room.commands = commands.iter().map(|c| c.iter().map(|word| (*word).to_owned()).collect()).collect();
        sandbox::remove(&self.room.scratch).unwrap();
        fs::create_dir(&self.room.scratch).unwrap();
        self.hand_over(&self.room.scratch);
    }

    /// A process of its own as the caller.
    pub(crate) fn start(&mut self, command: &[&str]) -> Child {
        self.prepare(&[command]);
        self.caller().stdout(Stdio::null()).spawn().unwrap()
    }

    fn caller(&self) -> Command {
        let room = serde_json::to_string(&self.room).unwrap();
        // The probe in the layer, for where it was built may be closed to others.
        let mut caller = Command::new(self.dir.path().join("layer/bin/probe"));
        caller.arg("room").arg(room).arg(self.dir.path().join("log"));
        if let Some(user) = self.other {
            caller.uid(user).gid(user);
        }
        caller
    }

    /// What was printed so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// A file the commands wrote.
    pub(crate) fn written(&self, path: &str) -> PathBuf {
        self.room.scratch.join("upper").join(path)
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = sandbox::remove(&self.room.scratch);
    }
}

/// What the probe says outside of any room.
pub(crate) fn outside(arguments: &[&str]) -> String {
    let output = Command::new(PROBE).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Everything the rooms' programs need: where it lies on this machine, and in the layer.
static PROGRAMS: LazyLock<Vec<(PathBuf, PathBuf)>> = LazyLock::new(|| {
    let names = [
        "sh", "cat", "chmod", "cp", "dd", "echo", "env", "false", "head", "id", "ln", "ls", "mkdir", "mv", "readlink",
        "rm", "sleep", "stat", "touch", "true", "uname", "yes",
    ];
    let mut needed = libraries(Path::new(PROBE));
    let mut files: Vec<(PathBuf, PathBuf)> = Vec::new();
    for name in names {
        let dirs = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(name));
        let file = dirs.into_iter().find(|file| file.exists()).unwrap_or_else(|| panic!("this machine has no {name}"));
        needed.extend(libraries(&file));
        files.push((file, Path::new("bin").join(name)));
    }
    files.extend(needed.into_iter().map(|library| (library.clone(), library.strip_prefix("/").unwrap().to_owned())));
    files
});

fn libraries(program: &Path) -> BTreeSet<PathBuf> {
    let listed = Command::new("ldd").arg(program).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    listed.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

/// Copies a file into a layer.
pub(crate) fn copy((from, to): &(PathBuf, PathBuf), layer: &Path) {
    let to = layer.join(to);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap();
}
