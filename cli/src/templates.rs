//! The files that a configuration may extend: those of its project.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use compiler::template::Library;
use files::input;
use model::{Digest, Finding, codes};
use runtime::local::Folder;

/// What marks the folder of a project: that it is under version control.
const MARKS: [&str; 3] = [".git", ".hg", ".jj"];

/// A project: the nearest folder at or above a configuration that is under version control, else the configuration's own.
pub(crate) struct Templates {
    root: PathBuf,
    /// The configuration's folder, from the root.
    folder: PathBuf,
    /// The same as the user names it.
    shown: PathBuf,
    /// What was read, with its digest.
    taken: RefCell<BTreeMap<String, Digest>>,
}

impl Templates {
    /// The project of a configuration in a folder.
    pub(crate) fn of(folder: &Path) -> Result<Self, Finding> {
        let failed = |e| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", folder.display()));
        let absolute = folder.canonicalize().map_err(failed)?;
        let marked = absolute.ancestors().find(|dir| MARKS.iter().any(|mark| dir.join(mark).exists()));
        let root = marked.unwrap_or(&absolute).to_owned();
        let below = absolute.strip_prefix(&root).unwrap_or(Path::new("")).to_owned();
        Ok(Self { root, folder: below, shown: folder.to_owned(), taken: RefCell::default() })
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Every file that was read so far, by its path from the root, with its digest.
    pub(crate) fn taken(&self) -> BTreeMap<String, Digest> {
        self.taken.borrow().clone()
    }

    /// A file of the configuration's folder, as a path from the root.
    pub(crate) fn path(&self, file: &Path) -> String {
        let name = file.file_name().unwrap_or_default();
        let parts = self.folder.join(name);
        parts.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
    }

    /// A path from the root as the user would name it.
    fn show(&self, path: &str) -> String {
        let mut from = self.folder.components().peekable();
        let mut to = Path::new(path).components().peekable();
        while from.peek().is_some() && from.peek() == to.peek() {
            from.next();
            to.next();
        }
        let up = from.map(|_| Component::ParentDir);
        let relative: PathBuf = up.chain(to).collect();
        let shown = if self.shown == Path::new(".") { relative } else { self.shown.join(relative) };
        shown.display().to_string()
    }
}

impl Library for Templates {
    fn read(&self, path: &str) -> Result<(String, String), Finding> {
        let shown = self.show(path);
        let failed = |why: String| {
            Finding::error(codes::TEMPLATE_UNREADABLE, format!("{shown} cannot be read: {why}"))
                .help("check the path; it starts from the folder of the file that names it")
        };
        let found = Folder::open(&self.root, &[])?.find(path).map_err(|finding| {
            // It says which path and why; the path is to be the one the user knows.
            let why = finding.message.strip_prefix(path).unwrap_or(&finding.message).trim_start();
            failed(why.strip_prefix("cannot be read: ").unwrap_or(why).to_owned())
        })?;
        let bytes = input::read(&found, grammar::MAX_BYTES as u64).map_err(|e| failed(e.to_string()))?;
        let text = grammar::decode(&bytes).map_err(|finding| failed(finding.message))?;
        self.taken.borrow_mut().insert(path.to_owned(), Digest::of(&bytes));
        Ok((shown.clone(), text.to_owned()))
    }
}
