//! System calls a room does not have.

use std::io;

use libc::c_long;

/// Calls that must be missing, each with arguments that do no harm where it exists: they are wrong in some way.
const CALLS: &[(&str, c_long, [c_long; 5])] = &[
    ("mount", libc::SYS_mount, [0; 5]),
    ("umount2", libc::SYS_umount2, [0; 5]),
    ("pivot_root", libc::SYS_pivot_root, [0; 5]),
    ("chroot", libc::SYS_chroot, [0; 5]),
    ("fsopen", libc::SYS_fsopen, [0; 5]),
    ("fsmount", libc::SYS_fsmount, [-1, 0, 0, 0, 0]),
    ("open_tree", libc::SYS_open_tree, [-1, 0, 0, 0, 0]),
    ("move_mount", libc::SYS_move_mount, [-1, 0, -1, 0, 0]),
    ("mount_setattr", libc::SYS_mount_setattr, [-1, 0, 0, 0, 0]),
    ("unshare", libc::SYS_unshare, [0; 5]),
    ("unshare user", libc::SYS_unshare, [libc::CLONE_NEWUSER as c_long, 0, 0, 0, 0]),
    ("setns", libc::SYS_setns, [-1, 0, 0, 0, 0]),
    ("clone new user", libc::SYS_clone, [(libc::CLONE_NEWUSER | libc::CLONE_FS) as c_long, 0, 0, 0, 0]),
    ("clone new network", libc::SYS_clone, [(libc::CLONE_NEWNET | libc::CLONE_SIGHAND) as c_long, 0, 0, 0, 0]),
    ("clone3", libc::SYS_clone3, [0; 5]),
    ("ptrace", libc::SYS_ptrace, [libc::PTRACE_ATTACH as c_long, 1, 0, 0, 0]),
    ("ptrace me", libc::SYS_ptrace, [libc::PTRACE_TRACEME as c_long, 0, 0, 0, 0]),
    ("process_vm_readv", libc::SYS_process_vm_readv, [1, 0, 0, 0, 0]),
    ("process_vm_writev", libc::SYS_process_vm_writev, [1, 0, 0, 0, 0]),
    ("pidfd_getfd", libc::SYS_pidfd_getfd, [-1, 0, 0, 0, 0]),
    ("kcmp", libc::SYS_kcmp, [0, 0, 99, 0, 0]),
    ("keyctl", libc::SYS_keyctl, [0, -1, 0, 0, 0]),
    ("add_key", libc::SYS_add_key, [0; 5]),
    ("request_key", libc::SYS_request_key, [0; 5]),
    ("bpf", libc::SYS_bpf, [0; 5]),
    ("perf_event_open", libc::SYS_perf_event_open, [0; 5]),
    ("io_uring_setup", libc::SYS_io_uring_setup, [0; 5]),
    ("io_uring_enter", libc::SYS_io_uring_enter, [-1, 0, 0, 0, 0]),
    ("userfaultfd", libc::SYS_userfaultfd, [-1, 0, 0, 0, 0]),
    ("open_by_handle_at", libc::SYS_open_by_handle_at, [-1, 0, 0, 0, 0]),
    ("name_to_handle_at", libc::SYS_name_to_handle_at, [-1, 0, 0, 0, 0]),
    ("memfd_secret", libc::SYS_memfd_secret, [-1, 0, 0, 0, 0]),
    ("fanotify_init", libc::SYS_fanotify_init, [-1, 0, 0, 0, 0]),
    ("init_module", libc::SYS_init_module, [0; 5]),
    ("finit_module", libc::SYS_finit_module, [-1, 0, 0, 0, 0]),
    ("delete_module", libc::SYS_delete_module, [0; 5]),
    ("kexec_load", libc::SYS_kexec_load, [0, 0, 0, -1, 0]),
    ("reboot", libc::SYS_reboot, [0; 5]),
    ("swapon", libc::SYS_swapon, [0; 5]),
    ("swapoff", libc::SYS_swapoff, [0; 5]),
    ("acct", libc::SYS_acct, [1, 0, 0, 0, 0]),
    ("quotactl", libc::SYS_quotactl, [-1, 0, 0, 0, 0]),
    ("settimeofday", libc::SYS_settimeofday, [1, 0, 0, 0, 0]),
    ("clock_settime", libc::SYS_clock_settime, [0; 5]),
    ("adjtimex", libc::SYS_adjtimex, [0; 5]),
    ("syslog", libc::SYS_syslog, [99, 0, 0, 0, 0]),
    ("sethostname", libc::SYS_sethostname, [0, -1, 0, 0, 0]),
    ("setdomainname", libc::SYS_setdomainname, [0, -1, 0, 0, 0]),
    ("personality", libc::SYS_personality, [0x0008, 0, 0, 0, 0]),
    ("socket netlink", libc::SYS_socket, [libc::AF_NETLINK as c_long, libc::SOCK_RAW as c_long, 0, 0, 0]),
    ("socket vsock", libc::SYS_socket, [libc::AF_VSOCK as c_long, libc::SOCK_STREAM as c_long, 0, 0, 0]),
    ("socket packet", libc::SYS_socket, [libc::AF_PACKET as c_long, libc::SOCK_RAW as c_long, 0, 0, 0]),
    ("socket alg", libc::SYS_socket, [libc::AF_ALG as c_long, libc::SOCK_SEQPACKET as c_long, 0, 0, 0]),
    ("type into the terminal", libc::SYS_ioctl, [-1, libc::TIOCSTI as c_long, 0, 0, 0]),
    ("type into the console", libc::SYS_ioctl, [-1, 0x541c, 0, 0, 0]),
];

