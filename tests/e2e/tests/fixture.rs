//! What most tests start from: a configuration, its lock, a store that holds everything, and the archive.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use support::{Mirror, cli, cli_under, copy_tree, repository, run, run_within, sha256_of};

/// The mirror of tests that want no faults.
pub static MIRROR: LazyLock<Mirror> = LazyLock::new(Mirror::of_this_machine);

/// Where tests put their files; emptied when the test binary starts.
static SCRATCH: LazyLock<PathBuf> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
});

/// Some fixtures compile for minutes, and several may at the same time.
pub const COMPILING: Duration = Duration::from_secs(3600);

/// A configuration built once with its store kept. Tests work on copies.
pub struct Fixture {
    dir: PathBuf,
    pub sha256: String,
}

pub static EXAMPLE: LazyLock<Fixture> = LazyLock::new(|| Fixture::new("docs/examples/python-fastapi"));
pub static COMPILED: LazyLock<Fixture> = LazyLock::new(|| Fixture::new("tests/e2e/configs/compiled"));
pub static COMPILED_OLDER: LazyLock<Fixture> = LazyLock::new(|| Fixture::new("tests/e2e/configs/compiled-older"));
pub static COMPILED_PLAIN: LazyLock<Fixture> = LazyLock::new(|| Fixture::new("tests/e2e/configs/compiled-plain"));
pub static EXTRAS: LazyLock<Fixture> = LazyLock::new(|| Fixture::new("tests/e2e/configs/extras"));
pub static NUMPY: LazyLock<Fixture> = LazyLock::new(|| Fixture::new("tests/e2e/configs/numpy"));
pub static PARTS: LazyLock<Fixture> = LazyLock::new(|| Fixture::new("tests/e2e/configs/parts"));
pub static SMALL: LazyLock<Fixture> = LazyLock::new(|| Fixture::new("tests/e2e/configs/small"));

impl Fixture {
    fn new(config: &str) -> Self {
        let from = repository().join(config);
        let dir = SCRATCH.join(from.file_name().unwrap());
        copy_tree(&from, &dir);
        let _ = fs::remove_file(dir.join("image.lock.json"));
        let archive = dir.with_extension("tar.gz");
        let mut build = build(&dir, &dir.with_extension("store"), &archive);
        build.args(MIRROR.source_options()).arg("--artifacts").arg(dir.with_extension("artifacts"));
        let done = run_within(&mut build, COMPILING).ok();
        println!("{config}: built in {:?}\n{}", done.took, done.stdout);
        let sha256 = sha256_of(&archive);
        assert!(done.stdout.contains(&sha256), "the archive's digest is not printed: {}", done.stdout);
        Self { dir, sha256 }
    }

    pub fn archive(&self) -> PathBuf {
        self.dir.with_extension("tar.gz")
    }

    /// What the build wrote beside the archive.
    pub fn artifacts(&self) -> PathBuf {
        self.dir.with_extension("artifacts")
    }

    pub fn lock(&self) -> Value {
        read_lock(&self.dir)
    }

    /// A copy of configuration, lock and application in a folder of the caller's own.
    pub fn copy(&self) -> Copy {
        let copy = Copy { dir: scratch() };
        copy_tree(&self.dir, &copy.config());
        copy
    }

    /// The same over the very store that holds everything, for tests that only add to it: what toolchains lie in is large.
    pub fn copy_over_store(&self) -> Copy {
        let copy = self.copy();
        std::os::unix::fs::symlink(self.dir.with_extension("store"), copy.store()).unwrap();
        copy
    }

    /// The same with the store that holds everything.
    pub fn warm_copy(&self) -> Copy {
        let copy = self.copy();
        copy_tree(&self.dir.with_extension("store"), &copy.store());
        copy
    }
}

/// The small configuration, never locked, with an empty store.
pub fn unlocked() -> Copy {
    copied("small")
}

