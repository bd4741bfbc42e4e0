//! The room's files: the root directory, `/proc` and `/dev`.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, StatVfsMountFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::thread::UnshareFlags;

use crate::forbidden;
use crate::identity::unshare;
use crate::layers::{self, attach};
use crate::report::{Error, Overlay, Owners, Step as _};
use crate::scratch::{self, BASE, NAMES, UPPER, WORK};

/// Layers of a room at most: what the kernel unites, less our own at the top.
pub const MOST_LAYERS: usize = 498;
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
const LINKS: [(&str, &str); 4] = [
    ("dev/fd", "/proc/self/fd"),
    ("dev/stdin", "/proc/self/fd/0"),
    ("dev/stdout", "/proc/self/fd/1"),
    ("dev/stderr", "/proc/self/fd/2"),
];

/// Makes the room's files the only ones there are. The current directory is the scratch directory at first, and the room's
/// root directory in the end. Answers how the overlay was mounted, and the room's `/proc`.
pub(crate) fn enter(mut layers: Vec<PathBuf>, owners: Owners) -> Result<(Overlay, OwnedFd), Error> {
    unshare(UnshareFlags::NEWNS)?;
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    rustix::mount::mount_change("/", private).step("make mounts private")?;
    if owners == Owners::Caller {
        scratch::cover()?;
        layers::bind(&mut layers, true, |_, _| Ok(()))?;
    }
    scratch::make_base()?;
    let overlay = mount_root(&layers)?;
    rustix::process::chdir(BASE).step("enter the overlay")?;
    let flags = rustix::fs::statvfs(".").step("look at the overlay")?.f_flag;
    if flags.contains(StatVfsMountFlags::RDONLY) {
        let cause =
            "the kernel made it read-only: the scratch directory's file system does not take what it writes there";
        return Err(Error::Failed { step: "mount the overlay".into(), cause: cause.into() });
    }
    let proc = mount_proc().map_err(|errno| forbidden::explain("mount /proc", errno.into()))?;
    mount_dev().step("make /dev")?;
    rustix::process::pivot_root(".", ".").step("enter the room")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).step("leave the machine's files")?;
    rustix::process::chdir("/").step("enter the room")?;
    Ok((overlay, proc))
}

fn mount_root(layers: &[PathBuf]) -> Result<Overlay, Error> {
    let newer = match layer_by_layer(layers) {
        Ok(()) => return Ok(Overlay::LowerdirPlus),
        Err(errno) => errno,
    };
    if newer == Errno::INVAL || newer == Errno::NOSYS {
        let numbers = numbered(layers).step("give layers short names")?;
        if in_one_string(&numbers).is_ok() {
            return Ok(Overlay::MountString);
        }
    }
    Err(forbidden::explain("mount the overlay", newer.into()))
}

/// Mounts the overlay with one setting for each layer, the top one first.
fn layer_by_layer(layers: &[PathBuf]) -> rustix::io::Result<()> {
    let context = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    rustix::mount::fsconfig_set_string(&context, "lowerdir+", BASE)?;
    for layer in layers.iter().rev() {
        rustix::mount::fsconfig_set_string(&context, "lowerdir+", layer)?;
    }
    for (key, value) in [("upperdir", UPPER), ("workdir", WORK)] {
        rustix::mount::fsconfig_set_string(&context, key, value)?;
    }
    // xino: files of all layers have numbers of one file system, though one layer is in memory.
    rustix::mount::fsconfig_set_string(&context, "xino", "on")?;
    // userxattr: the overlay's own marks are ones an ordinary user may set. volatile: nothing waits for the disk.
    for flag in ["userxattr", "volatile"] {
        rustix::mount::fsconfig_set_flag(&context, flag)?;
    }
    rustix::mount::fsconfig_create(&context)?;
    let attributes =
        MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOATIME;
    let mount = rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
    attach(mount.as_fd(), Path::new(BASE))
}

/// Names for layers of a few letters each, below [`NAMES`].
fn numbered(layers: &[PathBuf]) -> rustix::io::Result<Vec<String>> {
    rustix::fs::mkdir(NAMES, Mode::RWXU)?;
    let link = |(number, layer): (usize, &PathBuf)| {
        let number = number.to_string();
        rustix::fs::symlink(Path::new("..").join(layer), Path::new(NAMES).join(&number))?;
        Ok(number)
    };
    layers.iter().enumerate().map(link).collect()
}

/// Mounts the overlay as older kernels know it: all settings together are at most a page long.
fn in_one_string(numbers: &[String]) -> rustix::io::Result<()> {
    let mut options = format!("userxattr,volatile,xino=on,upperdir=../{UPPER},workdir=../{WORK},lowerdir=../{BASE}");
    for number in numbers.iter().rev() {
        options.push(':');
        options.push_str(number);
    }
    let options = std::ffi::CString::new(options).map_err(|_| Errno::INVAL)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOATIME;
    rustix::process::chdir(NAMES)?;
    rustix::mount::mount("overlay", format!("../{BASE}"), "overlay", flags, &*options)?;
    rustix::process::chdir("..")
}

/// Only processes, and of those only what the one who looks could look into anyway; so PID 1 is not seen.
fn mount_proc() -> rustix::io::Result<OwnedFd> {
    let harmless = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount("proc", "proc", "proc", harmless, c"hidepid=ptraceable,subset=pid")?;
    rustix::fs::openat(CWD, "proc", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

fn mount_dev() -> rustix::io::Result<()> {
    let harmless = MountFlags::NOSUID | MountFlags::NOEXEC;
    rustix::mount::mount("tmpfs", "dev", "tmpfs", harmless, c"mode=755,size=64k,nr_inodes=32")?;
    for device in DEVICES {
        let (machine, room) = (format!("/dev/{device}"), format!("dev/{device}"));
        rustix::fs::mknodat(CWD, &room, FileType::RegularFile, Mode::from_raw_mode(0o666), 0)?;
        rustix::mount::mount_bind(machine, room)?;
    }
    for (name, target) in LINKS {
        rustix::fs::symlink(target, name)?;
    }
    rustix::fs::mkdir("dev/shm", Mode::from_raw_mode(0o755))?;
    // It is memory that belongs to no process.
    rustix::mount::mount(
        "tmpfs",
        "dev/shm",
        "tmpfs",
        harmless | MountFlags::NODEV,
        c"mode=1777,size=64m,nr_inodes=4096",
    )
}
