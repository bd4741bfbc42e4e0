//! What lies in a folder, as if it were the root of an image of one layer.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use inspect::archive::layer::Change;
use inspect::archive::target_text;
use inspect::inventory::Filesystem;
use model::inventory::{Inventory, Item, Unread};
use model::{Entry, Finding, Kind, TreePath, codes};

use super::look::Looker;
use crate::input;

/// More entries are no root of an image.
const MOST: usize = 4_000_000;
/// Nor are more bytes of files.
const MOST_BYTES: u64 = 64 << 30;

/// What lies below a folder. No link is followed; what cannot be read, or is neither file, folder nor link, is said to be passed
/// over. A file's SHA-1 is there if it is wanted.
///
/// # Errors
/// `INPUT_IO` where the folder itself cannot be read or holds too much.
pub fn folder(path: &Path, architecture: &str, with_sha1: bool) -> Result<Inventory, Finding> {
    let failed = |why: String| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {why}", path.display()));
    let mut walk = Walk {
        root: path,
        filesystem: Filesystem::default(),
        looker: Looker::new(with_sha1),
        unread: Vec::new(),
        count: 0,
        bytes: 0,
    };
    walk.all().map_err(|e| failed(e.to_string()))?;
    let (mut items, mut unread) = walk.filesystem.finish();
    for Item { entry, sha1, .. } in &mut items {
        if let Kind::File { digest, .. } = &entry.node {
            *sha1 = walk.looker.sums.get(digest).cloned();
        }
    }
    unread.extend(walk.unread);
    Ok(walk.looker.scanner.inventory(architecture, (items, unread)))
}

struct Walk<'p> {
    root: &'p Path,
    filesystem: Filesystem,
    looker: Looker,
    unread: Vec<Unread>,
    count: usize,
    bytes: u64,
}

impl Walk<'_> {
    fn all(&mut self) -> io::Result<()> {
        let mut open = vec![self.root.to_owned()];
        while let Some(folder) = open.pop() {
            let entries = match fs::read_dir(&folder) {
                Err(e) if folder != self.root => {
                    let path = self.path(&folder)?;
                    self.pass_over(path, &e);
                    continue;
                }
                entries => entries?,
            };
            // In an order of their own, whatever the file system's is.
            let mut entries = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
            entries.sort();
            for full in entries {
                let path = self.path(&full)?;
                let metadata = match fs::symlink_metadata(&full) {
                    Ok(metadata) => metadata,
                    Err(e) => {
                        self.pass_over(path, &e);
                        continue;
                    }
                };
                self.count += 1;
                self.bytes = self.bytes.saturating_add(if metadata.is_file() { metadata.len() } else { 0 });
                if self.count > MOST || self.bytes > MOST_BYTES {
                    return Err(io::Error::other(format!("it holds more than {MOST} files or {MOST_BYTES} bytes")));
                }
                match self.entry(&full, &path, &metadata) {
                    Ok(()) if metadata.is_dir() => open.push(full),
                    Ok(()) => {}
                    Err(e) => self.pass_over(path, &e),
                }
            }
        }
        Ok(())
    }

    fn path(&self, full: &Path) -> io::Result<TreePath> {
        let relative = full.strip_prefix(self.root).map_err(io::Error::other)?;
        TreePath::new(relative.as_os_str().as_bytes()).map_err(io::Error::other)
    }

    fn pass_over(&mut self, path: TreePath, error: &io::Error) {
        self.unread.push(Unread { path, why: format!("it cannot be read: {error}") });
    }

    fn entry(&mut self, full: &Path, path: &TreePath, metadata: &Metadata) -> io::Result<()> {
        let kind = metadata.file_type();
        let node = if kind.is_dir() {
            Kind::Dir
        } else if kind.is_symlink() {
            Kind::Symlink { target: target_text(fs::read_link(full)?.as_os_str().as_bytes()) }
        } else if kind.is_file() {
            let size = metadata.len();
            // One byte more would be one that was not there before.
            let mut content = input::open_itself(full)?.take(size + 1);
            let digest = self.looker.look(path, size, &mut content)?;
            if content.limit() != 1 {
                return Err(io::Error::other("it changes while it is read"));
            }
            Kind::File { digest, size }
        } else {
            self.filesystem.apply(Change::Special(path.clone(), "neither file, folder nor link"));
            return Ok(());
        };
        let mode = if kind.is_symlink() { 0o777 } else { metadata.mode() & 0o7777 };
        let entry = Entry { node, mode, uid: metadata.uid(), gid: metadata.gid(), xattrs: BTreeMap::new() };
        self.filesystem.apply(Change::Put(path.clone(), entry));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::OFlags;

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
        let inventory = folder(dir.path(), "amd64", true).unwrap();
        let paths: Vec<String> = inventory.items.iter().map(|item| item.path.display()).collect();
        assert_eq!(paths.len(), 7, "{paths:?}");
        let named: Vec<&str> = inventory.packages.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(named, ["a"]);
        assert_eq!(inventory.texts.values().collect::<Vec<_>>(), ["words"]);
        assert_eq!(inventory.unread.len(), 1);
        assert_eq!(inventory.unread[0].path.display(), "pipe");
        assert!(folder(&dir.path().join("none"), "amd64", true).is_err());
    }

    #[test]
    fn too_many_bytes_are_refused_before_they_are_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::File::create(dir.path().join("sparse")).unwrap().set_len(MOST_BYTES + 1).unwrap();
        assert!(folder(dir.path(), "any", false).unwrap_err().message.contains("it holds more than"));
    }

    #[test]
    fn what_cannot_be_read_is_passed_over_and_said() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), "words").unwrap();
        // Paths of more than 4,096 bytes can be made, but not opened: for nobody, root neither.
        let name = "d".repeat(250);
        let mut deepest = fs::File::open(dir.path()).unwrap();
        for _ in 0..20 {
            rustix::fs::mkdirat(&deepest, &name, rustix::fs::Mode::RWXU).unwrap();
            let below = rustix::fs::openat(&deepest, &name, OFlags::RDONLY, rustix::fs::Mode::empty()).unwrap();
            deepest = below.into();
        }
        let inventory = folder(dir.path(), "any", false).unwrap();
        assert!(inventory.items.iter().any(|item| item.path.as_bytes() == b"a"));
        assert_eq!(inventory.unread.len(), 1);
        assert!(inventory.unread[0].why.starts_with("it cannot be read: "), "{:?}", inventory.unread);
    }
}
