//! The machine a command runs on: its store, its sources, its connections.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::{Finding, codes};
use runtime::Progress;
use runtime::fetch::{FetchOptions, Fetcher};
use runtime::sources::{SourceArgs, Sources};
use runtime::store::Store;
use trust::Trust;

use crate::args::Machine;
use crate::progress::Terminal;

/// Everything commands share that touch store or network.
pub(crate) struct Session {
    pub(crate) store: Arc<Store>,
    pub(crate) fetcher: Fetcher,
    pub(crate) trust: Trust,
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) offline: bool,
    runtime: tokio::runtime::Runtime,
}

impl Session {
    /// Opens the store; nothing is asked of the network or of other programs yet.
    pub(crate) fn open(machine: &Machine, refresh: bool) -> Result<Self, Finding> {
        let progress: Arc<dyn Progress> = Arc::new(Terminal::new());
        let store = Arc::new(Store::open(&store_dir(machine)?)?);
        let options = FetchOptions {
            offline: machine.offline,
            refresh,
            stall: Duration::from_secs(machine.timeout),
            ..FetchOptions::default()
        };
        let fetcher = Fetcher::new(store.clone(), sources(machine)?, options, progress.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|e| Finding::error(codes::STORE_IO, format!("no thread can be started: {e}")))?;
        Ok(Self { store, fetcher, trust: Trust::builtin()?, progress, offline: machine.offline, runtime })
    }

    /// Runs network work to its end.
    pub(crate) fn wait<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }
}

/// The machine's sources, before any client is asked.
pub(crate) fn sources(machine: &Machine) -> Result<Sources, Finding> {
    Sources::discover(&SourceArgs { given: machine.sources.clone() })
}

/// Where the store is.
pub(crate) fn store_dir(machine: &Machine) -> Result<PathBuf, Finding> {
    let named = || std::env::var_os("CLNSTRT_STORE").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    machine.store.clone().or_else(named).map_or_else(Store::default_dir, Ok)
}

/// Seconds since 1970: what validity of fetched documents is judged by, and when a run was. It enters no plan and no image.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
