//! What lies in a folder, as if it were the root of an image of one layer.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::io::{self, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use inspect::archive::layer::Change;
use inspect::archive::target_text;
use inspect::inventory::{Filesystem, Scanner};
use model::inventory::{Inventory, Item};
use model::{Digest, Entry, Finding, Kind, TreePath, codes};

use super::contents::looked_at;
use crate::input;

/// More entries are no root of an image.
const MOST: usize = 4_000_000;

/// What lies below a folder. No link is followed; what is neither file, folder nor link is said to be passed over.
///
/// # Errors
/// `INPUT_IO`.
pub fn folder(path: &Path, architecture: &str) -> Result<Inventory, Finding> {
    let mut walk =
        Walk { filesystem: Filesystem::default(), scanner: Scanner::default(), sums: BTreeMap::new(), count: 0 };
    walk.below(path).map_err(|e| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", path.display())))?;
    let (mut items, unread) = walk.filesystem.finish();
    for Item { entry, sha1, .. } in &mut items {
        if let Kind::File { digest, .. } = &entry.node {
            *sha1 = walk.sums.get(digest).cloned();
        }
    }
    Ok(walk.scanner.inventory(architecture, (items, unread)))
}

struct Walk {
    filesystem: Filesystem,
    scanner: Scanner,
    sums: BTreeMap<Digest, String>,
    count: usize,
}

impl Walk {
    fn below(&mut self, root: &Path) -> io::Result<()> {
        let mut open = vec![root.to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                self.count += 1;
                if self.count > MOST {
                    return Err(io::Error::other(format!("it holds more than {MOST} files")));
                }
                if entry.file_type()?.is_dir() {
                    open.push(entry.path());
                }
                self.entry(root, &entry)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, root: &Path, entry: &DirEntry) -> io::Result<()> {
        let full = entry.path();
        let relative = full.strip_prefix(root).map_err(io::Error::other)?;
        let path = TreePath::new(relative.as_os_str().as_bytes()).map_err(io::Error::other)?;
        let metadata = entry.metadata()?;
        let kind = metadata.file_type();
        let node = if kind.is_dir() {
            Kind::Dir
        } else if kind.is_symlink() {
            Kind::Symlink { target: target_text(fs::read_link(&full)?.as_os_str().as_bytes()) }
        } else if kind.is_file() {
            let mut content = BufReader::new(input::open_itself(&full)?);
            let (digest, sha1) = looked_at(&mut self.scanner, &path, metadata.len(), &mut content)?;
            self.sums.insert(digest, sha1);
            Kind::File { digest, size: metadata.len() }
        } else {
            self.filesystem.apply(Change::Special(path, "neither file, folder nor link"));
            return Ok(());
        };
        let mode = if kind.is_symlink() { 0o777 } else { metadata.mode() & 0o7777 };
        let entry = Entry { node, mode, uid: metadata.uid(), gid: metadata.gid(), xattrs: BTreeMap::new() };
        self.filesystem.apply(Change::Put(path, entry));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_as_the_root_of_an_image_and_no_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("lib/python3/site-packages/a-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: a\nVersion: 1.0\n");
        write("lib/LICENSE", "words");
        std::os::unix::fs::symlink("..", dir.path().join("lib/up")).unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        let inventory = folder(dir.path(), "amd64").unwrap();
        let paths: Vec<String> = inventory.items.iter().map(|item| item.path.display()).collect();
        assert_eq!(paths.len(), 7, "{paths:?}");
        let named: Vec<&str> = inventory.packages.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(named, ["a"]);
        assert_eq!(inventory.texts.values().collect::<Vec<_>>(), ["words"]);
        assert_eq!(inventory.unread.len(), 1);
        assert_eq!(inventory.unread[0].path.display(), "pipe");
        assert!(folder(&dir.path().join("none"), "amd64").is_err());
    }
}
