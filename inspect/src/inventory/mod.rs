//! Which packages lie in a tree, by the records that package managers leave in files and compilers in programs.
//!
//! A [`Scanner`] is shown files one after another, as they stream by or as they lie in a store, and remembers what they tell.
//! Nothing is guessed: a record that cannot be read is said to be so, and what it would have told stays unknown.

mod assemble;
mod cargo;
mod debian;
mod distribution;
mod filesystem;
mod gem;
mod golang;
mod java;
mod licence;
mod npm;
mod python;
mod secret;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek, SeekFrom};

use model::inventory::{Found, Inventory, Item, Secret, Unread};
use model::text::is_plain;
use model::{Digest, Entry, Kind, TreePath};

use crate::archive::layer::Change;
use crate::elf;

pub use filesystem::Filesystem;

/// Bytes of a record that is text.
const LARGEST_TEXT: u64 = 16 << 20;

/// A content that can be read from anywhere.
pub trait Content: Read + Seek {}
impl<C: Read + Seek> Content for C {}

/// What files tell of packages.
#[derive(Default)]
pub struct Scanner {
    told: BTreeMap<TreePath, Told>,
    texts: licence::Texts,
    /// Of every layer: what a later one covers can still be read.
    secrets: BTreeSet<Secret>,
}

/// What one file tells.
#[derive(Clone, Default)]
struct Told {
    found: Vec<Found>,
    /// What it adds to the record of another file.
    list: Option<List>,
    /// Its digest, if it is the text of a licence.
    text: Option<Digest>,
    unread: Option<String>,
}

/// What a file says of packages whose record is another one.
#[derive(Clone)]
enum List {
    /// The files of the Debian package of this name, and architecture where the name has one.
    Debian(String, Option<String>, Vec<Vec<u8>>),
    /// The files of the Python distribution whose record is in the same directory.
    Python(Vec<Vec<u8>>),
    /// The licences of the Debian package of this name.
    DebianLicence(String, String),
    /// What the distribution says of itself.
    Distribution(BTreeMap<String, String>),
}

/// Who reads a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    DebianStatus,
    DebianList,
    DebianCopyright,
    Distribution,
    PythonMetadata,
    PythonFiles,
    Npm,
    Gem,
    Java,
    /// Nobody by its name: a program or library, whatever compiled it, the text of a licence, a secret.
    Other,
}

impl Reader {
    /// Whether it reads text as a whole.
    fn is_text(self) -> bool {
        !matches!(self, Self::Java | Self::Other)
    }
}

impl Scanner {
    /// Whether a file may tell of packages, or be a secret: by its name, else by the four bytes it begins with.
    pub fn wants(path: &TreePath, entry: &Entry, start: Option<[u8; 4]>) -> bool {
        let Kind::File { size, .. } = entry.node else { return false };
        let is_program = || start.is_some_and(|start| elf::is_elf(&start));
        size > 0 && (named(path).is_some() || is_program() || secret::wants(path.as_bytes(), start))
    }

    /// Looks at a file that may tell of packages, or be a secret.
    ///
    /// # Errors
    /// What reading it failed with; what is wrong with what was read is remembered instead.
    pub fn look(&mut self, path: &TreePath, content: &mut dyn Content) -> io::Result<()> {
        let mut told = match named(path).unwrap_or(Reader::Other) {
            Reader::DebianStatus => debian::status(path, &text(content)?),
            Reader::DebianList => debian::list(path, &text(content)?),
            Reader::DebianCopyright => debian::copyright(path, &text(content)?),
            Reader::Distribution => distribution::release(&text(content)?),
            Reader::PythonMetadata => python::metadata(path, &text(content)?),
            Reader::PythonFiles => python::files(path, &text(content)?),
            Reader::Npm => npm::package(path, &text(content)?),
            Reader::Gem => gem::specification(path, &text(content)?),
            Reader::Java => java::archive(path, content),
            // A program may have any name.
            Reader::Other if is_program(content)? => program(path, content)?,
            Reader::Other => Told::default(),
        };
        if content.seek(SeekFrom::End(0))? > LARGEST_TEXT && named(path).is_some_and(Reader::is_text) {
            told.unread = Some(format!("only its first {LARGEST_TEXT} bytes were read"));
        }
        if licence::is_text(path.as_bytes()) {
            self.texts.look(content, &mut told)?;
        }
        if let Some(kind) = secret::kind(path.as_bytes(), content)? {
            self.secrets.insert(Secret { path: path.clone(), kind });
        }
        self.told.insert(path.clone(), told);
        Ok(())
    }

