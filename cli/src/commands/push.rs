use std::path::{Path, PathBuf};

use audit::Action;
use model::{Finding, codes};
use registry::{Client, Sender, Source};

use crate::args::{Format, Machine, Sending};
use crate::layout::{Layouts, Named};
use crate::located::{options, refuse_offline, waiting};
use crate::report::Failure;
use crate::sending::{Told, jobs, named, send};
use crate::trail::Trail;
use crate::webhooks::Webhooks;

/// `push`: images that lie here, to registries.
pub(super) fn push(
    machine: &Machine,
    from: &str,
    to: &[String],
    sending: &Sending,
    format: Format,
) -> Result<(), Failure> {
    refuse_offline(machine, from)?;
    let (trail, webhooks) = (Trail::open(machine)?, Webhooks::at(machine, sending.webhooks.as_deref())?);
    let layouts = Layouts::at(&archives(from)?)?;
    let images: Vec<_> = layouts.images().map(|image| (image, to)).collect();
    let jobs = jobs(&images, sending, trail.commit(), |image| layouts.architectures(&image.digest))?;
    let client = Client::new(options(machine))?;
    let told = Told { trail: &trail, webhooks: &webhooks, action: Action::Push };
    let sender = Sender::new(Source::Here(&layouts));
    send(&client, &sender, jobs, &told)?.report(format)
}

/// `copy`: an image of a registry, with all that refers to it, to others.
pub(super) fn copy(
    machine: &Machine,
    from: &str,
    to: &[String],
    sending: &Sending,
    format: Format,
) -> Result<(), Failure> {
    refuse_offline(machine, from)?;
    let reference = named(from)?;
    let (trail, webhooks) = (Trail::open(machine)?, Webhooks::at(machine, sending.webhooks.as_deref())?);
    let client = Client::new(options(machine))?;
    let repository = client.repository(&reference)?;
    let descriptor = waiting()?.block_on(registry::described(&client, &reference))?;
    let name = reference.repository.rsplit('/').next().map(str::to_owned);
    let image = Named { digest: descriptor.digest, descriptor, name, tag: reference.tag.clone() };
    if sending.arch_tags {
        let finding = Finding::error(codes::USAGE, "`--arch-tags` needs an image that lies here");
        return Err(finding.help("copy the tags of architectures one by one").into());
    }
    let jobs = jobs(&[(&image, to)], sending, trail.commit(), |_| Ok(Vec::new()))?;
    let told = Told { trail: &trail, webhooks: &webhooks, action: Action::Copy };
    let sender = Sender::new(Source::Repository(repository));
    send(&client, &sender, jobs, &told)?.report(format)
}

/// Archives a name stands for: itself, or those in a folder, as `build` writes them.
fn archives(from: &str) -> Result<Vec<PathBuf>, Finding> {
    let path = Path::new(from.strip_prefix("oci:").unwrap_or(from));
    if !path.is_dir() || path.join("index.json").exists() || from.starts_with("oci:") {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable =
        |e: std::io::Error| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", path.display()));
    let mut found = Vec::new();
    for entry in path.read_dir().map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if [".tar", ".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending)) {
            found.push(file);
        }
    }
    found.sort();
    if found.is_empty() {
        let message = format!("{} is no OCI layout, and no archive lies in it", path.display());
        return Err(Finding::error(codes::INPUT_IO, message).help("name an archive, a layout, or a folder of archives"));
    }
    Ok(found)
}
