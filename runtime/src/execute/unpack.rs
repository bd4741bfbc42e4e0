//! Archives as trees.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};

use inspect::archive::{self, Limits, deb, wheel};
use inspect::pypi::CoreMetadata;
use model::plan::{Addition, ArchiveFormat, ScriptModel};
use model::{Digest, Entry, Finding, Hasher, Kind, Tree, TreePath, codes};

use super::compose::Composition;
use super::content::Content;
use super::run::Input;
use super::{Context, Object, PackWriter, Record};
use crate::fetch::sdist;

const STATUS: &str = "var/lib/dpkg/status.d";

/// Unpacks one archive. Its whole file is hashed in passing; what came out counts only if the digest is right.
pub(super) fn run(context: &Context, format: &ArchiveFormat, blob: &Object, name: &str) -> Result<Record, Finding> {
    let limits = Limits::default();
    let mut sink = PackWriter::new(context);
    let file = context.store.open_blob(&blob.digest)?;
    let (unpacked, digest) = match format {
        ArchiveFormat::Deb { package, version, scripts } => through(file, |input| {
            let found = deb::unpack(input, &limits, &mut sink)?;
            debian(found, package, version, scripts, &mut sink)
        }),
        ArchiveFormat::Tar | ArchiveFormat::Release => through(file, |input| {
            let options = archive::tar::Options { owners: false, merge_usr: false };
            let tree = archive::tar::unpack(input, blob.size, options, &limits, &mut sink)?;
            Ok((if *format == ArchiveFormat::Release { without_top(&tree)? } else { tree }, Vec::new()))
        }),
        ArchiveFormat::Zip => beside(&file, || archive::zip::unpack(BufReader::new(&file), &limits, &mut sink)),
        ArchiveFormat::Wheel { scheme, project, version, metadata } => beside(&file, || {
            let metadata = metadata.map_or(wheel::Metadata::OfWheel, wheel::Metadata::Served);
            let wanted = wheel::Wanted { scheme, project, version, metadata };
            wheel::install(BufReader::new(&file), &wanted, &limits, &mut sink)
        }),
    };
    if let Some(failure) = sink.failure() {
        return Err(failure);
    }
    let digest = digest.map_err(|e| context.store.failed(&format!("{} cannot be read", blob.digest), &e))?;
    if digest != blob.digest {
        return Err(context.store.damaged(&blob.digest).because(format!("it is {name}")));
    }
    let (tree, effects) =
        unpacked.map_err(|finding| Finding { message: format!("{name}: {}", finding.message), ..finding })?;
    let packed = sink.finish()?;
    let packs = packed.pack.into_iter().collect();
    if effects.is_empty() {
        return context.keep_tree(tree, packs, packed.objects);
    }
    let mut composition = Composition::new(context);
    composition.objects = packed.objects;
    composition.unite(name, tree.into_entries(), &packs)?;
    composition.add(&effects)?;
    composition.finish()
}

/// Unpacks the wheel that was built here, the one file of a tree, from a source distribution.
pub(super) fn built(
    context: &Context,
    format: &ArchiveFormat,
    built: &Input,
    source: &Object,
    name: &str,
) -> Result<Record, Finding> {
    let ArchiveFormat::Wheel { scheme, project, version, metadata } = format else {
        return Err(super::broken("only wheels are unpacked after they were built"));
    };
    let said = sdist::read(context.store, name, &source.digest)?;
    if metadata.is_some_and(|metadata| metadata != Digest::of(&said.metadata)) {
        let message = format!("{name} says something else of itself than the lock was made from");
        return Err(
            Finding::error(codes::METADATA_DIFFERS, message).help("make the lock again: `clnstrt-cli lock --update`")
        );
    }
    let said = CoreMetadata::parse(&said.metadata)?;
    let mut files = built.tree.entries().values().filter_map(|entry| match entry.node {
        Kind::File { digest, size } => Some((digest, size)),
        _ => None,
    });
    let (Some((digest, size)), None) = (files.next(), files.next()) else {
        return Err(Finding::error(codes::WHEEL_INVALID, format!("the build of {name} left no wheel, or several")));
    };
    let mut sink = PackWriter::new(context);
    let wheel = Content::open(context, &built.packs)?.read(&digest, size)?.seekable()?;
    let wanted = wheel::Wanted { scheme, project, version, metadata: wheel::Metadata::OfSource(&said) };
    let tree = wheel::install(BufReader::new(wheel), &wanted, &Limits::default(), &mut sink);
    if let Some(failure) = sink.failure() {
        return Err(failure);
    }
    let tree = tree.map_err(|finding| Finding { message: format!("{name}: {}", finding.message), ..finding })?;
    let packed = sink.finish()?;
    context.keep_tree(tree, packed.pack.into_iter().collect(), packed.objects)
}

