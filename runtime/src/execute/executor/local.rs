//! Sandboxes on this machine.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::PathBuf;

use model::plan::OUT;
use model::{Arch, Finding, codes};
use sandbox::{Error, Launcher, Report, Room, Status, Stopped};

use super::super::{Context, Object};
use super::{Commands, Executor, Ran, captured, laid_out};

pub use sandbox::Limits;

/// How many lines of a failed command's output a finding shows.
const SHOWN: usize = 12;
/// And at most so many bytes of them.
const SHOWN_BYTES: u64 = 4 << 10;

/// The executor `local`.
pub(super) struct Local {
    launcher: Launcher,
    limits: Limits,
}

impl Local {
    pub(super) fn new(program: PathBuf, limits: Limits) -> Self {
        Self { launcher: Launcher::new(program), limits }
    }
}

/// What a step may use on this machine: more than any build should need, and less than would take the machine with it.
pub fn limits() -> Limits {
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let kilobytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        kilobytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    });
    Limits {
        seconds: 4 * 60 * 60,
        processes: 8192,
        memory: total.map_or(8 << 30, |kilobytes| kilobytes * 1024 / 4 * 3),
        written: 64 << 30,
        log: 256 << 20,
    }
}

impl Executor for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn rooms(&self) -> &'static [(&'static str, &'static str)] {
        &sandbox::PROMISES
    }

    fn runs(&self, arch: Arch) -> bool {
        arch == if cfg!(target_arch = "aarch64") { Arch::Arm64 } else { Arch::Amd64 }
    }

    fn run(&self, context: &Context, commands: &Commands) -> Result<Ran, Finding> {
        let failed = |e: io::Error| context.store.failed("a sandbox's files cannot be written", &e);
        let scratch = context.store.scratch().map_err(failed)?;
        let root = laid_out::distinct(commands.root);
        let (layers, place, build_id) = if commands.again {
            // a path of another length, and another user
            let place = scratch.path().join("second-run");
            std::fs::create_dir(&place).map_err(failed)?;
            (laid_out::anew(context, &root, &place)?, place, sandbox::BUILD_ID - 1)
        } else {
            (laid_out::all(context, &root)?, scratch.path().to_owned(), sandbox::BUILD_ID)
        };
        let output = tempfile::tempfile_in(scratch.path()).map_err(failed)?;
        let room = Room {
            layers,
            scratch: place.join("room"),
            commands: commands.commands.to_vec(),
            env: commands.env.clone(),
            workdir: commands.workdir.to_owned(),
            limits: self.limits,
            build_id,
        };
        std::fs::create_dir(&room.scratch).map_err(failed)?;
        let written = output.try_clone().map_err(failed)?;
        let report = sandbox::run(&self.launcher, &room, written).map_err(|e| unable(commands.title, e))?;
        let mut transcript = Transcript { context, output, commands: commands.commands };
        let log = transcript.keep(&report)?;
        let made = match transcript.complaint(commands.title, &report, &self.limits)? {
            Some(finding) => Err(finding),
            None => captured::tree(context, &room.scratch.join("upper").join(OUT.trim_start_matches('/')))
                .map(|record| record.with_log(log)),
        };
        Ok(Ran { made, log: Some(log) })
    }
}

/// Why there is no room at all.
fn unable(title: &str, error: Error) -> Finding {
    match error {
        Error::Forbidden { setting, advice } => {
            Finding::error(codes::SANDBOX_FORBIDDEN, format!("this machine forbids the sandbox `{title}` is to run in"))
                .because(setting)
                .help(advice)
        }
        other => Finding::error(codes::SANDBOX_FAILED, format!("the sandbox for `{title}` could not be set up"))
            .because(other.to_string())
            .help("`clnstrt-cli explain CS1105` says what a sandbox needs"),
    }
}

/// What the commands printed, and in which part of it each of them did.
struct Transcript<'a> {
    context: &'a Context<'a>,
    output: File,
    commands: &'a [Vec<String>],
}

