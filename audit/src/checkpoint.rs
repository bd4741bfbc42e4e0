//! Checkpoints: what a log signs of its tree (C2SP tlog-checkpoint).

use std::fmt;

use data_encoding::BASE64;
use model::Digest;

use crate::note::{self, NoteError, VerifierKey};

/// How large a log's tree is, and its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log it is of: the name of its key.
    pub origin: String,
    /// How many entries the log has.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
}

impl Checkpoint {
    /// Reads a note that a log signed.
    ///
    /// # Errors
    /// That it is no checkpoint of that log.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, NoteError> {
        let checkpoint = Self::parse(note::open(note, key)?).ok_or(NoteError::Form)?;
        // The key signs other notes, too; they begin with another name.
        if checkpoint.origin == key.name() { Ok(checkpoint) } else { Err(NoteError::Form) }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let root = BASE64.decode(root.as_bytes()).ok()?.try_into().ok()?;
        let checkpoint = Self { origin: origin.to_owned(), size: decimal(size)?, root: Digest::from_bytes(root) };
        // Lines of extensions say nothing here.
        (!origin.is_empty() && lines.all(|line| !line.is_empty())).then_some(checkpoint)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root.as_bytes()))
    }
}

/// A number as these formats write it, without sign and leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::note::Signer;

    #[test]
    fn a_checkpoint_is_read_as_it_is_written() {
        let signer = Signer::new("log", SigningKey::from_bytes(&[1; 32]));
        let key = signer.public();
        let new = |origin: &str| Checkpoint { origin: origin.to_owned(), size: 20_852_163, root: Digest::of(b"") };
        let one = new(key.name());
        assert_eq!(Checkpoint::open(&signer.sign(&one.to_string()), key), Ok(one.clone()));
        assert_eq!(Checkpoint::open(&signer.sign(&format!("{one}more\n")), key), Ok(one.clone()));
        let empty = Checkpoint { size: 0, ..one.clone() };
        assert_eq!(Checkpoint::open(&signer.sign(&empty.to_string()), key), Ok(empty));
        assert_eq!(Checkpoint::open(&signer.sign(&new("another").to_string()), key), Err(NoteError::Form));
        let text = one.to_string();
        for text in [
            "",
            "\n",
            "a\n1\n",
            &text.replace("2085", "02085"),
            &text.replace("2085", "+2085"),
            &text.replace('=', ""),
            &format!("{text}\n"),
        ] {
            assert_eq!(Checkpoint::open(&signer.sign(text), key), Err(NoteError::Form), "{text}");
        }
    }
}
