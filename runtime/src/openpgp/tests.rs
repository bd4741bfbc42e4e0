use model::{Code, codes};
use trust::{Revoked, Trust};

use super::certificate::{self, Validity};
use super::testing::{DAY, MADE, Quirks, TestKey, only_key, trusted};
use super::*;

mod detached;

/// The scope of most tests.
const ONE: &str = "debian one";
const TEXT: &str = "Label: Test\nCodename: one\n- a dash\n\nlast line\n";

fn verify(message: &str, trust: &Trust, at: i64) -> Result<SignedText, Finding> {
    verify_cleartext(message.as_bytes(), trust, ONE, at)
}

/// Code and causes of a refusal.
fn refusal(message: &str, trust: &Trust, at: i64) -> (Code, String) {
    let finding = verify(message, trust, at).expect_err("this must be refused");
    (finding.code, finding.causes.join("; "))
}

/// Asserts what a message is refused for.
#[track_caller]
fn refused_for(message: &str, trust: &Trust, at: i64, code: Code, cause: &str) {
    let (found, causes) = refusal(message, trust, at);
    assert!(found == code && causes.contains(cause), "{found}: {causes}");
}

/// The causes of a refusal as invalid.
fn refused(message: &str, trust: &Trust, at: i64) -> String {
    let (code, causes) = refusal(message, trust, at);
    assert_eq!(code, codes::SIGNATURE_INVALID, "{causes}");
    causes
}

#[test]
fn a_good_signature_gives_text_signer_and_time() {
    let key = TestKey::new(1, Quirks::default());
    let verified = verify(&key.sign(TEXT, MADE + 60), &key.trusted(&[ONE]), MADE + DAY).unwrap();
    assert_eq!(verified.text, TEXT);
    assert_eq!(verified.signed.signers, [key.fingerprint()]);
    assert_eq!((verified.signed.signed_at, verified.signed.ignored.len()), (MADE + 60, 0));
}

#[test]
fn a_changed_text_is_refused() {
    let key = TestKey::new(1, Quirks::default());
    let trust = key.trusted(&[ONE]);
    let message = key.sign(TEXT, MADE);
    for (from, to) in [("last", "lost"), ("last line\n", "last line\n\n"), ("\n\nlast", "\nlast"), ("- - a", "a")] {
        let changed = message.replacen(from, to, 1);
        assert_ne!(changed, message, "{from}");
        assert!(refused(&changed, &trust, MADE).contains("does not match what was signed"), "{from}");
    }
    assert_eq!(verify(&message.replace("one\n", "one \t\n"), &trust, MADE).unwrap().text, TEXT);
}

#[test]
fn another_key_another_suite_and_a_key_of_the_same_name_are_refused() {
    let (key, other) = (TestKey::new(1, Quirks::default()), TestKey::new(2, Quirks::default()));
    let trust = key.trusted(&[ONE]);
    refused_for(&other.sign(TEXT, MADE), &trust, MADE, codes::WRONG_SIGNER, "no such key");
    let elsewhere = key.trusted(&["debian two"]);
    refused_for(&key.sign(TEXT, MADE), &elsewhere, MADE, codes::WRONG_SIGNER, "may not sign `debian one`");
    assert!(refused(&other.sign_as(&key, TEXT, MADE), &trust, MADE).contains("does not match what was signed"));
}

#[test]
fn a_certificate_that_is_not_the_reviewed_one_stops_everything() {
    let (key, other) = (TestKey::new(1, Quirks::default()), TestKey::new(2, Quirks::default()));
    let mut trust = key.trusted(&[ONE]);
    let mut swapped = other.trusted(&[ONE]);
    only_key(&mut trust).certificate = only_key(&mut swapped).certificate.clone();
    assert_eq!(verify(&other.sign(TEXT, MADE), &trust, MADE).unwrap_err().code, codes::TRUST_UNREADABLE);
}

