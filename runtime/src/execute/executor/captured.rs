//! What commands left behind, as a tree.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use inspect::archive::{ContentSink as _, target_text};
use model::plan::OUT;
use model::{Entry, Finding, Kind, Tree, TreePath, codes};

use super::super::PackWriter;
use super::{Context, Record};

/// More than the source tree of any compiler.
const MAX_ENTRIES: usize = 2_000_000;
/// Directories one in another.
const DEEPEST: usize = 256;

/// Keeps the directory `out` as a tree: owned by root, without times and extended attributes. Nobody may be writing in it any
/// more. One that is not there is an empty tree.
pub(super) fn tree(context: &Context, out: &Path) -> Result<Record, Finding> {
    let mut capture = Capture { sink: PackWriter::new(context), entries: BTreeMap::new(), linked: BTreeMap::new() };
    if out.is_dir() {
        capture.directory(out, None)?;
    }
    let Capture { sink, entries, .. } = capture;
    let packed = sink.finish()?;
    let tree = Tree::new(entries).map_err(|e| super::super::broken(e.to_string()))?;
    context.keep_tree(tree, packed.pack.into_iter().collect(), packed.objects)
}

struct Capture<'a> {
    sink: PackWriter<'a>,
    entries: BTreeMap<TreePath, Entry>,
    /// Files of several names, by device and inode.
    linked: BTreeMap<(u64, u64), TreePath>,
}

impl Capture<'_> {
    fn directory(&mut self, at: &Path, name: Option<&TreePath>) -> Result<(), Finding> {
        let shown = name.map_or_else(String::new, TreePath::display);
        let failed = |e: io::Error| refused(&shown, &format!("cannot be read: {e}"));
        let mut children = fs::read_dir(at).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(failed)?;
        children.sort_by_key(fs::DirEntry::file_name); // so that the first name of a file with several is always the same
        for child in children {
            let file_name = child.file_name();
            let own = match name {
                None => TreePath::new(file_name.as_bytes()),
                Some(parent) => TreePath::new([parent.as_bytes(), b"/", file_name.as_bytes()].concat()),
            };
            let own = own.map_err(|e| refused(&shown, &e.to_string()))?;
            let metadata = child.metadata().map_err(failed)?;
            self.entry(&child.path(), own, &metadata)?;
        }
        Ok(())
    }

    fn entry(&mut self, at: &Path, name: TreePath, metadata: &Metadata) -> Result<(), Finding> {
        if self.entries.len() >= MAX_ENTRIES {
            return Err(refused("", &format!("has more than {MAX_ENTRIES} files")));
        }
        if name.as_bytes().iter().filter(|byte| **byte == b'/').count() > DEEPEST {
            return Err(refused("", &format!("has more than {DEEPEST} directories one in another")));
        }
        let failed = |e: io::Error| refused(&name.display(), &format!("cannot be read: {e}"));
        let mode = metadata.permissions().mode() & 0o7777;
        // In an image it would belong to root, and so would whoever starts it.
        if mode & 0o6000 != 0 && !metadata.is_dir() {
            return Err(refused(&name.display(), "would run as its owner: it has the set-user-ID or set-group-ID bit"));
        }
        let mode = if metadata.is_dir() { mode & 0o1777 } else { mode };
        let kind = metadata.file_type();
        let entry = if kind.is_dir() {
            self.directory(at, Some(&name))?;
            Entry::root(Kind::Dir, mode)
        } else if kind.is_symlink() {
            let target = fs::read_link(at).map_err(failed)?;
            Entry::root(Kind::Symlink { target: target_text(target.as_os_str().as_bytes()) }, 0o777)
        } else if kind.is_file() {
            let place = (metadata.dev(), metadata.ino());
            match self.linked.get(&place) {
                Some(first) => Entry::root(Kind::Hardlink { to: first.clone() }, mode),
                None => {
                    if metadata.nlink() > 1 {
                        self.linked.insert(place, name.clone());
                    }
                    let stored = self.sink.store(&mut File::open(at).map_err(failed)?);
                    if let Some(failure) = self.sink.failure() {
                        return Err(failure);
                    }
                    let (digest, size) = stored.map_err(failed)?;
                    Entry::root(Kind::File { digest, size }, mode)
                }
            }
        } else {
            return Err(refused(&name.display(), "is neither file, directory nor symbolic link"));
        };
        self.entries.insert(name, entry);
        Ok(())
    }
}

fn refused(name: &str, why: &str) -> Finding {
    Finding::error(codes::BUILD_OUTPUT, format!("{OUT}/{name} {why}"))
        .help("let the last command of the step remove what is not to be kept")
}
