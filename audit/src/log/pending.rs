//! The line that is about to be written, signed before it is: so a line that a kill left can be told from one that somebody
//! added by hand, and one that was begun is completed.

use model::Finding;

use super::folder::{Folder, broken};
use super::signed;
use crate::checkpoint::decimal;
use crate::note::{self, Signer, VerifierKey};

pub(super) const PENDING: &str = "pending";

/// A line that was promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    /// How many lines there are with it.
    pub(super) size: u64,
    /// How many bytes the lines before it have.
    pub(super) offset: u64,
    /// The line, without its line break. It names the line before.
    pub(super) line: String,
}

impl Pending {
    /// Writes it.
    pub(super) fn write(&self, folder: &Folder, key: &Signer) -> Result<(), Finding> {
        let text = format!("{}\n{}\n{}\n{}\n", head(key.public()), self.size, self.offset, self.line);
        folder.write(PENDING, key.sign(&text).as_bytes())
    }

    /// Reads it, if it is there.
    pub(super) fn read(folder: &Folder, key: &VerifierKey) -> Result<Option<Self>, Finding> {
        let Some(note) = signed(folder, PENDING)? else { return Ok(None) };
        let refused = |why: String| broken("the audit trail's pending line was not promised by its key").because(why);
        let text = note::open(&note, key).map_err(|e| refused(e.to_string()))?;
        Self::parse(text, key).map(Some).ok_or_else(|| refused("it is not of this form".to_owned()))
    }

    fn parse(text: &str, key: &VerifierKey) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.splitn(4, '\n');
        let is_one = lines.next()? == head(key);
        let (size, offset) = (decimal(lines.next()?)?, decimal(lines.next()?)?);
        let line = lines.next().filter(|line| is_one && !line.contains('\n'))?;
        Some(Self { size, offset, line: line.to_owned() })
    }

    /// What is missing of the line, if what stands behind the lines before it is the beginning of it.
    pub(super) fn missing(&self, offset: u64, rest: &[u8]) -> Option<Vec<u8>> {
        let line = format!("{}\n", self.line).into_bytes();
        line.strip_prefix(rest).filter(|_| offset == self.offset).map(<[u8]>::to_vec)
    }
}

/// No checkpoint begins like that, so none can be taken for the other.
fn head(key: &VerifierKey) -> String {
    format!("{}/pending", key.name())
}
