use model::{Entry, Finding, Kind, TreePath};

use super::super::content::{Content, Reader};
use super::header;

/// The tar archive of a tree, made piece by piece.
pub(super) struct Stream<'a> {
    entries: std::vec::IntoIter<(&'a TreePath, &'a Entry)>,
    content: Content<'a>,
    epoch: i64,
    open: Option<(Reader<'a>, u64)>,
    ended: bool,
}

impl<'a> Stream<'a> {
    /// The entries come in the order of their paths, but hard links last: what they name must precede them.
    pub(super) fn new(entries: Vec<(&'a TreePath, &'a Entry)>, content: Content<'a>, epoch: i64) -> Self {
        let mut entries = entries;
        entries.sort_by_key(|(_, entry)| matches!(entry.node, Kind::Hardlink { .. }));
        Self { entries: entries.into_iter(), content, epoch, open: None, ended: false }
    }

    /// Adds pieces until `out` has `target` bytes or the archive ends. Headers may go beyond: the next piece is
    /// shorter then, for blocks to be cut at the same places always.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, target: usize) -> Result<(), Finding> {
        while out.len() < target && !self.ended {
            if let Some((reader, size)) = &mut self.open {
                if !reader.append(out, target - out.len())? {
                    header::pad(out, *size);
                    self.open = None;
                }
                continue;
            }
            match self.entries.next() {
                None => {
                    header::end(out);
                    self.ended = true;
                }
                Some((path, entry)) => {
                    header::write(out, path, entry, self.epoch);
                    if let Kind::File { digest, size } = entry.node {
                        self.open = Some((self.content.read(&digest, size)?, size));
                    }
                }
            }
        }
        Ok(())
    }
}
