//! What discovery looks at, so that tests can put another machine in its place.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const OUTPUT_LIMIT: u64 = 16 << 20;
const FILE_LIMIT: u64 = 1 << 20;

pub(super) trait Machine: Send + Sync {
    /// An environment variable that is not empty.
    fn env(&self, name: &str) -> Option<String>;
    /// A text file.
    fn read(&self, path: &Path) -> Option<String>;
    /// What a command prints, if it is there and succeeds.
    fn run(&self, command: &[&str]) -> Option<String>;
    /// The user's configuration directory.
    fn config_dir(&self) -> Option<PathBuf>;
}

/// This machine.
pub(super) struct Here {
    /// A client that takes longer is treated as absent.
    pub(super) time_limit: Duration,
}

impl Machine for Here {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    fn read(&self, path: &Path) -> Option<String> {
        let mut text = String::new();
        std::fs::File::open(path).ok()?.take(FILE_LIMIT).read_to_string(&mut text).ok()?;
        Some(text)
    }

    fn run(&self, command: &[&str]) -> Option<String> {
        let (program, args) = command.split_first()?;
        let mut child = Command::new(program)
            .args(args)
            .env("LC_ALL", "C")
            .env("COLUMNS", "1000")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .ok()?;
        let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw)?;
        let output = child.stdout.take()?;
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = output.take(OUTPUT_LIMIT).read_to_end(&mut bytes);
            let succeeded = child.wait().is_ok_and(|status| status.success());
            let _ = sender.send((read.is_ok() && succeeded).then_some(bytes));
        });
        match receiver.recv_timeout(self.time_limit) {
            Ok(bytes) => String::from_utf8(bytes?).ok(),
            Err(_) => {
                // Wrapper scripts start the real client: the whole group goes.
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
                None
            }
        }
    }

    fn config_dir(&self) -> Option<PathBuf> {
        super::config_dir()
    }
}
