//! A build from beginning to end, and the same by hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use model::plan::{Op, Plan};
use runtime::Quiet;
use runtime::execute::{Executed, Executors, Options, Value, execute, limits};
use runtime::prove::prove;
use runtime::store::Store;
use trust::Trust;

use crate::given::Given;
use crate::plain::Root;

/// Compiles a project in a store, and says where the trees were laid out that its room was made of.
pub(crate) fn laid_out(given: &Given, store: &Path, project: &str) -> Vec<PathBuf> {
    let (run, _) = given.step(project);
    let done = executed(&given.up_to(run), &Store::open(store).unwrap());
    let trees = fs::read_dir(store.join("trees")).unwrap().next().unwrap().unwrap().path();
    let inputs = given.plan.steps[&run].inputs.iter();
    let place = |value: &Value| {
        let Value::Tree { tree, .. } = value else { panic!("{value:?} is no tree") };
        let hex = tree.hex();
        trees.join(&hex[..2]).join(hex)
    };
    let places: Vec<PathBuf> = inputs.map(|input| place(&done.values[input])).collect();
    assert!(places.iter().all(|place| place.is_dir()));
    places
}

/// Seconds from a lock and fetched files to all that is made of a project.
pub(crate) fn sealed(given: &Given, store: &Path, project: &str) -> f64 {
    let plan = given.whole(project);
    let images = given.lock.images().map(|(asked, arch, _)| (asked, arch)).collect();
    let start = Instant::now();
    let store = Store::open(store).unwrap();
    prove(&store, &given.lock, &images, &Trust::builtin().unwrap()).unwrap();
    executed(&plan, &store);
    start.elapsed().as_secs_f64()
}

/// Seconds from a release's archive to what its recipe installs.
pub(crate) fn plain(given: &Given, root: &Root, project: &str) -> f64 {
    let (run, mut env) = given.step(project);
    env.insert("OUT".into(), "/tmp/out".into());
    let plan = given.up_to(run);
    let release = plan.steps.values().find_map(|step| match &step.op {
        Op::Fetch { name, sha256, .. } if name == project => Some(sha256.hex()),
        _ => None,
    });
    let release = release.unwrap();
    let archive = given.store.join("blobs/sha256").join(&release[..2]).join(&release);
    let script = stdlib::source::script(&format!("{project}/build.sh")).unwrap();
    fs::write(root.0.join("recipe/large.sh"), script).unwrap();
    let work = root.0.join("tmp/work");
    fs::create_dir(&work).unwrap();
    assert!(Command::new("sync").status().unwrap().success());
    let start = Instant::now();
    let mut unpack = Command::new("tar");
    unpack.arg("-xf").arg(archive).args(["--strip-components=1", "--no-same-owner", "-C"]).arg(&work);
    assert!(unpack.status().unwrap().success());
    root.run(&env, &["sh", "-euc", "cd /tmp/work; sh -eu /recipe/large.sh"]);
    let time = start.elapsed().as_secs_f64();
    ["tmp/work", "tmp/root", "tmp/out"].iter().for_each(|made| fs::remove_dir_all(root.0.join(made)).unwrap());
    time
}

fn executed(plan: &Plan, store: &Store) -> Executed {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let executors = Executors::local("/proc/self/exe".into(), limits());
    let options = Options { jobs, executors, keep_going: false, check_reproducible: false, progress: Arc::new(Quiet) };
    let done = execute(plan, store, &options).unwrap();
    assert!(done.failed.is_empty(), "{:#?}", done.failed);
    done
}