/// A tree whose entries all lie in one directory, without that.
fn without_top(tree: &Tree) -> Result<Tree, Finding> {
    let mut tops = tree.entries().keys().filter(|path| path.parent().is_none());
    let refused = |why: String| {
        Finding::error(codes::ARCHIVE_INVALID, "the archive is no release of source code")
            .because(why)
            .help("a release has everything in one directory")
    };
    match (tops.next(), tops.next()) {
        (Some(top), None) => tree.directory(top).map_err(|e| refused(e.to_string())),
        (first, second) => {
            let names: Vec<String> = first.into_iter().chain(second).map(TreePath::display).collect();
            Err(refused(format!(
                "at its top it has {}",
                if names.is_empty() { "nothing".into() } else { names.join(", ") }
            )))
        }
    }
}

type Unpacked = Result<(Tree, Vec<Addition>), Finding>;

/// Reads a file through a hasher, also what its reader leaves over.
fn through(file: File, unpack: impl FnOnce(&mut dyn Read) -> Unpacked) -> (Unpacked, io::Result<Digest>) {
    let mut input = BufReader::with_capacity(1 << 17, Hashing { file, hasher: Hasher::new() });
    let unpacked = unpack(&mut input);
    let drained = io::copy(&mut input, &mut io::sink());
    (unpacked, drained.map(|_| input.into_inner().hasher.finish()))
}

/// Reads a file out of order, and hashes it meanwhile.
fn beside(file: &File, unpack: impl FnOnce() -> Result<Tree, Finding> + Send) -> (Unpacked, io::Result<Digest>) {
    let hash = || {
        let mut hasher = Hasher::new();
        let (mut buffer, mut at) = (vec![0; 1 << 17], 0);
        loop {
            match std::os::unix::fs::FileExt::read_at(file, &mut buffer, at)? {
                0 => return Ok(hasher.finish()),
                read => {
                    hasher.update(buffer.get(..read).unwrap_or_default());
                    at += read as u64;
                }
            }
        }
    };
    let (tree, digest) = rayon::join(unpack, hash);
    (tree.map(|tree| (tree, Vec::new())), digest)
}

struct Hashing {
    file: File,
    hasher: Hasher,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// A package's data with its entry in dpkg's status, and what its scripts would have done.
fn debian(
    found: deb::Deb,
    package: &str,
    version: &str,
    scripts: &BTreeMap<String, Vec<ScriptModel>>,
    sink: &mut PackWriter,
) -> Unpacked {
    let (is, of) = (found.field("Package").unwrap_or(""), found.field("Version").unwrap_or(""));
    if (is, of) != (package, version) {
        let message = format!("the archive is the package {is:?} {of:?}; expected {package} {version}");
        return Err(Finding::error(codes::ARCHIVE_INVALID, message)
            .help("The lock and the archive do not belong together. Make the lock again."));
    }
    let mut effects = Vec::new();
    for (script, digest) in &found.scripts {
        let model = scripts.get(script).and_then(|models| models.iter().find(|model| model.sha256 == *digest));
        let model = model.ok_or_else(|| {
            let message = format!("nobody has modelled what {script} of {package} {version} does");
            Finding::error(codes::SCRIPT_NOT_MODELLED, message)
                .because(format!("its digest is {digest}"))
                .help(format!("Maintainer scripts are not run. Read it, and describe its effects under this digest in the standard library; `clnstrt-cli why {package}` says what asks for the package."))
        })?;
        effects.extend(model.effects.iter().cloned());
    }
    let mut entries = found.data.into_entries();
    let control = format!("{}\n", found.control.trim_end());
    for (name, text) in [(package.to_owned(), &control), (format!("{package}.md5sums"), &found.md5sums)] {
        if !text.is_empty() {
            let path: TreePath = format!("{STATUS}/{name}").parse().map_err(|e| super::broken(format!("{e}")))?;
            let (digest, size) = sink.put(text.as_bytes())?;
            entries.insert(path, Entry::root(Kind::File { digest, size }, 0o644));
        }
    }
    let tree = Tree::with_parents(entries).map_err(|e| Finding::error(codes::ARCHIVE_INVALID, e.to_string()))?;
    Ok((tree, effects))
}
