//! Signatures apart from what they sign.

use std::io::SeekFrom;

use pgp::composed::{ArmorOptions, DetachedSignature};
use pgp::ser::Serialize as _;

use super::*;

const FILE: &[u8] = b"lamp 1.2\r\nas released\n\x00\xff";
const LAMP: &str = "lamp 1.2";

fn verify(file: &[u8], signatures: &[u8], trust: &Trust, at: i64) -> Result<Signed, Finding> {
    verify_detached(&mut Cursor::new(file), signatures, trust, LAMP, at)
}

fn armoured(signature: &DetachedSignature) -> Vec<u8> {
    signature.to_armored_bytes(ArmorOptions::default()).unwrap()
}

fn packets(signatures: &[DetachedSignature]) -> Vec<u8> {
    signatures.iter().flat_map(|found| found.to_bytes().unwrap()).collect()
}

/// Asserts what a signature over the file is refused for.
#[track_caller]
fn refused(file: &[u8], signatures: &[u8], trust: &Trust, at: i64, code: Code, cause: &str) {
    let finding = verify(file, signatures, trust, at).expect_err("this must be refused");
    let causes = finding.causes.join("; ");
    assert!(finding.code == code && causes.contains(cause), "{}: {} ({causes})", finding.code, finding.message);
}

fn key() -> TestKey {
    TestKey::new(1, Quirks::default())
}

#[test]
fn a_good_signature_armoured_or_not_gives_signer_and_time() {
    let key = key();
    let signature = key.sign_file(FILE, MADE + 60);
    for signatures in [armoured(&signature), packets(&[signature])] {
        let signed = verify(FILE, &signatures, &key.trusted(&[LAMP]), MADE + DAY).unwrap();
        let expected = Signed { signers: vec![key.fingerprint()], signed_at: MADE + 60, ignored: vec![] };
        assert_eq!(signed, expected);
    }
}

#[test]
fn another_file_is_refused() {
    let key = key();
    let (signature, trust) = (armoured(&key.sign_file(FILE, MADE)), key.trusted(&[LAMP]));
    for other in [b"".as_slice(), &FILE[1..], &FILE[..FILE.len() - 1], b"lamp 1.2\nas released\n\x00\xff"] {
        refused(other, &signature, &trust, MADE, codes::SIGNATURE_INVALID, "does not match what was signed");
    }
}

#[test]
fn a_key_that_may_not_sign_this_is_a_wrong_signer() {
    let (key, other) = (key(), TestKey::new(2, Quirks::default()));
    let signature = armoured(&key.sign_file(FILE, MADE));
    refused(FILE, &signature, &other.trusted(&[LAMP]), MADE, codes::WRONG_SIGNER, "no such key");
    for scope in ["lamp 1.3", "lamp 1.2.1", "debian-source lamp", "debian one"] {
        refused(FILE, &signature, &key.trusted(&[scope]), MADE, codes::WRONG_SIGNER, "may not sign `lamp 1.2`");
    }
}

#[test]
fn a_key_must_be_valid_when_it_signs_and_when_the_signature_is_judged() {
    let key = TestKey::new(1, Quirks { expires: Some(10 * 86_400), ..Quirks::default() });
    let trust = key.trusted(&[LAMP]);
    let in_time = armoured(&key.sign_file(FILE, MADE + 5 * DAY));
    assert!(verify(FILE, &in_time, &trust, MADE + 10 * DAY - 1).is_ok());
    refused(FILE, &in_time, &trust, MADE + 10 * DAY, codes::KEY_EXPIRED, "its key has expired");
    refused(FILE, &in_time, &trust, MADE + 4 * DAY - 1, codes::SIGNATURE_INVALID, "in the future");
    let late = armoured(&key.sign_file(FILE, MADE + 10 * DAY));
    refused(FILE, &late, &trust, MADE + 10 * DAY, codes::KEY_EXPIRED, "when it was made, its key has expired");
    let early = armoured(&key.sign_file(FILE, MADE - 1));
    refused(FILE, &early, &trust, MADE, codes::KEY_EXPIRED, "was not made yet");
}

