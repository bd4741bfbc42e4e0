//! The directory one process writes its unfinished objects in.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use tempfile::{NamedTempFile, TempDir};

/// A locked directory below `tmp/`. The lock tells living processes from dead ones, also across containers, where
/// process ids would not.
pub(super) struct Staging {
    dir: TempDir,
    /// Removed at the last opening: directories of processes that died.
    pub(super) leftovers: usize,
    _lock: File,
}

impl Staging {
    /// Removes what dead processes left and makes a directory of our own.
    pub(super) fn claim(tmp: &Path) -> io::Result<Self> {
        let leftovers = sweep(tmp)?;
        loop {
            let dir = TempDir::new_in(tmp)?;
            let lock = match File::open(dir.path()) {
                // taken for a leftover already
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            rustix::fs::flock(&lock, FlockOperation::LockShared)?;
            // Between making and locking it, another process may have taken it for a leftover.
            let still = fs::metadata(dir.path()).is_ok_and(|m| lock.metadata().is_ok_and(|l| l.ino() == m.ino()));
            if still {
                return Ok(Self { dir, leftovers, _lock: lock });
            }
        }
    }

    /// A new file in it, removed unless it is persisted.
    pub(super) fn file(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(self.dir.path())
    }

    /// A new directory in it.
    pub(super) fn directory(&self) -> io::Result<Scratch> {
        TempDir::new_in(self.dir.path()).map(|dir| Scratch(dir.keep()))
    }
}

/// A directory that is removed with all that is in it, also what a sandbox left unreadable.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now, the next opening of the store removes.
        let _ = sandbox::remove(&self.0);
    }
}

fn sweep(tmp: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(tmp)? {
        let path = entry?.path();
        // One that vanished, or belongs to another user, is somebody else's to remove.
        let Ok(lock) = File::open(&path) else { continue };
        if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        let gone = if path.is_dir() { sandbox::remove(&path).is_ok() } else { fs::remove_file(&path).is_ok() };
        removed += usize::from(gone);
    }
    Ok(removed)
}
