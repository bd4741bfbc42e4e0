//! The system calls that no library offers safely.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// The only thread becomes two processes. `None` in the child.
#[expect(unsafe_code, reason = "no library offers fork safely")]
pub(crate) fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: the helper is single-threaded, so the child has a consistent memory and may run any code.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(Pid::from_raw(pid)),
    }
}

/// Leaves shared namespaces for new ones.
#[expect(unsafe_code, reason = "only unsharing the table of descriptors would be unsafe")]
pub(crate) fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    debug_assert!(!flags.contains(UnshareFlags::FILES));
    // SAFETY: `flags` is without FILES, so descriptors stay what they are.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

/// Closes every descriptor but the three standard ones.
#[expect(unsafe_code, reason = "closing descriptors by number")]
pub(crate) fn close_inherited() -> io::Result<()> {
    // SAFETY: called before this process opens anything, so no owner of these descriptors exists in it.
    done(unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) })
}

/// User and system time of all children that ended and were waited for, with theirs.
#[expect(unsafe_code, reason = "rustix has no getrusage")]
pub(crate) fn children_time() -> (Duration, Duration) {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel writes one rusage to where the pointer leads; all zeroes are a valid one.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init()
    };
    let time = |time: libc::timeval| {
        let micros = u64::try_from(time.tv_usec).unwrap_or(0);
        Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0)) + Duration::from_micros(micros)
    };
    (time(usage.ru_utime), time(usage.ru_stime))
}

/// Shows the files of a detached mount with the owners that a user namespace maps theirs to.
#[expect(unsafe_code, reason = "rustix has no mount_setattr")]
pub(crate) fn idmap(mount: BorrowedFd<'_>, user_namespace: BorrowedFd<'_>) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_IDMAP,
        attr_clr: 0,
        propagation: 0,
        userns_fd: u64::try_from(user_namespace.as_raw_fd()).unwrap_or(u64::MAX),
    };
    let empty = c"".as_ptr();
    let size = size_of::<libc::mount_attr>();
    // SAFETY: the path ends with a zero byte, and `size` is that of what the pointer leads to, which the kernel only reads.
    done(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            empty,
            libc::AT_EMPTY_PATH,
            &raw const attributes,
            size,
        )
    })
}

/// Gives every signal its default action, and the process the personality of the machine: both outlive exec.
#[expect(unsafe_code, reason = "signal actions are global")]
pub(crate) fn default_signals() {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: the default action runs no code of ours. What cannot be set is left as it is.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: takes a number only.
    unsafe { libc::personality(0) };
}

fn done(result: libc::c_long) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
