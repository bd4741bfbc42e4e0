use std::path::{Path, PathBuf};

use model::{Finding, codes};

/// The folder a configuration lies in. What the configuration names is found there and nowhere else, whatever links lead
/// out of it: its author must not learn more of the machine than was put beside it.
pub struct Folder {
    root: PathBuf,
    /// Files of the tool itself, which are no part of an application: configuration and lock.
    own: Vec<PathBuf>,
}

impl Folder {
    /// The folder of a configuration; `own` are files in it that are never captured.
    ///
    /// # Errors
    /// `INPUT_IO`.
    pub fn open(directory: &Path, own: &[&Path]) -> Result<Self, Finding> {
        let failed = |e| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", directory.display()));
        let root = directory.canonicalize().map_err(failed)?;
        Ok(Self { root, own: own.iter().filter_map(|path| path.canonicalize().ok()).collect() })
    }

    /// Where something the configuration names really is, links followed.
    ///
    /// # Errors
    /// `SOURCE_FILE` where it is not there, or not below the folder.
    pub fn find(&self, path: &str) -> Result<PathBuf, Finding> {
        let found = self.root.join(path).canonicalize().map_err(|e| refused(path, &format!("cannot be read: {e}")))?;
        if found.starts_with(&self.root) {
            return Ok(found);
        }
        Err(refused(path, &format!("leads to {}, outside the configuration's folder", found.display())))
    }

    /// A directory the configuration names.
    ///
    /// # Errors
    /// `SOURCE_FILE`.
    pub fn directory(&self, path: &str) -> Result<PathBuf, Finding> {
        self.find(path).and_then(|found| if found.is_dir() { Ok(found) } else { Err(refused(path, "is no directory")) })
    }

    /// A regular file the configuration names.
    ///
    /// # Errors
    /// `SOURCE_FILE`.
    pub fn file(&self, path: &str) -> Result<PathBuf, Finding> {
        self.find(path)
            .and_then(|found| if found.is_file() { Ok(found) } else { Err(refused(path, "is no regular file")) })
    }

    pub(super) fn is_own(&self, path: &Path) -> bool {
        self.own.iter().any(|own| own == path)
    }
}

fn refused(path: &str, why: &str) -> Finding {
    Finding::error(codes::SOURCE_FILE, format!("{path} {why}"))
        .help("Paths start from the folder the configuration lies in, and lead to something in it.")
}
