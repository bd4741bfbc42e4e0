//! `cargo xtask`: what developers and CI run.

mod bench;
mod docs;
mod fuzz;
mod lint;
mod mistakes;
mod parts;
mod shell;
mod tally;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND
  test [--full] [FILTER]   install the real parts the tests use, run the tests, count them;
                           --full runs the long ones and the fuzz targets too
  lint [--full]            formatting, clippy, and cargo-deny where it is installed (--full installs it)
  fuzz [--seconds N] [TARGET]
                           run the fuzz targets, each for a while
  docs                     the API documentation, and the book where mdbook is installed
  bench [--runs N] [sealed|policy|sbom]
                           measure beside other projects' tools, print the ratios; `sealed` measures sealed execution only,
                           `policy` policies only, `sbom` bills of materials only
  mistakes [--check]       write the page that compares what four tools say of mistakes; --check only compares";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test", rest @ ..] => test::run(rest),
        ["lint", rest @ ..] => lint::run(rest),
        ["docs"] => docs::run(),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
        ["mistakes", rest @ ..] => mistakes::run(rest),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            eprintln!("{words}");
            ExitCode::FAILURE
        }
    }
}
