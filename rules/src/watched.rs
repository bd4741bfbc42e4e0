//! Asking under watch. A budget is looked at between the statements of a rule; a single function that never ends, or fills the memory,
//! is seen only from outside.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use model::{Finding, codes};

/// Values lie in one another; what goes through them takes stack for each level.
pub(crate) const STACK: usize = 256 << 20;
/// Between two looks.
const OFTEN: Duration = Duration::from_millis(50);
/// Bytes that may come into use meanwhile.
const MEMORY: u64 = 2 << 30;

/// Does something with a value, on a thread of its own. What takes longer, or too much memory, is a finding, and the thread is left: it
/// ends with this process, which has nothing more to do than to say so. The value is given up behind the answer's back: freeing what
/// policies are evaluated with takes as long as some of them.
///
/// # Errors
/// `POLICY_BUDGET`.
pub fn watched<S: Send + 'static, T: Send + 'static>(
    most: Duration,
    mut with: S,
    work: impl FnOnce(&mut S) -> T + Send + 'static,
) -> Result<T, Finding> {
    let spent = |what: &str| {
        let finding = Finding::error(codes::POLICY_BUDGET, format!("the policies {what}, and were given up"));
        finding.help("let rules look at less: what takes too long or too much memory refuses")
    };
    let (tell, told) = channel();
    let started = Instant::now();
    let in_use = policy::memory_in_use();
    std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || {
            // Who no longer waits has said so.
            let _ = tell.send(work(&mut with));
            drop(with);
        })
        .map_err(|error| Finding::error(codes::POLICY_BUDGET, format!("no thread can be started: {error}")))?;
    loop {
        match told.recv_timeout(OFTEN) {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Disconnected) => return Err(spent("ended without an answer")),
            Err(RecvTimeoutError::Timeout) if policy::memory_in_use() > in_use.saturating_add(MEMORY) => {
                return Err(spent("took too much memory"));
            }
            Err(RecvTimeoutError::Timeout) if started.elapsed() > most => {
                return Err(spent(&format!("took longer than {} seconds", most.as_secs())));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_given_up_and_so_is_what_ends_without_an_answer() {
        let short = Duration::from_millis(1);
        let asleep = |(): &mut ()| std::thread::sleep(Duration::from_secs(3600));
        assert_eq!(watched(short, (), asleep).unwrap_err().code, codes::POLICY_BUDGET);
        let deep = |(): &mut ()| panic!("on purpose");
        assert_eq!(watched(Duration::from_secs(60), (), deep).map(|(): ()| ()).unwrap_err().code, codes::POLICY_BUDGET);
        assert_eq!(watched(Duration::from_secs(60), 3, |number| *number).unwrap(), 3);
    }
}
