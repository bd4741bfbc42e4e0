//! What tests share: a loopback mirror of the package sources, the built command line, and small helpers.

mod cli;
mod files;
mod http;
mod mirror;
mod page;
mod process;
mod record;

pub use cli::{cli, cli_path, cli_under, sources};
pub use files::{copy_tree, flip_byte, repository, sha256_of};
pub use mirror::{Fault, Mirror};
pub use process::{Done, Running, run, run_within, start};

/// Whether the long tier was asked for (`cargo xtask test --full`).
pub fn full() -> bool {
    std::env::var_os("CLNSTRT_FULL").is_some()
}
