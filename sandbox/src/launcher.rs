//! The caller's side.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use crate::cgroup::Group;
use crate::mounts::MOST_LAYERS;
use crate::report::{Error, Report, Step as _, Stopped};
use crate::spec::Room;
use crate::starter::Starter;

/// When a room gets a control group: moving into one takes longer than many commands run.
const SHORT: Duration = Duration::from_millis(20);
/// How often the group is looked at.
const OFTEN: Duration = Duration::from_millis(50);

/// How helpers are started.
#[derive(Debug)]
pub struct Launcher {
    program: PathBuf,
    /// Started for the first room.
    starter: Mutex<Option<Starter>>,
}

impl Default for Launcher {
    /// Helpers of the calling program itself.
    fn default() -> Self {
        Self::new("/proc/self/exe".into())
    }
}

/// The caller's view of a helper.
struct Helper {
    id: u32,
    process: OwnedFd,
    input: File,
    answer: File,
}

impl Launcher {
    /// Helpers of a program that begins with [`crate::entered`].
    pub fn new(program: PathBuf) -> Self {
        Self { program, starter: Mutex::default() }
    }

    /// Starts a helper and tells it its task.
    fn start(&self, build_id: u32, task: &[u8], log: &File) -> Result<Helper, Error> {
        let (theirs, input) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).step("open a pipe to the helper")?;
        let (answer, written) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).step("open a pipe from the helper")?;
        let mut input = File::from(input);
        let mut place = self.starter.lock().unwrap_or_else(PoisonError::into_inner);
        let standard = [theirs.as_fd(), written.as_fd(), log.as_fd()];
        let starter = match place.take() {
            Some(starter) if starter.ask(build_id, standard).is_ok() => starter,
            // There is none yet, or somebody ended it.
            _ => {
                let step = format!("start {}", self.program.display());
                let starter = Starter::new(&self.program).step(&step)?;
                starter.ask(build_id, standard).step(&step)?;
                starter
            }
        };
        let starter = place.insert(starter);
        drop((theirs, written));
        // A helper that is gone is seen by its missing answer.
        let _ = input.write_all(&(task.len() as u64).to_le_bytes()).and_then(|()| input.write_all(task));
        let (id, process) = starter.answer()?;
        Ok(Helper { id, process, input, answer: answer.into() })
    }
}

/// Runs the commands of a room, one after another until one fails or a limit is exceeded. What they print is written to
/// `log`, a regular file. Everything of the room but its scratch directory is gone when this returns, and when the caller
/// dies before.
///
/// A command that fails, cannot be started or exceeds a limit is no error: the report says so.
pub fn run(launcher: &Launcher, room: &Room, log: File) -> Result<Report, Error> {
    check(room)?;
    let mut room = room.clone();
    // The room is made elsewhere, so names have to lead from the root directory.
    for path in room.layers.iter_mut().chain([&mut room.scratch]) {
        *path = std::path::absolute(&path).step(&format!("find {}", path.display()))?;
    }
    let task = serde_json::to_vec(&room).step("describe the room")?;
    let mut helper = launcher.start(room.build_id, &task, &log)?;
    let answer = helper.answer(room.limits.memory);
    let ended = helper.ended();
    let (answer, group) = answer?;
    ended?;
    let Ok(answer) = serde_json::from_slice::<Result<Report, Error>>(&answer) else {
        return Err(Error::Failed { step: "run the helper".into(), cause: "it ended without an answer".into() });
    };
    let Some(group) = group else { return answer };
    let mut report = match answer {
        // PID 1 itself may be what the kernel chose to end.
        Err(_) if group.exceeded() => {
            let cause = "it exceeded its memory before anything could be said of it";
            return Err(Error::Failed { step: "run the room".into(), cause: cause.into() });
        }
        answer => answer?,
    };
    report.memory = group.version();
    if group.exceeded() {
        report.stopped.get_or_insert(Stopped::Memory);
    }
    Ok(report)
}

fn check(room: &Room) -> Result<(), Error> {
    let wrong = |cause: &str| Err(Error::Failed { step: "read what the room is".into(), cause: cause.into() });
    if room.commands.is_empty() || room.commands.iter().any(Vec::is_empty) {
        return wrong("a command is missing");
    }
    if room.layers.len() > MOST_LAYERS {
        return wrong(&format!("{} layers are more than {MOST_LAYERS}, the most an overlay takes", room.layers.len()));
    }
    if !room.workdir.starts_with('/') {
        return wrong(&format!("the working directory {} is no absolute path", room.workdir));
    }
    Ok(())
}

impl Helper {
    /// Reads the answer, and has the kernel hold the limit of memory meanwhile.
    fn answer(&mut self, memory: u64) -> Result<(Vec<u8>, Option<Group>), Error> {
        let mut group = None;
        if !readable(&self.answer, Some(SHORT))? {
            group = Group::around(self.id, memory);
            while let Some(group) = group.as_mut()
                && !readable(&self.answer, Some(OFTEN))?
            {
                group.gather();
                if group.exceeded() {
                    // Anything it is told now means this.
                    let _ = self.input.write_all(b"m");
                    break;
                }
            }
        }
        let mut answer = Vec::new();
        self.answer.read_to_end(&mut answer).step("read the helper's answer")?;
        Ok((answer, group))
    }

    /// Waits until the process is gone, and its mounts with it.
    fn ended(&self) -> Result<(), Error> {
        while !readable(&self.process, None)? {}
        Ok(())
    }
}

/// Whether there is something to read, or will be in the given time.
fn readable(file: &impl AsFd, at_most: Option<Duration>) -> Result<bool, Error> {
    let mut fds = [PollFd::new(file, PollFlags::IN)];
    let timeout = at_most.map(|time| Timespec { tv_sec: 0, tv_nsec: time.subsec_nanos().into() });
    match rustix::event::poll(&mut fds, timeout.as_ref()) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error).step("wait for the helper"),
    }
}
