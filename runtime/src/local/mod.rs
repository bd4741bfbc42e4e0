//! The author's own files, captured into the store before planning.

mod certificates;
mod committed;
mod folder;
mod git;
mod manifests;

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use files::input;
use ignore::WalkBuilder;
use inspect::archive::{ContentSink as _, target_text};
use model::{Digest, Entry, Finding, Findings, Kind, Tree, TreePath, codes};

use crate::execute::{Context, PackWriter, Value, record_local};
use crate::store::Store;

pub use certificates::read_certificates;
pub use committed::{committed, shareable};
pub use folder::Folder;
pub use git::commit;
pub use manifests::manifests;

/// Names that are never part of an application: version control, secrets, caches, and environments made for the
/// author's machine.
const IGNORED: [&str; 13] = [
    ".git",
    ".env",
    "__pycache__",
    ".venv",
    "venv",
    "node_modules",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".tox",
    ".DS_Store",
    IGNORE_FILE,
    ".hg",
];
/// Further patterns, in the syntax of `.gitignore`; it counts for the directory it lies in and everything below.
const IGNORE_FILE: &str = ".clnstrtignore";
const MAX_RULES: u64 = 1 << 20;
const MAX_ENTRIES: usize = 1_000_000;
const MAX_BYTES: u64 = 8 << 30;

/// Captures a directory of a configuration's folder as a tree and answers the digest of its manifest. Files are 0755 where
/// their owner may execute them, else 0644, and belong to root; times are not kept. Configuration and lock are left out.
///
/// # Errors
/// `SOURCE_FILE` for each file that cannot be taken, `STORE_IO`.
pub fn capture(store: &Store, folder: &Folder, dir: &str) -> Result<Digest, Findings> {
    let root = folder.directory(dir)?;
    check_rules(&root)?;
    let bad_rules = Arc::new(Mutex::new(Findings::new()));
    let refused_rules = bad_rules.clone();
    let context = Context::new(store);
    let mut capture = Capture { sink: PackWriter::new(&context), entries: BTreeMap::new(), bytes: 0 };
    let mut findings = Findings::new();
    let walk = WalkBuilder::new(&root)
        .standard_filters(false)
        .add_custom_ignore_filename(IGNORE_FILE)
        .follow_links(false)
        .filter_entry(move |entry| {
            if entry.depth() == 0 {
                return true;
            }
            if is_ignored(entry.file_name().as_bytes()) {
                return false;
            }
            let directory = entry.file_type().is_some_and(|kind| kind.is_dir());
            let checked = if directory { check_rules(entry.path()) } else { Ok(()) };
            checked.map_err(|finding| lock(&refused_rules).push(finding)).is_ok()
        })
        .sort_by_file_name(std::cmp::Ord::cmp)
        .build();
    for entry in walk {
        let taken = match &entry {
            Err(e) => Err(Finding::error(codes::SOURCE_FILE, format!("the application's files cannot be listed: {e}"))),
            Ok(entry) => match entry.error() {
                Some(e) => Err(refused(entry.path(), &format!("has ignore rules that cannot be read: {e}"))),
                None if folder.is_own(entry.path()) => Ok(()),
                None => capture.take(&root, entry.path(), entry.file_type()),
            },
        };
        match taken {
            Err(finding) if finding.code == codes::SOURCE_FILE => findings.push(finding),
            Err(finding) => return Err(finding.into()),
            Ok(()) => {}
        }
        if capture.entries.len() > MAX_ENTRIES || capture.bytes > MAX_BYTES {
            let message = format!("has more than {MAX_ENTRIES} files or {MAX_BYTES} bytes");
            return Err(refused(Path::new(dir), &message).into());
        }
    }
    findings.extend(std::mem::take(&mut *lock(&bad_rules)));
    if !findings.is_empty() {
        return Err(findings);
    }
    Ok(capture.finish(&context)?)
}

/// Captures one file of a configuration's folder under its absolute path in the image; answers the digest of the tree's
/// manifest.
///
/// # Errors
/// `SOURCE_FILE`, `STORE_IO`.
pub fn capture_file(store: &Store, folder: &Folder, path: &str, to: &str, mode: u32) -> Result<Digest, Finding> {
    let file = folder.file(path)?;
    place(store, to, mode, |capture| capture.content(&file))
}

/// The same for a text of the configuration itself.
///
/// # Errors
/// `SOURCE_FILE`, `STORE_IO`.
pub fn capture_text(store: &Store, text: &str, to: &str, mode: u32) -> Result<Digest, Finding> {
    place(store, to, mode, |capture| capture.stored(&mut text.as_bytes(), Path::new(to)))
}

fn place(
    store: &Store,
    to: &str,
    mode: u32,
    content: impl FnOnce(&mut Capture) -> Result<(Digest, u64), Finding>,
) -> Result<Digest, Finding> {
    let target = TreePath::new(to.trim_start_matches('/'))
        .map_err(|e| Finding::error(codes::SOURCE_FILE, format!("nothing can be placed at {to}: {e}")))?;
    let context = Context::new(store);
    let mut capture = Capture { sink: PackWriter::new(&context), entries: BTreeMap::new(), bytes: 0 };
    let (digest, size) = content(&mut capture)?;
    capture.entries.insert(target, Entry::root(Kind::File { digest, size }, mode & 0o7777));
    capture.finish(&context)
}

