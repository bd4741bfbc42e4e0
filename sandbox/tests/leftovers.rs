//! What is left of a room, and of a launcher. One test in a process of its own: rooms of others would be seen as well.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod support;

use std::fs;

use support::Trial;

#[test]
fn only_the_scratch_directory_is_left_and_one_starter_until_the_end() {
    only_the_scratch_directory_is_left();
    one_starter_starts_all_helpers_is_replaced_and_ends_with_the_launcher();
}

fn only_the_scratch_directory_is_left() {
    for mut trial in Trial::each() {
        // From here on there is a starter, if this process is the caller.
        trial.sh("").success();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let children = children(std::process::id());
        let groups = groups();
        // Longer than it takes to make a control group.
        trial.sh("echo x > file; sleep 0.2").success();
        assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), mounts);
        assert_eq!(self::children(std::process::id()), children);
        assert_eq!(self::groups(), groups);
        let left: Vec<_> = fs::read_dir(&trial.room.scratch).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().any(|name| name == "upper"), "{left:?}");
        sandbox::remove(&trial.room.scratch).unwrap();
        assert!(!trial.room.scratch.exists());
        fs::create_dir(&trial.room.scratch).unwrap();
    }
}

fn one_starter_starts_all_helpers_is_replaced_and_ends_with_the_launcher() {
    let mut trial = Trial::new();
    let mut run = || {
        trial.sh("").success();
        let children = children(std::process::id());
        assert_eq!(children.len(), 1, "{children:?}");
        children[0]
    };
    let first = run();
    assert_eq!(run(), first);
    let pid = rustix::process::Pid::from_raw(i32::try_from(first).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert_ne!(run(), first);
    drop(trial);
    assert_eq!(children(std::process::id()), Vec::<u32>::new());
}

/// Control groups of rooms that this process makes itself.
fn groups() -> Vec<String> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap();
    let path = own.lines().find_map(|line| line.split_once(":memory:")).map_or("", |(_, path)| path).to_owned();
    let entries = fs::read_dir(format!("/sys/fs/cgroup/memory{path}")).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(&format!("clnstrt-{}-", std::process::id()))).collect()
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
