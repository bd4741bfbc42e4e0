//! The lines of `log.jsonl`, one at a time.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};

use model::{Digest, Finding};

use super::LINES;
use super::folder::{Folder, unusable};
use crate::{record, tree};

/// A line, without its line break.
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    /// Whether there was a line break, and before a line was too long.
    pub(super) is_ended: bool,
}

impl Line {
    /// What the tree has of it.
    pub(super) fn leaf(&self) -> Digest {
        tree::leaf(&self.bytes)
    }
}

/// Reads lines; a log without that file has none.
pub(super) struct Lines<'f> {
    folder: &'f Folder,
    reader: Option<BufReader<File>>,
}

impl<'f> Lines<'f> {
    pub(super) fn of(folder: &'f Folder) -> Result<Self, Finding> {
        Ok(Self { folder, reader: folder.open(LINES)?.map(BufReader::new) })
    }

    /// What comes after a place: no more of it than one line could be.
    pub(super) fn rest(self, offset: u64) -> Result<Vec<u8>, Finding> {
        let mut rest = Vec::new();
        if let Some(mut reader) = self.reader {
            let read = reader.seek(SeekFrom::Start(offset)).and_then(|_| reader.take(MOST).read_to_end(&mut rest));
            read.map_err(|e| unusable(&self.folder.path(LINES), "cannot be read", &e))?;
        }
        Ok(rest)
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let mut bytes = Vec::new();
        reader.take(MOST).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let is_ended = bytes.pop_if(|last| *last == b'\n').is_some();
        Ok(Some(Line { bytes, is_ended }))
    }
}

/// A line, its line break, and one byte by which more is told from it.
const MOST: u64 = record::LONGEST as u64 + 2;

impl Iterator for Lines<'_> {
    type Item = Result<Line, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read().map_err(|e| unusable(&self.folder.path(LINES), "cannot be read", &e));
        read.transpose()
    }
}
