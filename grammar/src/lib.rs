//! From text to spanned trees. Nothing in here fails: what is wrong becomes a finding, and what could be read
//! is still returned.

pub mod expression;
pub mod reader;
mod report;
pub mod suggest;
mod text;
pub mod yaml;

pub use report::{MAX_FINDINGS, Report};
pub use text::{MAX_BYTES, decode, quote};
