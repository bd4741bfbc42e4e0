//! Signed notes (C2SP signed-note): text, and below it lines with signatures over it. Keys are Ed25519.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use model::{Digest, Hasher};

/// Bytes of a note: a line of the log is in the largest one there is here.
pub const LARGEST: usize = 128 << 10;
/// Signatures of a note; a log's checkpoint may have those of witnesses besides its own.
const MOST_SIGNATURES: usize = 64;
/// What stands for Ed25519 in keys.
const ED25519: u8 = 1;

/// A key that notes are held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

/// Why a text is no note, or not one of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// It is no verifier key.
    NotAKey,
    /// It has too many bytes or signatures.
    TooLarge,
    /// It is not of this form.
    Form,
    /// There is no signature of the key.
    OtherKey,
    /// What is said to be the key's signature is none over this text.
    Forged,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoteError::NotAKey => "it is no key of the form NAME+ID+KEY for Ed25519",
            NoteError::TooLarge => "it is larger than any note of a log",
            NoteError::Form => "it is no signed note",
            NoteError::OtherKey => "it is not signed with the key",
            NoteError::Forged => "its signature is not over this text",
        })
    }
}

impl std::error::Error for NoteError {}

impl VerifierKey {
    /// Reads `NAME+ID+KEY`, the ID in hex and the key in base64.
    ///
    /// # Errors
    /// `NotAKey`.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = (parts.next(), parts.next(), parts.next());
        let (Some(name), Some(id), Some(key)) = (name, id, key) else {
            return Err(NoteError::NotAKey);
        };
        let bytes = BASE64.decode(key.as_bytes()).map_err(|_| NoteError::NotAKey)?;
        let (kind, key) = bytes.split_first().ok_or(NoteError::NotAKey)?;
        let key = VerifyingKey::try_from(key).map_err(|_| NoteError::NotAKey)?;
        let new = Self { name: name.to_owned(), key };
        // A weak key would verify what nobody signed.
        let is_one = *kind == ED25519 && is_name(name) && HEXLOWER.encode(&new.id()) == id && !key.is_weak();
        if is_one { Ok(new) } else { Err(NoteError::NotAKey) }
    }

    /// What the key is called; a log's key has the log's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        let mut hasher = Hasher::new();
        hasher.update(self.name.as_bytes());
        hasher.update(&[b'\n', ED25519]);
        hasher.update(self.key.as_bytes());
        let [a, b, c, d, ..] = *hasher.finish().as_bytes();
        [a, b, c, d]
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id()), BASE64.encode(&key))
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// A key that signs notes. It overwrites itself when it is dropped.
pub struct Signer {
    key: SigningKey,
    public: VerifierKey,
}

impl Signer {
    /// A key whose name is `prefix`, a slash, and the first half of the digest of its public part: so no two logs have
    /// one name.
    pub fn new(prefix: &str, key: SigningKey) -> Self {
        let digest = Digest::of(key.verifying_key().as_bytes()).hex();
        let name = format!("{prefix}/{}", digest.get(..16).unwrap_or_default());
        let public = VerifierKey { name, key: key.verifying_key() };
        Self { key, public }
    }

    /// What its notes are held against.
    pub fn public(&self) -> &VerifierKey {
        &self.public
    }

    /// A note. Its text ends with a line break.
    pub fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let signature = BASE64.encode(&[self.public.id().as_slice(), &signature].concat());
        format!("{text}\n\u{2014} {} {signature}\n", self.public.name)
    }
}

