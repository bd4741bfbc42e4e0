use model::json;
use model::text::short;
use serde::Deserialize;
use sigstore_verify::Verifier;
use sigstore_verify::trust_root::{TransparencyLog, TrustedRoot as Document};

use super::{Reason, crypto};

/// Bytes of a document, and how many authorities and logs of each kind it names.
const LARGEST: usize = 1 << 20;
const MOST: usize = 64;
/// What the document calls itself (sigstore protobuf-specs, `TrustedRoot.media_type`).
const MEDIA_TYPES: [&str; 2] =
    ["application/vnd.dev.sigstore.trustedroot+json;version=0.1", "application/vnd.dev.sigstore.trustedroot.v0.2+json"];

/// Whose certificates, logs and timestamps are believed, and for which time: a `trusted_root.json`.
pub struct TrustedRoot {
    pub(super) verifier: Verifier,
    pub(super) logs: Vec<TransparencyLog>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "mediaType")]
    media_type: String,
}

impl TrustedRoot {
    /// Reads a trusted root. Where it comes from, and that it is the one it should be, is for the caller to know.
    ///
    /// # Errors
    /// [`Reason::Root`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        crypto::install();
        if bytes.len() > LARGEST {
            return Err(Reason::Root(format!("it has more than {LARGEST} bytes")));
        }
        json::check(bytes).map_err(|e| Reason::Root(short(e)))?;
        let named: Named = serde_json::from_slice(bytes).map_err(|e| Reason::Root(short(e)))?;
        if !MEDIA_TYPES.contains(&named.media_type.as_str()) {
            return Err(Reason::Root(short(format_args!("it is {:?}", named.media_type))));
        }
        let document: Document = serde_json::from_slice(bytes).map_err(|e| Reason::Root(short(e)))?;
        let authorities = document.certificate_authorities.len().max(document.timestamp_authorities.len());
        let logs = document.tlogs.len().max(document.ctlogs.len());
        if authorities.max(logs) > MOST {
            return Err(Reason::Root(format!("it names more than {MOST} of a kind")));
        }
        let verifier = Verifier::new(&document).map_err(|e| Reason::Root(short(e)))?;
        Ok(Self { verifier, logs: document.tlogs })
    }
}