#[test]
fn what_an_expired_key_signed_in_time_is_believed_as_long_as_the_trust_data_says() {
    let key = TestKey::new(1, Quirks { expires: Some(10 * 86_400), ..Quirks::default() });
    let mut trust = key.trusted(&[LAMP]);
    only_key(&mut trust).believed_until = Some(trust::Timestamp::from_second(MADE + 20 * DAY).unwrap());
    let in_time = armoured(&key.sign_file(FILE, MADE + 5 * DAY));
    assert!(verify(FILE, &in_time, &trust, MADE + 20 * DAY - 1).is_ok());
    refused(
        FILE,
        &in_time,
        &trust,
        MADE + 20 * DAY,
        codes::KEY_EXPIRED,
        "was believed until 2026-01-21T00:00:00Z only",
    );
    let late = armoured(&key.sign_file(FILE, MADE + 10 * DAY));
    refused(FILE, &late, &trust, MADE + 11 * DAY, codes::KEY_EXPIRED, "when it was made, its key has expired");
    only_key(&mut trust).valid_until = Some(trust::Timestamp::from_second(MADE + 5 * DAY).unwrap());
    refused(FILE, &in_time, &trust, MADE + 6 * DAY, codes::KEY_EXPIRED, "when it was made, its key has expired");
}

#[test]
fn a_key_the_trust_data_revoked_is_refused() {
    let key = key();
    let mut trust = key.trusted(&[LAMP]);
    let on = trust::Timestamp::from_second(MADE + 9 * DAY).unwrap();
    only_key(&mut trust).revoked = Some(Revoked { on, reason: "it was lost".to_owned() });
    refused(FILE, &armoured(&key.sign_file(FILE, MADE)), &trust, MADE, codes::KEY_REVOKED, "it was lost");
}

#[test]
fn one_good_signature_is_enough_and_the_others_are_listed() {
    let (key, other) = (key(), TestKey::new(2, Quirks::default()));
    let both = packets(&[other.sign_file(FILE, MADE), key.sign_file(FILE, MADE)]);
    let signed = verify(FILE, &both, &key.trusted(&[LAMP]), MADE).unwrap();
    assert_eq!(signed.signers, [key.fingerprint()]);
    assert!(matches!(signed.ignored.as_slice(), [one] if one.contains("no such key")));
    let twice = packets(&[key.sign_file(FILE, MADE), key.sign_file(b"other", MADE), key.sign_file(FILE, MADE + 1)]);
    let signed = verify(FILE, &twice, &key.trusted(&[LAMP]), MADE).unwrap();
    assert_eq!((signed.signers.len(), signed.signed_at, signed.ignored.len()), (1, MADE + 1, 1));
}

#[test]
fn of_several_refusals_the_most_telling_names_the_finding() {
    let key = TestKey::new(1, Quirks { expires: Some(86_400), ..Quirks::default() });
    let other = TestKey::new(2, Quirks::default());
    let trust = key.trusted(&[LAMP]);
    let (unknown, late, wrong) =
        (other.sign_file(FILE, MADE), key.sign_file(FILE, MADE + DAY), key.sign_file(b"other", MADE));
    for (signatures, code) in [
        (vec![unknown.clone(), late.clone()], codes::KEY_EXPIRED),
        (vec![late.clone(), unknown.clone(), wrong.clone()], codes::SIGNATURE_INVALID),
        (vec![unknown], codes::WRONG_SIGNER),
    ] {
        let finding = verify(FILE, &packets(&signatures), &trust, MADE + DAY).unwrap_err();
        assert_eq!((finding.code, finding.causes.len()), (code, signatures.len()), "{:?}", finding.causes);
    }
}

#[test]
fn no_signature_at_all_is_a_missing_one() {
    for nothing in ["", "\n \n"] {
        let finding = verify(FILE, nothing.as_bytes(), &key().trusted(&[LAMP]), MADE).unwrap_err();
        assert_eq!(finding.code, codes::SIGNATURE_MISSING);
    }
}

