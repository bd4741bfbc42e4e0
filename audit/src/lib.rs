//! The audit trail of the command line: who did what, to which images, when, how and why.
//!
//! Every record is a line that names the hash of the line before, and a leaf of a Merkle tree whose head is signed. What
//! decides is here without files and clock: [`tree`], [`note`], [`checkpoint`], [`tile`], [`record`], [`proof`] and [`growth`].
//! [`Log`] and the functions beside it read and write the folder.

pub mod checkpoint;
pub mod growth;
mod log;
pub mod note;
pub mod proof;
pub mod record;
pub mod tile;
pub mod tree;

pub use checkpoint::Checkpoint;
pub use growth::Growth;
pub use log::{Log, Verified, export, prove, prove_growth, records, verify};
pub use note::VerifierKey;
pub use proof::Proof;
pub use record::{Action, Record, Subject, Who, Why};
