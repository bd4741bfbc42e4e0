//! The helper's watch over a room: keeps the log, and ends the room when it exceeds a limit.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use crate::channel::{Channel, Said};
use crate::report::{Error, Finished, Overlay, Status, Step as _, Stopped};
use crate::spec::Limits;
use crate::usage;

/// How long after the start the first look is taken, and how far looks are apart in the end.
const FIRST: Duration = Duration::from_millis(10);
const LATER: Duration = Duration::from_millis(100);
/// Counting files takes at most this part of the time.
const COUNTING: u32 = 100;
const CHUNK: usize = 64 << 10;

/// What the watch ended with; PID 1 may still be alive.
pub(crate) struct Watched {
    pub(crate) commands: Vec<Finished>,
    pub(crate) stopped: Option<Stopped>,
    pub(crate) overlay: Overlay,
}

pub(crate) struct Watch {
    pub(crate) limits: Limits,
    /// How many commands there are.
    pub(crate) commands: usize,
    pub(crate) channel: Channel,
    /// What the commands write comes out here; it never blocks.
    pub(crate) output: File,
    pub(crate) log: File,
    /// From the caller: anything it says means that the kernel saw the room exceed its memory.
    pub(crate) caller: File,
    pub(crate) scratch: OwnedFd,
    /// Bytes of log so far.
    pub(crate) logged: u64,
}

/// Who has something to read, or is gone.
struct Ready {
    channel: bool,
    output: bool,
    caller: bool,
}

impl Watch {
    /// Lets PID 1 go on, and watches to the end of the last command, or to the first failure or excess.
    pub(crate) fn keep(&mut self) -> Result<Watched, Error> {
        self.channel.go().step("let PID 1 enter the network")?;
        let (overlay, proc) = match self.channel.hear().step("wait for the room")? {
            Some((Said::Ready { overlay }, fds)) => (overlay, fds),
            Some((Said::Failed(error), _)) => return Err(error),
            _ => return Err(died("while it made the room")),
        };
        let proc = proc.first().ok_or_else(|| died("without the room's /proc"))?;
        let mut watched = Watched { commands: Vec::new(), stopped: None, overlay };
        let start = Instant::now();
        // A time nobody will see is as good as none.
        let end = start + Duration::from_secs(self.limits.seconds.min(1 << 32));
        let mut apart = FIRST;
        let mut next_look = start + apart;
        let mut next_count = next_look;
        let mut begun = (start, 0);
        let mut running = true;
        while running && watched.stopped.is_none() {
            let now = Instant::now();
            if now >= end {
                watched.stopped = Some(Stopped::Time);
            } else if now >= next_look {
                let used = usage::processes(proc).step("look at the room's processes")?;
                watched.stopped = self.excess(used);
                if now >= next_count && watched.stopped.is_none() {
                    watched.stopped = self.count()?;
                    next_count = now + (now.elapsed() * COUNTING).max(LATER);
                }
                let near = used.tasks > self.limits.processes / 2 || used.memory > self.limits.memory / 2;
                apart = if near { FIRST } else { (apart * 2).min(LATER) };
                next_look = now + apart;
            } else {
                let ready = self.wait(next_look.min(end).saturating_duration_since(now))?;
                if ready.caller {
                    watched.stopped = Some(Stopped::Memory);
                }
                // When PID 1 says that a command is done, all that it wrote is in the pipe and nobody writes any more.
                if (ready.output || ready.channel) && !self.copy(ready.channel)? {
                    watched.stopped = Some(Stopped::Log);
                }
                if !ready.channel {
                    continue;
                }
                let Some((Said::Done { status, user, system, wall, left }, _)) =
                    self.channel.hear().step("wait for a command")?
                else {
                    return Err(died("while a command ran"));
                };
                if left > self.limits.processes {
                    watched.stopped = Some(Stopped::Processes);
                }
                running = status == Status::Exited(0) && watched.commands.len() + 1 < self.commands;
                watched.commands.push(Finished { status, log: begun.1..self.logged, user, system, wall });
                begun = (Instant::now(), self.logged);
                if watched.stopped.is_some() {
                    return Ok(watched);
                }
                if running {
                    self.channel.go().step("let the next command start")?;
                }
            }
        }
        if running {
            let log = begun.1..self.logged;
            let (user, system, wall) = (Duration::ZERO, Duration::ZERO, begun.0.elapsed());
            watched.commands.push(Finished { status: Status::Stopped, log, user, system, wall });
        }
        Ok(watched)
    }

    /// The last look, when nothing writes any more.
    pub(crate) fn close(&self, mut watched: Watched) -> Result<Watched, Error> {
        if watched.stopped.is_none() {
            watched.stopped = self.count()?;
        }
        Ok(watched)
    }

    /// Waits until somebody has something.
    fn wait(&self, at_most: Duration) -> Result<Ready, Error> {
        let mut fds = [self.channel.fd(), self.output.as_fd(), self.caller.as_fd()]
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        let timeout = Timespec {
            tv_sec: i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: at_most.subsec_nanos().into(),
        };
        match rustix::event::poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).step("wait for the room"),
        }
        let [channel, output, caller] = fds.map(|fd| !fd.revents().is_empty());
        Ok(Ready { channel, output, caller })
    }

    /// Copies what the commands wrote to the log: a piece, or all there is. `false` when that is more than allowed.
    fn copy(&mut self, all: bool) -> Result<bool, Error> {
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = match self.output.read(&mut chunk) {
                Ok(0) => return Ok(true),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error).step("read what the commands wrote"),
            };
            let room = self.limits.log - self.logged;
            let kept = room.min(read as u64);
            let bytes = usize::try_from(kept).ok().and_then(|kept| chunk.get(..kept)).unwrap_or(&chunk);
            self.log.write_all(bytes).step("write the log")?;
            self.logged += kept;
            if read as u64 > room {
                return Ok(false);
            }
            if !all {
                return Ok(true);
            }
        }
    }

    fn excess(&self, used: usage::Processes) -> Option<Stopped> {
        if used.tasks > self.limits.processes {
            Some(Stopped::Processes)
        } else {
            (used.memory > self.limits.memory).then_some(Stopped::Memory)
        }
    }

    /// Whether too much was written to the scratch directory.
    fn count(&self) -> Result<Option<Stopped>, Error> {
        let written = usage::written(self.scratch.as_fd(), self.limits.written).step("count what was written")?;
        Ok((written > self.limits.written).then_some(Stopped::Written))
    }
}

fn died(when: &str) -> Error {
    Error::Failed { step: "run the room".into(), cause: format!("its PID 1 ended {when}") }
}
