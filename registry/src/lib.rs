//! Registries of images (OCI distribution specification 1.1): what is in them, and how it gets out.
//!
//! **Invariant:** whatever a registry answers is a claim. Bytes that were asked for by digest are compared with it before anybody
//! sees their end, every wait ends, and credentials go to the server they are for and nowhere else.

mod accounts;
mod challenge;
mod client;
mod download;
mod failure;
mod pull;

pub use client::{Client, Options};
pub use download::download;
