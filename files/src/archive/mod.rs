//! Images in OCI layouts and in archives, read from whoever wrote them.

mod blobs;
mod contents;
mod folder;
mod look;
mod opened;
mod pack;
mod pipe;
mod read;
mod summary;

pub use blobs::Blobs;
pub use contents::Images;
pub use folder::folder;
pub use look::Summed;
pub use pack::pack;
pub use read::inspect_archive;
pub use summary::{ImageEntry, ImageSummary, LayerEntry};

#[cfg(test)]
mod tests;
