use std::fs::File;
use std::io::{BufRead as _, ErrorKind, IsTerminal as _, Write as _};
use std::path::Path;

use model::{Finding, codes};

use crate::report::Failure;
use crate::start::{self, Start};

/// `init`: writes a configuration, and replaces none.
pub(super) fn run(from: Option<&Path>, output: &Path, name: Option<&str>, python: Option<&str>) -> Result<(), Failure> {
    if output.symlink_metadata().is_ok() {
        return Err(is_there(output).into());
    }
    let mut start = from.map_or_else(|| Ok(Start::default()), Start::read)?;
    let folder = std::path::absolute(output)
        .ok()
        .and_then(|path| Some(path.parent()?.file_name()?.to_string_lossy().into_owned()));
    let proposal = start.proposed_name(folder.as_deref());
    let name = name.map_or_else(|| ask("name of the image", &proposal), str::to_owned);
    let python = match python {
        Some(python) => python.to_owned(),
        None => ask("Python version, line or range", &start.proposed_python()),
    };
    if let Some(finding) = start::refused_name(&name).or_else(|| start::refused_python(&python)) {
        return Err(finding.into());
    }
    // a link may lead out of the folder, where an image takes nothing from
    let app = output.with_file_name("app").symlink_metadata().is_ok_and(|app| app.is_dir());
    let text = start.write(&name, &python, app)?;
    start.notes.iter().for_each(|note| anstream::eprintln!("{note}"));
    create(output, &text)?;
    anstream::eprintln!("{} written", output.display());
    Ok(())
}

/// Writes a file that was not there, not even since that was asked.
fn create(output: &Path, text: &str) -> Result<(), Finding> {
    let written = File::create_new(output).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => is_there(output),
        _ => Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", output.display())),
    })
}

fn is_there(output: &Path) -> Finding {
    let message = format!("{} is there already", output.display());
    Finding::error(codes::USAGE, message).help("name another file with `--output`")
}

/// Asks on a terminal; elsewhere the proposal is taken.
fn ask(what: &str, proposal: &str) -> String {
    if !std::io::stdin().is_terminal() {
        return proposal.to_owned();
    }
    anstream::eprint!("{what} [{proposal}]: ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    let answer = answer.trim();
    if answer.is_empty() { proposal.to_owned() } else { answer.to_owned() }
}
