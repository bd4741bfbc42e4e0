//! Remembers what a slow client answered: starting pip takes longer than locking an image whose metadata is at hand.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::Digest;
use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::root::Root;
use crate::store::Store;

/// As long as documents are used without asking again.
const VALID: Duration = Duration::from_secs(10 * 60);

#[derive(Serialize, Deserialize)]
struct Memo {
    /// Seconds since 1970.
    asked_at: u64,
    /// URL, and where the client has it from.
    roots: Vec<(String, String)>,
}

/// What `ask` answers, or answered a short while ago on a machine configured the same.
pub(super) fn remembered(store: &Arc<Store>, machine: &dyn Machine, ask: impl FnOnce() -> Vec<Root>) -> Vec<Root> {
    let key = fingerprint(machine);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let known = store.metadata(&key).and_then(|bytes| serde_json::from_slice::<Memo>(&bytes).ok());
    if let Some(memo) = known
        && (memo.asked_at..memo.asked_at.saturating_add(VALID.as_secs())).contains(&now)
    {
        return memo.roots.iter().flat_map(|(url, found_in)| Root::parse(url, found_in)).collect();
    }
    let roots = ask();
    // Credentials are not written anywhere.
    if !roots.is_empty() && roots.iter().all(|root| root.credentials.is_none()) {
        let memo = Memo {
            asked_at: now,
            roots: roots.iter().map(|root| (root.url.to_string(), root.found_in.clone())).collect(),
        };
        if let Ok(bytes) = serde_json::to_vec(&memo) {
            // Without it the client is asked again.
            let _ = store.record_metadata(&key, &bytes);
        }
    }
    roots
}

/// Everything that is cheap to read and decides what pip and uv answer.
fn fingerprint(machine: &dyn Machine) -> Digest {
    const VARIABLES: [&str; 9] = [
        "PATH",
        "HOME",
        "VIRTUAL_ENV",
        "PIP_CONFIG_FILE",
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "UV_DEFAULT_INDEX",
        "UV_INDEX_URL",
        "XDG_CONFIG_HOME",
    ];
    let variables = VARIABLES.map(|name| machine.env(name));
    let home = machine.env("HOME").unwrap_or_default();
    let config = machine.config_dir().map(|dir| dir.display().to_string()).unwrap_or_default();
    let virtual_env = machine.env("VIRTUAL_ENV").unwrap_or_default();
    let files = [
        machine.env("PIP_CONFIG_FILE").unwrap_or_default(),
        "/etc/pip.conf".to_owned(),
        format!("{virtual_env}/pip.conf"),
        format!("{home}/.pip/pip.conf"),
        format!("{config}/pip/pip.conf"),
        format!("{config}/uv/uv.toml"),
        "/etc/uv/uv.toml".to_owned(),
    ]
    .map(|path| machine.read(path.as_ref()));
    Digest::of(format!("pypi client 1 {variables:?} {files:?}").as_bytes())
}
