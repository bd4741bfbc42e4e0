//! Objects: bytes by their digest.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use model::{Digest, Finding, Hasher, codes};
use tempfile::NamedTempFile;

use super::{Store, failed, make_dir, place, touch};

impl Store {
    /// Whether an object is there. This counts as use; its bytes are verified by whoever reads them.
    pub fn has(&self, digest: &Digest) -> bool {
        let path = self.path(digest);
        let Ok(metadata) = fs::metadata(&path) else {
            return false;
        };
        if let Ok(modified) = metadata.modified() {
            touch(&path, modified);
        }
        metadata.is_file()
    }

    /// Where an object is, or would be. Readers verify what they read there.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        place(&self.root.join("blobs/sha256"), digest)
    }

    /// Keeps bytes.
    ///
    /// # Errors
    /// `STORE_IO`.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, Finding> {
        let mut writer = self.writer()?;
        writer.write_all(bytes).map_err(|e| self.failed("an object cannot be written", &e))?;
        Ok(writer.commit()?.0)
    }

    /// Starts an object of unknown digest. Dropping the writer leaves nothing behind.
    ///
    /// # Errors
    /// `STORE_IO`.
    pub fn writer(&self) -> Result<BlobWriter, Finding> {
        let file = self.staging.file().map_err(|e| self.failed("an object cannot be written", &e))?;
        Ok(BlobWriter {
            root: self.root.clone(),
            file: BufWriter::with_capacity(1 << 16, file),
            hasher: Hasher::new(),
            size: 0,
        })
    }

    /// Reads and verifies a whole object.
    ///
    /// # Errors
    /// `STORE_IO` where it is not there or cannot be read, `FETCH_TOO_LARGE` where it is over `limit` bytes,
    /// `STORE_DAMAGED` (remembered) where it is not what its digest says.
    pub fn read(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Finding> {
        let bytes = self.bytes(digest, limit)?;
        if Digest::of(&bytes) == *digest { Ok(bytes) } else { Err(self.damaged(digest)) }
    }

    /// An object that can be had again if it is not whole.
    pub(crate) fn whole(&self, digest: &Digest, limit: u64) -> Option<Vec<u8>> {
        if !self.has(digest) {
            return None;
        }
        self.bytes(digest, limit).ok().filter(|bytes| Digest::of(bytes) == *digest)
    }

    fn bytes(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Finding> {
        let file = self.open_blob(digest)?;
        let size = file.metadata().map_err(|e| self.failed(&format!("{digest} cannot be read"), &e))?.len();
        if size > limit {
            let message = format!("the stored object {digest} has {size} bytes; at most {limit} are accepted here");
            return Err(Finding::error(codes::FETCH_TOO_LARGE, message));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.take(limit).read_to_end(&mut bytes).map_err(|e| self.failed(&format!("{digest} cannot be read"), &e))?;
        Ok(bytes)
    }

    /// Opens an object whose reader computes the digest itself and calls [`Store::damaged`] where it differs.
    ///
    /// # Errors
    /// `STORE_IO`, also where it is not there.
    pub fn open_blob(&self, digest: &Digest) -> Result<File, Finding> {
        File::open(self.path(digest)).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Finding::error(codes::STORE_IO, format!("the store does not have {digest}"))
                .help("It may have been removed while the build ran. Start the build again."),
            _ => self.failed(&format!("{digest} cannot be read"), &e),
        })
    }

    /// Removes an object, so that it is fetched or made again, and forgets that it was damaged.
    ///
    /// # Errors
    /// `STORE_IO`.
    pub fn discard(&self, digest: &Digest) -> Result<(), Finding> {
        self.forget(digest);
        match fs::remove_file(self.path(digest)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(self.failed(&format!("{digest} cannot be removed"), &e))
            }
            _ => Ok(()),
        }
    }
}

/// Writes one object; its digest is known in the end.
pub struct BlobWriter {
    root: PathBuf,
    file: BufWriter<NamedTempFile>,
    hasher: Hasher,
    size: u64,
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl BlobWriter {
    /// Keeps what was written; answers its digest and size.
    ///
    /// # Errors
    /// `STORE_IO`.
    pub fn commit(self) -> Result<(Digest, u64), Finding> {
        let (root, digest, size) = (self.root.clone(), self.hasher.clone().finish(), self.size);
        self.persist(&digest).map_err(|e| failed(&root, "an object cannot be written", &e))?;
        Ok((digest, size))
    }

    /// Keeps what was written if it has the digest `expected`; answers its size.
    ///
    /// # Errors
    /// `FETCH_WRONG_DIGEST`, `STORE_IO`.
    pub fn commit_as(self, expected: &Digest) -> Result<u64, Finding> {
        let digest = self.hasher.clone().finish();
        if digest != *expected {
            return Err(Finding::error(codes::FETCH_WRONG_DIGEST, format!("expected {expected}, got {digest}")));
        }
        self.commit().map(|(_, size)| size)
    }

    fn persist(self, digest: &Digest) -> io::Result<()> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().set_permissions(Permissions::from_mode(0o444))?;
        let path = place(&self.root.join("blobs/sha256"), digest);
        path.parent().map_or(Ok(()), make_dir)?;
        // An object already there is replaced by the same bytes, and mended if it was damaged.
        file.persist(path)?;
        Ok(())
    }
}
