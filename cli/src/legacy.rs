//! Signatures as cosign kept them before version 3, for clusters that look for nothing else.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use model::{Finding, canonical_json};
use registry::{Beside, Layer};
use serde_json::json;
use signing::Signer;

use crate::signed::{Sealed, Subject};

/// A claim that an image has a digest (containers, "Simple signing").
const CLAIM: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// Where a layer's signature stands; empty where the layer has it within.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// Signs an image.
pub(crate) fn sign(subject: &Subject, signers: &[Box<dyn Signer>]) -> Result<(), Finding> {
    let name = subject.repository()?.to_string();
    let claim = canonical_json(&json!({
        "critical": {
            "identity": { "docker-reference": name },
            "image": { "docker-manifest-digest": subject.digest },
            "type": "cosign container image signature",
        },
        "optional": null,
    }));
    let layers = signers.iter().map(|signer| {
        let signature = BASE64.encode(&signer.sign(&claim)?);
        Ok(Layer::new(CLAIM, claim.clone(), BTreeMap::from([(SIGNATURE.to_owned(), signature)])))
    });
    subject.add_beside(Beside::Signatures, &layers.collect::<Result<Vec<_>, Finding>>()?)
}

/// Puts what was said of an image there.
pub(crate) fn attest(subject: &Subject, statements: &[Sealed]) -> Result<(), Finding> {
    let layers = statements.iter().map(|sealed| {
        let annotations = [(SIGNATURE, String::new()), ("predicateType", sealed.kind.clone())];
        let annotations = annotations.map(|(key, value)| (key.to_owned(), value));
        Layer::new(ENVELOPE, canonical_json(&sealed.bundle.envelope), annotations.into())
    });
    subject.add_beside(Beside::Attestations, &layers.collect::<Vec<_>>())
}
