use jiff::Timestamp;
use model::text::short;
use sigstore_verify::crypto::VerificationKey;
use sigstore_verify::trust_root::TransparencyLog;
use sigstore_verify::types::{TimeRange, TransparencyLogEntry};

use super::Reason;

/// Checks what the library leaves open of a log's proof: it takes the head of any trusted log, whichever the entry names,
/// and of one whose key had its time before. `times` are when it was signed; where nobody says, the key's time has to have
/// come `now`.
pub(super) fn check(
    entries: &[TransparencyLogEntry],
    logs: &[TransparencyLog],
    times: &[Timestamp],
    now: i64,
) -> Result<(), Reason> {
    for entry in entries {
        // A promise names its log within what is signed.
        let Some(proof) = &entry.inclusion_proof else { continue };
        let wrong = |why: &str| Reason::Checkpoint(why.to_owned());
        let log = logs.iter().find(|log| log.log_id == entry.log_id);
        let log = log.ok_or_else(|| wrong("the entry names a log that is not trusted"))?;
        let is_of_time = |window: TimeRange| match times {
            [] => window.start.as_second() <= now,
            _ => times.iter().all(|time| window.contains(*time)),
        };
        if !log.public_key.valid_for.is_none_or(is_of_time) {
            return Err(wrong("the key of the log is of another time"));
        }
        let key = VerificationKey::from_spki(&log.public_key.raw_bytes).map_err(|e| Reason::Root(short(e)))?;
        let head = proof.checkpoint.checkpoint().ok_or_else(|| wrong("there is none"))?;
        if !head.signatures().iter().any(|one| key.verify(head.signed_data(), &one.signature).is_ok()) {
            return Err(wrong("the log that the entry names did not sign it"));
        }
    }
    Ok(())
}
