//! What it takes from the start of a room to the end of `/bin/true` in it, beside bwrap and runc where they are installed, and
//! beside `/bin/true` alone, one after another in each run. Prints one line for each way: its name, the number of layers, and
//! the median and the 95th percentile in milliseconds. Arguments: the number of runs, and of layers.
//!
//! They do not do the same. All make namespaces for users (runc only where the caller is no root), mounts, processes, network,
//! IPC and the host name, a `/proc`, and a `/dev`. The room mounts an overlay of all layers besides, filters system calls,
//! limits what is used, and keeps what is printed; bwrap and runc get one directory, read-only, with nothing to unite, and
//! no filter. runc makes control groups, and starts its program once more in between.

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
    // cargo adds an option of its own
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let runs = numbers.first().copied().unwrap_or(100);
    let sizes = numbers.get(1..).filter(|sizes| !sizes.is_empty()).unwrap_or(&[1, 50, 200]);
    let dir = tempfile::tempdir().unwrap();
    let launcher = Launcher::default();
    let mut scratches = Vec::new();
    for layers in sizes {
        let layers = layers_of(dir.path(), *layers);
        let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
        for _ in 0..runs {
            let alone = timed(Command::new("/bin/true").env_clear());
            // A new one each time, and none removed before the last: for some seconds, ext4 searches around inodes that
            // were just freed, whenever it makes a directory. Whatever else removes many files there (TMPDIR) has the same effect.
            scratches.push(dir.path().join(format!("scratch-{}", scratches.len())));
            let room = room(&launcher, dir.path(), scratches.last().unwrap(), &layers);
            let all = [
                ("room", Some(room)),
                ("bwrap", bwrap(&layers[0])),
                ("runc", runc(dir.path(), &layers[0])),
                ("alone", Some(alone)),
            ];
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
    scratches.iter().for_each(|scratch| sandbox::remove(scratch).unwrap());
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
    for directory in ["proc", "dev", "sys"] {
        fs::create_dir_all(layers[0].join(directory)).unwrap(); // nothing can be made where all is read-only
    }
    layers
}

fn room(launcher: &Launcher, dir: &Path, scratch: &Path, layers: &[PathBuf]) -> Duration {
    fs::create_dir(scratch).unwrap();
    let room = Room {
        layers: layers.to_vec(),
        scratch: scratch.to_owned(),
        commands: vec![vec!["/bin/true".into()]],
        env: BTreeMap::new(),
        workdir: "/".into(),
        limits: Limits { seconds: 60, processes: 100, memory: 1 << 30, written: 1 << 30, log: 1 << 20 },
        build_id: sandbox::BUILD_ID,
    };
    let log = File::create(dir.join("log")).unwrap();
    let start = Instant::now();
    let report = sandbox::run(launcher, &room, log).unwrap();
    let time = start.elapsed();
    assert!(report.succeeded(), "{report:?}");
    time
}

/// bwrap with the one layer that matters: not every version of it has overlays.
fn bwrap(layer: &Path) -> Option<Duration> {
    let mut command = Command::new("bwrap");
    command.args(["--unshare-all", "--unshare-user", "--clearenv", "--die-with-parent", "--new-session"]);
    command.args(["--uid", "1000", "--gid", "1000", "--ro-bind"]).arg(layer).arg("/");
    command.args(["--proc", "/proc", "--dev", "/dev", "--chdir", "/", "/bin/true"]);
    installed("bwrap").then(|| timed(&mut command))
}

/// runc with the same, and its own default for all else.
fn runc(dir: &Path, layer: &Path) -> Option<Duration> {
    if !installed("runc") {
        return None;
    }
    let spec = dir.join("config.json");
    if !spec.exists() {
        let rootless = (!rustix::process::geteuid().is_root()).then_some("--rootless");
        assert!(Command::new("runc").arg("spec").args(rootless).current_dir(dir).status().unwrap().success());
    }
    let mut wanted: serde_json::Value = serde_json::from_slice(&fs::read(&spec).unwrap()).unwrap();
    wanted["process"]["terminal"] = false.into();
    wanted["process"]["args"] = ["/bin/true"].as_slice().into();
    wanted["root"] = serde_json::json!({"path": layer, "readonly": true});
    fs::write(&spec, wanted.to_string()).unwrap();
    let mut command = Command::new("runc");
    command.arg("--root").arg(dir.join("runc")).args(["run", "--bundle"]).arg(dir);
    Some(timed(command.arg(format!("clnstrt-start-{}", std::process::id()))))
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

fn timed(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let time = start.elapsed();
    assert!(status.success(), "{status}");
    time
}
