//! The content-addressed store that all builds of a user share.
//!
//! ```text
//! blobs/sha256/ab/<hex>   bytes, by their digest, mode 0444
//! actions/ab/<hex>        what a step made, by the digest of the action; checks itself
//! metadata/ab/<hex>       what was known about a mutable document, by the digest of its key; checks itself
//! partial/<hex>           downloads that can be resumed, locked while one runs
//! trees/<start>/ab/<hex>  trees laid out as directories, by the machine's start they count until and their owner
//! tmp/<random>/           what one process is writing, locked while it lives
//! lock                    shared by every user of the store, exclusive for garbage collection
//! ```
//!
//! Objects are written in `tmp/` and renamed into place, so a kill at any moment leaves whole objects only, and the
//! locks are the kernel's: they end with the process that held them. Every reader verifies what it reads, so a
//! power cut that loses data of a renamed file costs a rebuild, never a wrong result. Only what came over the
//! network is flushed to disk before it is renamed: an offline build could not make it again.

mod blob;
mod gc;
mod partial;
mod record;
mod staging;
mod verify;

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use model::{Digest, Finding, codes};
use rustix::fs::FlockOperation;

pub use blob::BlobWriter;
pub use gc::{GcOptions, GcReport};
pub(crate) use partial::Partial;
pub(crate) use staging::Scratch;
pub use verify::Report;

/// An object's time of last use is renewed when it is older than this, so that use costs a write once a day.
const TOUCH_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// An open store. Closing it removes what was being written; the operating system does it for a killed process
/// as far as locks go, and the next [`Store::open`] removes the rest.
pub struct Store {
    root: PathBuf,
    lock: File,
    staging: staging::Staging,
    damaged: Mutex<BTreeSet<Digest>>,
}

impl Store {
    /// Opens the store at `dir`, making it if need be. Waits while its garbage is being collected.
    ///
    /// # Errors
    /// `STORE_IO`.
    pub fn open(dir: &Path) -> Result<Self, Finding> {
        Self::try_open(dir).map_err(|e| failed(dir, "cannot be opened", &e))
    }

    fn try_open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        // Relative paths would follow a later change of the working directory.
        let root = dir.canonicalize()?;
        for part in ["blobs", "blobs/sha256", "actions", "metadata", "partial", "trees", "tmp"] {
            make_dir(&root.join(part))?;
        }
        let lock = OpenOptions::new().create(true).write(true).truncate(false).mode(0o644).open(root.join("lock"))?;
        rustix::fs::flock(&lock, FlockOperation::LockShared)?;
        let staging = staging::Staging::claim(&root.join("tmp"))?;
        Ok(Self { root, lock, staging, damaged: Mutex::default() })
    }

    /// Where a user's store is unless they say otherwise.
    ///
    /// # Errors
    /// `STORE_IO` where the user has no home directory.
    pub fn default_dir() -> Result<PathBuf, Finding> {
        use etcetera::BaseStrategy as _;
        let base = etcetera::choose_base_strategy().map_err(|e| {
            Finding::error(codes::STORE_IO, "no place for the store is known: the user has no home directory")
                .because(e.to_string())
                .help("Name one with --store DIR.")
        })?;
        Ok(base.cache_dir().join("clnstrt").join("store"))
    }

    /// The directory it is in.
    pub fn dir(&self) -> &Path {
        &self.root
    }

    /// The finding for a read or write in the store that failed.
    pub fn failed(&self, what: &str, error: &io::Error) -> Finding {
        failed(&self.root, what, error)
    }

    /// Remembers that an object is not what its digest says, and builds the finding.
    pub fn damaged(&self, digest: &Digest) -> Finding {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).insert(*digest);
        Finding::error(
            codes::STORE_DAMAGED,
            format!("the stored object {digest} is damaged: its bytes have another digest"),
        )
        .help("An online build fetches or makes it again; `clnstrt-cli store verify` lists every damaged object.")
    }

    fn forget(&self, digest: &Digest) {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }

    /// The objects found damaged since the last call.
    pub fn take_damaged(&self) -> Vec<Digest> {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *damaged).into_iter().collect()
    }

    /// A new directory for one process's use.
    pub(crate) fn scratch(&self) -> io::Result<Scratch> {
        self.staging.directory()
    }

    /// Where a tree is laid out as a directory, or would be; this counts as use.
    pub(crate) fn tree(&self, digest: &Digest) -> io::Result<PathBuf> {
        let start = start()?;
        let trees = self.root.join("trees").join(format!("{start}-{}", rustix::process::geteuid().as_raw()));
        let place = place(&trees, digest);
        make_dir(&trees)?;
        place.parent().map_or(Ok(()), make_dir)?;
        if let Ok(modified) = fs::metadata(&place).and_then(|m| m.modified()) {
            touch(&place, modified);
        }
        Ok(place)
    }

    /// The record of an action, if it is there and whole; a damaged record is absent.
    pub fn action(&self, key: &Digest) -> Option<Vec<u8>> {
        record::read(&self.root.join("actions"), key)
    }

    /// Keeps the record of an action. [`Store::gc`] keeps the objects that a record names as `sha256:<hex>` text, so
    /// a record must name every object it stands for.
    ///
    /// # Errors
    /// `STORE_IO`.
    pub fn record(&self, key: &Digest, bytes: &[u8]) -> Result<(), Finding> {
        record::write(&self.staging, &self.root.join("actions"), key, bytes)
            .map_err(|e| self.failed("a record cannot be written", &e))
    }

    pub(crate) fn metadata(&self, key: &Digest) -> Option<Vec<u8>> {
        record::read(&self.root.join("metadata"), key)
    }

    pub(crate) fn record_metadata(&self, key: &Digest, bytes: &[u8]) -> Result<(), Finding> {
        record::write(&self.staging, &self.root.join("metadata"), key, bytes)
            .map_err(|e| self.failed("a document's record cannot be written", &e))
    }
}

