//! `clnstrt-verify`: whether an image may be used, by the word of those who are trusted.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use model::{Finding, Severity, codes};
use verify::{Demands, Failed, Format, Machine};

/// Check an image: its bytes, who signed it, and what they say of it. Exit code 0: accepted, 1: refused, 2: the question is wrong,
/// 3: the machine or a registry failed.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// An image of a registry, a layout (`oci:DIR`, `oci:DIR:TAG`), or an archive.
    image: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

#[derive(clap::Args)]
struct Asked {
    /// How the verdict is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    demands: Demands,
}

#[derive(Subcommand)]
enum Command {
    /// Check the images that a build starts from.
    Base {
        /// A Dockerfile, or the configuration of an image.
        file: PathBuf,
        #[command(flatten)]
        asked: Asked,
    },
}

fn main() -> ExitCode {
    // The allocator asks for huge pages, so this comes before anything is read. What lies here is read whole, and sooner with them; what
    // comes piece by piece leaves most of them unused. A kernel that has none needs not be told.
    if !std::env::args_os().any(|argument| argument == "--offline") {
        let _ = rustix::thread::disable_transparent_huge_pages(true);
    }
    let args = Args::parse();
    let (done, asked) = match (args.command, args.image) {
        (Some(Command::Base { file, asked }), _) => {
            (verify::base(&asked.machine, &file, &asked.demands, asked.format), asked)
        }
        (None, Some(image)) => {
            let Asked { format, machine, demands } = &args.asked;
            (verify::run(machine, &image, demands, *format, |_| Ok(Vec::new())), args.asked)
        }
        (None, None) => {
            let finding = Finding::error(codes::USAGE, "no image is named");
            (Err(finding.help("`clnstrt-verify registry.example/team/app:1.2 --key team.pub`").into()), args.asked)
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failed) => fail(&failed, asked.format),
    }
}

/// Says why there is no verdict.
fn fail(failed: &Failed, format: Format) -> ExitCode {
    let text = match format {
        Format::Text | Format::Junit => {
            report::render(&failed.sources, &failed.findings, report::Format::Text { color: true })
        }
        Format::Json => report::render(&failed.sources, &failed.findings, report::Format::Json),
        Format::Sarif => report::render(&failed.sources, &failed.findings, report::Format::Sarif),
        Format::Github => report::render(&failed.sources, &failed.findings, report::Format::Github),
    };
    let _ = match format {
        Format::Text | Format::Junit => anstream::stderr().lock().write_all(text.as_bytes()),
        Format::Json | Format::Sarif | Format::Github => std::io::stdout().lock().write_all(text.as_bytes()),
    };
    if failed.refused {
        return ExitCode::FAILURE;
    }
    let errors = failed.findings.iter().filter(|finding| finding.severity == Severity::Error);
    ExitCode::from(errors.map(|finding| finding.code.class.exit_code()).min().unwrap_or(3))
}
