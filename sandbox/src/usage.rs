//! How much a room uses.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};

use crate::scratch::WRITTEN;

/// What a file counts at least: an empty one costs the disk something too.
const SMALLEST: u64 = 4096;
/// Directories inside of each other that are looked into. As many are open at a time.
const DEEPEST: usize = 1000;
/// Bytes read of what the kernel says of a process.
const STATUS: usize = 4096;

/// What the processes of a room use.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Processes {
    /// Processes and threads, PID 1 aside.
    pub(crate) tasks: u64,
    /// Bytes of memory of their own, in memory or swapped out. What is shared is counted once, for the one with most.
    pub(crate) memory: u64,
}

/// Looks at every process of a room through its `/proc`.
pub(crate) fn processes(proc: &OwnedFd) -> rustix::io::Result<Processes> {
    let mut all = Processes::default();
    let mut shared = 0;
    for entry in Dir::new(open_dir(proc.as_fd(), ".")?)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !name.first().is_some_and(u8::is_ascii_digit) || name == b"1" {
            continue;
        }
        let path = [name, b"/status"].concat();
        // A process may end at any moment.
        let Ok(status) = rustix::fs::openat(proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else {
            continue;
        };
        let mut text = Vec::with_capacity(STATUS);
        if std::fs::File::from(status).take(STATUS as u64).read_to_end(&mut text).is_err() {
            continue;
        }
        let text = String::from_utf8_lossy(&text);
        let number = |field: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(field));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
        };
        all.tasks += number("Threads:");
        all.memory += (number("RssAnon:") + number("VmSwap:")) << 10;
        shared = shared.max(number("RssShmem:") << 10);
    }
    all.memory += shared;
    Ok(all)
}

/// Bytes of disk below the upper directory of a scratch directory; stops counting beyond `most`.
pub(crate) fn written(scratch: BorrowedFd<'_>, most: u64) -> rustix::io::Result<u64> {
    let mut total = 0;
    let mut linked = BTreeSet::new();
    let mut open = vec![Dir::new(open_dir(scratch, WRITTEN)?)?];
    while let Some(dir) = open.last_mut() {
        let Some(entry) = dir.next() else {
            open.pop();
            continue;
        };
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        // Files may vanish at any moment.
        let Ok(stat) = rustix::fs::statat(dir.fd()?, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        let is_dir = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if !is_dir && stat.st_nlink > 1 && !linked.insert((stat.st_dev, stat.st_ino)) {
            continue;
        }
        total += u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512).max(SMALLEST);
        if total > most {
            break;
        }
        if is_dir
            && open.len() < DEEPEST
            && let Some(parent) = open.last()
            && let Ok(inner) = open_dir(parent.fd()?, name)
        {
            open.push(Dir::new(inner)?);
        }
    }
    Ok(total)
}

fn open_dir<P: rustix::path::Arg>(at: BorrowedFd<'_>, name: P) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::empty())
}

/// Opens the scratch directory, which is the current one.
pub(crate) fn open_scratch() -> rustix::io::Result<OwnedFd> {
    open_dir(CWD.as_fd(), ".")
}
