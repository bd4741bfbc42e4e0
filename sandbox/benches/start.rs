//! What it takes from the start of a room to the end of `/bin/true` in it, beside bwrap where it is installed, and beside
//! `/bin/true` alone. Prints one line for each way: its name, the number of layers, and the median and the 95th percentile
//! in milliseconds.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may panic")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use sandbox::{Launcher, Limits, Room};

fn main() -> ExitCode {
    if let Some(code) = sandbox::entered() {
        return code;
    }
    let number = |argument: Option<String>| argument.and_then(|word| word.parse().ok());
    let runs = number(std::env::args().nth(1)).unwrap_or(200);
    let dir = tempfile::tempdir().unwrap();
    for layers in [1, 50, 200] {
        let layers = layers_of(dir.path(), layers);
        let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
        for _ in 0..runs {
            let alone = timed(Command::new("/bin/true").env_clear());
            let all = [("room", Some(room(dir.path(), &layers))), ("bwrap", bwrap(&layers[0])), ("alone", Some(alone))];
            for (name, time) in all {
                times.entry(name).or_default().extend(time);
            }
        }
        for (name, mut times) in times.into_iter().filter(|(_, times)| !times.is_empty()) {
            times.sort();
            let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
            println!("{name}\t{}\t{:.2}\t{:.2}", layers.len(), at(50), at(95));
        }
    }
    ExitCode::SUCCESS
}

/// Layers with a file each, of which the lowest has `/bin/true` and what it needs.
fn layers_of(dir: &Path, number: usize) -> Vec<PathBuf> {
    let layers: Vec<PathBuf> = (0..number).map(|number| dir.join(format!("layer-{number}"))).collect();
    for (number, layer) in layers.iter().enumerate() {
        fs::create_dir_all(layer.join("usr/share")).unwrap();
        fs::write(layer.join(format!("usr/share/{number}")), "").unwrap();
    }
    let listed = Command::new("ldd").arg("/bin/true").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for file in listed.split_whitespace().filter(|word| word.starts_with('/')).chain(["/bin/true"]) {
        let to = layers[0].join(file.trim_start_matches('/'));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(file, to).unwrap();
    }
    layers
}

fn room(dir: &Path, layers: &[PathBuf]) -> Duration {
    let scratch = dir.join("scratch");
    fs::create_dir(&scratch).unwrap();
    let room = Room {
        layers: layers.to_vec(),
        scratch,
        commands: vec![vec!["/bin/true".into()]],
        env: BTreeMap::new(),
        workdir: "/".into(),
        limits: Limits { seconds: 60, processes: 100, memory: 1 << 30, written: 1 << 30, log: 1 << 20 },
        build_id: sandbox::BUILD_ID,
    };
    let log = File::create(dir.join("log")).unwrap();
    let start = Instant::now();
    let report = sandbox::run(&Launcher::default(), &room, log).unwrap();
    let time = start.elapsed();
    assert!(report.succeeded(), "{report:?}");
    sandbox::remove(&room.scratch).unwrap();
    time
}

/// bwrap with the one layer that matters: not every version of it has overlays.
fn bwrap(layer: &Path) -> Option<Duration> {
    let mut command = Command::new("bwrap");
    command.args(["--unshare-all", "--unshare-user", "--clearenv", "--die-with-parent", "--new-session"]);
    command.args(["--uid", "1000", "--gid", "1000", "--bind"]).arg(layer).arg("/");
    command.args(["--proc", "/proc", "--dev", "/dev", "--chdir", "/", "/bin/true"]);
    Command::new("bwrap").arg("--version").output().ok()?;
    Some(timed(&mut command))
}

fn timed(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let time = start.elapsed();
    assert!(status.success(), "{status}");
    time
}
