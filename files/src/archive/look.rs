//! Files on their way: their digests, and what they tell of packages.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek as _, Write as _};

use data_encoding::HEXLOWER;
use inspect::inventory::Scanner;
use model::{Digest, Entry, Hasher, Kind, TreePath};
use sha1::{Digest as _, Sha1};

/// Bytes of a file that is looked into which are kept in memory; a longer one goes to a temporary file.
const IN_MEMORY: u64 = 256 << 10;

/// Looks at files one after another.
pub(super) struct Looker {
    pub(super) scanner: Scanner,
    /// By the digest of a content, its SHA-1, where that is wanted.
    pub(super) sums: BTreeMap<Digest, String>,
    with_sha1: bool,
    buffer: Vec<u8>,
}

impl Looker {
    pub(super) fn new(with_sha1: bool) -> Self {
        Self { scanner: Scanner::default(), sums: BTreeMap::new(), with_sha1, buffer: Vec::new() }
    }

    /// Shows a file of `size` bytes to the scanner, if that wants it; answers its digest.
    pub(super) fn look(&mut self, path: &TreePath, size: u64, content: &mut dyn Read) -> io::Result<Digest> {
        let mut start = [0; 4];
        let filled = fill(content, &mut start)?;
        let start = start.get(..filled).unwrap_or_default();
        let mut content = Summed::new(start.chain(content), self.with_sha1);
        let entry = Entry::root(Kind::File { digest: Digest::of(b""), size }, 0);
        if Scanner::wants(path, &entry, start.try_into().ok()) {
            self.buffer.clear();
            self.buffer.reserve(usize::try_from(size.min(IN_MEMORY)).unwrap_or(0) + 1);
            content.by_ref().take(IN_MEMORY).read_to_end(&mut self.buffer)?;
            if size <= IN_MEMORY {
                self.scanner.look(path, &mut Cursor::new(&self.buffer))?;
            } else {
                let mut file = tempfile::tempfile()?;
                file.write_all(&self.buffer)?;
                io::copy(&mut content, &mut file)?;
                file.rewind()?;
                self.scanner.look(path, &mut file)?;
            }
        }
        io::copy(&mut content, &mut io::sink())?;
        let (digest, sha1) = content.finish();
        self.sums.extend(sha1.map(|sha1| (digest, sha1)));
        Ok(digest)
    }
}

/// Reads until the buffer is full or there is no more; answers how much.
fn fill(content: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match content.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// What is read, and its digests.
pub struct Summed<R> {
    inner: R,
    sha256: Hasher,
    sha1: Option<Sha1>,
}

impl<R: Read> Summed<R> {
    /// With a SHA-1 only where that is wanted.
    pub fn new(inner: R, with_sha1: bool) -> Self {
        Self { inner, sha256: Hasher::new(), sha1: with_sha1.then(Sha1::new) }
    }

    /// The digest of what was read, and its SHA-1 if that was wanted.
    pub fn finish(self) -> (Digest, Option<String>) {
        (self.sha256.finish(), self.sha1.map(|sha1| HEXLOWER.encode(&sha1.finalize())))
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        self.sha256.update(bytes);
        if let Some(sha1) = &mut self.sha1 {
            sha1.update(bytes);
        }
        Ok(read)
    }
}
