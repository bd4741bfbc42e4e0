//! Removes what recent builds did not use.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use model::{Digest, Finding, codes};
use rustix::fs::FlockOperation;

use super::{Store, named, objects, record};

/// What to keep.
#[derive(Clone, Debug)]
pub struct GcOptions {
    /// What was used within this time stays, and so does every object a record used within it names.
    pub max_age: Duration,
    /// Objects that stay in any case.
    pub keep: BTreeSet<Digest>,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct GcReport {
    /// Objects, records and abandoned downloads removed.
    pub removed: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Objects and records that stayed.
    pub kept: u64,
}

impl Store {
    /// Removes what is not to be kept. Nobody else may use the store meanwhile.
    ///
    /// # Errors
    /// `STORE_IO`, also while another process uses the store.
    pub fn gc(&self, options: &GcOptions) -> Result<GcReport, Finding> {
        let busy = rustix::fs::flock(&self.lock, FlockOperation::NonBlockingLockExclusive).is_err();
        let result = if busy {
            Err(Finding::error(codes::STORE_IO, "the store is in use by another process")
                .help("Collect again once the builds that use it have ended."))
        } else {
            self.sweep(options).map_err(|e| self.failed("garbage cannot be collected", &e))
        };
        // A failed attempt to lock exclusively has given up the shared lock as well.
        rustix::fs::flock(&self.lock, FlockOperation::LockShared)
            .map_err(|e| self.failed("cannot be locked", &e.into()))?;
        result
    }

    fn sweep(&self, options: &GcOptions) -> std::io::Result<GcReport> {
        let oldest = SystemTime::now().checked_sub(options.max_age).unwrap_or(SystemTime::UNIX_EPOCH);
        let recent = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).is_ok_and(|time| time >= oldest);
        let mut report = GcReport::default();
        let mut keep = options.keep.clone();
        for part in ["actions", "metadata"] {
            for path in objects(&self.root.join(part))? {
                match named(&path).filter(|_| recent(&path)).and_then(|key| record::check(&path, &key)) {
                    Some(content) => {
                        keep.extend(digests_in(&content));
                        report.kept += 1;
                    }
                    None => report.remove(&path)?,
                }
            }
        }
        for path in objects(&self.root.join("blobs/sha256"))? {
            match named(&path) {
                Some(digest) if keep.contains(&digest) || recent(&path) => report.kept += 1,
                _ => report.remove(&path)?,
            }
        }
        // Trees laid out before the machine was started again count for nothing; the others are made again when needed.
        let start = super::start()?;
        for entry in fs::read_dir(self.root.join("trees"))? {
            let of_start = entry?.path();
            let current =
                of_start.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(start.as_bytes()));
            for tree in objects(&of_start)? {
                if !current || !recent(&tree) {
                    report.removed += 1;
                    sandbox::remove(&tree).map_err(std::io::Error::other)?;
                }
            }
        }
        for entry in fs::read_dir(self.root.join("partial"))? {
            let path = entry?.path();
            if !recent(&path) {
                report.remove(&path)?;
            }
        }
        Ok(report)
    }
}

impl GcReport {
    fn remove(&mut self, path: &Path) -> std::io::Result<()> {
        let metadata = fs::symlink_metadata(path)?;
        if metadata.is_dir() {
            return Ok(()); // not ours, and `store verify` reports it
        }
        self.bytes += metadata.len();
        self.removed += 1;
        fs::remove_file(path)
    }
}

/// Every `sha256:<64 hex digits>` in the bytes, whatever their format.
fn digests_in(bytes: &[u8]) -> impl Iterator<Item = Digest> {
    memchr::memmem::find_iter(bytes, b"sha256:").filter_map(|at| {
        let text = std::str::from_utf8(bytes.get(at..at + "sha256:".len() + 64)?).ok()?;
        text.parse().ok()
    })
}
