mod analyze_dependencies;
mod audit;
mod build;
mod bundle;
mod completions;
mod diff;
mod expand;
mod explain;
mod fmt;
mod generate_report;
mod generate_sbom;
mod init;
mod inspect;
mod lock;
mod login;
mod plan;
mod policy;
mod push;
mod schema;
mod sign;
mod sources;
mod store;
mod trust;
mod validate;
mod verify;
mod why;

pub(crate) use plan::PlannedImage;
pub(crate) use sign::signers;

use crate::args::{Args, Command};
use crate::report::Failure;

/// Runs the command the user named.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let Args { command, format, machine } = args;
    match command {
        Command::Validate { files, fix, policies } => validate::run(&files, fix, &policies, format),
        Command::Diff { before, after } => diff::run(&machine, &before, &after, format),
        Command::Init { from, output, name, python } => {
            init::run(from.as_deref(), &output, name.as_deref(), python.as_deref())
        }
        Command::Schema { kind } => schema::run(&kind),
        Command::Fmt { files, check } => fmt::run(&files, check, format),
        Command::Expand { config } => expand::run(&config, format),
        Command::Lock { config, update, policies } => {
            lock::run(&machine, &config, update.as_deref(), &policies, format)
        }
        Command::Plan { config, choice, output } => plan::run(&machine, &config, &choice, output.as_deref(), format),
        Command::Build { config, choice, output, execution, releasing } => {
            build::run(&machine, &config, &choice, &output, (&execution, &releasing), format)
        }
        Command::Why { package, config } => why::run(&config, &package, format),
        Command::Inspect { reference } => inspect::run(&machine, &reference, format),
        Command::GenerateSbom { reference, output, form, arch } => {
            generate_sbom::run(&machine, &reference, &output, form.as_deref(), arch.as_deref())
        }
        Command::GenerateReport { reference, output } => generate_report::run(&machine, &reference, &output),
        Command::AnalyzeDependencies { folder } => analyze_dependencies::run(&folder, format),
        Command::Push { from, to, sending } => push::push(&machine, &from, &to, &sending, format),
        Command::Copy { from, to, sending } => push::copy(&machine, &from, &to, &sending, format),
        Command::Verify { image, demands, reproduce } => {
            verify::run(&machine, &image, &demands, reproduce.as_deref(), format)
        }
        Command::Login { registry, username, password_stdin } => {
            login::run(&machine, &registry, username.as_deref(), password_stdin)
        }
        Command::Key { command } => sign::key(&command),
        Command::Sign { image, signing, output_signature } => {
            sign::sign(&machine, &image, &signing, output_signature.as_deref())
        }
        Command::Attest { image, attesting } => sign::attest(&machine, &image, &attesting),
        Command::Attach { image, bundles } => sign::attach(&machine, &image, &bundles),
        Command::Sources => sources::run(&machine, format),
        Command::Trust => trust::run(format),
        Command::Store { command } => store::run(&machine, &command, format),
        Command::Bundle { command } => bundle::run(&machine, &command, format),
        Command::Policy { command } => policy::run(&command, format),
        Command::Audit { command } => audit::run(&machine, &command, format),
        Command::Explain { code } => explain::run(code.as_deref(), format),
        Command::Completions { shell } => completions::run(shell),
    }
}
