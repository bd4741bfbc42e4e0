//! Executes plans: every step once, in parallel, and not at all where the store knows what it made before.
//!
//! A step is cached under its *action digest*, over its operation and the contents of its inputs. What a step makes
//! lies in the store before its record does, so a kill leaves nothing half made.

mod action;
mod check;
mod compose;
mod content;
mod executor;
mod image;
mod inspect;
mod inventory;
mod layer;
mod reproduce;
mod run;
mod schedule;
mod unpack;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::plan::{Plan, PlanKey};
use model::{Finding, Findings, codes};

use crate::Progress;
use crate::store::Store;

pub(crate) use action::{Record, has_local, record_local};
pub(crate) use content::PackWriter;
pub use executor::{Executors, Limits, limits};
pub use reproduce::Repeated;
pub(crate) use run::Context;
pub use value::{Image, Layer, Object, Value};

/// How a plan is executed; none of it changes what comes out.
pub struct Options {
    /// Threads.
    pub jobs: usize,
    /// Who runs the commands of Run steps.
    pub executors: Executors,
    /// Start Run steps also after another step has failed.
    pub keep_going: bool,
    /// Run Run steps a second time, and compare what they make. What is remembered of a step counts as its first run. The
    /// values are those of the first.
    pub check_reproducible: bool,
    /// Told about what is done.
    pub progress: Arc<dyn Progress>,
}

/// What became of a plan's steps.
#[derive(Debug)]
pub struct Executed {
    /// What each step made that could be run.
    pub values: BTreeMap<PlanKey, Value>,
    /// What the commands of Run steps printed, of those that failed as well, and of those that ran some time before.
    pub logs: BTreeMap<PlanKey, Object>,
    /// The comparisons of what Run steps made twice, where that was asked for.
    pub repeated: BTreeMap<PlanKey, Repeated>,
    /// The steps that failed, and why. One that made something else the second time has a value as well, and does not keep
    /// others from being run.
    pub failed: Vec<(PlanKey, Finding)>,
}

impl Executed {
    /// What every step made.
    ///
    /// # Errors
    /// The findings of every step that failed, sorted.
    pub fn all(self) -> Result<BTreeMap<PlanKey, Value>, Findings> {
        if self.failed.is_empty() {
            Ok(self.values)
        } else {
            Err(sorted(self.failed.into_iter().map(|(_, f)| f).collect()))
        }
    }

    /// Why a plan that is a part of the one executed is not done; nothing if it is. Where none of its own steps failed, the
    /// machine did, and they were not run.
    pub fn findings_of(&self, part: &Plan) -> Findings {
        let of = |wanted: &dyn Fn(&PlanKey) -> bool| {
            sorted(self.failed.iter().filter(|(key, _)| wanted(key)).map(|(_, finding)| finding.clone()).collect())
        };
        let own = of(&|key| part.steps.contains_key(key));
        let done = part.steps.keys().all(|key| self.values.contains_key(key));
        if done || !own.is_empty() { own } else { of(&|_| true) }
    }
}

fn sorted(mut findings: Findings) -> Findings {
    findings.sort_by(|a, b| (a.code, &a.message, &a.causes).cmp(&(b.code, &b.message, &b.causes)));
    findings.dedup();
    findings
}

/// Executes every step of a plan. Its leaves must be in the store. Steps that do not depend on a failed one still run, so
/// that all findings are there at once, unless the machine itself failed.
///
/// # Errors
/// `LOCK_INCONSISTENT` where it is no plan, `STORE_IO` where no thread can be started.
pub fn execute(plan: &Plan, store: &Store, options: &Options) -> Result<Executed, Finding> {
    plan.check().map_err(|e| broken(e.to_string()))?;
    let context = Context::new(store);
    schedule::Graph::new(plan, &context).run(options)
}

/// The finding for a plan no compiler of this version makes.
fn broken(message: impl Into<String>) -> Finding {
    Finding::error(codes::LOCK_INCONSISTENT, format!("the plan cannot be executed: {}", message.into()))
        .help("Make the lock and the plan again with this version.")
}

#[cfg(test)]
mod tests;
