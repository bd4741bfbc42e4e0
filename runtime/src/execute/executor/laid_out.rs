//! Trees as directories, for the lower layers of a room's root file system. Each is made once and then only read.
//!
//! They are not flushed to disk, so a power cut could leave files empty; therefore they count only until the machine is
//! started again.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use inspect::archive::target_bytes;
use model::{Digest, Entry, Finding, Kind, Tree, TreePath};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};

use super::super::content::Content;
use super::{Context, Input};

/// The time of every file, seconds since 1970: trees have none, and what compares times must find none newer. Formats that
/// cannot tell times before 1980 are the reason it is not 0.
const TIME: i64 = 946_684_800;
const CHUNK: usize = 1 << 20;

/// The directory of each tree, made where it is not there yet. Of equal trees the last stays, which covers the others: no
/// overlay takes a directory twice.
pub(super) fn all(context: &Context, trees: &[Input]) -> Result<Vec<PathBuf>, Finding> {
    let last: BTreeMap<Digest, usize> = trees.iter().enumerate().map(|(at, input)| (input.digest, at)).collect();
    let trees: Vec<&Input> =
        trees.iter().enumerate().filter(|(at, input)| last.get(&input.digest) == Some(at)).map(|(_, i)| i).collect();
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(trees.len());
    // Not on the pool's threads: one that waits there may take on another step, and end this one late.
    let work = || {
        let mut done = Vec::new();
        while let Some((at, input)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            trees.get(at).map(|input| (at, *input))
        } {
            done.push((at, one(context, input)?));
        }
        Ok(done)
    };
    let outcomes: Vec<Result<Vec<(usize, PathBuf)>, Finding>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(super::super::broken("a thread ended early"))))
            .collect()
    });
    let mut directories = BTreeMap::new();
    for outcome in outcomes {
        directories.extend(outcome?);
    }
    Ok(directories.into_values().collect())
}

fn one(context: &Context, input: &Input) -> Result<PathBuf, Finding> {
    let failed = |e: io::Error| context.store.failed("a tree cannot be laid out", &e);
    context.laid_out(input.digest, || {
        let place = context.store.tree(&input.digest).map_err(failed)?;
        if place.exists() {
            return Ok(place);
        }
        let staged = context.store.scratch().map_err(failed)?;
        let content = Content::open(context, &input.packs)?;
        lay_out(&input.tree, &content, &staged.path().join("tree"), &failed)?;
        match fs::rename(staged.path().join("tree"), &place) {
            // another process was faster
            Err(e) if !matches!(e.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {
                Err(failed(e))
            }
            _ => Ok(place),
        }
    })
}

/// Owners, extended attributes and the bits that give another's rights are left out: nothing in a room has or gains any.
fn lay_out(tree: &Tree, content: &Content, root: &Path, failed: &dyn Fn(io::Error) -> Finding) -> Result<(), Finding> {
    fs::create_dir(root).map_err(failed)?;
    for (path, entry) in tree.entries() {
        let at = root.join(std::ffi::OsStr::from_bytes(path.as_bytes()));
        match &entry.node {
            Kind::Dir => fs::create_dir(&at).map_err(failed)?,
            Kind::File { digest, size } => {
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&at).map_err(failed)?;
                let mut reader = content.read(digest, *size)?;
                let mut buffer = Vec::new();
                loop {
                    let more = reader.append(&mut buffer, CHUNK)?;
                    file.write_all(&buffer).map_err(failed)?;
                    buffer.clear();
                    if !more {
                        break;
                    }
                }
                file.set_permissions(Permissions::from_mode(entry.mode & 0o777 | 0o400)).map_err(failed)?;
            }
            Kind::Symlink { target } => {
                std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(&target_bytes(target)), &at).map_err(failed)?;
            }
            Kind::Hardlink { .. } => {}
        }
    }
    // what they link to may come later in the order of names
    for (path, entry) in tree.entries() {
        if let Kind::Hardlink { to } = &entry.node {
            fs::hard_link(on(root, to), on(root, path)).map_err(failed)?;
        }
    }
    // children before their directories, whose time and mode their making changes
    for (path, entry) in tree.entries().iter().rev() {
        finish(&on(root, path), entry).map_err(failed)?;
    }
    // the directory itself keeps its time: it is the time of last use
    fs::set_permissions(root, Permissions::from_mode(0o755)).map_err(failed)
}

fn on(root: &Path, path: &TreePath) -> PathBuf {
    root.join(std::ffi::OsStr::from_bytes(path.as_bytes()))
}

fn finish(at: &Path, entry: &Entry) -> io::Result<()> {
    if entry.node == Kind::Dir {
        File::open(at)?.set_permissions(Permissions::from_mode(entry.mode & 0o777 | 0o700))?;
    }
    let time = Timespec { tv_sec: TIME, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    Ok(rustix::fs::utimensat(CWD, at, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}
