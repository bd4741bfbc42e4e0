//! Wheels: checked against their `RECORD` and installed the way the `installer` project does it (the specifications
//! "Binary distribution format" and "Recording installed projects" of the Python Packaging User Guide).

mod entry_points;
mod install;
mod metadata;
mod record;

pub use metadata::same_version;
pub use record::recorded;

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, Write};

use model::plan::WheelScheme;
use model::{Digest, Finding, Hasher, Tree, codes};

use super::zip::{Refused, Zip};
use super::{ContentSink, Limits, too_large};
use crate::pypi::{CoreMetadata, normalize};

/// What a wheel must be, and where it goes.
pub struct Wanted<'a> {
    /// Directories of the installation.
    pub scheme: &'a WheelScheme,
    /// Normalised project name.
    pub project: &'a str,
    /// Version.
    pub version: &'a str,
    /// What is known of its METADATA.
    pub metadata: Metadata<'a>,
}

/// What resolution read of a package's metadata.
pub enum Metadata<'a> {
    /// Nothing but what the wheel itself says.
    OfWheel,
    /// A document of this digest, served apart from the wheel.
    Served(Digest),
    /// What the source distribution says that the wheel was built from.
    OfSource(&'a CoreMetadata),
}

/// Reads a wheel and places its files; nothing of it is run.
///
/// # Errors
/// `WHEEL_INVALID`, `METADATA_DIFFERS`, and what [`super::zip::unpack`] answers with.
pub fn install<R: Read + Seek>(
    input: R,
    wanted: &Wanted,
    limits: &Limits,
    sink: &mut dyn ContentSink,
) -> Result<Tree, Finding> {
    let zip = Zip::open(input, limits)?;
    let stem = stem(&zip, wanted)?;
    let mut wheel = Wheel { stem, files: BTreeMap::new(), documents: BTreeMap::new() };
    zip.walk(limits, &mut |member, content| {
        // RECORD lists files only
        if member.is_dir {
            return Ok(());
        }
        let file = wheel.take(&member.name, member.executable, content, wanted, limits, sink)?;
        wheel.files.insert(member.name, file);
        Ok(())
    })?;
    record::verify(&wheel)?;
    metadata::verify(&wheel, wanted)?;
    install::place(&wheel, wanted, limits, sink)
}

/// A wheel's files, by name.
struct Wheel {
    /// `NAME-VERSION` of its `.dist-info` and `.data` directories.
    stem: String,
    files: BTreeMap<String, File>,
    /// The files of `.dist-info` that are read here, by their name in it.
    documents: BTreeMap<&'static str, Vec<u8>>,
}

struct File {
    /// As it is in the wheel.
    digest: Digest,
    size: u64,
    /// As it is installed.
    installed: (Digest, u64),
    executable: bool,
}

const DOCUMENTS: [&str; 4] = ["RECORD", "WHEEL", "METADATA", "entry_points.txt"];
const SHEBANG: &[u8] = b"#!python";

impl Wheel {
    fn document(&self, name: &str) -> Result<&[u8], Finding> {
        let missing = || invalid(format!("the wheel has no {}.dist-info/{name}", self.stem));
        self.documents.get(name).map(Vec::as_slice).ok_or_else(missing)
    }

    fn text(&self, name: &str) -> Result<&str, Finding> {
        std::str::from_utf8(self.document(name)?).map_err(|_| invalid(format!("{name} is not UTF-8")))
    }

    /// The directory a name's first component names and the rest, if the first component is `STEM.SUFFIX`.
    fn below<'n>(&self, suffix: &str, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(&self.stem)?.strip_prefix(suffix)?.strip_prefix('/')
    }

    fn take(
        &mut self,
        name: &str,
        executable: bool,
        content: &mut dyn Read,
        wanted: &Wanted,
        limits: &Limits,
        sink: &mut dyn ContentSink,
    ) -> Result<File, Refused> {
        if let Some(document) =
            self.below(".dist-info", name).and_then(|name| DOCUMENTS.into_iter().find(|d| *d == name))
        {
            let mut bytes = Vec::new();
            content.take(limits.metadata + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > limits.metadata {
                return Err(too_large(format!("{name} has more than {} bytes", limits.metadata)).into());
            }
            let original = (Digest::of(&bytes), bytes.len() as u64);
            if document != "RECORD" {
                sink.store(&mut bytes.as_slice())?;
            }
            self.documents.insert(document, bytes);
            return Ok(File { digest: original.0, size: original.1, installed: original, executable });
        }
        let is_script = self.below(".data", name).is_some_and(|name| name.starts_with("scripts/"));
        if !is_script {
            let (digest, size) = sink.store(content)?;
            return Ok(File { digest, size, installed: (digest, size), executable });
        }
        let mut original = Original { inner: content, hasher: Hasher::new(), size: 0 };
        let installed = sink.store(&mut with_interpreter(&mut original, &wanted.scheme.interpreter)?)?;
        Ok(File { digest: original.hasher.finish(), size: original.size, installed, executable: true })
    }
}

/// Hashes what is read through it.
struct Original<'a> {
    inner: &'a mut dyn Read,
    hasher: Hasher,
    size: u64,
}

impl Read for Original<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.write_all(buffer.get(..read).unwrap_or_default())?;
        self.size += read as u64;
        Ok(read)
    }
}

/// A script whose first line starts with `#!python` names the interpreter it was installed for instead.
fn with_interpreter<'a>(script: &'a mut Original, interpreter: &str) -> io::Result<impl Read + 'a> {
    let mut start = Vec::new();
    script.by_ref().take(SHEBANG.len() as u64).read_to_end(&mut start)?;
    if start == SHEBANG {
        let mut byte = [0];
        while script.read(&mut byte)? == 1 && byte != *b"\n" {}
        start = format!("#!{interpreter}\n").into_bytes();
    }
    Ok(io::Cursor::new(start).chain(script))
}

/// The one `.dist-info` directory at the top, which must be named after the wanted project and version.
fn stem<R: Read + Seek>(zip: &Zip<R>, wanted: &Wanted) -> Result<String, Finding> {
    let names = zip.names().filter_map(|name| Some(name.split_once('/')?.0.strip_suffix(".dist-info")?.to_owned()));
    let mut stems: Vec<String> = names.collect();
    stems.sort();
    stems.dedup();
    let [stem] = stems.as_slice() else {
        return Err(invalid(format!("the wheel has {} .dist-info directories; it must have one", stems.len())));
    };
    let of_wanted = stem.rsplit_once('-').is_some_and(|(name, version)| {
        normalize(name) == wanted.project && metadata::same_version(version, wanted.version)
    });
    if !of_wanted {
        let message = format!(
            "the wheel's directory is {stem}.dist-info; expected that of {} {}",
            wanted.project, wanted.version
        );
        return Err(invalid(message));
    }
    Ok(stem.clone())
}

fn invalid(message: impl Into<String>) -> Finding {
    Finding::error(codes::WHEEL_INVALID, message)
        .help("The file has the digest the lock names, so it was published like this. Choose another version.")
}

#[cfg(test)]
mod tests;
