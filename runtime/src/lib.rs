//! Everything that touches the machine: sources, network, store, trust, and the execution of plans.

pub mod archive;
pub mod bundle;
pub mod debian;
pub mod execute;
pub mod fetch;
pub mod local;
pub mod openpgp;
mod progress;
pub mod prove;
pub mod sources;
pub mod store;

pub use progress::{Progress, Quiet, Task};
