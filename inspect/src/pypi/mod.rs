//! What a Python package index says: pages, core metadata, file names.

mod address;
mod html;
mod json;
mod metadata;
mod name;
mod page;
mod requirement;
pub(crate) mod sdist;

pub use address::Address;
pub use metadata::CoreMetadata;
pub use name::{FileKind, WheelName, normalize};
pub use page::{MetadataHash, Page, PageFile};
pub use requirement::{UnreadableRequirement, requirement_head};
pub use sdist::Sdist;
