//! What it costs to be sealed: compiling in a room and outside of it, one after the other, as many pairs as are asked for.
//! Arguments: a store that has every input of a plan, the plan, its lock, a folder to work in, the number of pairs of each
//! kind. Prints a line for each pair: what it is, and the seconds of the plain and of the sealed side.
//!
//! - `room`, seconds of processor time of all processes: zlib, by its recipe. The sealed side is a room over
//!   the trees of the toolchain as a build lays them out; the plain side the same trees copied into one directory and
//!   entered with chroot. So compiler, flags and source are the same, and what differs is the room: overlay,
//!   namespaces, the filter of system calls, the watch. Both sides run at the same time, each on a core of its own, and
//!   exchange the cores for the next pair: what the machine does besides slows both.
//! - `build`, seconds on the clock: OpenSSL. The sealed side begins with a store of fetched files and ends with the layer,
//!   the debugging information and the verdict on how each file was compiled: the lock proved, the toolchain unpacked, the
//!   release compiled, inspected, packed. The plain side unpacks the release in the directory above, where a toolchain
//!   is ready, and compiles and installs it with the same script and as many processes. Neither downloads.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a benchmark may panic")]

mod given;
mod plain;
mod room;
mod side;
mod whole;

use std::path::Path;
use std::process::{Command, ExitCode};

use given::Given;
use plain::Root;

/// What is compiled in and outside of a room.
const SMALL: &str = "zlib";
const RECIPE: &str = "cp -R /build/zlib /tmp/work; (cd /tmp/work; OUT=/tmp/out sh -eu /recipe/build.sh); rm -rf /tmp/work /tmp/root /tmp/out";
/// What is built from beginning to end.
const LARGE: &str = "openssl";

fn main() -> ExitCode {
    if let Some(code) = sandbox::entered() {
        return code;
    }
    // cargo adds an option of its own
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [word, side] = words.as_slice()
        && word == side::WORD
    {
        side::run(side);
        return ExitCode::SUCCESS;
    }
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
    for pair in 0..rooms {
        let [plain, sealed] = side::both(pair % 2, &dir, &root, &layers, &env);
        println!("room\t{plain:.2}\t{sealed:.2}");
    }

    let plain = || whole::plain(&given, &root, LARGE);
    let mut number = 0;
    let sealed = || {
        number += 1;
        let store = copied(&given.store, &dir.join(format!("store-{number}")));
        whole::sealed(&given, &store, LARGE)
    };
    alternate(builds, plain, sealed);
    ExitCode::SUCCESS
}

/// Measures both sides so many times, and begins with the other one each time: what changes meanwhile on the machine is
/// shared by both.
fn alternate(number: usize, mut plain: impl FnMut() -> f64, mut sealed: impl FnMut() -> f64) {
    for pair in 0..number {
        let (plain, sealed) = if pair % 2 == 0 {
            (plain(), sealed())
        } else {
            let sealed = sealed();
            (plain(), sealed)
        };
        println!("build\t{plain:.2}\t{sealed:.2}");
    }
}

/// A copy of a directory, which is on the disk before anything is measured.
fn copied(from: &Path, to: &Path) -> std::path::PathBuf {
    let done = Command::new("cp").args(["-a", "--"]).args([from, to]).status().unwrap();
    assert!(done.success(), "{} cannot be copied", from.display());
    assert!(Command::new("sync").status().unwrap().success());
    to.to_owned()
}
