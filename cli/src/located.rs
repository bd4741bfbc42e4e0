//! Where an image lies that somebody names.

use std::path::{Path, PathBuf};

use model::{Finding, Reference, codes};
use registry::{Client, Options};
use tempfile::TempDir;

/// An archive or a folder; what comes from a registry lies in a temporary one, until this is dropped.
pub(crate) struct Located {
    path: PathBuf,
    _downloaded: Option<TempDir>,
}

impl Located {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Finds an image: `oci:DIR`, the path of what is there, else a name in a registry. Of that, one architecture's image is enough where
/// one is named.
///
/// # Errors
/// `REGISTRY_…`, `OUTPUT_IO`. That there is nothing at a path is said by who reads it.
pub(crate) fn located(reference: &str, architecture: Option<&str>) -> Result<Located, Finding> {
    let here = |path: &str| Located { path: path.into(), _downloaded: None };
    if let Some(path) = reference.strip_prefix("oci:") {
        return Ok(here(path));
    }
    let named = reference.parse::<Reference>().ok().filter(|named| named.registry.is_some());
    let Some(named) = named.filter(|_| !Path::new(reference).exists()) else { return Ok(here(reference)) };
    let unwritable =
        |e: std::io::Error| Finding::error(codes::OUTPUT_IO, format!("no temporary folder can be made: {e}"));
    let folder = tempfile::tempdir().map_err(unwritable)?;
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unwritable)?;
    let client = Client::new(Options::default())?;
    let downloaded = waiting.block_on(registry::download(&client, &named, architecture, folder.path()));
    downloaded.map_err(|finding| finding.because("nothing here is called so: it is taken for a name in a registry"))?;
    Ok(Located { path: folder.path().to_owned(), _downloaded: Some(folder) })
}
