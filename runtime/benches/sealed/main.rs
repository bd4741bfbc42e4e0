//! What it costs to be sealed: compiling in a room and outside of it, one after the other, as many pairs as are asked for.
//! Arguments: a store that has every input of a plan, the plan, its lock, a folder to work in, the number of pairs of each
//! kind. Prints a line for each pair: what it is, and the seconds of the plain and of the sealed side.
//!
//! - `room`, seconds of processor time of all processes: zlib, several times over, by its recipe. The sealed side is a room over
//!   the trees of the toolchain as a build lays them out; the plain side the same trees copied into one directory and
//!   entered with chroot. So compiler, flags and source are the same, and what differs is the room: overlay,
//!   namespaces, the filter of system calls, the watch.
//! - `build`, seconds on the clock: OpenSSL. The sealed side begins with a store of fetched files and ends with the layer,
//!   the debugging information and the verdict on how each file was compiled: the lock proved, the toolchain unpacked, the
//!   release compiled, inspected, packed. The plain side unpacks the release in the directory above, where a toolchain
//!   is ready, and compiles and installs it with the same script and as many processes. Neither downloads.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a benchmark may panic")]

mod given;
mod plain;
mod room;
mod whole;

use std::path::Path;
use std::process::{Command, ExitCode};

use given::Given;
use plain::Root;

/// What is compiled in and outside of a room, and how often, to take some twenty seconds.
const SMALL: &str = "zlib";
const ROUNDS: usize = 5;
/// What is built from beginning to end.
const LARGE: &str = "openssl";

fn main() -> ExitCode {
    if let Some(code) = sandbox::entered() {
        return code;
    }
    // cargo adds an option of its own
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [store, plan, lock, dir, rooms, builds] = words.as_slice() else {
        eprintln!("usage: sealed STORE PLAN LOCK DIR ROOMS BUILDS");
        return ExitCode::FAILURE;
    };
    let (rooms, builds): (usize, usize) = (rooms.parse().unwrap(), builds.parse().unwrap());
    let dir = std::path::absolute(dir).unwrap();
    let given = Given::read(Path::new(store), Path::new(plan), Path::new(lock));

    let made = copied(&given.store, &dir.join("store"));
    let layers = whole::laid_out(&given, &made, SMALL);
    let root = Root::of(&layers, &dir.join("root"));
    let (_, env) = given.step(SMALL);
    let recipe = "cp -R /build/zlib /tmp/work; (cd /tmp/work; OUT=/tmp/out sh -eu /recipe/build.sh); rm -rf /tmp/work /tmp/root /tmp/out";
    let argv = ["sh", "-euc", &format!("for round in $(seq {ROUNDS}); do {recipe}; done")];
    let plain = || room::processor_time(|| root.run(&env, &argv));
    let sealed = || room::processor_time(|| room::run(&dir, &layers, &env, &argv));
    pairs("room", rooms, plain, sealed);

    let plain = || whole::plain(&given, &root, LARGE);
    let mut number = 0;
    let sealed = || {
        number += 1;
        let store = copied(&given.store, &dir.join(format!("store-{number}")));
        whole::sealed(&given, &store, LARGE)
    };
    pairs("build", builds, plain, sealed);
    ExitCode::SUCCESS
}

/// Measures both sides so many times, and begins with the other one each time: what changes meanwhile on the machine is
/// shared by both.
fn pairs(what: &str, number: usize, mut plain: impl FnMut() -> f64, mut sealed: impl FnMut() -> f64) {
    for pair in 0..number {
        let (plain, sealed) = if pair % 2 == 0 {
            (plain(), sealed())
        } else {
            let sealed = sealed();
            (plain(), sealed)
        };
        println!("{what}\t{plain:.2}\t{sealed:.2}");
    }
}

/// A copy of a directory, which is on the disk before anything is measured.
fn copied(from: &Path, to: &Path) -> std::path::PathBuf {
    let done = Command::new("cp").args(["-a", "--"]).args([from, to]).status().unwrap();
    assert!(done.success(), "{} cannot be copied", from.display());
    assert!(Command::new("sync").status().unwrap().success());
    to.to_owned()
}
