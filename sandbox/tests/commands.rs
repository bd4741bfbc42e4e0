//! How commands are run, and what is said of them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod support;

use sandbox::{Error, Status};
use support::Trial;

#[test]
fn commands_run_one_after_another_and_share_files() {
    for mut trial in Trial::each() {
        let outcome =
            trial.run_all(&[&["sh", "-c", "echo one > file; echo 1"], &["cat", "file"], &["sh", "-c", "echo 3 >&2"]]);
        let texts: Vec<String> = outcome
            .report
            .commands
            .iter()
            .map(|command| {
                let range = usize::try_from(command.log.start).unwrap()..usize::try_from(command.log.end).unwrap();
                outcome.log[range].to_owned()
            })
            .collect();
        assert_eq!(texts, ["1\n", "one\n", "3\n"]);
        assert!(outcome.report.succeeded());
    }
}

#[test]
fn a_failing_command_is_the_last() {
    for mut trial in Trial::each() {
        let outcome = trial.run_all(&[&["true"], &["sh", "-c", "exit 7"], &["echo", "never"]]);
        assert_eq!(outcome.statuses(), [Status::Exited(0), Status::Exited(7)]);
        assert_eq!((outcome.log.as_str(), outcome.report.stopped), ("", None));
        assert!(!outcome.report.succeeded());
    }
}

#[test]
fn death_by_a_signal_is_told() {
    for mut trial in Trial::each() {
        let outcome = trial.run_all(&[&["sh", "-c", "kill -SEGV $$"], &["echo", "never"]]);
        assert_eq!(outcome.statuses(), [Status::Signal(libc::SIGSEGV)]);
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    for mut trial in Trial::each() {
        let not_started = |trial: &mut Trial, command: &[&str]| match &trial.run(command).statuses()[..] {
            [Status::NotStarted(why)] => why.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(not_started(&mut trial, &["missing", "x"]), "missing: not found in PATH=/bin");
        assert_eq!(not_started(&mut trial, &["/bin/missing"]), "/bin/missing: No such file or directory (os error 2)");
        assert_eq!(not_started(&mut trial, &["/work"]), "/work: Permission denied (os error 13)");
        trial.room.env.clear();
        assert_eq!(not_started(&mut trial, &["true"]), "true: cannot be looked up, for there is no PATH");
        trial.room.workdir = "/nowhere".into();
        assert_eq!(not_started(&mut trial, &["/bin/true"]), "/nowhere: No such file or directory (os error 2)");
    }
}

#[test]
fn what_a_command_leaves_running_is_gone_when_the_next_begins() {
    for mut trial in Trial::each() {
        let count = "i=0; for p in /proc/[0-9]*; do i=$((i+1)); done; echo $i";
        let outcome = trial.run_all(&[&["probe", "orphan"], &["sh", "-c", count]]);
        assert!(outcome.report.succeeded(), "{outcome:?}");
        let second = usize::try_from(outcome.report.commands[1].log.start).unwrap();
        assert_eq!(&outcome.log[second..], "1\n", "only the shell itself");
        // It is there while its own command lasts.
        let outcome =
            trial.sh("probe orphan; sleep 0.1; i=0; for p in /proc/[0-9]*; do i=$((i+1)); done; echo count $i");
        assert!(outcome.log.contains("still there\n") && outcome.log.contains("count 2\n"), "{}", outcome.log);
    }
}

#[test]
fn processor_time_is_told_with_that_of_children() {
    for mut trial in Trial::each() {
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        let outcome = trial.run_all(&[&["sh", "-c", &format!("sh -c '{busy}'")], &["true"]]);
        let [first, second] = &outcome.report.commands[..] else { panic!("{outcome:?}") };
        assert!(first.user > second.user && first.wall >= second.wall, "{outcome:?}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut trial = Trial::new();
    let refused = |trial: &mut Trial, commands: &[&[&str]]| match trial.try_all(commands).0 {
        Err(Error::Failed { step, cause }) => format!("{step}: {cause}"),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&mut trial, &[]), "read what the room is: a command is missing");
    assert_eq!(refused(&mut trial, &[&["true"], &[]]), "read what the room is: a command is missing");
    let layer = trial.room.layers[0].clone();
    trial.room.layers.push(trial.path().join("missing"));
    assert!(
        refused(&mut trial, &[&["true"]]).contains("missing: No such file"),
        "{}",
        refused(&mut trial, &[&["true"]])
    );
    trial.room.layers = vec![layer.clone(); 499];
    assert!(refused(&mut trial, &[&["true"]]).contains("499 layers are more than 498"));
    trial.room.layers = vec![layer];
    trial.room.workdir = "work".into();
    assert!(refused(&mut trial, &[&["true"]]).contains("no absolute path"));
}
