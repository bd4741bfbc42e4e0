//! Proofs that a log has only grown, which anybody can check who kept an older checkpoint: what a log sends its witnesses
//! (C2SP tlog-witness, "add-checkpoint").

use std::fmt;

use data_encoding::BASE64;
use model::Digest;

use crate::checkpoint::decimal;
use crate::note::VerifierKey;
use crate::proof::ProofError;
use crate::{Checkpoint, tree};

/// Bytes of a proof: the hashes, and a checkpoint with many signatures.
const LARGEST: usize = 128 << 10;
/// Hashes of a proof: trees have no more levels.
const MOST_HASHES: usize = 64;

/// What shows that a log begins with what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    pub(crate) older: u64,
    pub(crate) hashes: Vec<Digest>,
    pub(crate) checkpoint: String,
}

impl Growth {
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
        let older = lines.next().and_then(|line| decimal(line.strip_prefix("old ")?)).ok_or(ProofError::Form)?;
        let hash = |line: &str| Some(Digest::from_bytes(BASE64.decode(line.as_bytes()).ok()?.try_into().ok()?));
        let hashes: Option<Vec<Digest>> = lines.take(MOST_HASHES + 1).map(hash).collect();
        let hashes = hashes.ok_or(ProofError::Form)?;
        if hashes.len() > MOST_HASHES {
            return Err(ProofError::TooLarge);
        }
        Ok(Self { older, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// The newer checkpoint, if the log with this key signed it and it begins with the older one.
    ///
    /// # Errors
    /// Why it shows nothing.
    pub fn check(&self, older: &Checkpoint, key: &VerifierKey) -> Result<Checkpoint, ProofError> {
        let newer = Checkpoint::open(&self.checkpoint, key).map_err(ProofError::Checkpoint)?;
        let is_grown = self.older == older.size
            && tree::is_consistent((older.size, &older.root), (newer.size, &newer.root), &self.hashes);
        if is_grown { Ok(newer) } else { Err(ProofError::NotGrown) }
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.older)?;
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

    proptest! {
        #[test]
        fn a_proof_is_read_as_it_is_written(
            older in any::<u64>(),
            hashes in prop::collection::vec(any::<[u8; 32]>(), 0..=MOST_HASHES),
            checkpoint in "[a-z\n]{0,9}",
        ) {
            let growth = Growth { older, hashes: hashes.into_iter().map(Digest::from_bytes).collect(), checkpoint };
            prop_assert_eq!(Growth::parse(&growth.to_string()), Ok(growth));
        }

        #[test]
        fn whatever_is_read_is_read_or_refused(text in "(old )?[0-9]{0,3}\n[\\PC\n =+]{0,80}(\n\n[a-z]{0,3})?") {
            let _ = Growth::parse(&text);
        }
    }

    #[test]
    fn more_hashes_than_any_tree_needs_are_refused() {
        let line = format!("{}\n", BASE64.encode(&[7; 32]));
        let text = |count: usize| format!("old 1\n{}\nlog\n", line.repeat(count));
        assert!(Growth::parse(&text(MOST_HASHES)).is_ok());
        assert_eq!(Growth::parse(&text(MOST_HASHES + 1)), Err(ProofError::TooLarge));
        assert_eq!(Growth::parse("old 01\n\nlog\n"), Err(ProofError::Form));
        assert_eq!(Growth::parse("old 1\nAA==\n\nlog\n"), Err(ProofError::Form));
    }
}
