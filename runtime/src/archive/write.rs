use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use files::{Output, oci};
use model::{Arch, Digest, Finding, Hasher, codes, digest_of};
use serde::{Deserialize, Serialize};

use super::layout::{Member, members};
use super::stored::Stored;
use crate::execute::{Object, Value};
use crate::store::Store;

/// Raised when archives of the same index come out differently.
const VERSION: u32 = 2;
const CHUNK: usize = 256 << 10;

/// How an archive is named inside.
#[derive(Clone, Debug)]
pub struct ArchiveOptions {
    /// Image name, without registry.
    pub name: String,
    /// Tag.
    pub tag: String,
    /// The architecture whose image gets the plain name; the others' names end in their architecture.
    pub plain_arch: Arch,
    /// Modification time of every member, seconds since 1970.
    pub epoch: i64,
}

/// An archive that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// SHA-256 of the whole file.
    pub sha256: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// Writes the archive of an image index: an OCI layout that is loadable by docker and podman. A name that ends in
/// `.gz` or `.tgz` gives a gzip file, whose content is stored. Every blob is hashed while it is written; the file
/// appears whole or not at all.
///
/// # Errors
/// `STORE_DAMAGED` (remembered), `STORE_IO`, `OUTPUT_IO`.
pub fn write_archive(
    store: &Store,
    index: &Value,
    options: &ArchiveOptions,
    output: &Path,
) -> Result<Written, Finding> {
    let Value::Index { digest, size, images } = index else {
        return Err(Finding::error(codes::OUTPUT_IO, "only an image index can be written as an archive"));
    };
    let index = Object { digest: *digest, size: *size };
    let members = members(&index, images, &options.name, &options.tag, options.plain_arch);
    let gzip = output.extension().is_some_and(|e| e == "gz" || e == "tgz");
    // The bytes follow from the blobs, which are verified each time: their own digest needs to be found only once.
    let key = digest_of(&(VERSION, digest, &options.name, &options.tag, options.plain_arch, options.epoch, gzip));
    let known: Option<Written> = store.action(&key).and_then(|record| serde_json::from_slice(&record).ok());

    let failed = |e: io::Error| unwritable(output, &e);
    let staged = Output::create(output).map_err(failed)?;
    let out = Counting { inner: staged, size: 0, hasher: known.is_none().then(Hasher::new) };
    let mut out = BufWriter::with_capacity(CHUNK, out);

    let blobs = members.iter().filter_map(|member| match member {
        Member::Blob(blob) => Some(*blob),
        _ => None,
    });
    let verifier = Verifier::new(store, blobs.collect());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let written = std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| verifier.run());
        }
        let written = if gzip {
            Stored::new(&mut out).map_err(Failed::Output).and_then(|mut stored| {
                write_members(store, &members, options.epoch, &mut stored)?;
                stored.finish().map(drop).map_err(Failed::Output)
            })
        } else {
            write_members(store, &members, options.epoch, &mut out)
        };
        if written.is_err() {
            verifier.stop();
        }
        written
    });
    // Damage first: a truncated blob is a failed read as well.
    verifier.finish()?;
    written.map_err(|failure| match failure {
        Failed::Output(e) => unwritable(output, &e),
        Failed::Store(finding) => finding,
    })?;
    let out = out.into_inner().map_err(|e| failed(e.into_error()))?;
    let Counting { inner: staged, size, hasher } = out;
    let written = match (known, hasher) {
        (Some(known), _) if known.size == size => known,
        (_, Some(hasher)) => Written { sha256: hasher.finish(), size },
        (_, None) => {
            return Err(unwritable(output, &io::Error::other("it has another size than the same archive before")));
        }
    };
    staged.commit().map_err(failed)?;
    if known.is_none() {
        store.record(&key, &model::canonical_json(&written))?;
    }
    Ok(written)
}

enum Failed {
    Output(io::Error),
    Store(Finding),
}

