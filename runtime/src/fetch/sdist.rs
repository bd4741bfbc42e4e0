//! What a source distribution says of itself.

use std::io::{BufReader, Seek as _, Write as _};

use inspect::archive::Limits;
use inspect::pypi::Sdist;
use model::lock::Origin;
use model::{Digest, Finding, Hasher};

use super::{Fetcher, Wanted, blocking, offline};
use crate::store::Store;

impl Fetcher {
    /// What a source distribution says of itself. It is fetched whole: no server has its metadata apart.
    ///
    /// # Errors
    /// `OFFLINE`, `SOURCE_UNKNOWN`, `FETCH_…`, `STORE_…`, `ARCHIVE_…`, `PYPI_BAD_METADATA`.
    pub async fn sdist(&self, name: &str, file: &str, sha256: &Digest) -> Result<Sdist, Finding> {
        if !self.store.has(sha256) {
            if self.options.offline {
                return Err(offline(file));
            }
            let wanted =
                Wanted { origin: Origin::Pypi, name: name.into(), file: file.into(), sha256: *sha256, size: 0 };
            self.file(&wanted).await?;
        }
        let (store, file, sha256) = (self.store.clone(), file.to_owned(), *sha256);
        blocking(move || read(&store, &file, &sha256)).await?
    }
}

/// Reads a source distribution of the store, after it was verified.
pub(crate) fn read(store: &Store, file: &str, sha256: &Digest) -> Result<Sdist, Finding> {
    let mut archive = store.open_blob(sha256)?;
    let mut hasher = Hasher::new();
    let read = std::io::copy(&mut archive, &mut hasher).and_then(|size| hasher.flush().map(|()| size));
    let size = read.and_then(|size| archive.rewind().map(|()| size));
    let size = size.map_err(|e| store.failed(&format!("{sha256} cannot be read"), &e))?;
    if hasher.finish() != *sha256 {
        return Err(store.damaged(sha256));
    }
    Sdist::read(BufReader::new(archive), size, &Limits::default())
        .map_err(|finding| finding.because(format!("it is {file}")))
}
