//! Archives of whole images: written as an OCI layout that `docker load` and `podman load` take as well, and read
//! from whoever wrote them.

mod blobs;
mod contents;
mod folder;
mod layout;
mod look;
mod opened;
mod pack;
mod pipe;
mod read;
mod stored;
mod summary;
mod write;

pub use blobs::Blobs;
pub use contents::Images;
pub use folder::folder;
pub(crate) use look::Summed;
pub use pack::pack;
pub use read::inspect_archive;
pub(crate) use stored::GZIP_START;
pub use summary::{ImageEntry, ImageSummary, LayerEntry};
pub use write::{ArchiveOptions, Written, write_archive};

#[cfg(test)]
mod tests;
