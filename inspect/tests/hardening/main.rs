//! What compilers and linkers make, read and judged: of each demand a file that meets it and one that does not.
#![expect(clippy::disallowed_methods, reason = "the files are made by the machine's compiler")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod damage;
mod evidence;
mod link;
mod units;
mod workshop;