#[test]
fn an_unknown_signature_beside_a_good_one_is_listed() {
    let (key, other) = (TestKey::new(1, Quirks::default()), TestKey::new(2, Quirks::default()));
    let verified = verify(&key.sign_with(&other, TEXT, MADE), &key.trusted(&[ONE]), MADE).unwrap();
    assert_eq!(verified.signed.signers, [key.fingerprint()]);
    assert!(matches!(verified.signed.ignored.as_slice(), [one] if one.contains("no such key")));
}

#[test]
fn time_is_judged_at_signing_and_at_use() {
    let key = TestKey::new(1, Quirks { expires: Some(10 * 86_400), ..Quirks::default() });
    let trust = key.trusted(&[ONE]);
    let in_time = key.sign(TEXT, MADE + 5 * DAY);
    assert!(verify(&in_time, &trust, MADE + 9 * DAY).is_ok());
    refused_for(&in_time, &trust, MADE + 10 * DAY, codes::KEY_EXPIRED, "its key has expired");
    assert!(refused(&in_time, &trust, MADE + 4 * DAY - 1).contains("in the future"));
    assert!(verify(&in_time, &trust, MADE + 4 * DAY).is_ok());
    let late = key.sign(TEXT, MADE + 10 * DAY);
    refused_for(&late, &trust, MADE + 10 * DAY, codes::KEY_EXPIRED, "when it was made, its key has expired");
    let early = key.sign(TEXT, MADE - 1);
    refused_for(&early, &trust, MADE + DAY, codes::KEY_EXPIRED, "was not made yet");
}

#[test]
fn the_trust_data_narrows_what_a_certificate_says() {
    let key = TestKey::new(1, Quirks::default());
    let message = key.sign(TEXT, MADE + DAY);
    let mut trust = key.trusted(&[ONE]);
    only_key(&mut trust).valid_until = Some(trust::Timestamp::from_second(MADE + DAY).unwrap());
    refused_for(&message, &trust, MADE + DAY, codes::KEY_EXPIRED, "has expired");
    let mut trust = key.trusted(&[ONE]);
    only_key(&mut trust).revoked =
        Some(Revoked { on: trust::Timestamp::from_second(MADE + 9 * DAY).unwrap(), reason: "it was lost".to_owned() });
    refused_for(&message, &trust, MADE + DAY, codes::KEY_REVOKED, "it was lost");
}

#[test]
fn a_key_signs_only_where_its_certificate_lets_it() {
    for (quirks, cause) in [
        (Quirks { mute: true, ..Quirks::default() }, "does not let it sign"),
        (Quirks { unwilling: true, ..Quirks::default() }, "does not confirm"),
        (Quirks { unbound: true, ..Quirks::default() }, "no valid signature binds it"),
    ] {
        let key = TestKey::new(1, quirks);
        refused_for(&key.sign(TEXT, MADE), &key.trusted(&[ONE]), MADE, codes::WRONG_SIGNER, cause);
    }
    let primary = |quirks: Quirks| {
        let key = TestKey::new(1, quirks);
        verify(&key.sign_with_primary(TEXT, MADE), &key.trusted(&[ONE]), MADE)
    };
    assert!(primary(Quirks { primary_signs: true, ..Quirks::default() }).is_ok());
    assert!(primary(Quirks::default()).unwrap_err().causes[0].contains("does not let it sign"));
}

#[test]
fn a_signature_over_something_else_than_a_text_is_refused() {
    let key = TestKey::new(1, Quirks::default());
    assert!(refused(&key.sign_binary(TEXT, MADE), &key.trusted(&[ONE]), MADE).contains("not a signature over a text"));
}