#[test]
fn garbage_and_too_much_are_refused() {
    let key = key();
    let trust = key.trusted(&[LAMP]);
    let good = armoured(&key.sign_file(FILE, MADE));
    for length in 1..good.len() - 1 {
        // What is cut off may be the checksum and the line after it, which nobody believes.
        if let Err(finding) = verify(FILE, &good[..length], &trust, MADE) {
            assert_eq!(finding.code, codes::SIGNATURE_INVALID, "{length}");
        }
    }
    let long = [b"Comment: x\n".repeat(MAX_SIGNATURE_BYTES / 8), good.clone()].concat();
    refused(FILE, &long, &trust, MADE, codes::SIGNATURE_INVALID, "limit");
    for garbage in [b"<html>not found</html>".as_slice(), b"\xff\xff\xff\xff\xff", &[0x99; 500], FILE] {
        refused(FILE, garbage, &trust, MADE, codes::SIGNATURE_INVALID, "");
    }
    let certificate = key.certificate.to_armored_bytes(ArmorOptions::default()).unwrap();
    refused(FILE, &certificate, &trust, MADE, codes::SIGNATURE_INVALID, "unexpected block type");
}

#[test]
fn more_signatures_than_the_limit_are_not_tried() {
    let (key, other) = (key(), TestKey::new(2, Quirks::default()));
    let signatures = |others: usize| {
        let mut all = vec![other.sign_file(FILE, MADE); others];
        all.push(key.sign_file(FILE, MADE));
        packets(&all)
    };
    let trust = key.trusted(&[LAMP]);
    assert!(verify(FILE, &signatures(MAX_SIGNATURES - 1), &trust, MADE).is_ok());
    refused(FILE, &signatures(MAX_SIGNATURES), &trust, MADE, codes::WRONG_SIGNER, "no such key");
}

/// A file that cannot be read to its end.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("the disk is gone"))
    }
}

impl Seek for Broken {
    fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
        Ok(0)
    }
}

#[test]
fn a_file_that_cannot_be_read_is_not_taken_for_a_wrong_one() {
    let key = key();
    let signature = armoured(&key.sign_file(FILE, MADE));
    let finding = verify_detached(&mut Broken, &signature, &key.trusted(&[LAMP]), LAMP, MADE).unwrap_err();
    assert_eq!(finding.code, codes::STORE_IO);
    assert!(finding.causes[0].contains("the disk is gone"), "{:?}", finding.causes);
}

/// Signatures that GnuPG made; `tests/openpgp/make` makes them.
mod gnupg {
    use super::*;

    const SIGNED: i64 = MADE + DAY;

    macro_rules! file {
        ($name:literal) => {
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/openpgp/", $name))
        };
    }

    fn trust(armoured: &[u8]) -> Trust {
        let armoured = std::str::from_utf8(armoured).unwrap();
        let certificate = certificate::read(armoured).unwrap();
        trusted(armoured, &certificate::fingerprint(&certificate), &[LAMP])
    }

    #[test]
    fn good_signatures_are_believed() {
        let trust = trust(file!("certificate.asc"));
        for signature in [file!("file.asc").as_slice(), file!("file.sig")] {
            assert_eq!(verify(FILE, signature, &trust, SIGNED).unwrap().signed_at, SIGNED);
        }
    }

    #[test]
    fn sha1_and_a_signature_over_a_text_are_refused() {
        let trust = trust(file!("certificate.asc"));
        refused(FILE, file!("file-sha1.asc"), &trust, SIGNED, codes::SIGNATURE_INVALID, "SHA1");
        refused(FILE, file!("file-text.asc"), &trust, SIGNED, codes::SIGNATURE_INVALID, "not a signature over a file");
    }

    #[test]
    fn revoked_keys_are_refused() {
        for certificate in [file!("subkey-revoked.asc").as_slice(), file!("revoked.asc")] {
            refused(FILE, file!("file.asc"), &trust(certificate), SIGNED, codes::KEY_REVOKED, "revoked");
        }
    }
}
