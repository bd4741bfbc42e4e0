//! Policies: rules over what is known of an image, and what they say of it. Pure: facts and rules come in, findings go out.
//!
//! A policy is written in Rego, or in YAML, which is lowered to Rego. Rego that is checked and accepted stands in packages below
//! `clnstrt.policy`, and says what it has to say in the sets `deny` and `warn`. Every `deny contains …` is a *clause*: it is
//! evaluated by itself, so that a finding can point at it, and that it can be put off while what it reads is not known yet.
//!
//! **Invariant:** error = deny. A clause that cannot be evaluated, runs too long, or reads what should be known and is not,
//! refuses.

mod builtins;
mod check;
pub mod engine;
mod exception;
pub mod facts;
pub mod policy;
mod rego;
pub mod testing;
mod yaml;

pub use builtins::{missing, names as functions};
pub use engine::{Answers, Budget, Decision, Engine, Input, Outcome, Part, Verdict, memory_in_use};
pub use facts::{Facts, Stage};
pub use policy::Policy;