#[test]
fn too_much_input_and_garbage_are_refused_at_once() {
    let key = TestKey::new(1, Quirks::default());
    let trust = key.trusted(&[ONE]);
    let good = key.sign(TEXT, MADE);
    assert!(refused(&"a".repeat(MAX_BYTES + 1), &trust, MADE).contains("limit"));
    let (head, tail) = good.split_once("-----BEGIN PGP SIGNATURE-----").unwrap();
    let padded = format!("{head}-----BEGIN PGP SIGNATURE-----\n{}{tail}", "Comment: x\n".repeat(MAX_SIGNATURE_BYTES));
    assert!(refused(&padded, &trust, MADE).contains("limit"));
    let empty = format!("{head}-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n");
    refused(&empty, &trust, MADE);
    for at in (0..good.len()).step_by(7) {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = b'!';
        // Armour headers and the checksum, which nobody believes, may change; the signed text never does.
        if let Ok(verified) = verify_cleartext(&bytes, &trust, ONE, MADE) {
            assert_eq!(verified.text, TEXT, "byte {at}");
        }
    }
    let lines = format!("-----BEGIN PGP SIGNED MESSAGE-----\n\n{}", "\n".repeat(MAX_BYTES - 100));
    assert!(refused(&lines, &trust, MADE).contains("missing"));
}

/// Texts that GnuPG signed; `tests/openpgp/make` makes them.
mod gnupg {
    use super::*;

    macro_rules! file {
        ($name:literal) => {
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/openpgp/", $name))
        };
    }

    const SIGNED: i64 = MADE + DAY;

    fn trust(armoured: &str) -> Trust {
        let certificate = certificate::read(armoured).unwrap();
        trusted(armoured, &certificate::fingerprint(&certificate), &[ONE])
    }

    #[test]
    fn a_good_signature_is_believed() {
        let verified = verify(file!("good.asc"), &trust(file!("certificate.asc")), SIGNED).unwrap();
        assert_eq!(verified.text, "Label: Test\nCodename: one\n- a dash\n-----no header\n\nlast line\n");
        assert_eq!(verified.signed.signed_at, SIGNED);
    }

    #[test]
    fn sha1_is_refused() {
        assert!(refused(file!("sha1.asc"), &trust(file!("certificate.asc")), SIGNED).contains("SHA1"));
    }

    #[test]
    fn an_expired_signature_is_refused() {
        let trust = trust(file!("certificate.asc"));
        assert!(verify(file!("expiring.asc"), &trust, SIGNED + 2 * DAY - 1).is_ok());
        assert!(refused(file!("expiring.asc"), &trust, SIGNED + 2 * DAY).contains("it has expired"));
    }

    #[test]
    fn revoked_keys_are_refused() {
        for (certificate, cause) in
            [(file!("subkey-revoked.asc"), "it is revoked"), (file!("revoked.asc"), "certificate is revoked")]
        {
            refused_for(file!("good.asc"), &trust(certificate), SIGNED, codes::KEY_REVOKED, cause);
        }
    }
}

/// The trust data this program ships.
mod builtin {
    use super::*;

    #[test]
    fn names_fingerprints_and_validity_are_those_of_the_certificates() {
        for key in &Trust::builtin().unwrap().keys {
            let certificate = certificate::read(&key.certificate).unwrap();
            assert_eq!(certificate::fingerprint(&certificate), key.fingerprint);
            let id = String::from_utf8_lossy(certificate.details.users[0].id.id()).into_owned();
            assert!(id.starts_with(&format!("{} <", key.name)), "{id}");
            let until = key.valid_until.map(|until| until.as_second());
            let said = Validity { from: key.valid_from.as_second(), until };
            assert_eq!(certificate::primary(&certificate, false), Ok(said), "{}", key.name);
        }
    }

    #[test]
    fn every_certificate_has_a_key_that_signs() {
        for key in &Trust::builtin().unwrap().keys {
            let certificate = certificate::read(&key.certificate).unwrap();
            let mut signs = certificate.public_subkeys.iter().map(|sub| certificate::subkey(&certificate, sub).is_ok());
            assert!(certificate::primary(&certificate, true).is_ok() || signs.any(|signs| signs), "{}", key.name);
        }
    }
}
