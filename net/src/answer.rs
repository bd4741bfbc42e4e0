//! Bodies of answers.

use std::time::{Duration, Instant};

use reqwest::Response;
use tokio::time::timeout;

use crate::client::reason;
use crate::failure::{Failure, Kind};

/// A body slower than this many bytes a second counts as stalled, after a grace of three stalls.
const SLOWEST: u64 = 1024;

/// Reads a body piece by piece. Nothing for as long as `stall` ends it.
///
/// # Errors
/// What the server or the network did, or what `sink` fails with.
pub async fn body(
    response: &mut Response,
    stall: Duration,
    mut sink: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (started, mut received) = (Instant::now(), 0);
    loop {
        let chunk = match timeout(stall, response.chunk()).await {
            Err(_) => {
                let text = format!("it sent nothing for {} s after {received} bytes", stall.as_secs_f32());
                return Err(Failure::passing(text));
            }
            Ok(Err(e)) => {
                let text = format!("the answer broke off after {received} bytes: {}", reason(e));
                return Err(Failure::passing(text));
            }
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some(chunk))) => chunk,
        };
        received += chunk.len() as u64;
        sink(&chunk)?;
        if started.elapsed() > stall * 3 + Duration::from_secs(received / SLOWEST) {
            return Err(Failure::passing(format!("it sent less than {SLOWEST} bytes a second")));
        }
    }
}

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
/// As [`body`]; that there are more.
pub async fn collect(response: &mut Response, stall: Duration, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    body(response, stall, |chunk| {
        if (bytes.len() + chunk.len()) as u64 > limit {
            return Err(Failure::lasting(Kind::TooLarge, format!("more than {limit} bytes")));
        }
        bytes.extend_from_slice(chunk);
        Ok(())
    })
    .await?;
    Ok(bytes)
}
