//! The helper: a process between the caller and the room, with one thread, so it may fork.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal, WaitOptions};

use crate::channel::Channel;
use crate::identity::Ground;
use crate::report::{Error, Finished, Memory, Owners, Report, Status, Step as _};
use crate::spec::Room;
use crate::watch::{Watch, Watched};
use crate::{identity, init, scratch, sys, usage};

/// What a helper does: reads the room from its standard input, after the length as eight bytes, writes the log to its standard
/// error, and the answer to its standard output.
pub(crate) fn live(starter: Pid, owners: Option<OwnedFd>) -> ExitCode {
    let answer = help(starter, owners);
    let said = serde_json::to_vec(&answer).map(|bytes| io::stdout().write_all(&bytes));
    if matches!(said, Ok(Ok(()))) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn help(starter: Pid, owners: Option<OwnedFd>) -> Result<Report, Error> {
    rustix::process::umask(Mode::empty());
    let mut caller = File::from(duplicate(io::stdin())?);
    let mut room = read_room(&mut caller).step("read what the caller wants")?;
    let (ground, scratch) = prepare(&mut room, owners)?;
    identity::enter_namespaces()?;
    tie_to(starter)?;

    let (ours, theirs) = Channel::pair().step("open a channel to PID 1")?;
    let (output, written) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).step("open a pipe for output")?;
    rustix::fs::fcntl_setfl(&output, OFlags::NONBLOCK).step("open a pipe for output")?;
    let mut watch = Watch {
        limits: room.limits,
        commands: room.commands.len(),
        channel: ours,
        output: output.into(),
        log: File::from(duplicate(io::stderr())?),
        caller,
        scratch,
        logged: 0,
    };
    let own = rustix::process::getpid();
    let own = rustix::process::pidfd_open(own, PidfdFlags::empty()).step("open the helper as a file")?;
    let Some(init) = sys::fork().step("start PID 1")? else {
        drop(watch);
        let lived = init::live(&room, ground, own, &theirs, written);
        std::process::exit(lived.is_err().into());
    };
    drop((theirs, written));
    let watched = identity::make_network().and_then(|()| watch.keep());
    // Unless something is wrong, PID 1 is at its end already.
    rustix::process::kill_process(init, Signal::KILL).step("end the room")?;
    let watched = watched.and_then(|watched| watch.close(watched));
    wait_for(init).step("wait for the end of the room")?;
    Ok(report(watched?, ground.owners))
}

fn duplicate(fd: impl std::os::fd::AsFd) -> Result<OwnedFd, Error> {
    fd.as_fd().try_clone_to_owned().step("duplicate a descriptor")
}

fn read_room(from: &mut File) -> io::Result<Room> {
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let mut text = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    from.take(length).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Makes the scratch directory ours and the current one, and ceases to be root.
fn prepare(room: &mut Room, owners: Option<OwnedFd>) -> Result<(Ground, OwnedFd), Error> {
    let files = rustix::process::getrlimit(Resource::Nofile).maximum;
    let all = Rlimit { current: files, maximum: files };
    rustix::process::setrlimit(Resource::Nofile, all).step("allow more open files")?;
    // The kernel refuses a directory that occurs twice; the upper occurrence covers all of the lower one.
    let mut seen = BTreeSet::new();
    let mut layers: Vec<PathBuf> = room.layers.drain(..).rev().filter(|layer| seen.insert(layer.clone())).collect();
    layers.reverse();
    let step = format!("use the scratch directory {}", room.scratch.display());
    rustix::process::chdir(&room.scratch).step(&step)?;
    rustix::fs::chmod(".", Mode::RWXU).step(&step)?;
    let scratch = usage::open_scratch().step(&step)?;
    let ground = identity::leave_root(layers, room.build_id, owners)?;
    scratch::furnish(scratch.as_fd())?;
    Ok((ground, scratch))
}

/// Dies with the starter, which ends with the caller. It may have ended before that.
fn tie_to(starter: Pid) -> Result<(), Error> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).step("die with the caller")?;
    if rustix::process::getppid() == Some(starter) {
        return Ok(());
    }
    Err(Error::Failed { step: "die with the caller".into(), cause: "it is gone already".into() })
}

fn wait_for(init: Pid) -> rustix::io::Result<()> {
    loop {
        match rustix::process::waitpid(Some(init), WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            result => return result.map(drop),
        }
    }
}

fn report(watched: Watched, owners: Owners) -> Report {
    let Watched { mut commands, stopped, overlay } = watched;
    // What was cut off could not say what it used: it is what the others did not.
    let sum = |time: fn(&Finished) -> Duration| commands.iter().map(time).sum::<Duration>();
    let (user, system) = (sum(|command| command.user), sum(|command| command.system));
    if let Some(last) = commands.last_mut().filter(|last| last.status == Status::Stopped) {
        let (all_user, all_system) = sys::children_time();
        (last.user, last.system) = (all_user.saturating_sub(user), all_system.saturating_sub(system));
    }
    Report { commands, stopped, overlay, owners, memory: Memory::Polled }
}
