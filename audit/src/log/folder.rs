//! The files of a log, which appear whole or not at all and are on the disk before the next one is written.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::{Finding, codes};
use rustix::fs::{FlockOperation, OFlags};

/// Where the lock is taken.
const LOCK: &str = "lock";
/// Whoever writes a line is done sooner than this.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is written before it gets its name. Whoever writes has the lock, so one name is enough, and a kill leaves no more
/// than one such file.
const NEW: &str = "new";

/// The folder of a log.
pub(crate) struct Folder {
    root: PathBuf,
    /// How many more changes there are before the folder's power is cut.
    #[cfg(test)]
    pub(crate) steps: std::sync::atomic::AtomicUsize,
}

impl Folder {
    /// The folder at a place.
    pub(crate) fn at(dir: &Path) -> Self {
        Self {
            root: dir.to_owned(),
            #[cfg(test)]
            steps: usize::MAX.into(),
        }
    }

    /// Makes the folder if it is not there, for its owner alone.
    pub(crate) fn make(dir: &Path) -> Result<Self, Finding> {
        let made = || {
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
            // Relative paths would follow a later change of the working directory.
            dir.canonicalize()
        };
        Ok(Self::at(&made().map_err(|e| unusable(dir, "cannot be made", &e))?))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Waits until nobody else uses the log. The lock is the kernel's: it ends with the process that has it.
    pub(crate) fn lock_alone(&self) -> Result<File, Finding> {
        let path = self.path(LOCK);
        let locked = || {
            // Neither is a pipe waited for, nor is a link followed out of the folder.
            let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
            let mut options = OpenOptions::new();
            options.create(true).write(true).truncate(false).mode(0o600).custom_flags(flags.bits().cast_signed());
            let file = options.open(&path)?;
            if !file.metadata()?.is_file() {
                return Err(io::Error::other("it is no file"));
            }
            wait(&file, FlockOperation::NonBlockingLockExclusive)?;
            Ok(file)
        };
        locked().map_err(|e| unusable(&path, "cannot be locked", &e))
    }

    /// Waits until nobody writes. A copy of a log has no lock, and nobody writes there.
    pub(crate) fn lock_shared(&self) -> Result<Option<File>, Finding> {
        let path = self.path(LOCK);
        let locked = || {
            let Some(file) = open(&path)? else { return Ok(None) };
            wait(&file, FlockOperation::NonBlockingLockShared)?;
            Ok(Some(file))
        };
        locked().map_err(|e| unusable(&path, "cannot be locked", &e))
    }

    /// Sees whether files can be written, and lines added.
    pub(crate) fn is_writable(&self, lines: &str) -> Result<(), Finding> {
        let path = self.path(NEW);
        let written = || {
            OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&path)?;
            fs::remove_file(&path)?;
            match OpenOptions::new().append(true).open(self.path(lines)) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
                opened => opened.map(drop),
            }
        };
        written().map_err(|e: io::Error| unusable(&self.root, "cannot be written", &e))
    }

    /// Opens a file, if it is there.
    pub(crate) fn open(&self, name: &str) -> Result<Option<File>, Finding> {
        let path = self.path(name);
        open(&path).map_err(|e| unusable(&path, "cannot be read", &e))
    }

    /// A file's bytes, if it is there; of one that is larger than `most`, one byte more than that.
    pub(crate) fn read(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>, Finding> {
        let Some(file) = self.open(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = file.take(most + 1).read_to_end(&mut bytes);
        read.map_err(|e| unusable(&self.path(name), "cannot be read", &e))?;
        Ok(Some(bytes))
    }

    /// Gives a file new bytes.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Finding> {
        let path = self.path(name);
        let written = || {
            self.step()?;
            let new = self.path(NEW);
            let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            self.step()?;
            let dir = path.parent().unwrap_or(&self.root);
            self.make_parents(dir)?;
            self.step()?;
            fs::rename(&new, &path)?;
            File::open(dir)?.sync_all()
        };
        written().map_err(|e| unusable(&path, "cannot be written", &e))
    }

    /// Folders of tiles. They are on the disk before there is something in them.
    fn make_parents(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        for above in dir.ancestors().skip(1).take_while(|above| above.starts_with(&self.root)) {
            File::open(above)?.sync_all()?;
        }
        Ok(())
    }

    /// Adds bytes at the end of a file.
    pub(crate) fn append(&self, name: &str, bytes: &[u8]) -> Result<(), Finding> {
        let path = self.path(name);
        let written = || {
            self.step()?;
            let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            File::open(&self.root)?.sync_all()
        };
        written().map_err(|e| unusable(&path, "cannot be written", &e))
    }

    /// Removes a file, if it is there, and its folder if that is empty then.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Finding> {
        let path = self.path(name);
        let removed = self.step().and_then(|()| match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => {
                let _ = path.parent().map(fs::remove_dir); // refused where there is more
                Ok(())
            }
        });
        removed.map_err(|e| unusable(&path, "cannot be removed", &e))
    }

    /// A change of the folder. Tests end a writer here, as a kill would.
    #[cfg(not(test))]
    fn step(&self) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn step(&self) -> io::Result<()> {
        use std::sync::atomic::Ordering::Relaxed;
        let left = self.steps.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| io::Error::other("killed"))
    }
}

/// Only regular files are read, so that a pipe nobody writes to is not waited for.
fn open(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        opened => opened?,
    };
    if file.metadata()?.is_file() { Ok(Some(file)) } else { Err(io::Error::other("it is no regular file")) }
}

/// The finding for a log that is not what it should be.
pub(crate) fn broken(what: impl Into<String>) -> Finding {
    Finding::error(codes::AUDIT_BROKEN, what)
        .help("Keep the folder as it is for whoever finds out what happened, and begin a new audit trail elsewhere.")
}

/// The finding for a read or write that failed.
pub(crate) fn unusable(path: &Path, what: &str, error: &io::Error) -> Finding {
    Finding::error(codes::AUDIT_UNUSABLE, format!("the audit trail: {} {what}", path.display()))
        .because(error.to_string())
        .help("Check the disk and who may write there, or name another folder.")
}

/// Takes a lock that somebody else may have for a while.
fn wait(file: &File, operation: FlockOperation) -> io::Result<()> {
    let started = Instant::now();
    loop {
        match rustix::fs::flock(file, operation) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::WOULDBLOCK) if started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(io::Error::other("somebody else has it")),
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}
