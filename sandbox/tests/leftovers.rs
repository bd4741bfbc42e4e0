//! What is left of a room. Alone in its process: rooms of other tests would be seen as well.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod support;

use std::fs;

use support::Trial;

#[test]
fn only_the_scratch_directory_is_left() {
    for mut trial in Trial::each() {
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
