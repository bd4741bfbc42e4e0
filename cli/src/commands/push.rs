use std::path::{Path, PathBuf};

use audit::Action;
use model::{Digest, Finding, codes};
use registry::{Client, Named, Sender, Source, Top};

use crate::args::{Format, Machine, Sending};
use crate::layout::Layouts;
use crate::located::{options, refuse_offline, waiting};
use crate::report::Failure;
use crate::saving::{File, Saved};
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
    let transfer = Transfer { machine, sending, format, action: Action::Push };
    let layouts = Layouts::at(&archives(from)?)?;
    let images: Vec<Named> = layouts.images().cloned().collect();
    let architectures = |image: &Named| layouts.architectures(&image.digest);
    transfer.run(Source::Here(&layouts), &images, to, architectures, |_| Ok(Vec::new()))
}

/// `copy`: images, with all that is said of them, to registries, layouts and archives.
pub(super) fn copy(
    machine: &Machine,
    from: &str,
    to: &[String],
    sending: &Sending,
    format: Format,
) -> Result<(), Failure> {
    let transfer = Transfer { machine, sending, format, action: Action::Copy };
    if from.starts_with("oci:") || Path::new(from).exists() {
        let layouts = Layouts::at(&archives(from)?)?;
        let images: Vec<Named> = layouts.images().cloned().collect();
        let architectures = |image: &Named| layouts.architectures(&image.digest);
        let tops = |source: &Source<'_>| {
            let waiting = waiting()?;
            images.iter().map(|image| waiting.block_on(Top::listed(source, &image.descriptor))).collect()
        };
        return transfer.run(Source::Here(&layouts), &images, to, architectures, tops);
    }
    refuse_offline(machine, from)?;
    let reference = named(from)?;
    let client = Client::new(options(machine));
    let repository = client.repository(&reference)?;
    let top = waiting()?.block_on(Top::named(&client, &reference))?;
    let descriptor = top.descriptor();
    let name = reference.repository.rsplit('/').next().map(str::to_owned);
    let image = Named { digest: descriptor.digest, descriptor, name, tag: reference.tag.clone() };
    let architectures = |_: &Named| {
        let finding = Finding::error(codes::USAGE, "`--arch-tags` needs an image that lies here");
        Err(finding.help("copy the tags of architectures one by one"))
    };
    transfer.run(Source::Repository(repository), &[image], to, architectures, |_| Ok(vec![top.clone()]))
}

/// How images are transferred.
struct Transfer<'t> {
    machine: &'t Machine,
    sending: &'t Sending,
    format: Format,
    action: Action,
}

impl Transfer<'_> {
    fn run(
        &self,
        source: Source<'_>,
        images: &[Named],
        to: &[String],
        architectures: impl Fn(&Named) -> Result<Vec<(String, Digest)>, Finding>,
        tops: impl FnOnce(&Source<'_>) -> Result<Vec<Top>, Finding>,
    ) -> Result<(), Failure> {
        let trail = Trail::open(self.machine)?;
        let webhooks = Webhooks::at(self.machine, self.sending.webhooks.as_deref())?;
        let is_file = |to: &&String| self.action == Action::Copy && File::named(to).is_some();
        let (files, to): (Vec<&String>, Vec<&String>) = to.iter().partition(is_file);
        let to: Vec<String> = to.into_iter().cloned().collect();
        if let Some(registry) = to.first() {
            refuse_offline(self.machine, registry)?;
        }
        let wanted: Vec<(&Named, &[String])> = images.iter().map(|image| (image, to.as_slice())).collect();
        let jobs = jobs(&wanted, self.sending, trail.commit(), architectures)?;
        let mut saved = Vec::new();
        if !files.is_empty() {
            let tops = tops(&source)?;
            for file in files.into_iter().filter_map(|to| File::named(to)) {
                file.write(&source, &tops)?;
                for image in images {
                    trail.add(self.action, file.text(), image.digest, &[])?;
                    saved.push(Saved { to: file.text().to_owned(), digest: image.digest });
                }
            }
        }
        let client = Client::new(options(self.machine));
        let told = Told { trail: &trail, webhooks: &webhooks, action: self.action };
        send(&client, &Sender::new(source), jobs, &told)?.with(saved).report(self.format)
    }
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