/// What the kernel calls this start of the machine.
fn start() -> io::Result<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned())
}

/// Two hex digits name the directory, which keeps directories small.
fn place(dir: &Path, digest: &Digest) -> PathBuf {
    let hex = digest.hex();
    dir.join(hex.get(..2).unwrap_or_default()).join(hex)
}

/// Makes one directory, whatever the umask.
fn make_dir(dir: &Path) -> io::Result<()> {
    const MODE: u32 = 0o755;
    match DirBuilder::new().mode(MODE).create(dir) {
        Ok(()) => fs::set_permissions(dir, Permissions::from_mode(MODE)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            // Its maker may have been killed before it set the mode; where it is another user's, that stays theirs to do.
            if fs::metadata(dir)?.permissions().mode() & 0o777 != MODE {
                let _ = fs::set_permissions(dir, Permissions::from_mode(MODE));
            }
            Ok(())
        }
        Err(e) => Err(e),
    }
}

/// Renews the time of last use. Failing to is no failure: the object is at worst collected early.
fn touch(path: &Path, modified: SystemTime) {
    let now = SystemTime::now();
    if now.duration_since(modified).is_ok_and(|age| age > TOUCH_AFTER)
        && let Ok(file) = File::open(path)
    {
        let _ = file.set_modified(now);
    }
}

/// The files below `dir/xx/` for every `xx`; a directory that went away meanwhile is empty.
fn objects(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for fan in fs::read_dir(dir)? {
        let fan = fan?.path();
        if fan.is_dir() {
            for entry in fs::read_dir(&fan)? {
                found.push(entry?.path());
            }
        } else {
            found.push(fan);
        }
    }
    found.sort();
    Ok(found)
}

/// The digest an object's file name gives.
fn named(path: &Path) -> Option<Digest> {
    let name = path.file_name()?.to_str()?;
    (path.parent()?.file_name()?.to_str()? == name.get(..2)?).then_some(())?;
    Digest::from_hex(name).ok().filter(|digest| digest.hex() == name)
}

fn failed(dir: &Path, what: &str, error: &io::Error) -> Finding {
    let finding =
        Finding::error(codes::STORE_IO, format!("the store {}: {what}", dir.display())).because(error.to_string());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => finding.help(
            "The disk is full. Free some space, collect what recent builds did not use with `clnstrt-cli store gc`, \
             or name a store on another disk with --store DIR. The store itself is unharmed.",
        ),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            finding.help("Make the directory writable for you, or name another with --store DIR.")
        }
        _ => finding.help("Check the disk, or name a store elsewhere with --store DIR."),
    }
}
