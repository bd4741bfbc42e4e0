//! Image layers: tar archives of what changes (OCI image specification 1.1, "Image Layer Filesystem Changeset").

use std::io::{self, Read};

use model::{Digest, Entry, Finding, Kind, TreePath};

use super::compression::decompress;
use super::link::target_text;
use super::members::Members;
use super::tar::{self, MemberKind};
use super::{Limits, invalid, unreadable};

const REMOVED: &[u8] = b".wh.";
const CLEARED: &[u8] = b".wh..wh..opq";

/// What a member of a layer changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something is there, in place of what was. A hard link's entry is that of a link; what it leads to says the rest.
    Put(TreePath, Entry),
    /// Nothing is there any more.
    Remove(TreePath),
    /// Of a directory nothing stays that layers below put there; of the root, where none is named.
    Clear(Option<TreePath>),
    /// Something is there that is neither file, directory nor link: `a device`, `a named pipe`.
    Special(TreePath, &'static str),
}

/// Takes the contents of a layer's files: where each is, its size, and its bytes; answers the digest.
pub type Take<'t> = dyn FnMut(&TreePath, u64, &mut dyn Read) -> io::Result<Digest> + 't;

/// Reads a layer of `size` bytes, plain or compressed, and calls `each` for every change in the order of its members.
///
/// # Errors
/// `ARCHIVE_INVALID`, `ARCHIVE_ESCAPES`, `ARCHIVE_TOO_LARGE`, `ARCHIVE_FORBIDDEN_MEMBER`.
pub fn read(
    input: impl Read,
    size: u64,
    limits: &Limits,
    take: &mut Take<'_>,
    each: &mut dyn FnMut(Change),
) -> Result<(), Finding> {
    read_plain(decompress(input).map_err(|e| unreadable("the layer", &e))?, size, limits, take, each)
}

/// The same of a layer that was unpacked already; `size` is what it had before.
///
/// # Errors
/// As [`read`].
pub fn read_plain(
    plain: impl Read,
    size: u64,
    limits: &Limits,
    take: &mut Take<'_>,
    each: &mut dyn FnMut(Change),
) -> Result<(), Finding> {
    let mut members = Members::new(limits);
    tar::walk_plain(plain, size, limits, &mut |member, content| {
        members.count()?;
        let Some(path) = members.path(&usual(&member.name))? else { return Ok(()) };
        if let Some(removed) = path.file_name().strip_prefix(REMOVED) {
            let is_opaque = path.file_name() == CLEARED;
            let parent = path.parent();
            if is_opaque {
                each(Change::Clear(parent));
                return Ok(());
            }
            let above = parent.map_or_else(Vec::new, |parent| [parent.as_bytes(), b"/"].concat());
            let removed = TreePath::new([above.as_slice(), removed].concat());
            each(Change::Remove(removed.map_err(|e| invalid(e.to_string()))?));
            return Ok(());
        }
        let mut entry = member.entry(true);
        match member.kind {
            MemberKind::Dir => {}
            MemberKind::File { size } => {
                let digest = take(&path, size, content).map_err(|e| content.budget.failed("the layer", &e))?;
                entry.node = Kind::File { digest, size };
            }
            MemberKind::Symlink => {
                entry.node = Kind::Symlink { target: target_text(members.target(&path, &member.link)?) };
                entry.mode = 0o777;
            }
            MemberKind::Hardlink => {
                let to =
                    members.path(&usual(&member.link))?.ok_or_else(|| invalid("a hard link names the layer's root"))?;
                entry.node = Kind::Hardlink { to };
            }
            MemberKind::Special(what) => {
                each(Change::Special(path, what));
                return Ok(());
            }
        }
        each(Change::Put(path, entry));
        Ok(())
    })
}

/// A name as unpackers understand it: `/a//b/./c` is `a/b/c`. One that leads upwards stays as it is, and is refused.
fn usual(name: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = name.split(|b| *b == b'/').filter(|part| !matches!(*part, b"" | b".")).collect();
    if parts.is_empty() { b".".to_vec() } else { parts.join(&b'/') }
}

#[cfg(test)]
mod tests;
