//! Passwords of keys: from the environment, or asked on a terminal.

use std::io::IsTerminal as _;

use model::{Finding, codes};
use zeroize::Zeroizing;

/// Ours, and the one that cosign reads.
const VARIABLES: [&str; 2] = ["CLNSTRT_PASSWORD", "COSIGN_PASSWORD"];

/// The password of a key.
pub(crate) fn of(key: &str) -> Result<Zeroizing<Vec<u8>>, Finding> {
    known().map_or_else(|| asked(&format!("Password of {key}: ")), Ok)
}

/// The password of a key that is to be made.
pub(crate) fn new() -> Result<Zeroizing<Vec<u8>>, Finding> {
    if let Some(known) = known() {
        return Ok(known);
    }
    let first = asked("Password of the new key (empty for none): ")?;
    if *first != *asked("Once more: ")? {
        return Err(Finding::error(codes::USAGE, "the two passwords differ").help("enter the same one twice"));
    }
    Ok(first)
}

fn known() -> Option<Zeroizing<Vec<u8>>> {
    VARIABLES.iter().find_map(|name| Some(Zeroizing::new(std::env::var(name).ok()?.into_bytes())))
}

fn asked(prompt: &str) -> Result<Zeroizing<Vec<u8>>, Finding> {
    let unknown = |why: String| {
        Finding::error(codes::KEY_UNUSABLE, "the password of the key is not known")
            .because(why)
            .help("set CLNSTRT_PASSWORD or COSIGN_PASSWORD")
    };
    if !std::io::stdin().is_terminal() {
        return Err(unknown("there is no terminal to ask on".into()));
    }
    let password = rpassword::prompt_password(prompt).map_err(|e| unknown(e.to_string()))?;
    Ok(Zeroizing::new(password.into_bytes()))
}
