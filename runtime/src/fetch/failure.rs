//! Why one URL did not give what was asked of it, as a finding.

use model::{Finding, codes};
use net::shown;
pub(super) use net::{Failure, Kind};
use reqwest::Url;

/// The finding for something no place had; `source` is the variable's ending.
pub(super) fn finding(name: &str, source: &str, failures: Vec<(Url, Failure)>) -> Finding {
    let all = |wanted: fn(&Kind) -> bool| failures.iter().all(|(_, failure)| wanted(&failure.kind));
    let any = |wanted: fn(&Kind) -> bool| failures.iter().any(|(_, failure)| wanted(&failure.kind));
    let variable = format!("CLNSTRT_SOURCE_{}", source.to_ascii_uppercase());
    let finding = if all(|kind| matches!(kind, Kind::NotFound)) {
        Finding::error(codes::FETCH_NOT_FOUND, format!("no source has {name}")).help(format!(
            "Its mirrors may have dropped it. Name one that keeps old files (a snapshot archive) in {variable}, import a bundle \
             that has it with `clnstrt-cli bundle import`, or choose again with `clnstrt-cli lock --update`."
        ))
    } else if any(|kind| matches!(kind, Kind::WrongDigest)) {
        Finding::error(codes::FETCH_WRONG_DIGEST, format!("{name} was served with other bytes than expected")).help(format!(
            "A mirror is broken or was tampered with: name another one in {variable}. Nothing of what it served was kept."
        ))
    } else if any(|kind| matches!(kind, Kind::TooLarge)) {
        Finding::error(codes::FETCH_TOO_LARGE, format!("{name} was served with more bytes than allowed"))
            .help(format!("Name another mirror in {variable}."))
    } else {
        Finding::error(codes::FETCH_FAILED, format!("{name} could not be fetched")).help(format!(
            "Check the network and the proxy variables, or name another mirror in {variable}. What was received is kept, and \
             the next build goes on from there."
        ))
    };
    failures
        .into_iter()
        .fold(finding, |finding, (url, failure)| finding.because(format!("{}: {}", shown(&url), failure.text)))
}
