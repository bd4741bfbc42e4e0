//! Documents about an image that is there: what is in it, and how it was made. Pure functions of what was locked, planned, and
//! found in the image; they say only what was seen.

mod bill;
mod cyclonedx;
mod licence;
mod sbom;
mod spdx;

pub use bill::{Bill, Component, Image, Kind, Locked};
pub use licence::Licence;
pub use sbom::{Format, sbom};
