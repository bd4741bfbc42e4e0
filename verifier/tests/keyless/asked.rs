//! What is asked of a bundle, and how much of one is read.

use std::path::PathBuf;

use serde_json::Value;
use verifier::PublicKey;
use verifier::keyless::{Artifact, Expected, Identity, Reason, Signed, TrustedRoot, verify, verify_key};

use crate::{Case, NOW, bundle, root};

fn folder(case: &str) -> PathBuf {
    cases::place("keyless/accepted").join(case)
}

fn digest() -> Artifact<'static> {
    Artifact::Digest(Case::read(&folder("statement")).artifact.parse().unwrap())
}

/// What is said of the case `statement` where these are trusted.
fn trusting(identities: &[Identity]) -> Result<Signed, Reason> {
    let root = TrustedRoot::parse(&root("public-good")).unwrap();
    verify(&bundle(&folder("statement")), digest(), &root, identities, NOW)
}

fn identity(subject: Expected, issuer: &str) -> Identity {
    Identity { subject, issuer: Expected::exact(issuer) }
}

const ISSUER: &str = "https://token.actions.githubusercontent.com";

#[test]
fn the_signer_is_one_of_those_trusted_by_name_and_issuer_together() {
    let subject = Case::read(&folder("statement")).subject;
    let (right, stranger) = (Expected::exact(&subject), Expected::exact("somebody@example.com"));
    let pattern = |text: &str| identity(Expected::regexp(text).unwrap(), ISSUER);
    let strange = identity(stranger.clone(), ISSUER);
    assert!(trusting(&[strange.clone(), identity(right.clone(), ISSUER)]).is_ok());
    assert!(trusting(&[pattern(r"https://github\.com/sigstore-conformance/.*@refs/heads/main")]).is_ok());
    // The name of one and the issuer of another are nobody.
    let other = identity(right, "https://issuer.example");
    assert!(matches!(trusting(&[other.clone(), strange.clone()]), Err(Reason::Issuer(_))));
    assert!(matches!(trusting(&[strange]), Err(Reason::Subject(_))));
    assert!(matches!(trusting(&[pattern("https://github.com/sigstore-conformance/")]), Err(Reason::Subject(_))));
    let Err(Reason::Subject(why)) = trusting(&[]) else { panic!("nobody is trusted") };
    assert!(why.contains(&subject) && why.ends_with("nobody is trusted"), "{why}");
}

#[test]
fn what_was_signed_is_given_back_as_it_was_signed() {
    let subject = Case::read(&folder("statement")).subject;
    let signed = trusting(&[identity(Expected::exact(&subject), ISSUER)]).unwrap();
    let statement: Value = serde_json::from_slice(&signed.statement.unwrap()).unwrap();
    assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
    assert_eq!((signed.subject, signed.issuer.as_str(), signed.signed_at), (subject, ISSUER, 1_734_374_576));
}

#[test]
fn keys_and_certificates_are_not_taken_for_each_other() {
    let root = TrustedRoot::parse(&root("public-good")).unwrap();
    let key = std::fs::read_to_string(folder("key").join("key.pub")).unwrap();
    let [right, other] = [key.as_str(), OTHER].map(|text| PublicKey::from_pem(text).unwrap());
    let artifact = std::fs::read(folder("key").join("artifact.txt")).unwrap();
    let by_key = |key| verify_key(&bundle(&folder("key")), Artifact::Bytes(&artifact), &root, key, NOW);
    assert_eq!(by_key(&right), Ok(None));
    assert_eq!(by_key(&other), Err(Reason::Signature));
    assert_eq!(verify(&bundle(&folder("key")), digest(), &root, &[], NOW), Err(Reason::NoCertificate));
    assert_eq!(verify_key(&bundle(&folder("statement")), digest(), &root, &right, NOW), Err(Reason::NoKey));
}

/// Made by `openssl ecparam -name prime256v1 -genkey`, and used for nothing else.
const OTHER: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUlunGRDYlnIfoZR1kt3s0ezekg6V
Hd+bjmlhFvZIwEa890TG3ZVAw0/qkTP7NJKjXL4h+a53BHGZFEGFcFm/Qw==
-----END PUBLIC KEY-----
";

/// A document of JSON with the list at a place, or the text, so many times as long.
fn grown(document: &[u8], at: &str, times: usize) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(document).unwrap();
    match value.pointer_mut(at).unwrap() {
        Value::Array(items) => *items = vec![items.clone(); times].concat(),
        Value::String(text) => {
            let (head, signatures) = text.split_once("\n\n").unwrap();
            *text = format!("{head}\n\n{}", signatures.repeat(times));
        }
        other => panic!("{other} is neither"),
    }
    serde_json::to_vec(&value).unwrap()
}

#[test]
fn more_than_is_read_is_refused_before_anything_is_checked() {
    let root_ = TrustedRoot::parse(&root("public-good")).unwrap();
    let (blob, old) = (bundle(&folder("blob-by-cosign-3")), bundle(&folder("version-0.2")));
    let entry = "/verificationMaterial/tlogEntries";
    let head = "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope";
    let stamps = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
    let chain = "/verificationMaterial/x509CertificateChain/certificates";
    for bundle in [
        grown(&blob, entry, 17),
        grown(&blob, head, 17),
        grown(&blob, stamps, 17),
        grown(&old, chain, 17),
        vec![b' '; (64 << 20) + 1],
    ] {
        assert!(matches!(verify(&bundle, digest(), &root_, &[], NOW), Err(Reason::TooMuch(_))));
    }
    let large = [root("public-good"), vec![b' '; 1 << 20]].concat();
    for root in [grown(&root("public-good"), "/certificateAuthorities", 33), large] {
        assert!(matches!(TrustedRoot::parse(&root), Err(Reason::Root(why)) if why.contains("more than")));
    }
}

#[test]
fn what_others_wrote_is_shown_in_one_line_with_an_end() {
    let root = TrustedRoot::parse(&root("public-good")).unwrap();
    let long = format!("{{\"mediaType\": \"{}\\n\\u001b[31m\"}}", "x".repeat(100_000));
    for text in [long.as_str(), "{\"mediaType\": \"a\\nb\\u001b[31m\"}", "\u{1b}[31m", ""] {
        let shown = verify(text.as_bytes(), digest(), &root, &[], NOW).unwrap_err().to_string();
        assert!(shown.len() < 400 && !shown.contains(char::is_control), "{shown:?}");
    }
}
