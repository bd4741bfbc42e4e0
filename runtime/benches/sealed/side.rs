//! One side of a pair, in a process of its own, so that its processor time is counted alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::plain::Root;
use crate::{RECIPE, room};

/// The argument that says that a side follows.
pub(crate) const WORD: &str = "--side";

/// What is done, and where.
#[derive(Serialize, Deserialize)]
struct Side {
    /// The room's directories, lowest first, or nothing for the plain side.
    layers: Vec<PathBuf>,
    /// Where the room works, or the plain side's root.
    dir: PathBuf,
    env: BTreeMap<String, String>,
}

/// Seconds of processor time of the plain and of the sealed side, with the plain one on this core and the other on the other.
pub(crate) fn both(
    core: usize,
    dir: &Path,
    root: &Root,
    layers: &[PathBuf],
    env: &BTreeMap<String, String>,
) -> [f64; 2] {
    let plain = Side { layers: Vec::new(), dir: root.0.clone(), env: env.clone() };
    let sealed = Side { layers: layers.to_vec(), dir: dir.to_owned(), env: env.clone() };
    [start(core, &plain), start(1 - core, &sealed)].map(|child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", output.status);
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    })
}

fn start(core: usize, side: &Side) -> Child {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(std::env::current_exe().unwrap());
    command.args([WORD, &serde_json::to_string(side).unwrap()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
}

/// Does one side and prints what it took.
pub(crate) fn run(side: &str) {
    let side: Side = serde_json::from_str(side).unwrap();
    let argv = ["sh", "-euc", RECIPE];
    let seconds = room::processor_time(|| {
        if side.layers.is_empty() {
            Root(side.dir).run(&side.env, &argv);
        } else {
            room::run(&side.dir, &side.layers, &side.env, &argv);
        }
    });
    println!("{seconds:.2}");
}