/// The text of a note that is signed with a key. Signatures of other keys are passed over.
///
/// # Errors
/// Why it is none.
pub fn open<'n>(note: &'n str, key: &VerifierKey) -> Result<&'n str, NoteError> {
    if note.len() > LARGEST {
        return Err(NoteError::TooLarge);
    }
    if note.contains(|c: char| c < ' ' && c != '\n') {
        return Err(NoteError::Form);
    }
    let end = note.rfind("\n\n").ok_or(NoteError::Form)?;
    let (text, signatures) = note.split_at_checked(end + 1).ok_or(NoteError::Form)?;
    let signatures = signatures.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n')).ok_or(NoteError::Form)?;
    let mut is_signed = false;
    for (n, line) in signatures.split('\n').enumerate() {
        if n == MOST_SIGNATURES {
            return Err(NoteError::TooLarge);
        }
        let (name, signature) =
            line.strip_prefix("\u{2014} ").and_then(|line| line.split_once(' ')).ok_or(NoteError::Form)?;
        let signature = BASE64.decode(signature.as_bytes()).map_err(|_| NoteError::Form)?;
        let (id, signature) = signature.split_first_chunk::<4>().ok_or(NoteError::Form)?;
        if !is_name(name) || signature.is_empty() {
            return Err(NoteError::Form);
        }
        if name == key.name && *id == key.id() {
            let signature = Signature::from_slice(signature).map_err(|_| NoteError::Forged)?;
            key.key.verify_strict(text.as_bytes(), &signature).map_err(|_| NoteError::Forged)?;
            is_signed = true;
        }
    }
    if is_signed { Ok(text) } else { Err(NoteError::OtherKey) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key, text and note that Go's implementation is tested with.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const TEXT: &str =
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const LINE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn signer() -> Signer {
        let seed = BASE64.decode(SEED.as_bytes()).unwrap();
        let key = SigningKey::try_from(&seed[1..]).unwrap();
        let public = VerifierKey { name: "PeterNeumann".to_owned(), key: key.verifying_key() };
        Signer { key, public }
    }

    #[test]
    fn notes_are_those_of_others() {
        assert_eq!(signer().public().to_string(), KEY);
        let note = format!("{TEXT}\n{LINE}");
        assert_eq!(signer().sign(TEXT), note);
        assert_eq!(open(&note, &VerifierKey::parse(KEY).unwrap()), Ok(TEXT));
    }

    #[test]
    fn signatures_of_strangers_are_passed_over_and_forged_ones_are_not() {
        let key = VerifierKey::parse(KEY).unwrap();
        let stranger = "\u{2014} somebody AAAAAAAAAAA=\n";
        assert_eq!(open(&format!("{TEXT}\n{stranger}{LINE}"), &key), Ok(TEXT));
        assert_eq!(open(&format!("{TEXT}\n{stranger}"), &key), Err(NoteError::OtherKey));
        assert_eq!(open(&format!("{TEXT} \n\n{LINE}"), &key), Err(NoteError::Forged));
        assert_eq!(
            open(&format!("{TEXT}\n{LINE}{}", LINE.replace("KvqfqdngotpR", "KvqfqdngotpS")), &key),
            Err(NoteError::Forged)
        );
        let other = Signer::new("other", SigningKey::from_bytes(&[7; 32]));
        assert_eq!(open(&other.sign(TEXT), &key), Err(NoteError::OtherKey));
        assert_eq!(open(&other.sign(TEXT), other.public()), Ok(TEXT));
        assert_eq!(VerifierKey::parse(&other.public().to_string()), Ok(other.public().clone()));
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let key = VerifierKey::parse(KEY).unwrap();
        let line = LINE.trim_end();
        for text in [
            String::new(),
            TEXT.to_owned(),
            format!("{TEXT}{LINE}"),
            format!("{TEXT}\n{line}"),
            format!("{TEXT}\n{LINE}\n"),
            format!("{TEXT}\n{LINE}x\n"),
            format!("{TEXT}\r\n\n{LINE}"),
            format!("{TEXT}\n- PeterNeumann AAAAAAAAAAA=\n"),
            format!("{TEXT}\n\u{2014} PeterNeumann\n"),
            format!("{TEXT}\n\u{2014} PeterNeumann x08goA==\n"),
            format!("{TEXT}\n\u{2014} Peter+Neumann AAAAAAAAAAA=\n"),
        ] {
            assert_eq!(open(&text, &key), Err(NoteError::Form), "{text}");
        }
        let many = LINE.repeat(MOST_SIGNATURES + 1);
        assert_eq!(open(&format!("{TEXT}\n{many}"), &key), Err(NoteError::TooLarge));
        assert_eq!(open(&" ".repeat(LARGEST + 1), &key), Err(NoteError::TooLarge));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for end in 0..KEY.len() {
            assert!(VerifierKey::parse(&KEY[..end]).is_err() && VerifierKey::parse(&KEY[end + 1..]).is_err());
        }
        for (from, to) in [("P", "Q"), ("c7", "c8"), ("c7", "C7"), ("+AR", "+AQ"), ("Peter", "Peter "), ("TW", "TX")] {
            assert!(VerifierKey::parse(&KEY.replace(from, to)).is_err(), "{to}");
        }
    }
}
