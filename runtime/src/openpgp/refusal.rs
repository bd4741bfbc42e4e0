//! Why a signature is not believed.

use std::fmt;

use model::{Code, codes};

/// Why a signature is not believed, in the order in which a cause tells more than those after it: of several
/// signatures the one that came nearest to being believed names the finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refusal {
    /// The document could not be read to its end.
    Unread(String),
    /// It is by a key that may sign this, and does not match, or is of a kind that is not believed.
    Invalid(String),
    /// The key was revoked, by its owner or by the trust data.
    Revoked(String),
    /// The key was not valid when it signed, or is not when the signature is judged.
    Expired(String),
    /// The key is not in the trust data, or may not sign this.
    Signer(String),
}

impl Refusal {
    /// The code of a finding that has this cause.
    pub(super) fn code(&self) -> Code {
        match self {
            Refusal::Unread(_) => codes::STORE_IO,
            Refusal::Invalid(_) => codes::SIGNATURE_INVALID,
            Refusal::Revoked(_) => codes::KEY_REVOKED,
            Refusal::Expired(_) => codes::KEY_EXPIRED,
            Refusal::Signer(_) => codes::WRONG_SIGNER,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Unread(why)
            | Refusal::Invalid(why)
            | Refusal::Revoked(why)
            | Refusal::Expired(why)
            | Refusal::Signer(why) => f.write_str(why),
        }
    }
}
