use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use futures::stream::{self, StreamExt as _};
use model::{Digest, Finding, Findings, Reference, Sources, codes};
use registry::{Client, Sender, Source, Sums, Tag};
use serde::Serialize;

use crate::args::{Format, Machine, Sending};
use crate::layout::{Layouts, Named};
use crate::located::{options, refuse_offline, waiting};
use crate::report::{self, Failure};

/// Images that are sent at once.
const AT_ONCE: usize = 4;

/// Where an image goes: a repository, and its names there.
#[derive(Serialize)]
struct Job {
    #[serde(rename = "repository")]
    to: Reference,
    digest: Digest,
    #[serde(serialize_with = "names")]
    tags: Vec<Tag>,
}

/// What was done.
#[derive(Serialize)]
struct Done<'j> {
    pushed: Vec<&'j Job>,
    blobs: Sums,
}

fn names<S: serde::Serializer>(tags: &[Tag], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(tags.iter().map(|tag| &tag.name))
}

/// `push`: images that lie here, to registries.
pub(super) fn push(
    machine: &Machine,
    from: &str,
    to: &[String],
    sending: &Sending,
    format: Format,
) -> Result<(), Failure> {
    refuse_offline(machine, from)?;
    let layouts = Layouts::at(&archives(from)?)?;
    let images: Vec<&Named> = layouts.images().collect();
    let jobs = jobs(&images, to, sending, |image| layouts.architectures(&image.digest))?;
    let client = Client::new(options(machine))?;
    send(&client, &Sender::new(Source::Here(&layouts)), &jobs, format)
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
    let client = Client::new(options(machine))?;
    let repository = client.repository(&reference)?;
    let descriptor = waiting()?.block_on(registry::described(&client, &reference))?;
    let name = reference.repository.rsplit('/').next().map(str::to_owned);
    let image = Named { digest: descriptor.digest, descriptor, name, tag: reference.tag.clone() };
    if sending.arch_tags {
        let finding = Finding::error(codes::USAGE, "`--arch-tags` needs an image that lies here");
        return Err(finding.help("copy the tags of architectures one by one").into());
    }
    let jobs = jobs(&[&image], to, sending, |_| Ok(Vec::new()))?;
    send(&client, &Sender::new(Source::Repository(repository)), &jobs, format)
}

fn send(client: &Client, sender: &Sender<'_>, jobs: &[Job], format: Format) -> Result<(), Failure> {
    let one = async |job: &Job| {
        let to = client.repository(&job.to)?;
        sender.image(&to, &job.digest, &job.tags).await
    };
    let results: Vec<Result<(), Finding>> =
        waiting()?.block_on(stream::iter(jobs).map(one).buffered(AT_ONCE).collect());
    let (mut pushed, mut failed) = (Vec::new(), Findings::new());
    for (job, result) in jobs.iter().zip(results) {
        match result {
            Ok(()) => pushed.push(job),
            Err(finding) => failed.push(finding.because(format!("{}@{} was to be sent", job.to, job.digest))),
        }
    }
    let all = pushed.len();
    let done = Done { pushed, blobs: sender.sums() };
    match format {
        Format::Json if failed.is_empty() => report::print_json(&done)?,
        Format::Json => {}
        _ => {
            for job in &done.pushed {
                let tags = job.tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>().join(", ");
                report::line(format_args!("pushed   {}@{}  {tags}", job.to, job.digest))?;
            }
        }
    }
    let Sums { sent, bytes, mounted, found } = done.blobs;
    anstream::eprintln!("{sent} blobs sent, {bytes} bytes; {mounted} from other repositories; {found} were there");
    if failed.is_empty() {
        return Ok(());
    }
    anstream::eprintln!("{all} of {} are there; the same command sends the rest", jobs.len());
    Err(Failure { sources: Sources::default(), findings: failed })
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

fn named(text: &str) -> Result<Reference, Finding> {
    let wrong = |why: String| {
        Finding::error(codes::REFERENCE_INVALID, format!("`{}` {why}", text.escape_debug()))
            .help("name registry and repository: `registry.example/team/app:1.2`")
    };
    let reference = text.parse::<Reference>().map_err(|part| wrong(format!("names no image: {part} is wrong")))?;
    if reference.registry.is_none() { Err(wrong("names no registry".into())) } else { Ok(reference) }
}

/// Which image goes where, under which names. A target that ends in `/` is a place: there each image has its own name.
fn jobs(
    images: &[&Named],
    to: &[String],
    sending: &Sending,
    architectures: impl Fn(&Named) -> Result<Vec<(String, Digest)>, Finding>,
) -> Result<Vec<Job>, Finding> {
    let usage = |message: String, help: &str| Finding::error(codes::USAGE, message).help(help);
    let mut jobs = Vec::new();
    let mut seen = BTreeSet::new();
    for target in to {
        let place = target.strip_suffix('/');
        for image in images {
            let own = |what: &Option<String>, kind: &str| {
                let help = "name repository and tag: `registry.example/team/app:1.2`";
                what.clone().ok_or_else(|| usage(format!("the image {} has no {kind} of its own", image.digest), help))
            };
            let mut reference = match place {
                Some(place) => named(&format!("{place}/{}", own(&image.name, "name")?))?,
                None => named(target)?,
            };
            if reference.digest.take().is_some_and(|digest| digest != image.digest) {
                return Err(usage(format!("{target} is not {}", image.digest), "leave the digest out"));
            }
            let tag = match reference.tag.take() {
                Some(tag) => tag,
                None => own(&image.tag, "tag")?,
            };
            let fixed = |name: String, digest| Tag { name, digest, moves: sending.move_tags };
            let mut tags = vec![fixed(tag.clone(), image.digest)];
            tags.extend(sending.tags.iter().map(|tag| fixed(tag.clone(), image.digest)));
            if sending.arch_tags {
                tags.extend(architectures(image)?.into_iter().map(|(arch, of)| fixed(format!("{tag}-{arch}"), of)));
            }
            tags.extend(sending.latest.then(|| Tag { name: "latest".into(), digest: image.digest, moves: true }));
            for tag in &tags {
                let name = format!("{reference}:{}", tag.name);
                if !model::is_tag(&tag.name) {
                    return Err(usage(format!("`{}` is no tag", tag.name.escape_debug()), "name another one"));
                }
                if !seen.insert(name.clone()) {
                    let help = "let the target end in `/`: each image has its own name there then";
                    return Err(usage(format!("several images would be called {name}"), help));
                }
            }
            jobs.push(Job { to: reference, digest: image.digest, tags });
        }
    }
    Ok(jobs)
}
