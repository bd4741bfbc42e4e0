use std::path::Path;

use evidence::{Bill, Format as Form, Image};
use jiff::Timestamp;
use model::{Finding, Findings, Sources, codes};
use runtime::archive::{ImageEntry, ImageSummary, contents};

use crate::project;
use crate::report::{self, Failure};

/// `generate-sbom`: the bill of materials of one image of an archive or layout.
pub(super) fn run(
    reference: &str,
    output: &Path,
    form: Option<&str>,
    architecture: Option<&str>,
) -> Result<(), Failure> {
    let form = form_of(output, form)?;
    let path = reference.strip_prefix("oci:").unwrap_or(reference);
    let contents = contents(Path::new(path))?;
    let number = chosen(&contents.summary, architecture)?;
    let (Some(entry), Some(inventory)) = (contents.summary.images.get(number), contents.inventories.get(number)) else {
        return Err(Finding::error(codes::ARCHIVE_UNKNOWN, "the archive holds no image").into());
    };
    let unread = inventory.unread.iter().map(|unread| {
        let message = format!("/{} is passed over: {}", unread.path.display(), unread.why);
        Finding::warning(codes::RECORD_UNREAD, message)
            .help("what it would have told of packages is not in the document")
    });
    report::print_warnings(&Sources::default(), &unread.collect::<Findings>());
    let bill = Bill::new(image(&contents.summary, entry), inventory, None);
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

/// The image of an architecture; where there is only one, no architecture need be named.
fn chosen(summary: &ImageSummary, architecture: Option<&str>) -> Result<usize, Finding> {
    let there: Vec<&str> = summary.images.iter().map(|image| image.arch.as_str()).collect();
    let found = match architecture {
        Some(wanted) => there.iter().position(|arch| *arch == wanted),
        None if there.len() == 1 => Some(0),
        None => None,
    };
    found.ok_or_else(|| {
        let message = match architecture {
            Some(wanted) => format!("the archive has no image for {}", wanted.escape_debug()),
            None => format!("the archive holds {} images", there.len()),
        };
        Finding::error(codes::USAGE, message)
            .help(format!("name one of its architectures with `--arch`: {}", there.join(", ")))
    })
}

/// What documents call the image: as its annotations do, else as the archive.
fn image(summary: &ImageSummary, entry: &ImageEntry) -> Image {
    let label = |key: &str| entry.labels.get(&format!("org.opencontainers.image.{key}")).cloned();
    let named = summary.names.first().map(|name| name.rsplit('/').next().unwrap_or(name).to_owned());
    let (name, tag) = match named.as_deref().and_then(|name| name.split_once(':')) {
        Some((name, tag)) => (Some(name.to_owned()), Some(tag.to_owned())),
        None => (named, None),
    };
    let created = entry.created.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    Image {
        name: label("title").or(name).unwrap_or_else(|| "image".to_owned()),
        version: label("version").or(tag),
        architecture: entry.arch.clone(),
        manifest: entry.manifest,
        layers: entry.layers.iter().filter_map(|layer| layer.digest).collect(),
        created: created.map_or(0, Timestamp::as_second),
    }
}
