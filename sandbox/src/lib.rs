//! The sealed room: commands run in it with no network, no view of the host, and limits on all they use.
//!
//! [`run`] has a *helper* process started, which makes the room and watches over it, and whose first child is the room's PID 1.
//! Helpers are forks of a *starter*, which is the calling program itself, started again under another name, so the first
//! thing `main` does is to ask [`entered`]. Nothing is left of a room but its scratch directory, not even when the caller is
//! killed.
//!
//! - Files: an overlay of the given layers, which stay unchanged; what commands write goes to `upper` in the scratch
//!   directory. Besides it there are `/proc` without anything of the machine, and a `/dev` with the harmless devices.
//! - User 1000, group 1000, host name `clnstrt`, umask 022, no terminal, no capability, standard input empty, one pipe for
//!   standard output and error. The environment is exactly what the room says.
//! - Network: a namespace of its own with its loopback down, and no socket but of the Unix and internet families.
//! - System calls: those on a list ([`mod@seccomp`] says which and why).
//!
//! Layers and scratch belong to the calling user. When that is root, commands run as another ([`BUILD_ID`] usually), layers are shown to them
//! as theirs through an idmapped mount, and `upper` belongs to that id.

mod cgroup;
mod channel;
mod confine;
mod forbidden;
mod helper;
mod identity;
mod init;
mod launcher;
mod layers;
mod mounts;
mod report;
mod scratch;
mod seccomp;
mod spec;
mod starter;
mod sys;
mod usage;
mod watch;

/// What every room is like, by name, as documents tell it. The tests of this crate show each.
pub const PROMISES: [(&str, &str); 7] = [
    ("capabilities", "none"),
    ("environment", "declared"),
    ("files", "declared inputs"),
    ("hostName", "clnstrt"),
    ("network", "none"),
    ("systemCalls", "allow-list"),
    ("user", "1000:1000"),
];

pub use identity::BUILD_ID;
pub use launcher::{Launcher, run};
pub use mounts::MOST_LAYERS;
pub use report::{Error, Finished, Memory, Overlay, Owners, Report, Status, Stopped};
pub use scratch::remove;
pub use spec::{Limits, Room};
pub use starter::entered;
