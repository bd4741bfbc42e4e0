use std::process::Command;

use crate::shell::{self, cargo, installed, root};

/// The API documentation of the workspace, and the book where mdbook is installed.
pub(crate) fn run() -> Result<(), String> {
    shell::run(cargo(&["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    if installed("mdbook") {
        shell::run(Command::new("mdbook").args(["build", "docs"]).current_dir(root()))
    } else {
        println!("mdbook is not installed: the book under docs/ is readable as it is");
        Ok(())
    }
}