    /// Takes in what a further layer's files tell; what was told by a file that the layer puts anew counts no more.
    pub fn cover(&mut self, changes: &[Change], layer: &Scanner) {
        let mut links = Vec::new();
        for change in changes {
            if let Change::Put(path, entry) = change {
                // Another name of a file tells what that told when the link was made.
                if let Kind::Hardlink { to } = &entry.node {
                    let told = layer.told.get(to).or_else(|| self.told.get(to));
                    links.push((path, linked(path, to, told)));
                }
                self.told.remove(path);
            }
        }
        self.told.extend(layer.told.iter().map(|(path, told)| (path.clone(), told.clone())));
        self.told.extend(links.into_iter().filter_map(|(path, told)| Some((path.clone(), told?))));
        self.texts.take_in(&layer.texts);
        self.secrets.extend(layer.secrets.iter().cloned());
    }

    /// Everything together, for the entries that are there in the end, and what is to be said of some; what other files told is
    /// forgotten.
    pub fn inventory(mut self, architecture: &str, (items, mut unread): (Vec<Item>, Vec<Unread>)) -> Inventory {
        let is_there = |path: &TreePath| {
            let item = items.binary_search_by(|item| item.path.cmp(path)).ok().and_then(|at| items.get(at));
            item.is_some_and(|item| matches!(item.entry.node, Kind::File { .. }))
        };
        self.told.retain(|path, _| is_there(path));
        unread.extend(items.iter().filter_map(unreadable));
        let texts = self.texts.of(self.told.values());
        unread.extend(self.told.iter().filter_map(|(path, told)| {
            let why = told.unread.clone()?;
            Some(Unread { path: path.clone(), why })
        }));
        let mut releases = self.told.values().rev().filter_map(|told| match &told.list {
            Some(List::Distribution(fields)) => Some(fields.clone()),
            _ => None,
        });
        let distribution = releases.next().unwrap_or_default();
        let (packages, more) = assemble::packages(self.told, &items);
        unread.extend(more);
        unread.sort();
        Inventory {
            format: Inventory::FORMAT,
            architecture: architecture.to_owned(),
            distribution,
            parts: Vec::new(),
            packages,
            items,
            texts,
            unread,
            secrets: self.secrets.into_iter().collect(),
        }
    }
}

/// What another name of a file tells: what the file told, if its own name asks for the same reader.
fn linked(path: &TreePath, to: &TreePath, told: Option<&Told>) -> Option<Told> {
    let reader = named(path);
    match told {
        Some(told) if reader == named(to) || reader.is_none() => {
            let mut told = told.clone();
            told.found.iter_mut().for_each(|found| found.record = path.clone());
            match &mut told.list {
                Some(List::Debian(..)) if file_name(path.as_bytes()) != file_name(to.as_bytes()) => told.list = None,
                Some(List::DebianLicence(name, _)) => *name = debian::documented(path),
                _ => {}
            }
            Some(told)
        }
        _ => reader.map(|_| Told::unread(format!("it is another name of {:?}, which was not read so", to.display()))),
    }
}

/// Records that nobody here reads: of other package managers, and where one of a known one is no file.
fn unreadable(item: &Item) -> Option<Unread> {
    let path = item.path.as_bytes();
    let why = match &item.entry.node {
        Kind::File { .. } => FOREIGN
            .iter()
            .find(|(record, _)| *record == path)
            .map(|(_, of)| format!("packages of {of} are not read yet"))?,
        Kind::Symlink { .. } if debian::is_status(path) || path == b"var/lib/dpkg" => {
            "it is a symbolic link, which is not followed".to_owned()
        }
        _ => return None,
    };
    Some(Unread { path: item.path.clone(), why })
}

