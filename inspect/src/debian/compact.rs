//! The compact form of a package index: what resolution reads of it, sorted, with tables to search it by.
//!
//! All numbers are little-endian. Behind the [`Header`] follow the package table (per package, in order of name, the
//! newest version first: offset of its text, size, SHA-256), the provider table (per provided name, in order: offset
//! of its text, number of the package) and the text: UTF-8, one line per value.

use std::cmp::Ordering;
use std::io::BufRead;

use model::{Digest, Finding, codes};

use super::{Stanza, Stanzas, relation, version};

/// Version of the compact form and of how it is made: part of the key under which one is kept.
pub const INDEX_VERSION: u32 = 1;

pub(super) const MAGIC: [u8; 8] = *b"CLNSTDEB";
pub(super) const HEADER: usize = 24;
pub(super) const PACKAGE: usize = 4 + 8 + 32;
pub(super) const PROVIDER: usize = 4 + 4;

/// The fields kept of a package, in the order of their lines.
pub(super) const FIELDS: [&str; 11] = [
    "Package",
    "Version",
    "Architecture",
    "Multi-Arch",
    "Pre-Depends",
    "Depends",
    "Conflicts",
    "Breaks",
    "Provides",
    "Filename",
    "Source",
];

/// The most text kept; Debian's largest suite needs 20 MB.
const MAX_TEXT: usize = 512 << 20;

struct Entry {
    start: u32,
    size: u64,
    sha256: Digest,
}

#[derive(Default)]
struct Compactor {
    text: String,
    packages: Vec<Entry>,
    provided: Vec<(u32, u32)>,
}

/// Makes the compact form of a package index (the text of a `Packages` file). Reads a stream of any length; keeps what
/// the compact form holds in memory, about a third of the text.
pub fn compact(packages: &mut dyn BufRead) -> Result<Vec<u8>, Finding> {
    let mut compactor = Compactor::default();
    let mut stanzas = Stanzas::new(packages);
    while let Some(stanza) = stanzas.read()? {
        compactor.add(stanza)?;
    }
    compactor.sort()?;
    compactor.provide()?;
    compactor.finish()
}

impl Compactor {
    fn add(&mut self, stanza: Stanza<'_>) -> Result<(), Finding> {
        let mut values = [""; FIELDS.len()];
        let (mut size, mut sha256) = ("", "");
        for (name, value) in stanza.fields() {
            let kept = FIELDS.iter().position(|field| field.eq_ignore_ascii_case(name));
            let place = match kept.and_then(|at| values.get_mut(at)) {
                Some(place) => place,
                None if name.eq_ignore_ascii_case("Size") => &mut size,
                None if name.eq_ignore_ascii_case("SHA256") => &mut sha256,
                None => continue,
            };
            if !place.is_empty() {
                return Err(unusable(values[0], &format!("has the field {name} twice")));
            }
            *place = value;
        }
        let [name, version, arch, .., filename, _] = values;
        let wrong = |field: &str, value: &str| {
            let value: String = value.chars().take(80).collect();
            Err(unusable(name, &format!("has `{field}: {value}`")))
        };
        if !relation::is_name(name) {
            return wrong(FIELDS[0], name);
        }
        if !version::is_valid(version) {
            return wrong("Version", version);
        }
        if !relation::is_name(arch) {
            return wrong("Architecture", arch);
        }
        if !stays_below(filename) {
            return wrong("Filename", filename);
        }
        let Ok(size) = size.parse() else { return wrong("Size", size) };
        let Ok(sha256) = Digest::from_hex(sha256) else { return wrong("SHA256", sha256) };
        let start = self.position()?;
        for value in values {
            self.line(value);
        }
        self.packages.push(Entry { start, size, sha256 });
        Ok(())
    }

    /// Where the next text goes.
    fn position(&self) -> Result<u32, Finding> {
        let at = Some(self.text.len()).filter(|at| *at <= MAX_TEXT).and_then(|at| u32::try_from(at).ok());
        at.ok_or_else(|| unreadable("a package index is larger than any".into()))
    }

