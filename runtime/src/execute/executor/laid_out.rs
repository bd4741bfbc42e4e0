//! Trees as directories, for the lower layers of a room's root file system. Each is made once and then only read.
//!
//! They are not flushed to disk, so a power cut could leave files empty; therefore they count only until the machine is
//! started again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use inspect::archive::target_bytes;
use model::{Digest, Entry, Finding, Kind, Tree, TreePath};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use sandbox::MOST_LAYERS;

use super::super::content::Content;
use super::{Context, Input};

/// The time of every file, seconds since 1970: trees have none, and what compares times must find none newer. Formats that
/// cannot tell times before 1980 are the reason it is not 0.
const TIME: i64 = 946_684_800;
const CHUNK: usize = 1 << 20;

/// Of equal trees the last alone, which covers the others: no overlay takes a directory twice.
pub(super) fn distinct(trees: &[Input]) -> Vec<Input> {
    let last: BTreeMap<Digest, usize> = trees.iter().enumerate().map(|(at, input)| (input.digest, at)).collect();
    let is_last = |(at, input): &(usize, &Input)| last.get(&input.digest) == Some(at);
    trees.iter().enumerate().filter(is_last).map(|(_, input)| input.clone()).collect()
}

/// The directory of each tree, made where it is not there yet.
pub(super) fn all(context: &Context, trees: &[Input]) -> Result<Vec<PathBuf>, Finding> {
    each(trees, |_, input| one(context, input))
}

/// The same trees for a second run, laid out in `dir` in a way that must not matter: files are made in reverse order, so that
/// inodes have another one, and every directory lists its files in another order.
///
/// That order is mostly a hash of the names, the same in every directory of a file system. So each tree becomes two layers as
/// long as there may be more of them; which files go into which decides how their union lists them.
pub(super) fn anew(context: &Context, trees: &[Input], dir: &Path) -> Result<Vec<PathBuf>, Finding> {
    let failed = |e: io::Error| context.store.failed("a tree cannot be laid out", &e);
    let first = all(context, trees)?;
    let divided = MOST_LAYERS.saturating_sub(trees.len());
    let mut seen = BTreeSet::new();
    let mut layouts = Vec::new();
    for (number, (input, first)) in trees.iter().zip(&first).enumerate() {
        let root = |half: &str| dir.join(format!("{number}-{half}"));
        let upper =
            if number < divided { upper(&input.tree, first, &mut seen).map_err(failed)? } else { BTreeSet::new() };
        let roots = if number < divided { vec![root("lower"), root("upper")] } else { vec![root("whole")] };
        layouts.push(Layout { roots, upper, reversed: true });
    }
    each(trees, |number, input| {
        let layout = layouts.get(number).ok_or_else(|| super::super::broken("a tree has no layout"))?;
        lay_out(&input.tree, &Content::open(context, &input.packs)?, layout, &failed)
    })?;
    Ok(layouts.into_iter().flat_map(|layout| layout.roots).collect())
}

/// Of a tree that becomes two layers, what goes into the upper one. `first` is the tree as it was laid out before, `seen` are
/// the directories of the trees below.
///
/// An overlay lists what the lowest layer has of a directory, then the others from the top down.
fn upper(tree: &Tree, first: &Path, seen: &mut BTreeSet<Option<TreePath>>) -> io::Result<BTreeSet<TreePath>> {
    let mut upper = BTreeSet::new();
    let below = tree.entries().iter().filter(|(_, entry)| entry.node == Kind::Dir).map(|(path, _)| Some(path));
    for dir in std::iter::once(None).chain(below) {
        let is_lowest = seen.insert(dir.cloned());
        let mut files = Vec::new();
        for child in fs::read_dir(dir.map_or_else(|| first.to_owned(), |dir| on(first, dir)))? {
            let name = child?.file_name();
            let path = TreePath::new(match dir {
                Some(dir) => [dir.as_bytes(), b"/", name.as_bytes()].concat(),
                None => name.as_bytes().to_vec(),
            });
            files.extend(path.ok().filter(|path| tree.get(path).is_some_and(|entry| entry.node != Kind::Dir)));
        }
        let half = files.len().div_ceil(2);
        let chosen = files.into_iter().enumerate().filter(|(number, _)| (*number < half) == is_lowest);
        upper.extend(chosen.map(|(_, path)| path));
    }
    Ok(upper)
}

