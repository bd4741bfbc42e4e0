//! The room's PID 1: makes the room's files, gives up its powers, and runs the commands.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::Access;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};

use crate::channel::{Channel, Said};
use crate::confine::confine;
use crate::identity::Ground;
use crate::report::{Error, Overlay, Status};
use crate::spec::Room;
use crate::{identity, mounts, sys};

/// Bytes of a program's name in a message.
const NAME: usize = 200;

/// Everything PID 1 does. `output` is where commands write to; standard input, output and error are replaced.
pub(crate) fn live(
    room: &Room,
    ground: Ground,
    helper: OwnedFd,
    channel: &Channel,
    output: OwnedFd,
) -> std::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The helper may have died before that.
    if channel.alone()? {
        return Ok(());
    }
    // What the caller gave to the helper is not for the room. Words of a panic belong to the commands' output.
    rustix::stdio::dup2_stdin(&output)?;
    rustix::stdio::dup2_stdout(&output)?;
    rustix::stdio::dup2_stderr(&output)?;
    match make(room, ground, helper, channel) {
        Err(error) => return channel.say(&Said::Failed(error), &[]),
        Ok((overlay, proc)) => channel.say(&Said::Ready { overlay }, &[proc.as_fd()])?,
    }
    for (number, command) in room.commands.iter().enumerate() {
        // The helper takes the log of one command before the next begins.
        if number > 0 && !channel.may_go() {
            break;
        }
        let done = run(command, room, &output);
        let failed = !matches!(&done, Said::Done { status: Status::Exited(0), .. });
        channel.say(&done, &[])?;
        if failed {
            break;
        }
    }
    Ok(())
}

fn make(room: &Room, ground: Ground, helper: OwnedFd, channel: &Channel) -> Result<(Overlay, OwnedFd), Error> {
    let made = mounts::enter(ground.layers, ground.owners)?;
    if !channel.may_go() {
        return Err(Error::Failed { step: "wait for the room's network".into(), cause: "the helper is gone".into() });
    }
    identity::join_network(helper.as_fd())?;
    confine(&room.limits)?;
    Ok(made)
}

fn run(command: &[String], room: &Room, output: &OwnedFd) -> Said {
    let start = Instant::now();
    let (user, system) = sys::children_time();
    let status = match start_command(command, room, output) {
        Ok(pid) => wait_for(pid),
        Err(cause) => Status::NotStarted(cause),
    };
    let wall = start.elapsed();
    let left = end_the_rest();
    let (user_after, system_after) = sys::children_time();
    let spent = |after: Duration, before| after.saturating_sub(before);
    Said::Done { status, user: spent(user_after, user), system: spent(system_after, system), wall, left }
}

/// Starts a command. What the system says of a failure has no name in it, so one is put before it.
fn start_command(command: &[String], room: &Room, output: &OwnedFd) -> Result<Pid, String> {
    let (name, arguments) = command.split_first().ok_or("the command is empty")?;
    rustix::process::chdir(&room.workdir).map_err(|error| format!("{}: {error}", cut(&room.workdir)))?;
    let program = find(name, room.env.get("PATH").map(String::as_str))?;
    let pipe = || output.try_clone().map(Stdio::from).map_err(|error| error.to_string());
    let mut process = Command::new(&program);
    process.args(arguments).env_clear().envs(&room.env).stdin(Stdio::null()).stdout(pipe()?).stderr(pipe()?);
    std::os::unix::process::CommandExt::arg0(&mut process, name);
    let child = process.spawn().map_err(|error| format!("{}: {error}", cut(name)))?;
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| "it has no process id".to_owned())
}

/// The file of a program, as a shell would find it.
fn find(name: &str, path: Option<&str>) -> Result<PathBuf, String> {
    if name.contains('/') {
        return Ok(name.into());
    }
    let path = path.ok_or_else(|| format!("{}: cannot be looked up, for there is no PATH", cut(name)))?;
    let candidates = path.split(':').map(|dir| Path::new(if dir.is_empty() { "." } else { dir }).join(name));
    let is_program = |file: &PathBuf| file.is_file() && rustix::fs::access(file, Access::EXEC_OK).is_ok();
    candidates.into_iter().find(is_program).ok_or_else(|| format!("{}: not found in PATH={}", cut(name), cut(path)))
}

fn cut(text: &str) -> String {
    text.chars().take(NAME).collect()
}

/// Waits for a command, and for every orphan that ends before it.
fn wait_for(command: Pid) -> Status {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == command => return outcome(status),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Status::NotStarted(format!("cannot be waited for: {error}")),
        }
    }
}

fn outcome(status: WaitStatus) -> Status {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Status::Exited(code),
        (None, Some(signal)) => Status::Signal(signal),
        (None, None) => Status::Signal(0),
    }
}

/// Ends everything else in the room, and waits until it is gone. Answers how many processes that were.
fn end_the_rest() -> u64 {
    // Orphans are children of PID 1, so if it has none, there is nobody.
    if matches!(rustix::process::wait(WaitOptions::NOHANG), Err(Errno::CHILD)) {
        return 0;
    }
    let left = processes();
    // The group of PID 1 is written -1 in kill(2), which means: every process.
    let _ = rustix::process::kill_process_group(Pid::INIT, Signal::KILL);
    while !matches!(rustix::process::wait(WaitOptions::empty()), Err(error) if error != Errno::INTR) {}
    left
}

/// How many processes there are besides this one.
fn processes() -> u64 {
    let Ok(entries) = std::fs::read_dir("/proc") else { return 0 };
    let is_other = |name: &str| name != "1" && name.starts_with(|c: char| c.is_ascii_digit());
    entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_other)).count() as u64
}