    /// Adds a value as one line: white space that folds it becomes one space.
    fn line(&mut self, value: &str) {
        if value.contains(['\n', '\r', '\t']) {
            for (count, word) in value.split_ascii_whitespace().enumerate() {
                self.text.push_str(if count > 0 { " " } else { "" });
                self.text.push_str(word);
            }
        } else {
            self.text.push_str(value);
        }
        self.text.push('\n');
    }

    fn lines(&self, start: u32) -> std::str::Lines<'_> {
        self.text.get(start as usize..).unwrap_or("").lines()
    }

    fn sort(&mut self) -> Result<(), Finding> {
        let mut packages = std::mem::take(&mut self.packages);
        packages.sort_by(|a, b| order(self.lines(a.start), self.lines(b.start)));
        let twice = packages.windows(2).find_map(|pair| match pair {
            [a, b] if order(self.lines(a.start), self.lines(b.start)).is_eq() => self.lines(a.start).next(),
            _ => None,
        });
        if let Some(name) = twice {
            return Err(unusable(name, "is listed twice in one version"));
        }
        self.packages = packages;
        Ok(())
    }

    /// Lists the names that packages provide, once the packages have their numbers.
    fn provide(&mut self) -> Result<(), Finding> {
        let packages = std::mem::take(&mut self.packages);
        for (number, package) in (0..).zip(&packages) {
            let mut lines = self.lines(package.start);
            let name = lines.next().unwrap_or("").to_owned();
            let provides = lines.nth(7).filter(|provides| !provides.is_empty());
            let Some(provides) = provides.map(relation::parse) else { continue };
            let provides = provides.map_err(|problem| unusable(&name, &format!("provides {problem}")))?;
            for provided in provides.iter().flatten() {
                let version = provided.relation.as_ref().map_or("", |(_, version)| version.as_str());
                let start = self.position()?;
                self.line(&provided.name);
                self.line(version);
                self.provided.push((start, number));
            }
        }
        self.packages = packages;
        let mut provided = std::mem::take(&mut self.provided);
        let name = |at: u32| self.lines(at).next().unwrap_or("");
        provided.sort_by(|a, b| name(a.0).cmp(name(b.0)).then(a.cmp(b)));
        self.provided = provided;
        Ok(())
    }

    fn finish(self) -> Result<Vec<u8>, Finding> {
        let end = self.position()?;
        let length = HEADER + self.packages.len() * PACKAGE + self.provided.len() * PROVIDER + self.text.len();
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX); // fewer than bytes of text
        let mut bytes = Vec::with_capacity(length);
        bytes.extend_from_slice(&MAGIC);
        for number in [INDEX_VERSION, count(self.packages.len()), count(self.provided.len()), end] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for package in &self.packages {
            bytes.extend_from_slice(&package.start.to_le_bytes());
            bytes.extend_from_slice(&package.size.to_le_bytes());
            bytes.extend_from_slice(package.sha256.as_bytes());
        }
        for (start, number) in &self.provided {
            bytes.extend_from_slice(&start.to_le_bytes());
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(self.text.as_bytes());
        Ok(bytes)
    }
}

/// By name, the newest version first; versions that count as equal by their text.
fn order<'a>(mut a: impl Iterator<Item = &'a str>, mut b: impl Iterator<Item = &'a str>) -> Ordering {
    let [name_a, version_a] = [a.next().unwrap_or(""), a.next().unwrap_or("")];
    let [name_b, version_b] = [b.next().unwrap_or(""), b.next().unwrap_or("")];
    let newest_first = || version::compare(version_b, version_a).then_with(|| version_b.cmp(version_a));
    name_a.cmp(name_b).then_with(newest_first)
}

/// Whether a path is relative and stays below where it starts.
fn stays_below(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

pub(super) fn unreadable(message: String) -> Finding {
    Finding::error(codes::DEBIAN_CONTROL_UNREADABLE, message)
}

fn unusable(name: &str, problem: &str) -> Finding {
    let name: String = name.chars().take(80).collect();
    unreadable(format!("the package index cannot be used: the package `{name}` {problem}"))
}
