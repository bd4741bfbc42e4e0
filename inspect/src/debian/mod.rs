//! Debian's formats: control stanzas, relations between packages, Release files, the package index, source packages.

mod checksums;
mod compact;
mod dsc;
mod index;
pub mod relation;
mod release;
mod stanza;
pub mod version;

pub use compact::{INDEX_VERSION, compact};
pub use dsc::Dsc;
pub use index::{Index, Package};
pub use release::Release;
pub use stanza::{Stanza, Stanzas};
