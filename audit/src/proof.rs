//! Proofs that a record is in a log, which anybody can check who has the log's key (C2SP tlog-proof). The record itself is
//! in the line of extra data.

use std::fmt;

use data_encoding::BASE64;
use model::Digest;

use crate::checkpoint::decimal;
use crate::note::{NoteError, VerifierKey};
use crate::record::{Record, RecordError};
use crate::{Checkpoint, tree};

const FIRST: &str = "c2sp.org/tlog-proof@v1";
/// Bytes of a proof: a record in base64, the hashes, and a checkpoint with many signatures.
const LARGEST: usize = 256 << 10;
/// Hashes of a proof: trees have no more levels.
const MOST_HASHES: usize = 64;

/// A record, and what shows that it is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub(crate) index: u64,
    pub(crate) entry: Vec<u8>,
    pub(crate) hashes: Vec<Digest>,
    pub(crate) checkpoint: String,
}

/// What a proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The number of the line, from one.
    pub line: u64,
    /// What the line says.
    pub record: Record,
    /// The state of the log that it is shown to be in.
    pub checkpoint: Checkpoint,
}

/// Why a text is no proof, or shows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// It has too many bytes or hashes.
    TooLarge,
    /// It is not of this form.
    Form,
    /// Its checkpoint is not one of the log.
    Checkpoint(NoteError),
    /// The hashes do not lead from the record to the root of the checkpoint.
    NotIncluded,
    /// The hashes do not lead from the older checkpoint to the newer one.
    NotGrown,
    /// What is in the log is no record.
    Record(RecordError),
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProofError::TooLarge => f.write_str("it is larger than any proof"),
            ProofError::Form => f.write_str("it is no proof of this form"),
            ProofError::Checkpoint(why) => write!(f, "the checkpoint is not one of this log: {why}"),
            ProofError::NotIncluded => f.write_str("the record is not in the log that the checkpoint signs"),
            ProofError::NotGrown => f.write_str("the log does not begin with what the older checkpoint signs"),
            ProofError::Record(why) => write!(f, "the line is in the log, but: {why}"),
        }
    }
}

impl std::error::Error for ProofError {}

impl Proof {
    /// Reads a proof. It is not checked yet.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        if text.len() > LARGEST {
            return Err(ProofError::TooLarge);
        }
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Form)?;
        let mut lines = head.split('\n');
        let mut after = |start: &str| lines.next().and_then(|line| line.strip_prefix(start)).ok_or(ProofError::Form);
        if !after(FIRST)?.is_empty() {
            return Err(ProofError::Form);
        }
        let entry = BASE64.decode(after("extra ")?.as_bytes()).map_err(|_| ProofError::Form)?;
        let index = decimal(after("index ")?).ok_or(ProofError::Form)?;
        let mut hashes = Vec::new();
        for line in lines {
            if hashes.len() == MOST_HASHES {
                return Err(ProofError::TooLarge);
            }
            let bytes = BASE64.decode(line.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
            hashes.push(Digest::from_bytes(bytes.ok_or(ProofError::Form)?));
        }
        Ok(Self { index, entry, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// What it shows, if the log with this key signed it.
    ///
    /// # Errors
    /// Why it shows nothing.
    pub fn check(&self, key: &VerifierKey) -> Result<Proven, ProofError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key).map_err(ProofError::Checkpoint)?;
        let leaf = tree::leaf(&self.entry);
        if !tree::is_included(&leaf, self.index, checkpoint.size, &checkpoint.root, &self.hashes) {
            return Err(ProofError::NotIncluded);
        }
        let record = Record::parse(&self.entry).map_err(ProofError::Record)?;
        Ok(Proven { line: self.index + 1, record, checkpoint })
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FIRST}\nextra {}\nindex {}\n", BASE64.encode(&self.entry), self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", BASE64.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::note;

    proptest! {
        #[test]
        fn a_proof_is_read_as_it_is_written(
            index in any::<u64>(),
            entry in prop::collection::vec(any::<u8>(), 0..99),
            hashes in prop::collection::vec(any::<[u8; 32]>(), 0..=MOST_HASHES),
            checkpoint in "[a-z\n]{0,9}",
        ) {
            let hashes = hashes.into_iter().map(Digest::from_bytes).collect();
            let proof = Proof { index, entry, hashes, checkpoint };
            prop_assert_eq!(Proof::parse(&proof.to_string()), Ok(proof));
        }

        #[test]
        fn whatever_is_read_is_read_or_refused(
            text in "(c2sp.org/tlog-proof@v1\nextra )?[\\PC\n\u{2014} =+]{0,80}(\n\n\u{2014} [a-z]{1,3} [A-Za-z=]{0,9}\n)?",
            line in r#"\{("(when|who|what|of|how)":["\[\]{}a-z0-9:TZ-]{0,30},?){0,5}\}"#,
        ) {
            let _ = Proof::parse(&text);
            let _ = Record::parse(line.as_bytes());
            prop_assert!(VerifierKey::parse(&text).is_err());
            let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
            prop_assert!(note::open(&text, &VerifierKey::parse(key).unwrap()).is_err());
        }
    }
}