fn call(number: c_long, [a, b, c, d, e]: [c_long; 5]) -> io::Result<()> {
    // SAFETY: no argument of these calls leads to memory of this process.
    match unsafe { libc::syscall(number, a, b, c, d, e) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Tries all calls: prints the name of each, and whether it is missing.
pub(crate) fn all() {
    for (name, number, arguments) in CALLS {
        // Each in a process of its own, for some change it where they are allowed.
        // SAFETY: this program has one thread.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let missing = call(*number, *arguments).is_err_and(|error| error.raw_os_error() == Some(libc::ENOSYS));
            println!("{name}: {}", if missing { "missing" } else { "there" });
            std::process::exit(0);
        }
        // SAFETY: waits for a child, and takes no status.
        unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    }
}

/// Tries one call with arguments that mean something.
pub(crate) fn one(name: &str) -> io::Result<()> {
    match name {
        // The interface for 32-bit pointers on x86-64: getpid.
        "x32" => call(0x4000_0000 | libc::SYS_getpid, [0; 5]),
        // A number no kernel has given away.
        "unknown" => call(0x1000, [0; 5]),
        "getpid" => call(libc::SYS_getpid, [0; 5]),
        "personality" => call(libc::SYS_personality, [0x0004_0000, 0, 0, 0, 0]),
        _ => panic!("unknown: {name}"),
    }
}

/// Makes a call through another architecture's interface: getpid of 32-bit x86.
#[cfg(target_arch = "x86_64")]
pub(crate) fn foreign() {
    let pid: u32;
    // SAFETY: getpid has no arguments and changes nothing but the register with its answer.
    unsafe { std::arch::asm!("int 0x80", inlateout("eax") 20 => pid) };
    println!("{}", if pid == std::process::id() { "ok" } else { "refused" });
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn foreign() {
    std::process::abort();
}

pub(crate) fn socket(family: i32) -> io::Result<()> {
    call(libc::SYS_socket, [family.into(), libc::SOCK_DGRAM.into(), 0, 0, 0])
}

/// Raises the loopback interface, as `ip link set lo up` does.
pub(crate) fn raise_loopback() -> io::Result<()> {
    // SAFETY: plain numbers and bytes, for which zeroes are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l'.cast_signed() as libc::c_char;
    request.ifr_name[1] = b'o'.cast_signed() as libc::c_char;
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: the request lives as long as the call, which reads it.
    let answer = unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0);
        libc::ioctl(socket, libc::SIOCSIFFLAGS, &raw mut request)
    };
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

pub(crate) fn become_root() -> io::Result<()> {
    call(libc::SYS_setresuid, [0, 0, 0, 0, 0])
}
