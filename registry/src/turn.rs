//! Registries lock nothing. So that those who write on this machine at the same time do not lose what the others wrote, they write one
//! after another.

use std::fs::{self, File, TryLockError};
use std::time::{Duration, Instant};

use etcetera::BaseStrategy as _;
use model::Digest;
use tokio::time::sleep;

/// Whoever waited for so long goes on all the same, as those on other machines do.
const PATIENCE: Duration = Duration::from_secs(60);

/// The turn of who may write, until it is dropped; `None` where there is no place for a lock.
pub(crate) struct Turn(Option<File>);

impl Turn {
    /// Waits for the turn to write to a repository.
    pub(crate) async fn at(repository: &str) -> Self {
        let Some(file) = file(repository) else { return Self(None) };
        let started = Instant::now();
        while let Err(TryLockError::WouldBlock) = file.try_lock() {
            if started.elapsed() > PATIENCE {
                return Self(None);
            }
            sleep(Duration::from_millis(5)).await;
        }
        Self(Some(file))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // The lock ends with the file at the latest.
        let _ = self.0.take().map(|file| file.unlock());
    }
}

fn file(repository: &str) -> Option<File> {
    let folder = etcetera::choose_base_strategy().ok()?.cache_dir().join("clnstrt/registries");
    fs::create_dir_all(&folder).ok()?;
    let path = folder.join(Digest::of(repository.as_bytes()).hex());
    File::options().create(true).write(true).truncate(false).open(path).ok()
}
