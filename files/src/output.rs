//! Files handed to the user: each appears whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use tempfile::{Builder, NamedTempFile};

/// Readable by everyone, whatever the umask: the same output for every user.
const MODE: u32 = 0o644;
const PREFIX: &str = ".clnstrt-";
/// Through which an unnamed file gets a name (open(2), O_TMPFILE).
const OPEN_FILES: &str = "/proc/self/fd";

/// A file that gets its name when it is complete.
pub struct Output {
    staged: Staged,
    directory: PathBuf,
    path: PathBuf,
}

enum Staged {
    /// Without a name, so that a process that is killed leaves nothing behind.
    Unnamed(File),
    /// Where the file system has no unnamed files; removed when dropped.
    Named(NamedTempFile),
}

impl Output {
    /// Starts a file in the directory it will be in, which must exist.
    ///
    /// # Errors
    /// What the file system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        // A link stays, and what it leads to is replaced.
        let path = &if path.is_symlink() { std::fs::canonicalize(path)? } else { path.to_owned() };
        refuse_special(path)?;
        let directory = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let unnamed = rustix::fs::open(directory, flags, Mode::from_raw_mode(MODE)).ok();
        let staged = match unnamed.filter(|_| Path::new(OPEN_FILES).is_dir()) {
            Some(file) => Staged::Unnamed(file.into()),
            None => Staged::Named(Builder::new().prefix(PREFIX).tempfile_in(directory)?),
        };
        Ok(Self { staged, directory: directory.to_owned(), path: path.to_owned() })
    }

    /// Gives the file its name, in place of the file or link that had it before.
    ///
    /// # Errors
    /// What the file system says; nothing is left behind then.
    pub fn commit(self) -> io::Result<()> {
        self.file().set_permissions(Permissions::from_mode(MODE))?;
        refuse_special(&self.path)?;
        let named = match self.staged {
            Staged::Named(named) => named,
            Staged::Unnamed(file) => {
                // A link cannot replace a file, a rename can: the name in between lives as long as two system calls.
                let open = format!("{OPEN_FILES}/{}", file.as_raw_fd());
                Builder::new().prefix(PREFIX).make_in(&self.directory, |name| {
                    rustix::fs::linkat(CWD, &open, CWD, name, AtFlags::SYMLINK_FOLLOW)?;
                    file.try_clone()
                })?
            }
        };
        named.persist(&self.path).map_err(|e| e.error)?;
        Ok(())
    }

    fn file(&self) -> &File {
        match &self.staged {
            Staged::Unnamed(file) => file,
            Staged::Named(named) => named.as_file(),
        }
    }
}

/// A device, pipe or directory is nothing a file should take the place of.
fn refuse_special(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() => Err(io::Error::other("something is there that is no file")),
        _ => Ok(()),
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_when_it_is_committed_and_replaces_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        for text in ["first", "second"] {
            let before = names(dir.path());
            let mut output = Output::create(&path).unwrap();
            output.write_all(text.as_bytes()).unwrap();
            assert_eq!(names(dir.path()), before);
            output.commit().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, MODE);
            assert_eq!(names(dir.path()), ["out"]);
        }
    }

    #[test]
    fn nothing_is_left_where_it_is_not_committed_or_cannot_be() {
        let dir = tempfile::tempdir().unwrap();
        let mut output = Output::create(&dir.path().join("out")).unwrap();
        output.write_all(b"half").unwrap();
        drop(output);
        let taken = dir.path().join("taken");
        let output = Output::create(&taken).unwrap();
        fs::create_dir(&taken).unwrap();
        assert!(output.commit().is_err());
        assert!(Output::create(&taken).is_err());
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let mut output = Output::create(&link).unwrap();
        output.write_all(b"new").unwrap();
        output.commit().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        fs::remove_file(&real).unwrap();
        assert!(Output::create(&link).is_err());
        fs::remove_file(&link).unwrap();
        let socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        assert!(Output::create(&dir.path().join("socket")).is_err());
        assert_eq!(names(dir.path()), ["socket", "taken"]);
        drop(socket);
        assert!(Output::create(&dir.path().join("no/such")).is_err());
    }
}
