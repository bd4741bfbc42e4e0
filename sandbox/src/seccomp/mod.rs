//! Which system calls a command may make.
//!
//! What is not on the list does not exist: it answers ENOSYS, as do calls of later kernels and of the x32 interface, and
//! programs have a way around for older kernels. A call through another architecture's interface kills. Left out on
//! purpose: mounts and namespaces, ptrace and other processes' memory, keys, bpf, perf, io_uring, userfaultfd, file
//! handles, secret memory, fanotify, modules, kexec, reboot, swap, accounting, quotas, the clock, the kernel's log, and
//! `sync`, which would make a build wait for all of the machine's disks. `clone3` is left out because its arguments lie
//! where a filter cannot look; libraries then use `clone`.

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod arch;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod arch;
mod common;
mod program;

use self::program::{Check, program};
use crate::report::{Error, Step as _};

/// Every flag of clone that makes a namespace.
const NAMESPACES: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;
/// Types into the terminal, and into the console.
const TYPING: &[u32] = &[0x5412, 0x541c];
/// Sockets that stay in the room's network namespace and need no other subsystem of the kernel.
const FAMILIES: &[u32] = &[libc::AF_UNIX.unsigned_abs(), libc::AF_INET.unsigned_abs(), libc::AF_INET6.unsigned_abs()];
/// Linux as it is, what it is asked for, and without randomised addresses.
const PERSONALITIES: &[u32] = &[0, 0xffff_ffff, 0x0004_0000];

/// Puts the filter on this process.
pub(crate) fn confine() -> Result<(), Error> {
    let program = program(arch::AUDIT, rules()).step("write the system call filter")?;
    seccompiler::apply_filter(&program).step("put on the system call filter")
}

/// Every call that is allowed, with what its arguments must be.
fn rules() -> Vec<(u32, Check)> {
    let any = common::ALLOWED.iter().chain(arch::ALLOWED).copied().chain(common::NEWER);
    let checked = [
        (libc::SYS_socket, Check::OneOf(0, FAMILIES)),
        (libc::SYS_socketpair, Check::OneOf(0, FAMILIES)),
        (libc::SYS_personality, Check::OneOf(0, PERSONALITIES)),
        (libc::SYS_clone, Check::NoneOfBits(0, NAMESPACES.unsigned_abs())),
        (libc::SYS_ioctl, Check::NoneOf(1, TYPING)),
    ];
    let rules = any.map(|number| (number, Check::Nothing)).chain(checked);
    rules.filter_map(|(number, check)| Some((u32::try_from(number).ok()?, check))).collect()
}

#[cfg(test)]
mod tests;
