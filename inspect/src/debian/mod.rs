//! Debian's formats: control stanzas, relations between packages, Release files, and the package index.

mod compact;
mod index;
pub mod relation;
mod release;
mod stanza;
pub mod version;

pub use compact::{INDEX_VERSION, compact};
pub use index::{Index, Package};
pub use release::Release;
pub use stanza::{Stanza, Stanzas};
