//! From declaration to plan. Pure: what a resolver needs from outside it asks for with a [`Need`],
//! and is called again with the answer.

mod answers;
pub mod config;
pub mod debian;
pub mod diff;
mod facts;
mod language;
mod lower;
mod need;
mod parts;
pub mod pypi;
mod resolve;
pub mod schema;
mod session;
mod solver;
mod symbols;
pub mod template;
mod upstream;

pub use facts::facts;
pub use lower::{LocalTrees, Lowerer};
pub use need::{Fetched, Metadata, Need, Pins, Project, Step};
pub use resolve::{Answer, Resolved, lock, questions, resolve};
pub use session::{Compiled, Session};
pub use symbols::{Symbol, SymbolKind, symbols};
