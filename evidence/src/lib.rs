//! Documents about an image that is there: what is in it, and how it was made. Pure functions of what was locked, planned, and
//! found in the image; they say only what was seen.

mod bill;
mod build;
mod bundle;
mod cyclonedx;
mod licence;
mod licences;
mod report;
mod sbom;
mod spdx;

use serde::Serialize;

pub use bill::{Bill, Component, Image, Kind, Locked};
pub(crate) use bill::{is_compiled_here, verification};
pub use build::{
    Blob, Build, Commit, Declared, Executor, Made, MadeLayer, Run, plan_provenance, provenance, software_hashes,
    source_manifest, test_report,
};
pub use bundle::{Bundle, Predicate};
pub use licence::Licence;
pub use licences::{Agreement, Licences};
pub use report::{DocumentFacts, LayerFacts, Page, report};
pub use sbom::{Format, sbom};

/// A document as it is written: indented, ending in a newline.
pub fn json(document: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(document).unwrap_or_default();
    text.push(b'\n');
    text
}
