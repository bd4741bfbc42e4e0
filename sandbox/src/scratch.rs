//! The scratch directory: the only thing a room leaves behind.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags};

use crate::layers::attach;
use crate::report::{Error, Step as _};

/// What the commands wrote, in the scratch directory.
pub(crate) const WRITTEN: &str = "upper";
/// The scratch directory once it is covered, and in it what the commands wrote, and what is the overlay's own.
const DISK: &str = "disk";
pub(crate) const UPPER: &str = "disk/upper";
pub(crate) const WORK: &str = "disk/work";
/// The layer on top of all, with the directories to mount on. No layer can put anything else in their place. The overlay
/// itself is mounted on it at first.
pub(crate) const BASE: &str = "base";
/// Where layers are bound.
pub(crate) const LOWER: &str = "lower";
/// Where they get even shorter names, for older kernels.
pub(crate) const NAMES: &str = "names";
const DIRECTORY: Mode = Mode::from_raw_mode(0o755);

/// Makes what the overlay needs on the disk, as the build user.
pub(crate) fn furnish(scratch: BorrowedFd<'_>) -> Result<(), Error> {
    for dir in [WRITTEN, "work"] {
        rustix::fs::mkdirat(scratch, dir, DIRECTORY).step(&format!("make {dir} in the scratch directory"))?;
    }
    Ok(())
}

/// Covers the current directory, which is the scratch directory, with one in memory for what only this room's making needs:
/// some file systems take long to make directories. To be called in a mount namespace of one's own.
pub(crate) fn cover() -> Result<(), Error> {
    let cover = || {
        let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let disk = rustix::mount::open_tree(CWD, ".", clone)?;
        let context = rustix::mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        for (key, value) in [("mode", "755"), ("size", "1m"), ("nr_inodes", "2048")] {
            rustix::mount::fsconfig_set_string(&context, key, value)?;
        }
        rustix::mount::fsconfig_create(&context)?;
        let memory = rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?;
        attach(memory.as_fd(), Path::new("."))?;
        rustix::process::fchdir(&memory)?;
        rustix::fs::mkdir(DISK, DIRECTORY)?;
        attach(disk.as_fd(), Path::new(DISK))
    };
    cover().step("cover the scratch directory")
}

/// Makes the layer [`BASE`].
pub(crate) fn make_base() -> Result<(), Error> {
    for (dir, mode) in [(BASE, 0o755), ("base/proc", 0o755), ("base/dev", 0o755), ("base/tmp", 0o1777)] {
        rustix::fs::mkdir(dir, Mode::from_raw_mode(mode)).step(&format!("make {dir}"))?;
    }
    Ok(())
}

/// Removes a scratch directory, whatever modes and however deep directories a command has left in it.
pub fn remove(scratch: &Path) -> Result<(), Error> {
    let step = format!("remove the scratch directory {}", scratch.display());
    clear(scratch).step(&step)?;
    std::fs::remove_dir(scratch).step(&step)
}

/// Directories inside of directories are moved to the top first, so no depth is too deep and no path too long.
fn clear(scratch: &Path) -> rustix::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = rustix::fs::openat(CWD, scratch, flags, Mode::empty())?;
    let mut moved = 0_u64;
    loop {
        let mut empty = true;
        for entry in Dir::read_from(&top)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            empty = false;
            if !remove_file(&top, name)? {
                continue;
            }
            let dir = rustix::fs::openat(&top, name, flags, Mode::empty())?;
            for entry in Dir::read_from(&dir)? {
                let entry = entry?;
                let name = entry.file_name();
                if !matches!(name.to_bytes(), b"." | b"..") && remove_file(&dir, name)? {
                    moved = moved.wrapping_add(1);
                    rename_unused(&dir, name, &top, &mut moved)?;
                }
            }
            rustix::fs::unlinkat(&top, name, AtFlags::REMOVEDIR)?;
        }
        if empty {
            return Ok(());
        }
    }
}

/// Moves a directory to a name that nothing has.
fn rename_unused<Fd: std::os::fd::AsFd>(
    from: Fd,
    name: &std::ffi::CStr,
    to: Fd,
    number: &mut u64,
) -> rustix::io::Result<()> {
    loop {
        match rustix::fs::renameat_with(&from, name, &to, format!(".{number}"), rustix::fs::RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => *number = number.wrapping_add(1),
            result => return result,
        }
    }
}

/// Removes what is no directory. Answers whether it is one that is not empty; then it can be opened and moved.
fn remove_file<Fd: std::os::fd::AsFd>(dir: Fd, name: &std::ffi::CStr) -> rustix::io::Result<bool> {
    let stat = rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        rustix::fs::unlinkat(&dir, name, AtFlags::empty())?;
        return Ok(false);
    }
    match rustix::fs::unlinkat(&dir, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOTEMPTY | Errno::EXIST) => {}
        result => return result.map(|()| false),
    }
    if stat.st_mode & 0o700 != 0o700 {
        rustix::fs::chmodat(&dir, name, Mode::RWXU, AtFlags::empty())?;
    }
    Ok(true)
}
