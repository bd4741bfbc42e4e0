//! An image that anybody built, as documents about it need it.

use std::collections::BTreeSet;
use std::path::Path;

use evidence::{Image, LayerFacts};
use files::archive::{ImageEntry, ImageSummary, Images, folder};
use jiff::Timestamp;
use model::inventory::Inventory;
use model::plan::ImageConfig;
use model::text::printable;
use model::{Finding, Findings, Sources, codes};

use crate::args::Machine;
use crate::located::located;
use crate::report;

/// The image of one architecture.
pub(crate) struct Described {
    pub(crate) image: Image,
    pub(crate) inventory: Inventory,
    pub(crate) layers: Vec<LayerFacts>,
    pub(crate) runs: ImageConfig,
}

/// The images of an archive, an OCI layout or a name in a registry; or the one whose root a folder would be. Files have a SHA-1 if it is wanted.
pub(crate) fn all(machine: &Machine, reference: &str, with_sha1: bool) -> Result<Vec<Described>, Finding> {
    read(machine, reference, None, with_sha1, |images| Ok(images.iter().collect()))
}

/// The image of an architecture; where there is only one, no architecture need be named. The layers of others are not read.
pub(crate) fn one(
    machine: &Machine,
    reference: &str,
    architecture: Option<&str>,
    with_sha1: bool,
) -> Result<Described, Finding> {
    let described = read(machine, reference, architecture, with_sha1, |images| {
        chosen(images, architecture).map(|image| vec![image])
    })?;
    let there = |described: &Described| architecture.is_none_or(|wanted| described.image.architecture == wanted);
    described
        .into_iter()
        .find(there)
        .ok_or_else(|| Finding::error(codes::USAGE, "a folder has no architecture").help("leave `--arch` out"))
}

fn read(
    machine: &Machine,
    reference: &str,
    architecture: Option<&str>,
    with_sha1: bool,
    choose: impl Fn(&[ImageEntry]) -> Result<Vec<&ImageEntry>, Finding>,
) -> Result<Vec<Described>, Finding> {
    let located = located(machine, reference, architecture)?;
    let path = located.path();
    let is_layout = ["index.json", "manifest.json", "oci-layout"].iter().any(|name| path.join(name).is_file());
    let described = if path.is_dir() && !is_layout && !reference.starts_with("oci:") {
        vec![root(path, with_sha1)?]
    } else {
        let archive = Images::at(path)?;
        let entries = choose(&archive.summary.images)?;
        let inventories = archive.inventories(&entries, with_sha1)?;
        entries.iter().zip(inventories).map(|(entry, inventory)| of(&archive.summary, entry, inventory)).collect()
    };
    warn(&described);
    Ok(described)
}

fn chosen<'i>(images: &'i [ImageEntry], architecture: Option<&str>) -> Result<&'i ImageEntry, Finding> {
    let fitting: Vec<&ImageEntry> =
        images.iter().filter(|image| architecture.is_none_or(|wanted| image.arch == wanted)).collect();
    if let [only] = fitting.as_slice() {
        return Ok(only);
    }
    let of = architecture.map(|wanted| format!(" for {}", wanted.escape_debug())).unwrap_or_default();
    let message = match fitting.len() {
        0 => format!("the archive has no image{of}"),
        several => format!("the archive holds {several} images{of}"),
    };
    let there: BTreeSet<&str> = images.iter().map(|image| image.arch.as_str()).collect();
    let there = there.into_iter().collect::<Vec<_>>().join(", ");
    let help = match architecture {
        Some(_) if fitting.len() > 1 => "name an archive with one image for each architecture".to_owned(),
        _ if images.is_empty() => "name an archive or a layout of an image".to_owned(),
        _ if images.len() > 1 && !there.contains(", ") => {
            "name an archive with one image for each architecture".to_owned()
        }
        _ => format!("name one of its architectures with `--arch`: {there}"),
    };
    Err(Finding::error(codes::USAGE, message).help(help))
}

/// What is passed over, in the words of [`warn`].
pub(crate) fn unread(images: &[Described]) -> Findings {
    let unread = images.iter().flat_map(|described| &described.inventory.unread);
    let findings = unread.map(|unread| {
        let message = format!("/{} is passed over: {}", unread.path.display(), unread.why);
        Finding::warning(codes::RECORD_UNREAD, message)
            .help("what it would have told of packages is not in the document")
    });
    findings.collect()
}

fn warn(images: &[Described]) {
    report::print_warnings(&Sources::default(), &unread(images));
}

fn root(path: &Path, with_sha1: bool) -> Result<Described, Finding> {
    let name = path.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    // A folder has no architecture; what its programs are for is not asked.
    let inventory = folder(path, "any", with_sha1)?;
    let image = Image {
        name: name.unwrap_or_else(|| "root".to_owned()),
        version: None,
        architecture: inventory.architecture.clone(),
        manifest: None,
        layers: Vec::new(),
        created: 0,
    };
    let layers = vec![LayerFacts { digest: None, size: None, title: None }];
    Ok(Described { image, inventory, layers, runs: ImageConfig::default() })
}

fn of(summary: &ImageSummary, entry: &ImageEntry, inventory: Inventory) -> Described {
    let layers = entry.layers.iter().map(|layer| LayerFacts {
        digest: layer.digest,
        size: Some(layer.size),
        title: Some(layer.title.clone()).filter(|title| !title.is_empty()),
    });
    let runs = ImageConfig {
        user: entry.user.clone(),
        env: entry.env.clone(),
        entrypoint: entry.entrypoint.clone(),
        command: entry.command.clone(),
        workdir: entry.workdir.clone(),
        ports: entry.ports.clone(),
    };
    Described { image: named(summary, entry), inventory, layers: layers.collect(), runs }
}

/// What documents call the image: as its annotations do, else as the archive.
fn named(summary: &ImageSummary, entry: &ImageEntry) -> Image {
    let label = |key: &str| entry.labels.get(&format!("org.opencontainers.image.{key}")).cloned();
    let named = summary.names.first().map(|name| name.rsplit('/').next().unwrap_or(name).to_owned());
    let (name, tag) = match named.as_deref().and_then(|name| name.split_once(':')) {
        Some((name, tag)) => (Some(name.to_owned()), Some(tag.to_owned())),
        None => (named, None),
    };
    let created = entry.created.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    Image {
        name: printable(&label("title").or(name).unwrap_or_else(|| "image".to_owned())),
        version: label("version").or(tag).map(|version| printable(&version)),
        architecture: printable(&entry.arch),
        manifest: entry.manifest,
        layers: entry.layers.iter().filter_map(|layer| layer.digest).collect(),
        created: created.map_or(0, Timestamp::as_second),
    }
}