/// Refuses rules that are no regular file, or a very large one, before they are read: by then it would be too late.
fn check_rules(directory: &Path) -> Result<(), Finding> {
    let path = directory.join(IGNORE_FILE);
    match std::fs::symlink_metadata(&path) {
        Ok(there) if !there.is_file() => Err(refused(&path, "is no regular file")),
        Ok(there) if there.len() > MAX_RULES => Err(refused(&path, &format!("has more than {MAX_RULES} bytes"))),
        _ => Ok(()),
    }
}

fn lock(findings: &Mutex<Findings>) -> MutexGuard<'_, Findings> {
    findings.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_ignored(name: &[u8]) -> bool {
    IGNORED.iter().any(|ignored| ignored.as_bytes() == name) || name.starts_with(b".env.") || name.ends_with(b".pyc")
}

fn refused(path: &Path, why: &str) -> Finding {
    Finding::error(codes::SOURCE_FILE, format!("{} {why}", path.display()))
        .help(format!("Mend or remove it, or name it in a {IGNORE_FILE} file beside it."))
}

struct Capture<'a> {
    sink: PackWriter<'a>,
    entries: BTreeMap<TreePath, Entry>,
    bytes: u64,
}

impl Capture<'_> {
    fn take(&mut self, root: &Path, path: &Path, kind: Option<std::fs::FileType>) -> Result<(), Finding> {
        let relative = path.strip_prefix(root).unwrap_or(path);
        if relative.as_os_str().is_empty() {
            return Ok(());
        }
        let name = TreePath::new(relative.as_os_str().as_bytes()).map_err(|e| refused(relative, &e.to_string()))?;
        let entry = match kind {
            Some(kind) if kind.is_dir() => Entry::dir(),
            Some(kind) if kind.is_symlink() => {
                let target =
                    std::fs::read_link(path).map_err(|e| refused(relative, &format!("cannot be read: {e}")))?;
                if !stays_inside(&name, target.as_os_str().as_bytes()) {
                    let why =
                        format!("is a symbolic link to {}, outside the application's directory", target.display());
                    return Err(refused(relative, &why));
                }
                Entry::root(Kind::Symlink { target: target_text(target.as_os_str().as_bytes()) }, 0o777)
            }
            Some(kind) if kind.is_file() => {
                if is_our_archive(path) {
                    let message = format!("{} was written by this program", relative.display());
                    return Err(Finding::error(codes::SOURCE_FILE, message)
                        .because("every build would put the archive of the one before into its image")
                        .help(format!("Write archives elsewhere, or name them in a {IGNORE_FILE} file: `*.tar.gz`.")));
                }
                let (digest, size) = self.content(path)?;
                let mode =
                    std::fs::symlink_metadata(path).map_err(|e| refused(relative, &format!("cannot be read: {e}")))?;
                let mode = if mode.permissions().mode() & 0o100 != 0 { 0o755 } else { 0o644 };
                Entry::root(Kind::File { digest, size }, mode)
            }
            _ => return Err(refused(relative, "is neither file, directory nor symbolic link")),
        };
        self.entries.insert(name, entry);
        Ok(())
    }

    fn content(&mut self, path: &Path) -> Result<(Digest, u64), Finding> {
        let mut file = input::open_itself(path).map_err(|e| refused(path, &format!("cannot be read: {e}")))?;
        self.stored(&mut file, path)
    }

    fn stored(&mut self, content: &mut dyn Read, path: &Path) -> Result<(Digest, u64), Finding> {
        let stored = self.sink.store(content);
        if let Some(failure) = self.sink.failure() {
            return Err(failure);
        }
        let (digest, size) = stored.map_err(|e| refused(path, &format!("cannot be read: {e}")))?;
        self.bytes += size;
        Ok((digest, size))
    }

    fn finish(self, context: &Context) -> Result<Digest, Finding> {
        let packed = self.sink.finish()?;
        let tree = Tree::with_parents(self.entries).map_err(|e| Finding::error(codes::SOURCE_FILE, e.to_string()))?;
        let record = context.keep_tree(tree, packed.pack.into_iter().collect(), packed.objects)?;
        let Value::Tree { tree, .. } = record.value else {
            return Err(Finding::error(codes::STORE_IO, "the captured files were not kept as a tree"));
        };
        record_local(context.store, tree, &record)?;
        Ok(tree)
    }
}

/// Whether a file is an image archive or a bundle: both begin with a member of a name of their own.
fn is_our_archive(path: &Path) -> bool {
    let mut start = [0; 64];
    let read = input::open_itself(path).and_then(|file| file.read_at(&mut start, 0));
    let start = start.get(..read.unwrap_or(0)).unwrap_or_default();
    let tar = start.strip_prefix(&crate::archive::GZIP_START).and_then(|rest| rest.get(5..)).unwrap_or(start);
    tar.starts_with(b"oci-layout\0") || tar.starts_with(format!("{}\0", crate::bundle::LOCK).as_bytes())
}

/// Whether a link's target is relative and, read as text, below the root.
fn stays_inside(link: &TreePath, target: &[u8]) -> bool {
    let mut depth = link.as_bytes().iter().filter(|b| **b == b'/').count();
    if target.is_empty() || target.starts_with(b"/") {
        return false;
    }
    for part in target.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if depth == 0 => return false,
            b".." => depth -= 1,
            _ => depth += 1,
        }
    }
    true
}

#[cfg(test)]
mod tests;
