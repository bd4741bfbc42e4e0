//! What PID 1 gives up before any command runs. All of it is inherited and none can be taken back.

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::report::{Error, Step as _};
use crate::spec::Limits;
use crate::{seccomp, sys};

/// Files a process may have open.
const FILES: u64 = 16384;
/// Bytes of a process's stack, unless it asks for more.
const STACK: u64 = 8 << 20;
/// The kernel counts the helper and PID 1 with the room's processes.
const OTHERS: u64 = 2;

pub(crate) fn confine(limits: &Limits) -> Result<(), Error> {
    sys::default_signals();
    rustix::system::sethostname(b"clnstrt").step("set the host name")?;
    rustix::system::setdomainname(b"localdomain").step("set the domain name")?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    set_limits(limits)?;
    drop_capabilities().step("drop capabilities")?;
    rustix::thread::set_no_new_privs(true).step("give up new privileges")?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).step("hide PID 1")?;
    seccomp::confine()
}

fn set_limits(limits: &Limits) -> Result<(), Error> {
    let both = |most: u64| (Some(most), Some(most));
    let wanted = [
        // Twice as many, so that whoever starts them is seen before it fails.
        (Resource::Nproc, both(limits.processes.saturating_mul(2).saturating_add(OTHERS))),
        // A page more than allowed, so that it shows.
        (Resource::Fsize, both(limits.written.saturating_add(4096))),
        // A process's own memory as far as it may be written to. What is only reserved is not counted, unlike in RLIMIT_AS,
        // which Go, Java and V8 exceed from the start. PID 1 has what its allocator reserved besides, and has to start commands.
        (Resource::Data, both(limits.memory.saturating_mul(2).saturating_add(own_data()))),
        (Resource::Core, both(0)),
        (Resource::Memlock, both(0)),
        (Resource::Nofile, both(FILES)),
        (Resource::Stack, (Some(STACK), None)),
        (Resource::As, (None, None)),
        (Resource::Cpu, (None, None)),
    ];
    for (resource, (current, maximum)) in wanted {
        // What the caller was given limits this too: it can be lowered, not raised.
        let most = rustix::process::getrlimit(resource).maximum;
        let lower = |wanted: Option<u64>| match (wanted, most) {
            (Some(wanted), Some(most)) => Some(wanted.min(most)),
            (wanted, most) => wanted.or(most),
        };
        let new = Rlimit { current: lower(current), maximum: lower(maximum) };
        rustix::process::setrlimit(resource, new).step("set the limits of processes")?;
    }
    Ok(())
}

/// Bytes of this process that may be written to, used or not.
fn own_data() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split_whitespace().nth(5).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages.saturating_mul(rustix::param::page_size() as u64)
}

fn drop_capabilities() -> rustix::io::Result<()> {
    for capability in CapabilitySet::all().iter() {
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            // One this kernel does not know yet.
            Err(rustix::io::Errno::INVAL) => {}
            result => result?,
        }
    }
    rustix::thread::clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
}
