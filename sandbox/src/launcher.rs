//! The caller's side.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use crate::cgroup::Group;
use crate::helper::{NAME, Task};
use crate::mounts::MOST_LAYERS;
use crate::report::{Error, Report, Step as _, Stopped};
use crate::spec::Room;

/// When a room gets a control group: moving into one takes longer than many commands run.
const SHORT: Duration = Duration::from_millis(20);
/// How often the group is looked at.
const OFTEN: Duration = Duration::from_millis(50);

/// How helpers are started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launcher {
    /// A program that begins with [`crate::entered`].
    pub program: PathBuf,
}

impl Default for Launcher {
    /// The calling program itself.
    fn default() -> Self {
        Self { program: "/proc/self/exe".into() }
    }
}

/// Runs the commands of a room, one after another until one fails or a limit is exceeded. What they print is written to
/// `log`, a regular file. Everything of the room but its scratch directory is gone when this returns, and when the caller
/// or the calling thread dies before.
///
/// A command that fails, cannot be started or exceeds a limit is no error: the report says so.
pub fn run(launcher: &Launcher, room: &Room, log: File) -> Result<Report, Error> {
    check(room)?;
    let mut room = room.clone();
    // The room is made elsewhere, so names have to lead from the root directory.
    for path in room.layers.iter_mut().chain([&mut room.scratch]) {
        *path = std::path::absolute(&path).step(&format!("find {}", path.display()))?;
    }
    let memory = room.limits.memory;
    let task = Task { room, caller: std::process::id() };
    let task = serde_json::to_vec(&task).step("describe the room")?;
    let mut command = Command::new(&launcher.program);
    command.arg0(NAME).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
    let mut child = command.spawn().step(&format!("start {}", launcher.program.display()))?;
    let answer = converse(&mut child, &task, memory);
    let status = child.wait().step("wait for the helper")?;
    let (answer, group) = answer?;
    let Ok(answer) = serde_json::from_slice::<Result<Report, Error>>(&answer) else {
        return Err(Error::Failed { step: "run the helper".into(), cause: format!("it ended with {status}") });
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

/// Tells the helper its task, and reads its answer.
fn converse(child: &mut Child, task: &[u8], memory: u64) -> Result<(Vec<u8>, Option<Group>), Error> {
    let helper = child.id();
    let (Some(mut stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Error::Failed { step: "start the helper".into(), cause: "it has no pipes".into() });
    };
    // A helper that is gone is seen by its missing answer.
    let _ = stdin.write_all(&(task.len() as u64).to_le_bytes()).and_then(|()| stdin.write_all(task));
    let mut group = None;
    if !answered(&stdout, SHORT)? {
        group = Group::around(helper, memory);
        while let Some(group) = group.as_mut()
            && !answered(&stdout, OFTEN)?
        {
            group.gather();
            if group.exceeded() {
                warn(&mut stdin);
                break;
            }
        }
    }
    let mut answer = Vec::new();
    stdout.read_to_end(&mut answer).step("read the helper's answer")?;
    Ok((answer, group))
}

/// Tells the helper that the room exceeded its memory.
fn warn(stdin: &mut ChildStdin) {
    let _ = stdin.write_all(b"m");
}

fn answered(stdout: &ChildStdout, at_most: Duration) -> Result<bool, Error> {
    let mut fds = [PollFd::new(stdout, PollFlags::IN)];
    let timeout = Timespec { tv_sec: 0, tv_nsec: at_most.subsec_nanos().into() };
    match rustix::event::poll(&mut fds, Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error).step("wait for the helper"),
    }
}
