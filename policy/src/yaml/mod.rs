//! Policies in YAML: what is declared, and the Rego that it means.

mod exceptions;
mod lower;
mod read;
mod rule;

pub(crate) use lower::lower;
pub(crate) use read::{Asked, Declared, read};
