//! What a caller gets back.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What happened in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The commands that were started, in order; the last may have failed or been cut off.
    pub commands: Vec<Finished>,
    /// The limit that ended the room.
    pub stopped: Option<Stopped>,
    /// How the root directory was mounted.
    pub overlay: Overlay,
    /// Who owns files of the layers, seen from the room.
    pub owners: Owners,
    /// What held the memory limit.
    pub memory: Memory,
}

impl Report {
    /// Whether every command was run and exited with 0.
    pub fn succeeded(&self) -> bool {
        self.stopped.is_none() && self.commands.iter().all(|command| command.status == Status::Exited(0))
    }
}

/// A command that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// How it ended.
    pub status: Status,
    /// Which bytes of the log it wrote, counted from where the log stood at the start.
    pub log: Range<u64>,
    /// Processor time in its own code, with all processes it started.
    pub user: Duration,
    /// Processor time in the kernel, with all processes it started.
    pub system: Duration,
    /// Time from its start to its end.
    pub wall: Duration,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It exited with this code.
    Exited(i32),
    /// This signal killed it.
    Signal(i32),
    /// It could not be started: why.
    NotStarted(String),
    /// It was cut off because a limit ended the room.
    Stopped,
}

/// A limit that was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stopped {
    /// `seconds`
    Time,
    /// `processes`
    Processes,
    /// `memory`
    Memory,
    /// `written`
    Written,
    /// `log`
    Log,
}

/// How the root directory was mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Overlay {
    /// Layer by layer, with the kernel's newer interface (Linux 6.8).
    LowerdirPlus,
    /// In one string of short names, with `mount(2)`.
    MountString,
}

/// Who owns files of the layers, seen from the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owners {
    /// The caller is no build user of ours: its files are the commands' files.
    Caller,
    /// The caller is root, commands run as another user, and an idmapped mount gives them root's files.
    Mapped,
    /// As above, but the layers' file system has no idmapped mounts: files belong to `nobody` and cannot be changed.
    Nobody,
}

/// What held the memory limit, besides a limit on each process's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Memory {
    /// A control group of version 1, from a moment after the start on.
    Cgroup1,
    /// A control group of version 2, from a moment after the start on.
    Cgroup2,
    /// Looking at the processes again and again; memory that belongs to no process is not seen.
    Polled,
}

/// Why a room could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Error {
    /// The machine is set up so that rooms cannot be made.
    Forbidden {
        /// The setting that forbids it.
        setting: String,
        /// What to do about it.
        advice: String,
    },
    /// Something else went wrong.
    Failed {
        /// What was being done.
        step: String,
        /// The system's answer.
        cause: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden { setting, .. } => write!(f, "{setting} forbids to make a sandbox"),
            Self::Failed { step, cause } => write!(f, "{step}: {cause}"),
        }
    }
}

impl std::error::Error for Error {}

/// Says what was being done when something failed.
pub(crate) trait Step<T> {
    fn step(self, step: &str) -> Result<T, Error>;
}

impl<T, E: fmt::Display> Step<T> for Result<T, E> {
    fn step(self, step: &str) -> Result<T, Error> {
        self.map_err(|cause| Error::Failed { step: step.to_owned(), cause: cause.to_string() })
    }
}
