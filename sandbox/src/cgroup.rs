//! A control group for the memory of one room, where the kernel and the machine's administrator let the caller make one.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::report::Memory;

/// What groups are called, before the caller's process id and a number.
const PREFIX: &str = "clnstrt-";
/// A process forked by one that is not in the group yet is found by looking again. So many looks in a row that find nothing
/// end the search.
const CALM: u32 = 3;

static MADE: AtomicU64 = AtomicU64::new(0);

/// A group, removed when dropped.
pub(crate) struct Group {
    path: PathBuf,
    version: Memory,
    helper: u32,
    /// Looks in a row that found no process outside.
    calm: u32,
}

impl Group {
    /// A group around all that a helper started.
    pub(crate) fn around(helper: u32, memory: u64) -> Option<Self> {
        let name = format!("{PREFIX}{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        parents(&own, &mounts).into_iter().find_map(|(parent, version)| {
            sweep(&parent);
            let path = parent.join(&name);
            fs::create_dir(&path).ok()?;
            // From here on dropping removes it.
            let mut group = Self { path, version, helper, calm: 0 };
            group.limit(memory).ok()?;
            group.gather();
            (group.calm == 0).then_some(group)
        })
    }

    pub(crate) fn version(&self) -> Memory {
        self.version
    }

    fn limit(&self, memory: u64) -> io::Result<()> {
        let set = |file: &str, value: &str| fs::write(self.path.join(file), value);
        let memory = memory.to_string();
        if self.version == Memory::Cgroup1 {
            set("memory.limit_in_bytes", &memory)?;
            // Not every kernel counts what is swapped out.
            let _ = set("memory.memsw.limit_in_bytes", &memory);
        } else {
            set("memory.max", &memory)?;
            let _ = set("memory.swap.max", "0");
        }
        Ok(())
    }

    /// Moves what is not in the group yet. Children of what is in it are in it from the start.
    pub(crate) fn gather(&mut self) {
        if self.calm == CALM {
            return;
        }
        let list = self.path.join("cgroup.procs");
        let inside = fs::read_to_string(&list).unwrap_or_default();
        let inside: BTreeSet<u32> = inside.lines().filter_map(|line| line.parse().ok()).collect();
        let mut moved = false;
        for process in descendants(self.helper) {
            moved |= !inside.contains(&process) && fs::write(&list, process.to_string()).is_ok();
        }
        self.calm = if moved { 0 } else { self.calm + 1 };
    }

    /// Whether the kernel had to end a process for its memory.
    pub(crate) fn exceeded(&self) -> bool {
        let file = if self.version == Memory::Cgroup1 { "memory.oom_control" } else { "memory.events" };
        let text = fs::read_to_string(self.path.join(file)).unwrap_or_default();
        text.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|times| times != "0"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What cannot be removed now, the next room's sweep removes.
        let _ = fs::remove_dir(&self.path);
    }
}

/// Removes groups of callers that were killed.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-'));
        if owner.is_some_and(|(pid, _)| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Groups in which one for a room may be made, the best first.
fn parents(own: &str, mounts: &str) -> Vec<(PathBuf, Memory)> {
    let mut parents = Vec::new();
    for line in own.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        if controllers.split(',').any(|controller| controller == "memory") {
            parents.extend(place(mounts, "cgroup", "memory", path).map(|place| (place, Memory::Cgroup1)));
        } else if controllers.is_empty()
            && let Some(place) = place(mounts, "cgroup2", "", path)
        {
            // A group with processes of its own has no groups with limits in it, but may have such siblings.
            let above = place.parent().map(Path::to_path_buf);
            let limits = |place: &PathBuf| {
                let controllers = fs::read_to_string(place.join("cgroup.subtree_control")).unwrap_or_default();
                controllers.split_whitespace().any(|controller| controller == "memory")
            };
            parents.extend(
                [Some(place), above].into_iter().flatten().filter(limits).map(|place| (place, Memory::Cgroup2)),
            );
        }
    }
    parents
}

/// Where a group of a hierarchy is in the file system.
fn place(mounts: &str, kind: &str, option: &str, group: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, point) = (mount.next()?, mount.next()?);
        let mut file_system = file_system.split(' ');
        let matches = file_system.next()? == kind
            && (option.is_empty() || file_system.nth(1)?.split(',').any(|set| set == option));
        let below = Path::new(group).strip_prefix(root).ok()?;
        matches.then(|| Path::new(point).join(below))
    })
}

/// All processes that come from one, without it.
fn descendants(process: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut open = vec![process];
    while let Some(process) = open.pop() {
        for thread in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            open.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
        found.push(process);
    }
    found.retain(|found| *found != process);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "\
24 19 0:21 / /sys/fs/cgroup rw - tmpfs tmpfs rw
25 24 0:22 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
26 24 0:23 /docker/abc /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory
";

    #[test]
    fn a_group_is_found_through_what_is_mounted() {
        let found = |own: &str| parents(own, ONE);
        let group = PathBuf::from("/sys/fs/cgroup/memory/inner");
        assert_eq!(found("5:cpu,cpuacct:/\n4:memory:/docker/abc/inner\n0::/\n"), [(group, Memory::Cgroup1)]);
        // The mount shows another part of the hierarchy.
        assert_eq!(found("4:memory:/system\n"), []);
        assert_eq!(found("5:cpu,cpuacct:/\n"), []);
        assert_eq!(found(""), []);
    }

    #[test]
    fn a_group_of_version_2_has_to_pass_memory_on() {
        let dir = tempfile::tempdir().unwrap();
        let (above, own) = (dir.path().join("app"), dir.path().join("app/build"));
        fs::create_dir_all(&own).unwrap();
        let mounts = format!("30 24 0:24 / {} rw - cgroup2 cgroup rw,nsdelegate\n", dir.path().display());
        let found = || parents("0::/app/build\n", &mounts);
        assert_eq!(found(), []);
        fs::write(above.join("cgroup.subtree_control"), "cpu memory pids\n").unwrap();
        assert_eq!(found(), [(above.clone(), Memory::Cgroup2)]);
        fs::write(own.join("cgroup.subtree_control"), "memory\n").unwrap();
        assert_eq!(found(), [(own, Memory::Cgroup2), (above, Memory::Cgroup2)]);
    }

    #[test]
    fn groups_of_callers_that_are_gone_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        let names = [format!("clnstrt-{}-0", std::process::id()), "clnstrt-4194305-0".into(), "other-4194305-0".into()];
        for name in &names {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        sweep(dir.path());
        assert_eq!(names.map(|name| dir.path().join(name).exists()), [true, false, true]);
    }

    #[test]
    fn processes_that_come_from_this_one_are_found() {
        let mut child = std::process::Command::new("sh").args(["-c", "sleep 1000 & wait"]).spawn().unwrap();
        let own = || descendants(child.id());
        while own().is_empty() {}
        let inner = own();
        assert!(descendants(std::process::id()).contains(&child.id()));
        assert!(inner.iter().all(|process| descendants(std::process::id()).contains(process)));
        child.kill().unwrap();
        child.wait().unwrap();
        for process in inner {
            let _ = rustix::process::kill_process(
                rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap(),
                rustix::process::Signal::KILL,
            );
        }
    }
}
