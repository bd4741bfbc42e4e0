//! Policies, asked.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use model::Finding;
use policy::{Engine, Facts, Input, Outcome, Part};

use crate::watched::STACK;
use crate::{MOST_TIME, watched};

/// From so many packages on, rules take longer than threads to start.
const MANY: usize = 500;
/// Parts of the rules for each thread.
const PARTS: usize = 4;

/// Asks everybody's policies about facts, each apart from the others; `input` is made of the facts.
///
/// # Errors
/// `POLICY_BUDGET` where they take too long, or too much memory.
pub fn ask_all(engines: Vec<Engine>, facts: Facts, input: Input) -> Result<Outcome, Finding> {
    watched(MOST_TIME, (engines, facts, input), |(engines, facts, input)| {
        let mut all = Outcome::default();
        engines.iter_mut().for_each(|engine| all.take_in(ask_together(engine, facts, input)));
        all
    })
}

/// Asks the rules on all processors where that is worth starting threads. One rule may take longer than all others, so there are more
/// parts than threads, and who is done with one takes the next.
fn ask_together(engine: &mut Engine, facts: &Facts, input: &Input) -> Outcome {
    let packages = facts.document.get("packages").and_then(|packages| packages.as_array()).map_or(0, Vec::len);
    let threads = if packages < MANY { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
    let parts = if threads == 1 { 1 } else { threads * PARTS };
    engine.ask_in_parts(facts, input, parts, |parts| {
        let left = Mutex::new(parts);
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let work = || std::iter::from_fn(|| next().map(Part::answers)).collect::<Vec<_>>();
        std::thread::scope(|scope| {
            // One that cannot be started, or dies, gives no answers, and that refuses.
            let mut started = Vec::new();
            for _ in 0..threads {
                started.extend(std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work));
            }
            started.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
        })
    })
}

/// The time at which questions are asked, in UTC: `2026-01-31T00:00:00Z`.
pub fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
