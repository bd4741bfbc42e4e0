//! Archives of whole images, written as an OCI layout that `docker load` and `podman load` take as well.

mod layout;
mod stored;
mod write;

pub(crate) use stored::GZIP_START;
pub use write::{ArchiveOptions, Written, write_archive};

#[cfg(test)]
mod tests;
