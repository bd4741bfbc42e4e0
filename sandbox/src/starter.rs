//! The starter: a process that starts helpers. It is the calling program, started again under another name, which takes about
//! as long as all else of a room together; so that happens once, and every helper is a fork of it. It has one thread, so it
//! may fork, and it ends when the caller's end of their channel is closed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use rustix::process::{PidfdFlags, WaitOptions};
use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::report::{Error, Step as _};
use crate::{helper, identity, sys};

/// The name under which a program is a starter.
const NAME: &str = "clnstrt-sandbox";

/// Asks for a helper. Its standard input, output and error come with this.
#[derive(Debug, Serialize, Deserialize)]
struct Start {
    /// As [`crate::Room::build_id`].
    build_id: u32,
}

/// The process id of a helper. The process as a descriptor comes with it.
type Started = Result<u32, Error>;

/// The caller's side.
#[derive(Debug)]
pub(crate) struct Starter {
    channel: Channel,
    process: Child,
}

impl Starter {
    pub(crate) fn new(program: &Path) -> io::Result<Self> {
        let (channel, theirs) = Channel::pair()?;
        let mut command = Command::new(program);
        command.arg0(NAME).env_clear().stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { channel, process: command.spawn()? })
    }

    /// Asks for a helper with these as its standard input, output and error. Fails if the starter is gone.
    pub(crate) fn ask(&self, build_id: u32, standard: [BorrowedFd<'_>; 3]) -> io::Result<()> {
        self.channel.say(&Start { build_id }, &standard)
    }

    /// The helper that was asked for: its process id, and the process as a descriptor.
    pub(crate) fn answer(&self) -> Result<(u32, OwnedFd), Error> {
        let step = "start the helper";
        let (started, fds) = self.channel.hear::<Started>().step(step)?.unzip();
        let process = started.unwrap_or_else(|| Err(gone(step)))?;
        Ok((process, fds.into_iter().flatten().next().ok_or_else(|| gone(step))?))
    }
}

fn gone(step: &str) -> Error {
    Error::Failed { step: step.into(), cause: "the process that starts it is gone".into() }
}

impl Drop for Starter {
    fn drop(&mut self) {
        // No helper runs any more: each was waited for. What they used counts as used by this process then.
        let _ = self.channel.close();
        let _ = self.process.wait();
    }
}

/// Does the starter's work, if this process was started as one by [`crate::run`]; then `main` has to return what this returns.
/// To be called before anything else in `main`, as long as there is one thread.
pub fn entered() -> Option<ExitCode> {
    if std::env::args_os().next()? != NAME {
        return None;
    }
    Some(serve().unwrap_or(ExitCode::FAILURE))
}

/// Starts helpers as long as the caller lives. Each helper returns from this too.
fn serve() -> io::Result<ExitCode> {
    sys::close_inherited()?;
    // Whoever ends the caller from a terminal ends the helpers through it, after what it still wants to do.
    let _ = rustix::process::setsid();
    rustix::process::chdir("/")?;
    let channel = Channel::from(io::stdin().as_fd().try_clone_to_owned()?);
    let own = rustix::process::getpid();
    let mut owners = BTreeMap::new();
    while let Some((Start { build_id }, standard)) = channel.hear()? {
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
        let Ok([input, output, log]) = <[OwnedFd; 3]>::try_from(standard) else { break };
        if rustix::process::geteuid().is_root()
            && let Entry::Vacant(vacant) = owners.entry(build_id)
            && let Ok(namespace) = identity::map_owner(identity::ROOT, build_id)
        {
            vacant.insert(namespace);
        }
        let helper = match sys::fork() {
            Ok(None) => {
                drop(channel);
                rustix::stdio::dup2_stdin(input)?;
                rustix::stdio::dup2_stdout(output)?;
                rustix::stdio::dup2_stderr(log)?;
                return Ok(helper::live(own, owners.remove(&build_id)));
            }
            Ok(Some(helper)) => rustix::process::pidfd_open(helper, PidfdFlags::empty()).map(|fd| (helper, fd)),
            Err(error) => Err(rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::AGAIN)),
        };
        match helper.step("start the helper") {
            Ok((helper, fd)) => {
                channel.say(&Started::Ok(helper.as_raw_nonzero().get().unsigned_abs()), &[fd.as_fd()])?
            }
            Err(error) => channel.say(&Started::Err(error), &[])?,
        }
    }
    while let Ok(Some(_)) = rustix::process::wait(WaitOptions::empty()) {}
    Ok(ExitCode::SUCCESS)
}
