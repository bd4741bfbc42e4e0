//! Executes plans: every step once, in parallel, and not at all where the store knows what it made before.
//!
//! A step is cached under its *action digest*, over its operation and the contents of its inputs. What a step makes
//! lies in the store before its record does, so a kill leaves nothing half made.

mod action;
mod check;
mod compose;
mod content;
mod image;
mod layer;
pub(crate) mod oci;
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

pub(crate) use action::{Record, record_local};
pub(crate) use content::PackWriter;
pub(crate) use run::Context;
pub use value::{Image, Layer, Object, Value};

/// How a plan is executed; none of it changes what comes out.
pub struct Options {
    /// Threads.
    pub jobs: usize,
    /// Told about what is done.
    pub progress: Arc<dyn Progress>,
}

/// Executes every step of a plan and answers what each made. Its leaves must be in the store.
///
/// # Errors
/// The findings of every step that failed, sorted. Steps that do not depend on a failed one still run, so that all
/// findings are there at once, unless the machine itself failed.
pub fn execute(plan: &Plan, store: &Store, options: &Options) -> Result<BTreeMap<PlanKey, Value>, Findings> {
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
