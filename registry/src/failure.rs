//! What a failed request means, as a finding.

use model::{Code, Finding, codes};
use net::{Failure, Kind};

/// A failure in words: what was wanted, of whom.
pub(crate) fn finding(wanted: &str, failure: Failure) -> Finding {
    let Failure { kind, text, .. } = failure;
    let (code, help): (Code, &str) = match kind {
        // What this machine does wrong is said as it is.
        Kind::Local(finding) => return *finding,
        Kind::NotFound => (codes::REGISTRY_MISSING, "see whether name, tag and digest are written as they were pushed"),
        Kind::WrongDigest => (codes::REGISTRY_LIES, "nothing of it was used: ask another mirror, or push it again"),
        Kind::TooLarge => (codes::REGISTRY_LIES, "nothing of it was used: no document of an image is as large"),
        Kind::Denied => {
            (codes::REGISTRY_DENIED, "log in with `clnstrt-cli login`, or by netrc, with an account that may do this")
        }
        Kind::Network => (codes::REGISTRY_FAILED, "what is there already is found again: repeat the command"),
    };
    Finding::error(code, format!("{wanted} failed")).because(text).help(help)
}
