//! What is left of a room: nothing.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use sandbox::Overlay;
use support::Trial;

/// Processes of this machine with a word in their command line.
fn processes(word: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let command = |path: std::path::PathBuf| {
        let line = fs::read_to_string(path.join("cmdline")).ok()?.replace('\0', " ");
        line.contains(word).then(|| format!("{}: {line}", path.display()))
    };
    entries.filter_map(command).collect()
}

/// Waits for something that happens soon.
#[track_caller]
fn soon(what: &str, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn killing_the_caller_leaves_no_process_and_no_mount() {
    for mut trial in Trial::each() {
        let word = format!("10{}", std::process::id());
        // What it starts carries the room's id in no name, so it is known by its parent.
        let mut caller = trial.start(&["sh", "-c", &format!("probe orphan; echo started; sleep {word}")]);
        soon("the room starts", || trial.log().contains("started"));
        let all = descendants(caller.id());
        assert!(all.len() >= 5, "{all:?}");
        assert!(!processes(&word).is_empty());
        caller.kill().unwrap();
        caller.wait().unwrap();
        let left = || all.iter().filter(|pid| fs::exists(format!("/proc/{pid}")).unwrap()).collect::<Vec<_>>();
        soon("everything ends", || left().is_empty());
        assert_eq!(processes(&word), Vec::<String>::new());
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(trial.path().to_str().unwrap()), "{mounts}");
        sandbox::remove(&trial.room.scratch).unwrap();
        fs::create_dir(&trial.room.scratch).unwrap();
    }
}

#[test]
fn killing_the_helper_or_who_started_it_ends_the_room() {
    for generation in [1, 2] {
        for mut trial in Trial::each() {
            let mut caller = trial.start(&["sh", "-c", "echo started; sleep 1000"]);
            soon("the room starts", || trial.log().contains("started"));
            let all = descendants(caller.id());
            assert!(all.len() >= 4, "{all:?}");
            let victim = (0..generation).fold(caller.id(), |process, _| children(process)[0]);
            kill(victim);
            caller.wait().unwrap();
            soon("everything ends", || all.iter().all(|pid| !fs::exists(format!("/proc/{pid}")).unwrap()));
        }
    }
}

fn kill(process: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

fn children(process: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let numbers = entries.filter_map(|name| name.to_str()?.parse::<u32>().ok());
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
        parent == Some(process)
    };
    numbers.filter(is_child).collect()
}

fn descendants(process: u32) -> Vec<u32> {
    let own = children(process);
    own.iter().copied().chain(own.iter().flat_map(|child| descendants(*child))).collect()
}

#[test]
fn any_scratch_directory_can_be_removed() {
    for mut trial in Trial::each() {
        trial.run(&["probe", "deep", "3000"]).success();
        trial
            .sh("mkdir -p a/b/c x y; echo 1 > a/b/c/d; ln -s /etc x/l; chmod 0 a/b/c a/b a x; chmod 555 y; chmod 0 .")
            .success();
        sandbox::remove(&trial.room.scratch).unwrap();
        assert!(!trial.room.scratch.exists());
        fs::create_dir(&trial.room.scratch).unwrap();
    }
}

#[test]
fn a_link_in_a_scratch_directory_is_not_followed() {
    let mut trial = Trial::new();
    let outside = trial.layer("outside", &[("kept", "x")]);
    trial.sh(&format!("ln -s {} link; mkdir d; ln -s {} d/link", outside.display(), outside.display())).success();
    sandbox::remove(&trial.room.scratch).unwrap();
    assert_eq!(fs::read_to_string(outside.join("kept")).unwrap(), "x");
    fs::create_dir(&trial.room.scratch).unwrap();
}

#[test]
fn rooms_run_side_by_side() {
    let rooms = (0..4).map(|number| {
        std::thread::spawn(move || {
            let mut trial = Trial::new();
            for _ in 0..5 {
                let log = trial.sh(&format!("echo {number} > file; sleep 0.02; cat file; ls /proc")).success();
                assert!(log.starts_with(&format!("{number}\n")), "{log}");
                assert_eq!(log.lines().filter(|line| line.parse::<u32>().is_ok()).count(), 3, "{log}");
            }
        })
    });
    for room in rooms.collect::<Vec<_>>() {
        room.join().unwrap();
    }
}

#[test]
fn hundreds_of_layers_are_united() {
    for mut trial in Trial::each() {
        for number in 0..497 {
            let layer = trial.layer(&format!("layer-{number}"), &[(&format!("all/{number}"), "x")]);
            trial.room.layers.push(layer);
        }
        let outcome = trial.sh("i=0; for f in /all/*; do i=$((i+1)); done; echo $i");
        assert_eq!(outcome.report.overlay, Overlay::LowerdirPlus);
        assert_eq!(outcome.success(), "497\n");
    }
}

#[test]
fn layers_may_have_long_names() {
    for mut trial in Trial::each() {
        let long = format!("{0}/{0}/{0}", "x".repeat(120));
        let layer = trial.layer(&long, &[("far", "away")]);
        trial.room.layers.push(layer);
        assert_eq!(trial.sh("cat /far").success(), "away");
    }
}
