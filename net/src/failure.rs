//! Why a server did not give what was asked of it.

use std::time::Duration;

use model::Finding;

/// What kind of failure; it decides the finding's code.
#[derive(Debug)]
pub enum Kind {
    /// The server says there is no such thing.
    NotFound,
    /// The bytes are others than the digest says.
    WrongDigest,
    /// More bytes than allowed.
    TooLarge,
    /// The server lets nobody in, or not with these credentials.
    Denied,
    /// The network or the server failed.
    Network,
    /// This machine failed: no other server will help.
    Local(Box<Finding>),
}

/// One failed attempt.
#[derive(Debug)]
pub struct Failure {
    /// What kind.
    pub kind: Kind,
    /// One line, without credentials.
    pub text: String,
    /// Whether another attempt may help, and the pause the server asks for before it.
    pub again: Option<Duration>,
    /// The server gave no answer at all.
    pub silent: bool,
}

impl Failure {
    /// It will fail again.
    pub fn lasting(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), again: None, silent: false }
    }

    /// It may work next time.
    pub fn passing(text: impl Into<String>) -> Self {
        Self { kind: Kind::Network, text: text.into(), again: Some(Duration::ZERO), silent: false }
    }

    /// Nothing came back.
    pub fn silence(text: impl Into<String>) -> Self {
        Self { silent: true, ..Self::passing(text) }
    }
}

impl From<Finding> for Failure {
    fn from(finding: Finding) -> Self {
        let text = finding.message.clone();
        Self::lasting(Kind::Local(Box::new(finding)), text)
    }
}
