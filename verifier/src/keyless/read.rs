use model::json;
use model::text::short;
use serde::Deserialize;
use serde::de::IgnoredAny;
use sigstore_verify::types::bundle::VerificationMaterialContent as Material;
use sigstore_verify::types::{Bundle, SignatureContent};

use super::Reason;
use crate::bundle::LARGEST;

/// Log entries, timestamps and certificates of one bundle, and signatures of one log's head.
const MOST: usize = 16;

/// What a bundle has one of (sigstore protobuf-specs, `oneof`); the library takes the first it finds. It also takes a
/// bundle that names no version for one of version 0.1, of which it asks least.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    #[serde(rename = "mediaType")]
    _media_type: String,
    verification_material: Signer,
    message_signature: Option<IgnoredAny>,
    dsse_envelope: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signer {
    certificate: Option<IgnoredAny>,
    x509_certificate_chain: Option<IgnoredAny>,
    public_key: Option<IgnoredAny>,
}

impl Outline {
    fn is_of_one(&self) -> bool {
        let one = |of: &[&Option<IgnoredAny>]| of.iter().filter(|part| part.is_some()).count() == 1;
        let signer = &self.verification_material;
        one(&[&self.message_signature, &self.dsse_envelope])
            && one(&[&signer.certificate, &signer.x509_certificate_chain, &signer.public_key])
    }
}

/// A bundle that all programs read alike, and not too much of one; nothing of it is checked.
pub(super) fn read(bytes: &[u8]) -> Result<Bundle, Reason> {
    let unreadable = |e: serde_json::Error| Reason::Unreadable(short(e));
    if bytes.len() > LARGEST {
        return Err(Reason::TooMuch(format!("{LARGEST} bytes")));
    }
    json::check(bytes).map_err(unreadable)?;
    let outline: Outline = serde_json::from_slice(bytes).map_err(unreadable)?;
    if !outline.is_of_one() {
        return Err(Reason::Unreadable("it is not of one signer and one artifact or statement".to_owned()));
    }
    let bundle: Bundle = serde_json::from_slice(bytes).map_err(unreadable)?;
    let material = &bundle.verification_material;
    let certificates = match &material.content {
        Material::X509CertificateChain { certificates } => certificates.len(),
        _ => 1,
    };
    let timestamps = material.timestamp_verification_data.rfc3161_timestamps.len();
    let proofs = material.tlog_entries.iter().filter_map(|entry| entry.inclusion_proof.as_ref());
    let heads = proofs.filter_map(|proof| proof.checkpoint.checkpoint()).map(|head| head.signatures().len());
    if heads.chain([certificates, timestamps, material.tlog_entries.len()]).max() > Some(MOST) {
        return Err(Reason::TooMuch(format!("{MOST} certificates, timestamps, entries of logs, or signatures of one")));
    }
    if let SignatureContent::DsseEnvelope(envelope) = &bundle.content {
        json::check(envelope.payload.as_bytes()).map_err(unreadable)?;
    }
    Ok(bundle)
}
