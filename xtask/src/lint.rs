use std::process::Command;

use crate::shell::{self, cargo, installed, root};

/// Formatting, clippy with every warning an error, and cargo-deny where it is installed; `--full` installs it.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    shell::run(&mut cargo(&["fmt", "--all", "--check"]))?;
    shell::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))?;
    // The fuzz targets are a workspace of their own, and nothing but this builds them every time.
    let fuzz = ["--manifest-path", "tests/fuzz/Cargo.toml"];
    shell::run(cargo(&["fmt", "--check"]).args(fuzz))?;
    shell::run(
        cargo(&["clippy", "--locked", "--quiet", "--target-dir", "target"]).args(fuzz).args(["--", "-D", "warnings"]),
    )?;
    let own = root().join("target/tools/bin/cargo-deny");
    if args == ["--full"] && !installed("cargo-deny") && !own.is_file() {
        shell::run(&mut cargo(&["install", "--quiet", "--locked", "--root", "target/tools", "cargo-deny"]))?;
    }
    let deny = if own.is_file() { own } else { "cargo-deny".into() };
    if !deny.is_absolute() && !installed("cargo-deny") {
        println!(
            "cargo-deny is not installed: licences and bans are not checked (`cargo xtask lint --full` installs it)"
        );
        return Ok(());
    }
    shell::run(Command::new(deny).args(["check", "bans", "licenses", "sources"]).current_dir(root()))
}
