use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Digest;

/// A relative path of a tree entry: bytes, `/` between components, none of them empty, `.` or `..`.
///
/// Ordered by its bytes. In JSON, `%` and bytes that are not UTF-8 are percent-encoded.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Vec<u8>);

/// Why bytes are no tree path, or entries no tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeError {
    /// A path is absolute, empty, holds NUL, or has an empty, `.` or `..` component.
    Path(String),
    /// A hard link names no regular file of the tree.
    Link(String),
    /// An entry lies below something that is no directory.
    Parent(String),
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TreeError::Path(path) => write!(f, "{path:?} is not a relative path inside the tree"),
            TreeError::Link(path) => write!(f, "the hard link {path:?} names no regular file of the tree"),
            TreeError::Parent(path) => write!(f, "{path:?} lies below something that is no directory"),
        }
    }
}

impl std::error::Error for TreeError {}

impl TreePath {
    /// Checks that `bytes` is a relative path that stays inside its tree.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, TreeError> {
        let bytes = bytes.into();
        let bad = bytes.contains(&0)
            || bytes.split(|b| *b == b'/').any(|part| part.is_empty() || part == b"." || part == b"..");
        if bad { Err(TreeError::Path(String::from_utf8_lossy(&bytes).into_owned())) } else { Ok(Self(bytes)) }
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// For messages: bytes that are not UTF-8 are replaced.
    pub fn display(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// The directory the entry lies in; `None` at the root.
    pub fn parent(&self) -> Option<TreePath> {
        let at = self.0.iter().rposition(|b| *b == b'/')?;
        self.0.get(..at).map(|bytes| Self(bytes.to_vec()))
    }

    /// The last component.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|b| *b == b'/').next().unwrap_or(&self.0)
    }

    /// This path with further components.
    pub fn join(&self, rest: &str) -> Result<TreePath, TreeError> {
        let mut bytes = self.0.clone();
        bytes.push(b'/');
        bytes.extend_from_slice(rest.as_bytes());
        Self::new(bytes)
    }

    fn encoded(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        for chunk in self.0.utf8_chunks() {
            text.push_str(&chunk.valid().replace('%', "%25"));
            for byte in chunk.invalid() {
                text.push_str(&format!("%{byte:02x}"));
            }
        }
        text
    }

    fn decoded(text: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes().iter();
        while let Some(byte) = rest.next() {
            if *byte == b'%' {
                let pair = [*rest.next()?, *rest.next()?];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
            } else {
                bytes.push(*byte);
            }
        }
        Some(bytes)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.display(), f)
    }
}

impl std::str::FromStr for TreePath {
    type Err = TreeError;

    fn from_str(text: &str) -> Result<Self, TreeError> {
        Self::new(text)
    }
}

impl Serialize for TreePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.encoded())
    }
}

impl<'de> Deserialize<'de> for TreePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = Self::decoded(&text).ok_or_else(|| serde::de::Error::custom("broken percent-encoding"))?;
        Self::new(bytes).map_err(serde::de::Error::custom)
    }
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Kind {
    /// A directory.
    Dir,
    /// A regular file, by its content.
    File {
        /// SHA-256 of the content.
        digest: Digest,
        /// Size of the content in bytes.
        size: u64,
    },
    /// A symbolic link; its target is kept as written.
    Symlink {
        /// The target, in the encoding of [`TreePath`] but otherwise free.
        target: String,
    },
    /// A further name of a regular file of the same tree.
    Hardlink {
        /// The entry that carries the content.
        to: TreePath,
    },
}

/// One entry of a tree. There is no time: layers give every entry the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is.
    pub node: Kind,
    /// Permission bits, `0o7777` at most; `0o777` for symbolic links.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Extended attributes, values in hex.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub xattrs: BTreeMap<String, String>,
}

impl Entry {
    /// An entry owned by root.
    pub fn root(node: Kind, mode: u32) -> Self {
        Self { node, mode, uid: 0, gid: 0, xattrs: BTreeMap::new() }
    }

    /// A directory owned by root, mode 0755.
    pub fn dir() -> Self {
        Self::root(Kind::Dir, 0o755)
    }
}

/// A file tree as a manifest: names, kinds, modes, owners and content digests, without the content.
///
/// **Invariant:** every entry's parent is an entry of its own and a directory, and every hard link
/// names a regular file. [`Tree::new`] and reading from JSON refuse anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<TreePath, Entry>);

impl Tree {
    /// Checks parents and hard links.
    pub fn new(entries: BTreeMap<TreePath, Entry>) -> Result<Self, TreeError> {
        for (path, entry) in &entries {
            if let Some(parent) = path.parent()
                && !entries.get(&parent).is_some_and(|e| e.node == Kind::Dir)
            {
                return Err(TreeError::Parent(path.display()));
            }
            if let Kind::Hardlink { to } = &entry.node
                && !entries.get(to).is_some_and(|e| matches!(e.node, Kind::File { .. }))
            {
                return Err(TreeError::Link(path.display()));
            }
        }
        Ok(Self(entries))
    }

