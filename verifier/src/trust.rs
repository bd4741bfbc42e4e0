//! Whose word counts.

use std::fmt;

use model::Digest;

use crate::PublicKey;
use crate::bundle::Bundle;
use crate::envelope::Envelope;
use crate::key_bundle::KeyBundle;
use crate::keyless::{self, Artifact, Identity, Reason, TrustedRoot};
use crate::slice::Slice;

/// Keys and identities that are allowed to sign.
#[derive(Default)]
pub struct Trust {
    /// Keys, by the names they were given.
    pub keys: Vec<(String, PublicKey)>,
    /// Whom certificates may name.
    pub identities: Vec<Identity>,
    /// Who vouches for certificates.
    pub root: Option<TrustedRoot>,
}

/// Somebody who signed, and is allowed to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signer {
    /// The owner of a key.
    Key {
        /// SHA-256 of its SubjectPublicKeyInfo.
        fingerprint: Digest,
        /// The name it was given.
        name: String,
    },
    /// Whoever a certificate names.
    Identity {
        /// An address of mail, or a URI.
        subject: String,
        /// Who says so.
        issuer: String,
    },
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Signer::Key { name, .. } => write!(f, "the key {name}"),
            Signer::Identity { subject, issuer } => write!(f, "{subject} ({issuer})"),
        }
    }
}

/// Why a document says nothing here. In this order the next one is more to the point: what was made for the image, and is wrong
/// in one thing, is more likely to be meant than what a stranger left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rejection {
    /// It is not there, or no such document.
    Unreadable(String),
    /// Somebody else signed it.
    Signer(String),
    /// It says that it is of somebody who is allowed to, and was changed after they signed.
    Changed(String),
    /// Who signed it is allowed to, but says something of another image.
    Elsewhere(String),
    /// Who signed it is allowed to, but what they signed is no statement.
    Statement(String),
}

impl Rejection {
    /// How far it is from the point.
    pub(crate) fn distance(&self) -> u8 {
        match self {
            Rejection::Statement(_) => 0,
            Rejection::Elsewhere(_) => 1,
            Rejection::Changed(_) => 2,
            Rejection::Signer(_) => 3,
            Rejection::Unreadable(_) => 4,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Rejection::Unreadable(why)
        | Rejection::Signer(why)
        | Rejection::Changed(why)
        | Rejection::Elsewhere(why)
        | Rejection::Statement(why)) = self;
        f.write_str(why)
    }
}

impl Trust {
    /// Whether nobody's word counts.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && (self.identities.is_empty() || self.root.is_none())
    }

    /// Who signed these bytes with this signature.
    pub(crate) fn signer(&self, message: &[u8], signature: &[u8]) -> Option<Signer> {
        let (name, key) = self.keys.iter().find(|(_, key)| key.verifies(message, signature))?;
        Some(Signer::key(name, key))
    }

    /// Who signed a key's bundle.
    pub(crate) fn of_key(&self, found: &KeyBundle) -> Result<Signer, Rejection> {
        self.enveloped(&found.envelope, &found.digest).ok_or_else(|| self.stranger(Some(&found.hint)))
    }

    /// The statement of a bundle about an image, and who signed it.
    pub(crate) fn opened(&self, bytes: &[u8], about: &[Digest], now: i64) -> Result<(Signer, Slice), Rejection> {
        let parsed = match Bundle::parse(bytes) {
            Ok(bundle) => match self.enveloped(&bundle.envelope, &bundle.envelope.digest()) {
                Some(signer) => return Ok((signer, bundle.envelope.payload().clone())),
                None => Ok(bundle),
            },
            Err(why) => Err(why),
        };
        if let Some(root) = self.root.as_ref().filter(|_| !self.identities.is_empty()) {
            let each = about
                .iter()
                .map(|digest| keyless::verify(bytes, Artifact::Digest(*digest), root, &self.identities, now));
            // What is not of the one may be of the next.
            let found = each.reduce(|found, next| if matches!(found, Err(Reason::Artifact(_))) { next } else { found });
            return match found.unwrap_or_else(|| Err(Reason::Artifact("it is of nothing here".to_owned()))) {
                Ok(keyless::Signed { statement: Some(statement), subject, issuer, .. }) => {
                    Ok((Signer::Identity { subject, issuer }, statement.into()))
                }
                Ok(_) => Err(Rejection::Unreadable("it signs no statement".to_owned())),
                Err(Reason::NoCertificate) => Err(self.stranger(parsed.ok().as_ref().and_then(Bundle::hint))),
                Err(Reason::Unreadable(why)) => Err(Rejection::Unreadable(format!("it is no bundle: {why}"))),
                Err(Reason::Artifact(why)) => Err(Rejection::Elsewhere(why)),
                Err(reason) => Err(Rejection::Signer(reason.to_string())),
            };
        }
        match parsed {
            Ok(bundle) => Err(self.stranger(bundle.hint())),
            Err(why) => Err(Rejection::Unreadable(why.to_string())),
        }
    }

    /// Who signed an envelope, by the digest of what is signed.
    pub(crate) fn enveloped(&self, envelope: &Envelope, digest: &Digest) -> Option<Signer> {
        let (name, key) = self.keys.iter().find(|(_, key)| envelope.is_of(key, digest))?;
        Some(Signer::key(name, key))
    }

    /// Of a key's bundle that no allowed key signed: whose it says it is.
    fn stranger(&self, hint: Option<&str>) -> Rejection {
        let claimed = hint.and_then(|hint| self.keys.iter().find(|(_, key)| key.hint() == hint));
        match claimed {
            Some((name, _)) => Rejection::Changed(format!(
                "the signature is not of the key {name}, as it says: it, or what it signs, was changed"
            )),
            None => Rejection::Signer("none of those who are allowed to signed it".to_owned()),
        }
    }
}

impl Signer {
    fn key(name: &str, key: &PublicKey) -> Self {
        Signer::Key { fingerprint: key.fingerprint(), name: name.to_owned() }
    }
}
