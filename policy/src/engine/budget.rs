//! How much a rule may use.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use regorus::Value;
use regorus::utils::limits::ExecutionTimerConfig;

use crate::builtins::TOO_MUCH;
use crate::rego::Said;

/// Statements between two looks at the time.
const OFTEN: NonZeroU32 = NonZeroU32::new(256).unwrap();

/// What one rule may use. The time is the evaluator's own to measure; no rule sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How long it may take.
    pub time: Duration,
    /// Bytes of memory it may use, where the program has the evaluator's allocator.
    pub memory: u64,
}

impl Default for Budget {
    /// Five seconds and 256 MiB: a hundred times what a policy of ten rules needs for two thousand packages.
    fn default() -> Self {
        Self { time: Duration::from_secs(5), memory: 256 << 20 }
    }
}

/// Why a rule could not be evaluated.
pub(super) struct Failure {
    pub(super) why: String,
    /// It used more than it may.
    pub(super) is_spent: bool,
}

/// Bytes of memory that this program uses, where it has the evaluator's allocator.
pub fn memory_in_use() -> u64 {
    mimalloc::allocation_stats_snapshot().0.allocated
}

/// How many rules are evaluated now, in all threads, and the bytes that they may use together: the evaluator has one limit for the
/// whole program. What one uses beyond its share, another lacks and refuses.
static SHARES: Mutex<(usize, u64)> = Mutex::new((0, 0));

/// The memory of one rule, while it is evaluated.
struct Share(u64);

impl Share {
    fn of(memory: u64) -> Self {
        let mut shares = SHARES.lock().unwrap_or_else(PoisonError::into_inner);
        let (rules, limit) = *shares;
        let start = if rules == 0 { memory_in_use() } else { limit };
        *shares = (rules + 1, start.saturating_add(memory));
        regorus::set_global_memory_limit(Some(shares.1));
        Self(memory)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut shares = SHARES.lock().unwrap_or_else(PoisonError::into_inner);
        let (rules, limit) = *shares;
        *shares = (rules.saturating_sub(1), limit.saturating_sub(self.0));
        regorus::set_global_memory_limit((shares.0 > 0).then_some(shares.1));
    }
}

impl Budget {
    /// Limits the time of all that is evaluated from now on.
    pub(crate) fn give(&self, evaluator: &mut regorus::Engine) {
        evaluator.set_execution_timer_config(ExecutionTimerConfig { limit: self.time, check_interval: OFTEN });
    }

    /// Evaluates a rule within the budget.
    pub(super) fn evaluate(&self, evaluator: &mut regorus::Engine, query: &str) -> Result<Value, Failure> {
        let share = Share::of(self.memory);
        let answer = evaluator.eval_rule(query.to_owned());
        drop(share);
        answer.map_err(|error| {
            let why = Said::of(&error.to_string()).message;
            // What a function exceeds is told in words only.
            let is_spent = error.downcast_ref::<regorus::LimitError>().is_some()
                || ["exceeded memory limit", "exceeded time limit", TOO_MUCH].iter().any(|words| why.contains(words));
            Failure { why, is_spent }
        })
    }
}
