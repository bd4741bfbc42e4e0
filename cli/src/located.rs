//! Where an image lies that somebody names.

use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{Finding, Reference, codes};
use registry::{Client, Options, Source, Top, Wanted, save};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::args::Machine;

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
/// `REGISTRY_…`, `OUTPUT_IO`; `OFFLINE` where no connection may be opened. That there is nothing at a path is said by who reads it.
pub(crate) fn located(machine: &Machine, reference: &str, architecture: Option<&str>) -> Result<Located, Finding> {
    let here = |path: &str| Located { path: path.into(), _downloaded: None };
    if let Some(path) = reference.strip_prefix("oci:") {
        return Ok(here(path));
    }
    let named = reference.parse::<Reference>().ok().filter(|_| !Path::new(reference).exists());
    if named.as_ref().is_some_and(|named| named.registry.is_none() && named.tag.is_some()) {
        let message = format!("nothing here is called {reference}, and it names no registry");
        let help = "name its registry as well: `registry.example/team/app:1.2`";
        return Err(Finding::error(codes::REFERENCE_INVALID, message).help(help));
    }
    let Some(named) = named.filter(|named| named.registry.is_some()) else { return Ok(here(reference)) };
    refuse_offline(machine, reference)?;
    let unwritable =
        |e: std::io::Error| Finding::error(codes::OUTPUT_IO, format!("no temporary folder can be made: {e}"));
    let folder = tempfile::tempdir().map_err(unwritable)?;
    let client = Client::new(options(machine));
    let download = async || {
        let top = Top::named(&client, &named).await?;
        let source = Source::Repository(client.repository(&named)?);
        save(&source, &[top], Wanted::Images(architecture), folder.path()).await
    };
    waiting()?
        .block_on(download())
        .map_err(|finding| finding.because("nothing here is called so: it is taken for a name in a registry"))?;
    Ok(Located { path: folder.path().to_owned(), _downloaded: Some(folder) })
}

/// What needs a registry is not done offline.
pub(crate) fn refuse_offline(machine: &Machine, reference: &str) -> Result<(), Finding> {
    if !machine.offline {
        return Ok(());
    }
    let message = format!("registries are not asked offline, and {reference} needs one");
    Err(Finding::error(codes::OFFLINE, message).help("leave `--offline` out; archives and layouts can be read with it"))
}

/// What runs requests.
pub(crate) fn waiting() -> Result<Runtime, Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Finding::error(codes::REGISTRY_FAILED, format!("no request can be made: {e}")))
}

/// How patient this machine is with registries.
pub(crate) fn options(machine: &Machine) -> Options {
    let stall = Duration::from_secs(machine.timeout);
    Options { stall, plain_http: machine.plain_http, ..Options::default() }
}