/// Where other distributions have what they installed.
const FOREIGN: [(&[u8], &str); 9] = [
    (b"lib/apk/db/installed", "Alpine"),
    (b"usr/lib/apk/db/installed", "Alpine"),
    (b"var/lib/rpm/rpmdb.sqlite", "RPM"),
    (b"var/lib/rpm/Packages", "RPM"),
    (b"var/lib/rpm/Packages.db", "RPM"),
    (b"usr/lib/sysimage/rpm/rpmdb.sqlite", "RPM"),
    (b"usr/lib/sysimage/rpm/Packages", "RPM"),
    (b"usr/lib/sysimage/rpm/Packages.db", "RPM"),
    (b"var/lib/pacman/local/ALPM_DB_VERSION", "Arch Linux"),
];

/// Who reads a file of this name.
fn named(path: &TreePath) -> Option<Reader> {
    let bytes = path.as_bytes();
    let readers: [(fn(&[u8]) -> bool, Reader); 10] = [
        (debian::is_status, Reader::DebianStatus),
        (debian::is_list, Reader::DebianList),
        (debian::is_copyright, Reader::DebianCopyright),
        (distribution::is_release, Reader::Distribution),
        (python::is_metadata, Reader::PythonMetadata),
        (python::is_files, Reader::PythonFiles),
        (npm::is_package, Reader::Npm),
        (gem::is_specification, Reader::Gem),
        (java::is_archive, Reader::Java),
        (licence::is_text, Reader::Other),
    ];
    readers.into_iter().find(|(is, _)| is(bytes)).map(|(_, reader)| reader)
}

fn is_program(content: &mut dyn Content) -> io::Result<bool> {
    content.seek(SeekFrom::Start(0))?;
    let mut start = Vec::new();
    (&mut *content).take(4).read_to_end(&mut start)?;
    content.seek(SeekFrom::Start(0))?;
    Ok(elf::is_elf(&start))
}

/// What compilers left in a program.
fn program(path: &TreePath, content: &mut dyn Content) -> io::Result<Told> {
    content.seek(SeekFrom::Start(0))?;
    // One without a table of sections runs, but has no records; and broken ones are common among test data.
    let Ok(sections) = elf::sections(&mut *content) else { return Ok(Told::default()) };
    let mut told = Told::default();
    for section in sections {
        let read: fn(&TreePath, &[u8]) -> Told = match section.name.as_str() {
            golang::SECTION => golang::modules,
            cargo::SECTION => cargo::crates,
            _ => continue,
        };
        content.seek(SeekFrom::Start(section.start))?;
        let mut bytes = Vec::new();
        (&mut *content).take(section.size.min(LARGEST_TEXT)).read_to_end(&mut bytes)?;
        let mut more = read(path, &bytes);
        // Holders are numbered from the first package of the file.
        let before = u32::try_from(told.found.len()).unwrap_or(u32::MAX);
        let holders = more.found.iter_mut().filter_map(|found| found.holder.as_mut());
        holders.for_each(|holder| *holder = holder.saturating_add(before));
        told.found.extend(more.found);
        told.unread = told.unread.or(more.unread);
    }
    Ok(told)
}

fn text(content: &mut dyn Content) -> io::Result<Vec<u8>> {
    // Room for all of it at once: what grows leaves smaller rooms behind.
    let size = content.seek(SeekFrom::End(0))?.min(LARGEST_TEXT);
    content.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    content.take(LARGEST_TEXT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Told {
    fn one(found: Found) -> Self {
        Self { found: vec![found], ..Self::default() }
    }

    fn unread(why: impl Into<String>) -> Self {
        Self { unread: Some(why.into()), ..Self::default() }
    }
}

/// A field that says something, in one line; a record full of blanks says nothing.
fn said(text: &str) -> Option<String> {
    line(text).filter(|text| !text.eq_ignore_ascii_case("unknown"))
}

/// Words in one line, of characters that may stand everywhere.
fn line(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().filter(|c| is_plain(*c)).collect();
    (!text.is_empty()).then_some(text)
}

/// The name of the directory a path lies in, and what is above it.
fn parent(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = path.iter().rposition(|b| *b == b'/')?;
    let directory = path.get(..at)?;
    Some(match directory.iter().rposition(|b| *b == b'/') {
        Some(above) => (directory.get(above + 1..)?, directory.get(..above)?),
        None => (directory, b""),
    })
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|b| *b == b'/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests;
