//! The blobs of an OCI layout or of an archive of one, as they lie there.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use model::{Digest, Finding};

use super::opened::Opened;
use super::read::{unknown, unreadable};
use crate::oci;

/// An OCI layout.
pub struct Blobs {
    opened: Opened,
    /// What `index.json` holds.
    pub index: Vec<u8>,
    /// What `manifest.json` holds, which `docker load` reads.
    pub loadable: Option<Vec<u8>>,
}

impl Blobs {
    /// Opens a folder, or an archive.
    ///
    /// # Errors
    /// `INPUT_IO` where it cannot be read, `ARCHIVE_UNKNOWN` where it is no layout.
    pub fn at(path: &Path) -> Result<Self, Finding> {
        let opened = Opened::at(path)?;
        let index = opened.document("index.json").map_err(|e| e.because(format!("the image is {}", path.display())))?;
        let index = index.ok_or_else(|| {
            unknown("it has no index.json")
                .because(format!("the image is {}", path.display()))
                .help("make an OCI layout of it first: `skopeo copy docker-archive:FILE oci:DIR:TAG`")
        })?;
        let loadable = opened.document("manifest.json")?;
        Ok(Self { opened, index, loadable })
    }

    /// Where the bytes of this name lie; they are not compared with it.
    ///
    /// # Errors
    /// `ARCHIVE_UNKNOWN` where they cannot be read.
    pub fn find(&self, digest: &Digest) -> Result<Option<(Arc<File>, Range<u64>)>, Finding> {
        let name = oci::path(digest);
        self.opened.place(&name).map_err(|e| unreadable(&name, &e))
    }
}
