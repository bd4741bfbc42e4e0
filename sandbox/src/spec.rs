//! What a caller asks for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A room, and what to do in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Directories whose union is the root directory, bottom first. At most 498.
    pub layers: Vec<PathBuf>,
    /// An existing empty directory, on a file system that takes `user.*` attributes. `upper` in it is what the commands
    /// wrote. Others lose access to it.
    pub scratch: PathBuf,
    /// Command lines, run one after another until one fails. A program without a slash is looked up in the room's `PATH`.
    pub commands: Vec<Vec<String>>,
    /// The whole environment of every command.
    pub env: BTreeMap<String, String>,
    /// Where each command starts: an absolute path inside of the room, which must exist there.
    pub workdir: String,
    /// What the commands may use, all together.
    pub limits: Limits,
    /// The user and group as whom commands run when the caller is root: [`crate::BUILD_ID`], or another that is in use
    /// nowhere. From within they are always 1000.
    pub build_id: u32,
}

/// What the commands of a room may use, all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Seconds from the first command's start.
    pub seconds: u64,
    /// Processes and threads at the same time.
    pub processes: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of disk in the scratch directory; each file counts at least 4 KiB. No file is longer.
    pub written: u64,
    /// Bytes of output.
    pub log: u64,
}
