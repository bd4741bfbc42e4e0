//! The scratch directory: the only thing a room leaves behind.

use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::report::{Error, Step as _};

/// What the commands wrote.
pub(crate) const UPPER: &str = "upper";
/// The overlay's own.
pub(crate) const WORK: &str = "work";
/// The layer on top of all, with the directories to mount on. No layer can put anything else in their place. The overlay
/// itself is mounted on it at first.
pub(crate) const BASE: &str = "base";
/// Where layers are bound.
pub(crate) const LOWER: &str = "lower";
/// Where they get even shorter names, for older kernels.
pub(crate) const NAMES: &str = "names";

/// Makes what the overlay needs in the current directory, as the build user.
pub(crate) fn furnish() -> Result<(), Error> {
    for dir in [UPPER, WORK, BASE, "base/proc", "base/dev", "base/tmp"] {
        let mode = if dir == "base/tmp" { 0o1777 } else { 0o755 };
        rustix::fs::mkdir(dir, Mode::from_raw_mode(mode)).step(&format!("make {dir} in the scratch directory"))?;
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
