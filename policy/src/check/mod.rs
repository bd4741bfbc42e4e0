//! What is wrong with rules before anything is asked: one file for each thing.

mod format;
mod function;
mod namesakes;
mod never;
mod pattern;
mod recursion;
mod shadowed;
mod shape;
mod unbound;
mod unknown_fact;
mod unknown_rule;
mod with;

pub(crate) use format::format;
pub(crate) use function::{arity, unknown};
pub(crate) use namesakes::namesakes;
pub(crate) use never::{Term, compare, contradiction, is_false, literal};
pub(crate) use pattern::object_pattern;
pub(crate) use recursion::recursion;
pub(crate) use shadowed::shadowed;
pub(crate) use shape::shape;
pub(crate) use unbound::unbound;
pub(crate) use unknown_fact::unknown_fact;
pub(crate) use unknown_rule::unknown_rule;
pub(crate) use with::with;
