//! In a room, and how much processor time that takes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use runtime::execute::limits;
use sandbox::{Launcher, Room};

/// Runs a command in a room over directories.
pub(crate) fn run(dir: &Path, layers: &[PathBuf], env: &BTreeMap<String, String>, argv: &[&str]) {
    let scratch = dir.join("scratch");
    fs::create_dir(&scratch).unwrap();
    let room = Room {
        layers: layers.to_vec(),
        scratch,
        commands: vec![argv.iter().map(|word| (*word).to_owned()).collect()],
        env: env.clone(),
        workdir: "/".into(),
        limits: limits(),
        build_id: sandbox::BUILD_ID,
    };
    let log = dir.join("room.log");
    let report = sandbox::run(&Launcher::default(), &room, File::create(&log).unwrap()).unwrap();
    assert!(report.succeeded(), "{report:?}: {}", fs::read_to_string(&log).unwrap());
    sandbox::remove(&room.scratch).unwrap();
}

/// Seconds of processor time of this process and all that it waited for, while something is done.
pub(crate) fn processor_time(work: impl FnOnce()) -> f64 {
    let before = ticks();
    work();
    (ticks() - before) as f64 / 100.0
}

/// Hundredths of a second since the start: user and system time of this process, and of its children.
fn ticks() -> u64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    // the second field, in parentheses, may hold anything
    let fields = text.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(4).map(|field| field.parse::<u64>().unwrap()).sum()
}