/// Does something with each tree, several at a time.
fn each<T: Send>(
    trees: &[Input],
    work: impl Fn(usize, &Input) -> Result<T, Finding> + Sync,
) -> Result<Vec<T>, Finding> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(trees.len());
    // Not on the pool's threads: one that waits there may take on another step, and end this one late.
    let work = || {
        let mut done = Vec::new();
        while let Some((at, input)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            trees.get(at).map(|input| (at, input))
        } {
            done.push((at, work(at, input)?));
        }
        Ok(done)
    };
    let outcomes: Vec<Result<Vec<(usize, T)>, Finding>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(super::super::broken("a thread ended early"))))
            .collect()
    });
    let mut done = BTreeMap::new();
    for outcome in outcomes {
        done.extend(outcome?);
    }
    Ok(done.into_values().collect())
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
        let layout = Layout { roots: vec![staged.path().join("tree")], upper: BTreeSet::new(), reversed: false };
        lay_out(&input.tree, &content, &layout, &failed)?;
        match fs::rename(staged.path().join("tree"), &place) {
            // another process was faster
            Err(e) if !matches!(e.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {
                Err(failed(e))
            }
            _ => Ok(place),
        }
    })
}

/// Where a tree is laid out.
struct Layout {
    /// The layers it becomes, bottom first: one or two. Each has all directories.
    roots: Vec<PathBuf>,
    /// What lies in the upper one of two.
    upper: BTreeSet<TreePath>,
    /// Whether files are made in the reverse order of their names.
    reversed: bool,
}

impl Layout {
    fn on(&self, path: &TreePath) -> PathBuf {
        let roots = if self.upper.contains(path) { self.roots.last() } else { self.roots.first() };
        on(roots.map_or(Path::new(""), PathBuf::as_path), path)
    }
}

/// Owners, extended attributes and the bits that give another's rights are left out: nothing in a room has or gains any.
fn lay_out(
    tree: &Tree,
    content: &Content,
    layout: &Layout,
    failed: &dyn Fn(io::Error) -> Finding,
) -> Result<(), Finding> {
    for root in &layout.roots {
        fs::create_dir(root).map_err(failed)?;
        for (path, _) in tree.entries().iter().filter(|(_, entry)| entry.node == Kind::Dir) {
            fs::create_dir(on(root, path)).map_err(failed)?;
        }
    }
    let mut entries: Vec<(&TreePath, &Entry)> = tree.entries().iter().collect();
    if layout.reversed {
        entries.reverse();
    }
    for (path, entry) in entries {
        let at = layout.on(path);
        match &entry.node {
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
            Kind::Dir | Kind::Hardlink { .. } => {}
        }
    }
    // what they link to may come later in the order of names
    for (path, entry) in tree.entries() {
        if let Kind::Hardlink { to } = &entry.node {
            fs::hard_link(layout.on(to), layout.on(path)).map_err(failed)?;
        }
    }
    // children before their directories, whose time and mode their making changes
    for (path, entry) in tree.entries().iter().rev() {
        if entry.node == Kind::Dir {
            for root in &layout.roots {
                finish(&on(root, path), entry).map_err(failed)?;
            }
        } else {
            finish(&layout.on(path), entry).map_err(failed)?;
        }
    }
    // the directory itself keeps its time: it is the time of last use
    for root in &layout.roots {
        fs::set_permissions(root, Permissions::from_mode(0o755)).map_err(failed)?;
    }
    Ok(())
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
