//! The vocabulary every part of clnstrt shares: validated values, and the documents that flow
//! from declaration to verdict. Nothing in here does I/O or reads a clock.

mod arch;
mod canonical;
mod code;
pub mod config;
pub mod dependencies;
mod digest;
mod finding;
pub mod hardening;
pub mod inventory;
pub mod json;
pub mod lock;
pub mod oci;
pub mod plan;
mod purl;
mod reference;
mod span;
pub mod statement;
pub mod text;
mod tree;

pub use arch::Arch;
pub use canonical::{canonical_json, digest_of};
pub use code::{Class, Code, codes};
pub use digest::{Digest, DigestError, Hasher};
pub use finding::{Finding, Findings, Fix, Label, Severity, has_errors};
pub use reference::{Reference, ReferenceError, is_tag};
pub use span::{SourceId, Sources, Span, Spanned};
pub use tree::{Entry, Kind, Tree, TreeError, TreePath};
