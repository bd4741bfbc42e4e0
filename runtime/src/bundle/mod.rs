//! Bundles: a lock with everything a build of it reads, in one tar archive.
//!
//! ```text
//! image.lock.json         the lock
//! blobs/sha256/<hex>      every locked file, signed release and index, in order of their digest
//! ```
//!
//! The same lock gives the same archive, byte for byte. Importing trusts no name: an object is what its bytes hash to,
//! and only what the bundle's own lock lists, in the sizes it lists, is read at all.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use files::{Output, input};
use model::lock::{Lock, MAX_BYTES as MAX_LOCK};
use model::{Digest, Finding, Hasher, codes};
use serde::Serialize;
use tar::{Archive, Builder, EntryType, Header};

use crate::fetch::Wanted;
use crate::store::Store;

pub(crate) const LOCK: &str = "image.lock.json";
const BLOBS: &str = "blobs/sha256/";
/// A locked file whose size nobody told has at most so many bytes.
const MAX_UNSIZED: u64 = 8 << 30;

/// A bundle that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Digest of the archive.
    pub sha256: Digest,
    /// Objects in it, the lock not counted.
    pub objects: usize,
    /// Size of the archive.
    pub bytes: u64,
}

/// A bundle that was read into a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Objects, each verified.
    pub objects: usize,
    /// Their size together.
    pub bytes: u64,
}

/// The package files a bundle of this lock needs.
pub fn files(lock: &Lock) -> Vec<Wanted> {
    let files = lock.nodes.values().map(|node| Wanted {
        origin: node.origin,
        name: node.name.clone(),
        file: node.file.clone(),
        sha256: node.sha256,
        size: node.size,
    });
    files.collect()
}

/// Every object a build of the lock reads, with its size; 0 where unknown.
fn objects(lock: &Lock) -> BTreeMap<Digest, u64> {
    let files = lock.nodes.values().map(|node| (node.sha256, node.size));
    let proofs = crate::prove::documents_of(lock).map(|kept| (kept.digest, kept.size));
    files.chain(proofs).collect()
}

/// Writes a bundle, whole or not at all. Everything must be in the store.
///
/// # Errors
/// `STORE_IO` where an object is missing, `STORE_DAMAGED`, `OUTPUT_IO`.
pub fn export(store: &Store, lock: &Lock, output: &Path) -> Result<Exported, Finding> {
    let failed =
        |e: io::Error| Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", output.display()));
    let staged = Output::create(output).map_err(failed)?;
    let mut archive = Builder::new(Hashing { to: BufWriter::new(staged), hasher: Hasher::new(), bytes: 0 });
    let text = lock.to_text();
    append(&mut archive, LOCK, text.len() as u64, lock.epoch, text.as_bytes()).map_err(failed)?;
    let objects = objects(lock);
    for digest in objects.keys() {
        let file = store.open_blob(digest)?;
        let size = file.metadata().map_err(failed)?.len();
        let mut content = Hashing { to: file.take(size), hasher: Hasher::new(), bytes: 0 };
        append(&mut archive, &format!("{BLOBS}{}", digest.hex()), size, lock.epoch, &mut content).map_err(failed)?;
        if content.hasher.finish() != *digest {
            return Err(store.damaged(digest));
        }
    }
    let Hashing { to, hasher, bytes } = archive.into_inner().map_err(failed)?;
    let staged = to.into_inner().map_err(|e| failed(e.into_error()))?;
    staged.commit().map_err(failed)?;
    Ok(Exported { sha256: hasher.finish(), objects: objects.len(), bytes })
}

fn append<W: Write>(archive: &mut Builder<W>, name: &str, size: u64, epoch: i64, content: impl Read) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(epoch).unwrap_or(0));
    header.set_cksum();
    archive.append(&header, content)
}

/// Reads a bundle into the store.
///
/// # Errors
/// `INPUT_IO` where the file cannot be opened, `BUNDLE_INVALID` where it is not a whole bundle, `STORE_IO`.
pub fn import(store: &Store, bundle: &Path) -> Result<Imported, Finding> {
    let file = input::open(bundle)
        .map_err(|e| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", bundle.display())))?;
    let invalid = |why: String| {
        Finding::error(codes::BUNDLE_INVALID, format!("{} is no whole bundle: {why}", bundle.display()))
            .help("export it again with `clnstrt-cli bundle export`, or copy it again")
    };
    let unreadable = |e: io::Error| invalid(e.to_string());
    let mut archive = Archive::new(BufReader::with_capacity(1 << 17, file));
    // Raw: extension records, whose content would be read into memory, are entries like others, and refused.
    let mut entries = archive.entries().map_err(unreadable)?.raw(true);
    let mut expected = match entries.next() {
        Some(entry) => {
            let entry = entry.map_err(unreadable)?;
            objects(&read_lock(&entry_name(&entry), entry).map_err(invalid)?)
        }
        None => return Err(invalid("it is empty".to_owned())),
    };
    let mut done = Imported { objects: 0, bytes: 0 };
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let name = entry_name(&entry);
        let digest = name.strip_prefix(BLOBS).and_then(|hex| Digest::from_hex(hex).ok());
        let regular = entry.header().entry_type() == EntryType::Regular;
        let Some((digest, size)) = digest.filter(|_| regular).and_then(|digest| expected.remove_entry(&digest)) else {
            return Err(invalid(format!("its lock does not list `{}`, or it is there twice", name.escape_debug())));
        };
        let limit = if size == 0 { MAX_UNSIZED } else { size };
        if entry.size() > limit || (size > 0 && entry.size() != size) {
            return Err(invalid(format!("{name} has {} bytes, the lock says {size}", entry.size())));
        }
        done.bytes += take(store, entry, &digest, &invalid)?;
        done.objects += 1;
    }
    match expected.len() {
        0 => Ok(done),
        missing => Err(invalid(format!("{missing} of the objects its lock lists are not in it"))),
    }
}

fn take(
    store: &Store,
    mut entry: impl Read,
    digest: &Digest,
    invalid: &dyn Fn(String) -> Finding,
) -> Result<u64, Finding> {
    let mut writer = store.writer()?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = entry.read(&mut buffer).map_err(|e| invalid(e.to_string()))?;
        if read == 0 {
            break;
        }
        let bytes = buffer.get(..read).unwrap_or_default();
        writer.write_all(bytes).map_err(|e| store.failed("an object cannot be written", &e))?;
    }
    writer.commit_as(digest).map_err(|finding| match finding.code {
        codes::FETCH_WRONG_DIGEST => invalid(format!("{BLOBS}{}: {}", digest.hex(), finding.message)),
        _ => finding,
    })
}

fn read_lock(name: &str, entry: impl Read) -> Result<Lock, String> {
    if name != LOCK {
        return Err(format!("it begins with `{}`, expected {LOCK}", name.escape_debug()));
    }
    let mut text = Vec::new();
    entry.take(MAX_LOCK).read_to_end(&mut text).map_err(|e| e.to_string())?;
    Lock::from_text(&text).map_err(|why| format!("its lock cannot be read: {why}"))
}

fn entry_name<R: Read>(entry: &tar::Entry<R>) -> String {
    String::from_utf8_lossy(&entry.header().path_bytes()).into_owned()
}

/// Passes bytes through and keeps their digest and number.
struct Hashing<T> {
    to: T,
    hasher: Hasher,
    bytes: u64,
}

impl<T> Hashing<T> {
    fn seen(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.seen(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.to.read(buffer)?;
        self.seen(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}
