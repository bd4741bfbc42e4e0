use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use crate::failure::{Failure, Kind};

/// A server's wish to wait longer than this is not granted.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often something is tried, and until when.
#[derive(Clone, Debug)]
pub struct Patience {
    attempts: u32,
    backoff: Duration,
    deadline: Duration,
    ends: Instant,
}

impl Patience {
    /// So many attempts, with a pause before the second, and twice as long a one before each further; everything ends by the
    /// deadline, counted from now.
    pub fn new(attempts: u32, backoff: Duration, deadline: Duration) -> Self {
        Self { attempts: attempts.max(1), backoff, deadline, ends: Instant::now() + deadline }
    }

    fn late(&self) -> String {
        format!("all of it took longer than {} s", self.deadline.as_secs_f32())
    }

    /// Tries until it works, fails for good, or has been tried often enough.
    ///
    /// # Errors
    /// The last failure.
    pub async fn retrying<T>(&self, mut attempt: impl AsyncFnMut() -> Result<T, Failure>) -> Result<T, Failure> {
        let mut tried = 0;
        loop {
            // A server that goes on answering, however slowly, is not waited for longer either.
            let left = self.ends.saturating_duration_since(Instant::now());
            let failure = match timeout(left, attempt()).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(failure)) => failure,
                Err(_) => return Err(Failure::lasting(Kind::Network, self.late())),
            };
            tried += 1;
            let Some(asked) = failure.again.filter(|_| tried < self.attempts) else { return Err(failure) };
            let backoff = self.backoff.saturating_mul(1 << (tried - 1).min(10));
            let pause = asked.max(backoff).min(LONGEST_PAUSE);
            if Instant::now() + pause >= self.ends {
                let text = format!("{}; the last answer: {}", self.late(), failure.text);
                return Err(Failure::lasting(Kind::Network, text));
            }
            sleep(pause).await;
        }
    }
}
