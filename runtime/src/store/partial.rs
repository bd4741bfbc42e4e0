//! A download on its way: kept under the digest it is to have, so that the next attempt, or the next process, goes on
//! where this one ended.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;

use model::{Digest, Hasher};
use rustix::fs::FlockOperation;

use super::{Store, make_dir};

/// A locked partial download.
pub(crate) struct Partial {
    path: PathBuf,
    target: PathBuf,
    file: File,
    hasher: Hasher,
    size: u64,
}

impl Store {
    /// Takes the partial download of an object, or `None` while another download of the same object runs.
    pub(crate) fn partial(&self, expected: &Digest) -> io::Result<Option<Partial>> {
        let path = self.root.join("partial").join(expected.hex());
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o644).open(&path)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            result => result?,
        }
        // Its last owner may have finished between opening and locking: then this is the finished object.
        if std::fs::metadata(&path).map(|m| m.ino()).ok() != Some(file.metadata()?.ino()) {
            return Ok(None);
        }
        let mut partial = Partial { path, target: self.path(expected), file, hasher: Hasher::new(), size: 0 };
        partial.rehash()?;
        Ok(Some(partial))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.size == 0 {
            // Nothing to go on from; still locked, so it is nobody else's.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Partial {
    /// Bytes there are already.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Starts from nothing again.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.hasher = Hasher::new();
        self.size = 0;
        Ok(())
    }

    /// The digest of the bytes there are.
    pub(crate) fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    /// Makes the partial file the object; the caller has compared its digest.
    pub(crate) fn commit(self) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(0o444))?;
        // What was fetched cannot be made again offline, so it is on the disk before it has its name.
        self.file.sync_data()?;
        self.target.parent().map_or(Ok(()), make_dir)?;
        std::fs::rename(&self.path, &self.target)?;
        Ok(())
    }

    fn rehash(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = self.file.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            self.hasher.update(buffer.get(..read).unwrap_or_default());
            self.size += read as u64;
        }
    }
}
