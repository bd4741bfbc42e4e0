//! From declaration to plan. Pure: what a resolver needs from outside it asks for with a [`Need`],
//! and is called again with the answer.

pub mod config;
pub mod debian;
mod need;
pub mod pypi;
mod solver;

pub use need::{Fetched, Metadata, Need, Pins, Project, Step};
