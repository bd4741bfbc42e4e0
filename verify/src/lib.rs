//! The verifier on a machine: what people ask for, what is gathered for it, and how the verdict reaches them. What decides is in
//! `verifier`, without file, network or clock.

mod allowed;
mod args;
mod base;
mod contents;
mod gather;
mod print;
mod run;
mod trusted;
mod vsa;

pub use args::{Demands, Format, Machine};
pub use base::run as base;
pub use run::{Failed, run};
