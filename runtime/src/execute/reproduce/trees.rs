//! Trees that should be the same.

use model::{Entry, Kind, Tree, TreePath};

/// A path that is not the same in two trees, and what either has there.
type Unlike<'a> = (&'a TreePath, Option<&'a Entry>, Option<&'a Entry>);

/// Every path that is not the same in both, in order.
pub(super) fn unlike<'a>(first: &'a Tree, second: &'a Tree) -> Vec<Unlike<'a>> {
    let mut paths: Vec<&TreePath> = first.entries().keys().chain(second.entries().keys()).collect();
    paths.sort();
    paths.dedup();
    let both = paths.into_iter().map(|path| (path, first.get(path), second.get(path)));
    both.filter(|(_, one, other)| one != other).collect()
}

/// What differs about a path, but for contents.
pub(super) fn lines(first: Option<&Entry>, second: Option<&Entry>) -> Vec<String> {
    let (one, other) = match (first, second) {
        (Some(one), Some(other)) => (one, other),
        (Some(only), None) => return vec![format!("{}, made by the first run only", what(&only.node))],
        (None, Some(only)) => return vec![format!("{}, made by the second run only", what(&only.node))],
        (None, None) => return Vec::new(),
    };
    let mut lines = Vec::new();
    match (&one.node, &other.node) {
        (Kind::File { size: one, .. }, Kind::File { size: other, .. }) if one != other => {
            lines.push(format!("{one} bytes and {other}"));
        }
        (Kind::File { .. }, Kind::File { .. }) => {}
        (one, other) if one != other => lines.push(format!("{}, and {}", what(one), what(other))),
        _ => {}
    }
    if one.mode != other.mode {
        lines.push(format!("mode {:o} and {:o}", one.mode, other.mode));
    }
    if (one.uid, one.gid, &one.xattrs) != (other.uid, other.gid, &other.xattrs) {
        lines.push("another owner, or other attributes".to_owned());
    }
    lines
}

fn what(node: &Kind) -> String {
    match node {
        Kind::Dir => "a directory".to_owned(),
        Kind::File { .. } => "a file".to_owned(),
        Kind::Symlink { target } => format!("a link to {}", target.escape_debug()),
        Kind::Hardlink { to } => format!("another name of {}", to.display().escape_debug()),
    }
}
