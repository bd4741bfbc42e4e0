//! Policies as people name them: read, put together, and asked in bounded time.

mod asking;
mod loaded;
mod named;
mod watched;

use std::time::Duration;

pub use asking::{ask_all, now};
pub use loaded::Loaded;
pub use named::of_organisation;
pub use watched::watched;

/// How long all policies may take for one image.
const MOST_TIME: Duration = Duration::from_secs(30);