impl Transcript<'_> {
    /// Keeps the log: each command, what it printed, and how it ended. No times are in it, so equal runs have equal logs.
    fn keep(&mut self, report: &Report) -> Result<Object, Finding> {
        let failed = |e: io::Error| self.context.store.failed("a build log cannot be written", &e);
        let mut log = self.context.store.writer()?;
        for (argv, finished) in self.commands.iter().zip(&report.commands) {
            writeln!(log, "$ {}", shown(argv)).map_err(failed)?;
            self.output.seek(SeekFrom::Start(finished.log.start)).map_err(failed)?;
            io::copy(&mut (&self.output).take(length(&finished.log)), &mut log).map_err(failed)?;
            writeln!(log, "[{}]", ended(&finished.status)).map_err(failed)?;
        }
        if let Some(stopped) = &report.stopped {
            writeln!(log, "[stopped: {stopped:?}]").map_err(failed)?;
        }
        let (digest, size) = log.commit()?;
        Ok(Object { digest, size })
    }

    /// The finding, if a command failed or a limit was exceeded, with the last lines that were printed.
    fn complaint(&mut self, title: &str, report: &Report, limits: &Limits) -> Result<Option<Finding>, Finding> {
        let Some((finished, argv)) =
            report.commands.last().zip(self.commands.get(report.commands.len().saturating_sub(1)))
        else {
            return Ok(Some(Finding::error(codes::SANDBOX_FAILED, format!("no command of `{title}` was started"))));
        };
        let finding = match &report.stopped {
            Some(stopped) => {
                Finding::error(codes::LIMIT_EXCEEDED, format!("`{title}` was stopped: {}", exceeded(stopped, limits)))
            }
            None if finished.status == Status::Exited(0) && report.commands.len() == self.commands.len() => {
                return Ok(None);
            }
            None => Finding::error(codes::COMMAND_FAILED, format!("`{title}` failed: {}", ended(&finished.status))),
        };
        let mut finding = finding.because(format!("the command was {}", abridged(&shown(argv))));
        for line in self.last_lines(&finished.log)? {
            finding = finding.because(line);
        }
        Ok(Some(finding.help("`--artifacts DIR` writes the whole log")))
    }

    fn last_lines(&mut self, range: &Range<u64>) -> Result<Vec<String>, Finding> {
        let failed = |e: io::Error| self.context.store.failed("a build log cannot be read", &e);
        let wanted = length(range).min(SHOWN_BYTES);
        self.output.seek(SeekFrom::Start(range.end.saturating_sub(wanted))).map_err(failed)?;
        let mut bytes = Vec::new();
        (&self.output).take(wanted).read_to_end(&mut bytes).map_err(failed)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        Ok(lines.iter().rev().take(SHOWN).rev().map(|line| printable(line)).collect())
    }
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

/// Commands print what they like; a terminal is not to obey it.
fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// An argument vector as one line a shell would read the same.
fn shown(argv: &[String]) -> String {
    let mut line = String::new();
    for argument in argv {
        let plain =
            !argument.is_empty() && argument.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&b));
        let space = if line.is_empty() { "" } else { " " };
        let written = if plain {
            write!(line, "{space}{argument}")
        } else {
            write!(line, "{space}'{}'", argument.replace('\'', r"'\''"))
        };
        written.unwrap_or_default(); // writing into a string does not fail
    }
    line
}

fn abridged(line: &str) -> String {
    let first = line.lines().next().unwrap_or_default();
    if first.len() < line.len() { format!("{first} …") } else { first.to_owned() }
}

fn ended(status: &Status) -> String {
    match status {
        Status::Exited(code) => format!("exit code {code}"),
        Status::Signal(signal) => format!("ended by signal {signal}"),
        Status::NotStarted(why) => format!("not started: {why}"),
        Status::Stopped => "cut off".to_owned(),
    }
}

fn exceeded(stopped: &Stopped, limits: &Limits) -> String {
    match stopped {
        Stopped::Time => format!("it took more than {} seconds", limits.seconds),
        Stopped::Processes => format!("it had more than {} processes", limits.processes),
        Stopped::Memory => format!("it used more than {} MiB of memory", limits.memory >> 20),
        Stopped::Written => format!("it wrote more than {} MiB", limits.written >> 20),
        Stopped::Log => format!("it printed more than {} MiB", limits.log >> 20),
    }
}
