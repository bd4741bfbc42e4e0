//! `METADATA` and `WHEEL`: what a wheel says it is.

use std::str::FromStr as _;

use model::{Digest, Finding, codes};
use pep440_rs::Version;

use super::{Metadata, Wanted, Wheel, invalid};
use crate::pypi::{CoreMetadata, normalize, sdist};

/// Checks name and version of METADATA, and that resolution read the same.
pub(super) fn verify(wheel: &Wheel, wanted: &Wanted) -> Result<(), Finding> {
    let bytes = wheel.document("METADATA")?;
    if let Metadata::OfSource(said) = wanted.metadata {
        needs_no_more(&CoreMetadata::parse(bytes)?, said, wanted)?;
    }
    if let Metadata::Served(expected) = wanted.metadata {
        let found = Digest::of(bytes);
        if found != expected {
            let message = format!(
                "METADATA of {} {} is not what the index served apart from the wheel",
                wanted.project, wanted.version
            );
            return Err(Finding::error(codes::METADATA_DIFFERS, message)
                .because(format!("resolution read {expected}"))
                .because(format!("the wheel holds {found}"))
                .help("The lock was made from metadata that is not the wheel's. Make it again with `clnstrt-cli lock --update`."));
        }
    }
    let text = wheel.text("METADATA")?;
    let (name, version) = (header(text, "Name").unwrap_or(""), header(text, "Version").unwrap_or(""));
    if normalize(name) != wanted.project || !same_version(version, wanted.version) {
        let message = format!("METADATA is of {name:?} {version:?}; expected {} {}", wanted.project, wanted.version);
        return Err(invalid(message));
    }
    Ok(())
}

/// A build may find out that more is needed than its source says; but what is in the image was chosen by that.
fn needs_no_more(built: &CoreMetadata, said: &CoreMetadata, wanted: &Wanted) -> Result<(), Finding> {
    let added = sdist::added(&built.requires_dist, &said.requires_dist);
    if added.is_empty() {
        return Ok(());
    }
    let message = format!("{} {} needs more, once built, than its source says", wanted.project, wanted.version);
    Err(added
        .iter()
        .fold(Finding::error(codes::METADATA_DIFFERS, message), |finding, added| {
            finding.because(format!("it needs `{added}`"))
        })
        .help("The lock was made from what the source says. Choose another version, or one that has a wheel."))
}

/// Whether what lies at the wheel's root is pure Python.
pub(super) fn root_is_purelib(wheel: &Wheel) -> Result<bool, Finding> {
    let text = wheel.text("WHEEL")?;
    match header(text, "Wheel-Version") {
        Some(version) if version.starts_with("1.") => Ok(header(text, "Root-Is-Purelib") == Some("true")),
        version => Err(invalid(format!("the wheel has the format version {:?}; 1.x is read", version.unwrap_or("")))),
    }
}

/// A header field, before the first empty line.
fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().take_while(|line| !line.trim().is_empty()).find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// Whether two spellings are the same version; `_` stands for `-` in file names.
pub fn same_version(a: &str, b: &str) -> bool {
    let parse = |text: &str| Version::from_str(&text.replace('_', "-")).ok();
    a == b || parse(a).is_some_and(|a| Some(a) == parse(b))
}
