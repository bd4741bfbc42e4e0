use std::collections::BTreeMap;
use std::collections::btree_map;

use model::{Entry, Finding, Kind, Tree, TreePath};

use super::{Limits, escapes, invalid, too_large};

/// Bytes of a file's name in a directory, for Linux (NAME_MAX).
const LONGEST_PART: usize = 255;
/// Directories one in another; real archives have fewer than 30.
const DEEPEST: usize = 128;

/// The entries of an archive, as its members come in. It refuses what no careful unpacker would follow.
pub(super) struct Members {
    entries: BTreeMap<TreePath, Entry>,
    seen: usize,
    limits: Limits,
}

impl Members {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { entries: BTreeMap::new(), seen: 0, limits: *limits }
    }

    /// Counts a member before anything else is done with it.
    pub(super) fn count(&mut self) -> Result<(), Finding> {
        self.seen += 1;
        if self.seen > self.limits.entries {
            return Err(too_large(format!("the archive has more than {} members", self.limits.entries)));
        }
        Ok(())
    }

    /// A member's name as a path of the tree; `None` is the root itself.
    pub(super) fn path(&self, name: &[u8]) -> Result<Option<TreePath>, Finding> {
        let mut rest = name;
        while let Some(tail) = rest.strip_prefix(b"./") {
            rest = tail;
        }
        let rest = rest.strip_suffix(b"/").unwrap_or(rest);
        self.shape(rest)?;
        if matches!(rest, b"" | b".") && !name.is_empty() && name != b"/" {
            return Ok(None);
        }
        TreePath::new(rest).map(Some).map_err(|_| {
            escapes(format!(
                "the member name {:?} is no relative path inside the archive's root",
                String::from_utf8_lossy(name)
            ))
        })
    }

    /// Whether a path is one that file systems take. Each directory on the way to a member counts as one that is made, so
    /// a few long names must not stand for many.
    pub(super) fn shape(&self, path: &[u8]) -> Result<(), Finding> {
        let too_long = path.split(|b| *b == b'/').any(|part| part.len() > LONGEST_PART);
        if path.len() <= self.limits.name && !too_long && path.iter().filter(|b| **b == b'/').count() < DEEPEST {
            return Ok(());
        }
        let start = String::from_utf8_lossy(path.get(..80).unwrap_or(path)).into_owned();
        Err(too_large(format!(
            "a member's name is longer than {} bytes, or than {LONGEST_PART} in one part, or deeper than {DEEPEST} directories: {start:?}",
            self.limits.name
        )))
    }

    /// A symbolic link's target: anything but nothing, for it is only followed inside the image.
    pub(super) fn target<'a>(&self, path: &TreePath, target: &'a [u8]) -> Result<&'a [u8], Finding> {
        if target.is_empty() || target.contains(&0) || target.len() > self.limits.name {
            return Err(invalid(format!("the symbolic link {:?} has no usable target", path.display())));
        }
        Ok(target)
    }

    /// The regular file a hard link names.
    pub(super) fn linked(&self, path: &TreePath, to: &TreePath) -> Result<(TreePath, Entry), Finding> {
        match self.entries.get(to) {
            Some(entry) => match &entry.node {
                Kind::File { .. } => Ok((to.clone(), entry.clone())),
                Kind::Hardlink { to } => Ok((to.clone(), entry.clone())),
                _ => Err(invalid(format!("the hard link {:?} names no regular file", path.display()))),
            },
            None => Err(invalid(format!(
                "the hard link {:?} names {:?}, which does not precede it",
                path.display(),
                to.display()
            ))),
        }
    }

    /// Adds an entry. A directory named twice is what its last member says; anything else twice is refused, and so
    /// is a member below something that is no directory.
    pub(super) fn add(&mut self, path: TreePath, entry: Entry) -> Result<(), Finding> {
        let mut parent = path.parent();
        while let Some(dir) = parent {
            match self.entries.get(&dir).map(|entry| &entry.node) {
                Some(Kind::Symlink { .. }) => {
                    let message = format!(
                        "the member {:?} would be placed through the symbolic link {:?}",
                        path.display(),
                        dir.display()
                    );
                    return Err(escapes(message));
                }
                Some(Kind::File { .. } | Kind::Hardlink { .. }) => {
                    return Err(invalid(format!(
                        "the member {:?} lies below the file {:?}",
                        path.display(),
                        dir.display()
                    )));
                }
                // its own parents were checked when it came in
                Some(Kind::Dir) => break,
                None => parent = dir.parent(),
            }
        }
        match self.entries.entry(path) {
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert(entry);
            }
            btree_map::Entry::Occupied(mut there) if there.get().node == Kind::Dir && entry.node == Kind::Dir => {
                there.insert(entry);
            }
            btree_map::Entry::Occupied(there) => {
                return Err(invalid(format!("the archive has the member {:?} twice", there.key().display())));
            }
        }
        Ok(())
    }

    /// The tree, with the directories that no member names.
    pub(super) fn finish(self) -> Result<Tree, Finding> {
        Tree::with_parents(self.entries).map_err(|e| escapes(e.to_string()))
    }
}
