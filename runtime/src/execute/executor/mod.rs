//! Who runs the commands of a plan. Every executor gets the same and must answer the same: what differs is where.

mod captured;
mod laid_out;
mod local;

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::plan::{Op, Plan};
use model::{Arch, Finding, Findings, codes};

use super::run::Input;
use super::{Context, Object, Record};

pub use local::{Limits, limits};

/// Commands for a sealed room.
pub(super) struct Commands<'a> {
    /// What they do, for people.
    pub(super) title: &'a str,
    /// Argument vectors, one after another.
    pub(super) commands: &'a [Vec<String>],
    /// All of their environment.
    pub(super) env: &'a BTreeMap<String, String>,
    /// Absolute directory they start in.
    pub(super) workdir: &'a str,
    /// The trees their root file system is made of, each covering those before it.
    pub(super) root: &'a [Input],
    /// Whether they are run a second time, to see whether they make the same: whatever must not matter is then another.
    pub(super) again: bool,
}

/// What became of a step.
pub(super) struct Ran {
    /// What it made, or why it made nothing.
    pub(super) made: Result<Record, Finding>,
    /// What its commands printed, if any of them ran.
    pub(super) log: Option<Object>,
}

impl From<Result<Record, Finding>> for Ran {
    fn from(made: Result<Record, Finding>) -> Self {
        Self { made, log: None }
    }
}

impl From<Finding> for Ran {
    fn from(finding: Finding) -> Self {
        Self { made: Err(finding), log: None }
    }
}

/// Runs the commands of Run steps.
///
/// **Contract** (`tests/executors`): the commands see the input trees and nothing else, reach no network, write nowhere
/// else, leave nothing running; what they leave in [`model::plan::OUT`] is what the step made; going beyond a limit and
/// failing are findings of their own codes, and a log there is in any case. A second run sees the same files with other
/// inodes, listed in another order.
pub(super) trait Executor: Send + Sync {
    /// As `--executor` names it.
    fn name(&self) -> &'static str;
    /// What is true of its rooms, by name.
    fn rooms(&self) -> &'static [(&'static str, &'static str)];
    /// Whether it runs steps of an architecture.
    fn runs(&self, arch: Arch) -> bool;
    /// Runs commands.
    fn run(&self, context: &Context, commands: &Commands) -> Result<Ran, Finding>;
}

/// The executors of one execution; the first that runs an architecture is asked.
#[derive(Default)]
pub struct Executors(Vec<Box<dyn Executor>>);

impl Executors {
    /// Sandboxes on this machine, of its own architecture. `program` is an executable whose `main` begins with
    /// [`sandbox::entered`].
    pub fn local(program: PathBuf, limits: Limits) -> Self {
        Self(vec![Box::new(local::Local::new(program, limits))])
    }

    #[cfg(test)]
    pub(super) fn just(executor: impl Executor + 'static) -> Self {
        Self(vec![Box::new(executor)])
    }

    /// The name of the first executor, and what is true of its rooms.
    pub fn first(&self) -> Option<(&'static str, &'static [(&'static str, &'static str)])> {
        self.0.first().map(|executor| (executor.name(), executor.rooms()))
    }

    /// Whether there is an executor for every step of a plan.
    ///
    /// # Errors
    /// `NO_EXECUTOR`, one for each architecture without.
    pub fn check(&self, plan: &Plan) -> Result<(), Findings> {
        let mut wanted: BTreeMap<Arch, &str> = BTreeMap::new();
        for step in plan.steps.values() {
            if let Op::Run { arch, title, .. } = &step.op {
                wanted.entry(*arch).or_insert(title);
            }
        }
        let findings: Findings = wanted.into_iter().filter_map(|(arch, title)| self.of(arch, title).err()).collect();
        if findings.is_empty() { Ok(()) } else { Err(findings) }
    }

    /// The executor of an architecture.
    ///
    /// # Errors
    /// `NO_EXECUTOR`.
    pub(super) fn of(&self, arch: Arch, title: &str) -> Result<&dyn Executor, Finding> {
        self.0.iter().find(|executor| executor.runs(arch)).map(AsRef::as_ref).ok_or_else(|| {
            let there: Vec<&str> = self.0.iter().map(|executor| executor.name()).collect();
            let finding = Finding::error(codes::NO_EXECUTOR, format!("nothing here runs `{title}` for {arch}"));
            finding
                .because(format!(
                    "the executors there are: {}",
                    if there.is_empty() { "none".into() } else { there.join(", ") }
                ))
                .because("nothing is compiled for another architecture than that of the machine it is compiled on")
                .help(format!("build the other architectures with `--arch`, and {arch} on a machine of its own"))
        })
    }
}
