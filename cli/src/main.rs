//! `clnstrt-cli`: one file per command, and the driver that feeds resolvers with what the runtime fetches.

mod args;
mod artifacts;
mod commands;
mod described;
mod driver;
mod layout;
mod legacy;
mod located;
mod memory;
mod password;
mod policies;
mod progress;
mod project;
mod released;
mod report;
mod saving;
mod schemas;
mod sending;
mod session;
mod signed;
mod start;
mod templates;
mod trail;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // The executor starts this program once more, for its sandboxes.
    if let Some(code) = sandbox::entered() {
        return code;
    }
    let args = args::Args::parse();
    let format = args.format;
    match commands::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report::fail(&failure, format),
    }
}
