//! Each limit ends a room, and says so.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod support;

use sandbox::{Status, Stopped};
use support::{Outcome, Trial};

const MIB: u64 = 1 << 20;

#[track_caller]
fn assert_stopped(outcome: &Outcome, by: Stopped) {
    assert_eq!(outcome.report.stopped, Some(by), "{outcome:?}");
    assert!(!outcome.report.succeeded());
}

#[test]
fn a_sleeper_is_ended_by_time() {
    for mut trial in Trial::each() {
        trial.room.limits.seconds = 1;
        let outcome = trial.run_all(&[&["true"], &["sleep", "1000"], &["echo", "never"]]);
        assert_stopped(&outcome, Stopped::Time);
        assert_eq!(outcome.statuses(), [Status::Exited(0), Status::Stopped]);
        assert_eq!(outcome.log, "");
        assert!(outcome.report.commands.last().unwrap().wall.as_millis() >= 900);
    }
}

#[test]
fn a_fork_bomb_is_ended_by_its_processes() {
    for mut trial in Trial::each() {
        trial.room.limits.processes = 20;
        assert_stopped(&trial.run(&["probe", "fork"]), Stopped::Processes);
        // One that ends with the bomb still around.
        assert_stopped(&trial.sh("probe fork & sleep 0.3; exit 0"), Stopped::Processes);
    }
}

#[test]
fn threads_count_as_processes() {
    for mut trial in Trial::each() {
        trial.room.limits.processes = 20;
        trial.room.limits.seconds = 5;
        assert_stopped(&trial.run(&["probe", "threads", "20"]), Stopped::Processes);
        trial.room.limits.seconds = 1;
        let fits = trial.run(&["probe", "threads", "19"]);
        assert_stopped(&fits, Stopped::Time);
        assert_eq!(fits.log, "all there\n");
    }
}

#[test]
fn a_memory_hog_is_ended_by_its_memory() {
    for mut trial in Trial::each() {
        trial.room.limits.memory = 100 * MIB;
        for kind in ["memory", "shared"] {
            assert_stopped(&trial.run(&["probe", kind, &(300 * MIB).to_string()]), Stopped::Memory);
        }
        trial.room.limits.seconds = 1;
        let fits = trial.run(&["probe", "memory", &(50 * MIB).to_string()]);
        assert_stopped(&fits, Stopped::Time);
        assert_eq!(fits.log, "all there\n");
    }
}

#[test]
fn memory_of_many_processes_is_added_up() {
    for mut trial in Trial::each() {
        trial.room.limits.memory = 100 * MIB;
        let script = format!("for i in 1 2 3 4; do probe memory {} & done; wait", 40 * MIB);
        assert_stopped(&trial.sh(&script), Stopped::Memory);
    }
}

#[test]
fn memory_of_a_process_that_hides_is_seen() {
    for mut trial in Trial::each() {
        trial.room.limits.memory = 50 * MIB;
        assert_stopped(&trial.run(&["probe", "quiet"]), Stopped::Memory);
        trial.room.limits.memory = 100 * MIB;
        trial.room.limits.seconds = 1;
        assert_stopped(&trial.run(&["probe", "quiet"]), Stopped::Time);
    }
}

#[test]
fn an_endless_file_is_ended_by_what_was_written() {
    for mut trial in Trial::each() {
        trial.room.limits.written = 20 * MIB;
        assert_stopped(&trial.sh("cat /dev/zero > big"), Stopped::Written);
        assert_stopped(&trial.sh("for i in 1 2 3; do head -c 8m /dev/zero > $i; done; sleep 1000"), Stopped::Written);
        // Even when nobody was fast enough to see it while it ran.
        assert_stopped(&trial.sh("for i in 1 2 3; do head -c 8m /dev/zero > $i; done"), Stopped::Written);
        assert!(trial.sh("head -c 16m /dev/zero > fits").report.succeeded());
    }
}

#[test]
fn endless_files_are_ended_by_what_was_written() {
    for mut trial in Trial::each() {
        trial.room.limits.written = 20 * MIB;
        assert_stopped(&trial.run(&["probe", "files"]), Stopped::Written);
    }
}

#[test]
fn files_in_directories_nobody_may_enter_are_counted() {
    for mut trial in Trial::each() {
        trial.room.limits.written = 20 * MIB;
        let script = "mkdir a; for i in 1 2 3; do head -c 8m /dev/zero > a/$i; done; chmod 0 a";
        assert_stopped(&trial.sh(script), Stopped::Written);
    }
}

#[test]
fn an_endless_log_is_cut_off() {
    for mut trial in Trial::each() {
        trial.room.limits.log = 10_000;
        let outcome = trial.run_all(&[&["echo", "first"], &["yes"]]);
        assert_stopped(&outcome, Stopped::Log);
        assert_eq!(outcome.log.len(), 10_000);
        let ranges: Vec<_> = outcome.report.commands.iter().map(|command| command.log.clone()).collect();
        assert_eq!(ranges, [0..6, 6..10_000]);
        assert!(trial.sh("head -c 10000 /dev/zero").report.succeeded());
    }
}