fn write_members(store: &Store, members: &[Member], epoch: i64, out: &mut impl Write) -> Result<(), Failed> {
    let mut buffer = vec![0; CHUNK];
    for member in members {
        match member {
            Member::Dir(name) => header(out, name, 0, epoch)?,
            Member::Document(name, bytes) => {
                header(out, name, bytes.len() as u64, epoch)?;
                out.write_all(bytes).map_err(Failed::Output)?;
                pad(out, bytes.len() as u64)?;
            }
            Member::Blob(blob) => {
                header(out, &oci::path(&blob.digest), blob.size, epoch)?;
                let mut file = store.open_blob(&blob.digest).map_err(Failed::Store)?;
                let mut left = blob.size;
                while left > 0 {
                    let read = file.read(&mut buffer).map_err(|e| Failed::Store(unreadable(store, blob, &e)))?;
                    let read = read.min(usize::try_from(left).unwrap_or(usize::MAX));
                    if read == 0 {
                        return Err(Failed::Store(store.damaged(&blob.digest)));
                    }
                    out.write_all(buffer.get(..read).unwrap_or_default()).map_err(Failed::Output)?;
                    left -= read as u64;
                }
                pad(out, blob.size)?;
            }
        }
    }
    out.write_all(&[0; 1024]).map_err(Failed::Output)
}

fn header(out: &mut impl Write, name: &str, size: u64, epoch: i64) -> Result<(), Failed> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).map_err(Failed::Output)?;
    let is_dir = name.ends_with('/');
    header.set_entry_type(if is_dir { tar::EntryType::Directory } else { tar::EntryType::Regular });
    header.set_mode(if is_dir { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(epoch).unwrap_or(0));
    header.set_size(size);
    header.set_cksum();
    out.write_all(header.as_bytes()).map_err(Failed::Output)
}

fn pad(out: &mut impl Write, size: u64) -> Result<(), Failed> {
    let over = usize::try_from(size % 512).unwrap_or(0);
    let zeros = [0; 512];
    out.write_all(zeros.get(over..).filter(|_| over > 0).unwrap_or_default()).map_err(Failed::Output)
}

/// Counts what goes to the file, and hashes it where its digest is not known yet.
struct Counting<W> {
    inner: W,
    size: u64,
    hasher: Option<Hasher>,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.size += written as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes.get(..written).unwrap_or_default());
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Hashes blobs on several threads while another writes them.
struct Verifier<'a> {
    store: &'a Store,
    blobs: Vec<Object>,
    next: AtomicUsize,
    stopped: AtomicBool,
    finding: Mutex<Option<Finding>>,
}

impl<'a> Verifier<'a> {
    fn new(store: &'a Store, mut blobs: Vec<Object>) -> Self {
        blobs.sort_by_key(|blob| std::cmp::Reverse(blob.size));
        Self { store, blobs, next: AtomicUsize::new(0), stopped: AtomicBool::new(false), finding: Mutex::new(None) }
    }

    fn run(&self) {
        while let Some(blob) = self.blobs.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(finding) = self.verify(blob) {
                *self.finding.lock().unwrap_or_else(PoisonError::into_inner) = Some(finding);
            }
        }
    }

    fn verify(&self, blob: &Object) -> Result<(), Finding> {
        let mut file = self.store.open_blob(&blob.digest)?;
        let (mut hasher, mut buffer, mut size) = (Hasher::new(), vec![0; CHUNK], 0);
        while !self.stopped.load(Ordering::Relaxed) {
            let read = file.read(&mut buffer).map_err(|e| unreadable(self.store, blob, &e))?;
            if read == 0 {
                let whole = size == blob.size && hasher.finish() == blob.digest;
                return if whole { Ok(()) } else { Err(self.store.damaged(&blob.digest)) };
            }
            hasher.update(buffer.get(..read).unwrap_or_default());
            size += read as u64;
        }
        Ok(())
    }

    /// What is not verified yet need not be: nothing is handed over.
    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn finish(self) -> Result<(), Finding> {
        self.finding.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

fn unreadable(store: &Store, blob: &Object, error: &io::Error) -> Finding {
    store.failed(&format!("{} cannot be read", blob.digest), error)
}

fn unwritable(output: &Path, error: &io::Error) -> Finding {
    let help = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "The disk is full. Free some space, or name an output on another disk."
        }
        io::ErrorKind::NotFound => "Make the directory first, or name another output.",
        _ => "Make its directory writable for you, or name another output.",
    };
    Finding::error(codes::OUTPUT_IO, format!("{} cannot be written", output.display()))
        .because(error.to_string())
        .help(help)
}
