use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use compiler::diff::{self, Change, Difference, Document, Image, Place};
use files::archive::{ImageEntry, Images};
use files::input;
use inspect::archive::is_compressed;
use model::hardening::CompileFlags;
use model::inventory::Inventory;
use model::{Digest, Finding, codes};

use crate::args::{Format, Machine};
use crate::located::located;
use crate::project::unreadable;
use crate::report::{self, Failure};

/// Plans of many images lie in one file.
const MAX_BYTES: u64 = 512 << 20;
/// Documents that tell when they were made, so that they always differ.
const OF_ONE_RUN: [&str; 4] = ["attestations.intoto.jsonl", "policy-facts.json", "provenance.json", "report.html"];

/// What can be compared with another of its kind.
enum Side {
    Document(Document),
    Image(Images, Vec<Inventory>),
    /// By the names of images; of one alone, the empty name.
    Artifacts(BTreeMap<String, Artifacts>),
}

/// What `build --artifacts` wrote about one image.
struct Artifacts {
    plan: Document,
    flags: Vec<CompileFlags>,
    documents: BTreeMap<String, Digest>,
}

/// `diff`: what differs between two locks, the plans of two batches, two images, or what was written about them.
pub(super) fn run(machine: &Machine, before: &str, after: &str, format: Format) -> Result<(), Failure> {
    let difference = match (read(machine, before)?, read(machine, after)?) {
        (Side::Document(old), Side::Document(new)) => compared(old, new, before, after)?,
        (Side::Image(old, was), Side::Image(new, is)) => {
            diff::images(&by_architecture(&old, &was), &by_architecture(&new, &is))
        }
        (Side::Artifacts(old), Side::Artifacts(new)) => of_images(old, new, before, after)?,
        (old, new) => return Err(of_two_kinds((before, old.kind()), (after, new.kind())).into()),
    };
    if format == Format::Json {
        return Ok(report::print_json(&difference)?);
    }
    let changes = &difference.changes;
    changes.iter().try_for_each(report::line)?;
    difference.affected.iter().try_for_each(report::line)?;
    if changes.is_empty() {
        anstream::eprintln!("no difference");
        return Ok(());
    }
    let count = |kind: fn(&Change) -> bool| changes.iter().filter(|change| kind(change)).count();
    let (added, removed) = (count(|change| change.before.is_none()), count(|change| change.after.is_none()));
    anstream::eprintln!("{added} added, {removed} removed, {} changed", changes.len() - added - removed);
    Ok(())
}

/// What was written about images, each beside the one of its name.
fn of_images(
    mut old: BTreeMap<String, Artifacts>,
    new: BTreeMap<String, Artifacts>,
    before: &str,
    after: &str,
) -> Result<Difference, Finding> {
    let mut all = Difference::default();
    let one_sided = |image: &str, before: Option<String>, after: Option<String>| {
        let places = vec![Place { image: Some(image.to_owned()), target: None }];
        Change { places, what: "artifacts".into(), before, after, ..Change::default() }
    };
    for (image, new) in new {
        let Some(old) = old.remove(&image) else {
            all.changes.push(one_sided(&image, None, Some(String::new())));
            continue;
        };
        let mut own = compared(old.plan, new.plan, before, after)?;
        own.changes.extend(diff::compile_flags(&old.flags, &new.flags).changes);
        own.changes.extend(diff::documents(&old.documents, &new.documents).changes);
        let named = |place: &mut Place| {
            if place.image.is_none() && !image.is_empty() {
                place.image = Some(image.clone());
            }
        };
        for change in &mut own.changes {
            if change.places.is_empty() && !image.is_empty() {
                change.places.push(Place::default());
            }
            change.places.iter_mut().for_each(named);
        }
        own.affected.iter_mut().for_each(|affected| named(&mut affected.place));
        all.changes.extend(own.changes);
        all.affected.extend(own.affected);
    }
    all.changes.extend(old.keys().map(|image| one_sided(image, Some(String::new()), None)));
    Ok(all)
}

fn compared(old: Document, new: Document, before: &str, after: &str) -> Result<Difference, Finding> {
    match (old, new) {
        (Document::Lock(old), Document::Lock(new)) => Ok(diff::locks(&old, &new)),
        (Document::Plans(old), Document::Plans(new)) => Ok(diff::plans(&old, &new)),
        (old, new) => {
            let (old, new) = (Side::Document(old), Side::Document(new));
            Err(of_two_kinds((before, old.kind()), (after, new.kind())))
        }
    }
}

impl Side {
    fn kind(&self) -> &'static str {
        match self {
            Side::Document(Document::Lock(_)) => "a lock",
            Side::Document(Document::Plans(_)) => "a plan",
            Side::Image(..) => "an image",
            Side::Artifacts(_) => "a folder of artifacts",
        }
    }
}

