use std::path::Path;

use evidence::{Bill, Format as Form};
use model::{Finding, codes};

use crate::args::Machine;
use crate::described;
use crate::memory;
use crate::project;
use crate::report::Failure;

/// `generate-sbom`: the bill of materials of one image of an archive or layout, or of a folder.
pub(super) fn run(
    machine: &Machine,
    reference: &str,
    output: &Path,
    form: Option<&str>,
    architecture: Option<&str>,
) -> Result<(), Failure> {
    let form = form_of(output, form)?;
    memory::without_huge_pages();
    let described = described::one(machine, reference, architecture, form.has_sha1())?;
    memory::give_back();
    let bill = Bill::new(described.image, &described.inventory, None);
    let mut document = Vec::new();
    evidence::sbom(&bill, form, &mut document)
        .map_err(|e| Finding::error(codes::OUTPUT_IO, format!("the document cannot be written: {e}")))?;
    project::write_whole(output, &document)?;
    anstream::eprintln!("{} components in {}", bill.components.len(), output.display());
    Ok(())
}

/// The form that was named, or that the file's name ends in.
fn form_of(output: &Path, form: Option<&str>) -> Result<Form, Finding> {
    let name = output.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let all = || Form::ALL.into_iter();
    let found = match form {
        Some(form) => all().find(|one| one.name() == form),
        None => all().find(|one| name.ends_with(one.ending())),
    };
    found.ok_or_else(|| {
        let message = match form {
            Some(form) => format!("there is no form of bills of materials `{}`", form.escape_debug()),
            None => format!("the name {name} does not say which form of bill of materials is wanted"),
        };
        let known: Vec<String> = all().map(|one| format!("{} (*{})", one.name(), one.ending())).collect();
        Finding::error(codes::USAGE, message).help(format!("name one with `--form`: {}", known.join(", ")))
    })
}
