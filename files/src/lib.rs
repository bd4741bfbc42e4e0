//! What lies on this machine: files, opened without waiting or following and written whole; image layouts and archives, read; folders
//! of policies.

pub mod archive;
pub mod input;
pub mod oci;
mod output;
pub mod policies;

pub use output::Output;