    /// Adds root-owned 0755 directories wherever a parent is missing, then checks as [`Tree::new`] does.
    pub fn with_parents(mut entries: BTreeMap<TreePath, Entry>) -> Result<Self, TreeError> {
        let paths: Vec<TreePath> = entries.keys().cloned().collect();
        for path in paths {
            let mut parent = path.parent();
            while let Some(dir) = parent {
                parent = dir.parent();
                if entries.contains_key(&dir) {
                    break;
                }
                entries.insert(dir, Entry::dir());
            }
        }
        Self::new(entries)
    }

    /// The entries, sorted by path bytes; parents come before what lies in them.
    pub fn entries(&self) -> &BTreeMap<TreePath, Entry> {
        &self.0
    }

    /// The entries, given away.
    pub fn into_entries(self) -> BTreeMap<TreePath, Entry> {
        self.0
    }

    /// What lies in a directory, as a tree of its own; empty where there is no such directory.
    ///
    /// # Errors
    /// [`TreeError::Link`] where a hard link in it names a file outside.
    pub fn directory(&self, path: &TreePath) -> Result<Self, TreeError> {
        let prefix = [path.as_bytes(), b"/"].concat();
        let inside = |name: &TreePath| Some(TreePath(name.as_bytes().strip_prefix(prefix.as_slice())?.to_vec()));
        let mut entries = BTreeMap::new();
        for (name, entry) in &self.0 {
            let Some(below) = inside(name) else { continue };
            let mut entry = entry.clone();
            if let Kind::Hardlink { to } = &mut entry.node {
                *to = inside(to).ok_or_else(|| TreeError::Link(name.display()))?;
            }
            entries.insert(below, entry);
        }
        Ok(Self(entries))
    }

    /// One entry.
    pub fn get(&self, path: &TreePath) -> Option<&Entry> {
        self.0.get(path)
    }

    /// Each distinct content once with its size, in the order of the first path that has it.
    ///
    /// This is the layout of a *pack*: the contents of a tree one after another.
    pub fn contents(&self) -> Vec<(Digest, u64)> {
        let mut seen = std::collections::BTreeSet::new();
        let files = self.0.values().filter_map(|entry| match entry.node {
            Kind::File { digest, size } => Some((digest, size)),
            _ => None,
        });
        files.filter(|(digest, _)| seen.insert(*digest)).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnedItem {
    path: TreePath,
    entry: Entry,
}

#[derive(Serialize)]
struct Item<'a> {
    path: &'a TreePath,
    entry: &'a Entry,
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(path, entry)| Item { path, entry }))
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::<OwnedItem>::deserialize(deserializer)?;
        Tree::new(items.into_iter().map(|item| (item.path, item.entry)).collect()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_that_leave_the_tree_are_refused() {
        for bad in ["", "/etc", "a//b", "../a", "a/..", "a/./b", "a\0"] {
            assert!(TreePath::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_orphan_and_a_dangling_hard_link_are_refused() {
        let path = |text: &str| TreePath::new(text).unwrap_or_else(|e| panic!("{e}"));
        let orphan = BTreeMap::from([(path("a/b"), Entry::dir())]);
        assert!(matches!(Tree::new(orphan.clone()), Err(TreeError::Parent(_))));
        assert!(Tree::with_parents(orphan).is_ok());
        let link = Entry::root(Kind::Hardlink { to: path("x") }, 0o644);
        assert!(matches!(Tree::new(BTreeMap::from([(path("a"), link)])), Err(TreeError::Link(_))));
    }

    #[test]
    fn a_directory_is_a_tree_of_its_own_unless_a_hard_link_leads_out_of_it() {
        let path = |text: &str| TreePath::new(text).unwrap();
        let file = Entry::root(Kind::File { digest: Digest::of(b""), size: 0 }, 0o644);
        let link = |to: &str| Entry::root(Kind::Hardlink { to: path(to) }, 0o644);
        let tree = |to: &str| {
            let entries = [("a/b/f", file.clone()), ("a/b/l", link(to)), ("a/f", file.clone()), ("ab/c", file.clone())];
            Tree::with_parents(entries.map(|(name, entry)| (path(name), entry)).into()).unwrap()
        };
        let inside = tree("a/b/f").directory(&path("a/b")).unwrap();
        assert_eq!(inside.entries().keys().map(TreePath::display).collect::<Vec<_>>(), ["f", "l"]);
        assert_eq!(inside.get(&path("l")), Some(&link("f")));
        assert_eq!(tree("a/f").directory(&path("a/b")), Err(TreeError::Link("a/b/l".into())));
        assert_eq!(inside.directory(&path("x")), Ok(Tree::default()));
    }

    proptest! {
        #[test]
        fn any_valid_path_survives_json(bytes in proptest::collection::vec(any::<u8>(), 1..20)) {
            if let Ok(path) = TreePath::new(bytes) {
                let json = serde_json::to_string(&path).map_err(|e| TestCaseError::fail(e.to_string()))?;
                prop_assert_eq!(serde_json::from_str::<TreePath>(&json).ok(), Some(path));
            }
        }
    }
}
