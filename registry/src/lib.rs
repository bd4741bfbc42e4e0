//! Registries of images (OCI distribution specification 1.1): what is in them, and how it gets out and in.
//!
//! **Invariant:** whatever a registry answers is a claim. Bytes that were asked for by digest are compared with it before anybody
//! sees their end, every wait ends, and credentials go to the server they are for and nowhere else.
//!
//! **Invariant:** a tag is written after everything it leads to, and everything that refers to that.

mod accounts;
mod challenge;
mod client;
mod content;
mod enter;
mod failure;
mod layout;
mod legacy;
mod login;
mod manifest;
mod pull;
mod push;
mod referrer;
mod referrers;
mod repository;
mod save;
mod turn;
mod upload;

pub use client::{Client, Options};
pub use content::Content;
pub use layout::{Layout, Named};
pub use legacy::{Beside, Layer};
pub use login::{Kept, login};
pub use manifest::{Descriptor, EMPTY, INDEX, MANIFEST, Manifest, Platform};
pub use pull::Document;
pub use push::{Blobs, Sender, Source, Sums, Tag};
pub use referrer::Referrers;
pub use repository::Repository;
pub use save::{Top, Wanted, save};