fn of_two_kinds((before, old): (&str, &str), (after, new): (&str, &str)) -> Finding {
    let message = format!("{before} is {old} and {after} {new}: they cannot be compared");
    Finding::error(codes::USAGE, message).help("name two locks, two plans, two images, or two folders of artifacts")
}

/// Archives are known by what they begin with: those of tar (POSIX 1003.1, pax), plain or compressed. All else is a document, or
/// neither.
fn read(machine: &Machine, name: &str) -> Result<Side, Finding> {
    let located = located(machine, name, None)?;
    let path = located.path();
    if path.is_dir() {
        let folders = artifacts_in(path)?;
        return if folders.is_empty() { image(path) } else { Ok(Side::Artifacts(folders)) };
    }
    let mut start = Vec::new();
    let read = input::open(path).and_then(|file| file.take(262).read_to_end(&mut start));
    read.map_err(|e| unreadable(path, &e))?;
    let is_archive = start.ends_with(b"ustar") || is_compressed(&start);
    if is_archive { image(path) } else { Ok(Side::Document(document(path)?)) }
}

fn image(path: &Path) -> Result<Side, Finding> {
    let images = Images::at(path)?;
    let inventories = images.inventories(&images.summary.images.iter().collect::<Vec<_>>(), false)?;
    Ok(Side::Image(images, inventories))
}

fn document(path: &Path) -> Result<Document, Finding> {
    let text = input::read(path, MAX_BYTES).map_err(|e| unreadable(path, &e))?;
    diff::read(&path.display().to_string(), &text)
}

/// The artifacts of one image that lie in a folder, or those of several that lie in folders of their names.
fn artifacts_in(folder: &Path) -> Result<BTreeMap<String, Artifacts>, Finding> {
    let has_plan = |folder: &Path| folder.join("plan.json").is_file();
    if has_plan(folder) {
        return Ok(BTreeMap::from([(String::new(), artifacts(folder)?)]));
    }
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|e| unreadable(folder, &e))? {
        let path = entry.map_err(|e| unreadable(folder, &e))?.path();
        if has_plan(&path) {
            all.insert(path.file_name().unwrap_or_default().to_string_lossy().into_owned(), artifacts(&path)?);
        }
    }
    Ok(all)
}

fn artifacts(folder: &Path) -> Result<Artifacts, Finding> {
    let plan = document(&folder.join("plan.json"))?;
    let (mut flags, mut documents) = (Vec::new(), BTreeMap::new());
    for entry in fs::read_dir(folder).map_err(|e| unreadable(folder, &e))? {
        let path = entry.map_err(|e| unreadable(folder, &e))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !path.is_file() || OF_ONE_RUN.contains(&name.as_str()) {
            continue;
        }
        if name.starts_with("compile-flags-") {
            let bytes = input::read(&path, MAX_BYTES).map_err(|e| unreadable(&path, &e))?;
            let read = serde_json::from_slice(&bytes);
            flags.push(read.map_err(|e| {
                let message = format!("{} says nothing of compile flags: {e}", path.display());
                Finding::error(codes::INPUT_IO, message).help("build the image again with `--artifacts`")
            })?);
        }
        // Debug information may be of any size.
        let (digest, _) = input::hash(&path).map_err(|e| unreadable(&path, &e))?;
        documents.insert(name, digest);
    }
    Ok(Artifacts { plan, flags, documents })
}

fn by_architecture<'i>(images: &'i Images, inventories: &'i [Inventory]) -> BTreeMap<String, Image<'i>> {
    let images = images.summary.images.iter().zip(inventories);
    let mut shown = BTreeMap::new();
    for (entry, inventory) in images {
        let digests =
            std::iter::once(entry.config).chain(entry.layers.iter().filter_map(|layer| layer.digest)).collect();
        // Variants of one processor have one name.
        let mut name = entry.arch.clone();
        let mut number = 2;
        while shown.contains_key(&name) {
            name = format!("{} ({number})", entry.arch);
            number += 1;
        }
        shown.insert(name, Image { inventory, settings: settings(entry), digests });
    }
    shown
}

/// How an image is started, and its labels.
fn settings(entry: &ImageEntry) -> BTreeMap<String, String> {
    let list = |name: &str, words: &[String]| (name.to_owned(), serde_json::to_string(words).unwrap_or_default());
    let mut settings = BTreeMap::from([
        list("entrypoint", &entry.entrypoint),
        list("command", &entry.command),
        list("ports", &entry.ports),
        ("user".to_owned(), entry.user.clone()),
        ("workdir".to_owned(), entry.workdir.clone()),
    ]);
    settings.extend(entry.other.iter().map(|(name, value)| (name.clone(), value.to_string())));
    settings.extend(entry.labels.iter().map(|(name, value)| (format!("label {name}"), value.clone())));
    settings.extend(entry.env.iter().map(|line| {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        (format!("env {name}"), value.to_owned())
    }));
    settings
}