/// A configuration of `tests/e2e/configs`, never locked, with an empty store.
pub fn copied(config: &str) -> Copy {
    let copy = Copy { dir: scratch() };
    copy_tree(&repository().join("tests/e2e/configs").join(config), &copy.config());
    copy
}

/// A test's own copy of a fixture; removed with everything in it when dropped.
pub struct Copy {
    dir: tempfile::TempDir,
}

impl Copy {
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn config(&self) -> PathBuf {
        self.dir.path().join("config")
    }

    pub fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    pub fn output(&self) -> PathBuf {
        self.dir.path().join("out/image.tar.gz")
    }

    /// `build` of this copy; nothing says yet where packages come from.
    pub fn build(&self) -> Command {
        self.build_under(&[])
    }

    /// The same, started by another command.
    pub fn build_under(&self, wrapper: &[&str]) -> Command {
        fs::create_dir_all(self.output().parent().unwrap()).unwrap();
        with_build(cli_under(wrapper), &self.config(), &self.store(), &self.output())
    }

    /// Makes every step run again: what is remembered of finished steps is forgotten.
    pub fn forget_actions(&self) {
        let actions = self.store().join("actions");
        assert!(fs::read_dir(&actions).unwrap().next().is_some(), "the store remembers no step");
        fs::remove_dir_all(actions).unwrap();
    }

    /// Where the store keeps an object.
    pub fn object(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        let path = self.store().join("blobs/sha256").join(&hex[..2]).join(hex);
        assert!(path.exists(), "the store does not have {digest}");
        path
    }

    pub fn lock(&self) -> Value {
        read_lock(&self.config())
    }

    pub fn write_lock(&self, lock: &Value) {
        fs::write(self.config().join("image.lock.json"), serde_json::to_string_pretty(lock).unwrap() + "\n").unwrap();
    }

    /// Nothing stands where the output would, finished or not.
    #[track_caller]
    pub fn assert_no_output(&self) {
        let left: Vec<_> = fs::read_dir(self.output().parent().unwrap()).unwrap().flatten().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[track_caller]
    pub fn assert_output(&self, fixture: &Fixture) {
        assert_eq!(sha256_of(&self.output()), fixture.sha256, "the archive differs");
    }

    #[track_caller]
    pub fn assert_store_is_clean(&self) {
        run(cli().args(["store", "verify", "--store"]).arg(self.store())).ok();
    }
}

/// `build` with one folder for the configuration, a store, and an output.
pub fn build(config: &Path, store: &Path, output: &Path) -> Command {
    with_build(cli(), config, store, output)
}

fn with_build(mut command: Command, config: &Path, store: &Path, output: &Path) -> Command {
    let config = config.join("image.yaml");
    let options = [("--config", config.as_os_str()), ("--store", store.as_os_str()), ("--output", output.as_os_str())];
    command.arg("build").args(options.into_iter().flat_map(|(name, value)| [OsStr::new(name), value]));
    command
}

/// The id of the first node of a source whose name starts so, and the node.
pub fn node<'a>(lock: &'a Value, origin: &str, name: &str) -> (&'a str, &'a Value) {
    let nodes = lock["nodes"].as_object().unwrap().iter();
    let mut found = nodes.filter(|(_, n)| n["origin"] == origin && n["name"].as_str().unwrap().starts_with(name));
    found.next().map(|(id, node)| (id.as_str(), node)).unwrap_or_else(|| panic!("{name} is not in the lock"))
}

/// The first release of a lock: suite and record.
pub fn release<'a>(lock: &'a Value, suite: &str) -> &'a Value {
    let release = &lock["releases"][suite];
    assert!(release.is_object(), "{suite} is not in the lock");
    release
}

fn read_lock(config: &Path) -> Value {
    serde_json::from_slice(&fs::read(config.join("image.lock.json")).unwrap()).unwrap()
}

/// A folder of a test's own.
pub fn scratch() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("e2e").tempdir_in(&*SCRATCH).unwrap()
}
