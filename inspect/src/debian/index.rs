//! Reading the compact form of a package index: opened in milliseconds, searched without being parsed.

use model::{Digest, Finding};

use super::compact::{HEADER, INDEX_VERSION, MAGIC, PACKAGE, PROVIDER, unreadable};

/// A package index in its compact form.
///
/// **Invariant:** every offset lies inside the text and every number names a package; [`Index::open`] refuses anything
/// else. What stands at an offset is looked at when it is asked for.
#[derive(Clone, Debug)]
pub struct Index {
    bytes: Vec<u8>,
    packages: usize,
    providers: usize,
    /// Where the text starts.
    text: usize,
}

/// One version of a package, as the index lists it. Relation fields are as written, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// `all` or the architecture's name.
    pub architecture: String,
    /// `Multi-Arch`, empty if absent.
    pub multi_arch: String,
    /// `Pre-Depends`.
    pub pre_depends: String,
    /// `Depends`.
    pub depends: String,
    /// `Conflicts`.
    pub conflicts: String,
    /// `Breaks`.
    pub breaks: String,
    /// `Provides`.
    pub provides: String,
    /// Path of the archive below the root of the server.
    pub filename: String,
    /// Size of the archive in bytes.
    pub size: u64,
    /// SHA-256 of the archive.
    pub sha256: Digest,
    /// Source package and its version, where they differ from the package's own.
    pub source: Option<(String, String)>,
}

impl Index {
    /// Opens what [`super::compact`] made. Other bytes are refused; that they are the very bytes that were made, the
    /// caller knows by their digest.
    pub fn open(bytes: Vec<u8>) -> Result<Self, Finding> {
        let number = |at: usize| number(&bytes, at).unwrap_or(0) as usize;
        let (packages, providers, length) = (number(12), number(16), number(20));
        let text = HEADER + packages * PACKAGE + providers * PROVIDER;
        if !bytes.starts_with(&MAGIC) || number(8) != INDEX_VERSION as usize || bytes.len() != text + length {
            return Err(damaged());
        }
        let index = Self { bytes, packages, providers, text };
        if index.holds() { Ok(index) } else { Err(damaged()) }
    }

    /// Every version of a package, the newest first.
    pub fn packages(&self, name: &str) -> Vec<Package> {
        let first = partition(self.packages, |at| self.package_name(at) < name);
        (first..self.packages).take_while(|at| self.package_name(*at) == name).map(|at| self.package(at)).collect()
    }

    /// One version of a package.
    pub fn find(&self, name: &str, version: &str) -> Option<Package> {
        self.packages(name).into_iter().find(|package| package.version == version)
    }

    /// The packages that provide a name, in order of their own, each with the version it provides it in, if it says so.
    pub fn providers(&self, name: &str) -> Vec<(Package, Option<String>)> {
        let first = partition(self.providers, |at| self.provided(at).0 < name);
        (first..self.providers)
            .map(|at| self.provided(at))
            .take_while(|(provided, ..)| *provided == name)
            .map(|(_, version, at)| (self.package(at), Some(version.to_owned()).filter(|version| !version.is_empty())))
            .collect()
    }

    /// Every package name, in order, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let mut last = "";
        (0..self.packages)
            .map(|at| self.package_name(at))
            .filter(move |name| std::mem::replace(&mut last, name) != *name)
    }

    fn holds(&self) -> bool {
        let length = self.bytes.len() - self.text;
        let inside = |at: usize| number(&self.bytes, at).is_some_and(|start| (start as usize) < length);
        let tables = HEADER + self.packages * PACKAGE;
        (0..self.packages).all(|at| inside(HEADER + at * PACKAGE))
            && (0..self.providers).map(|at| tables + at * PROVIDER).all(|at| {
                inside(at) && number(&self.bytes, at + 4).is_some_and(|package| (package as usize) < self.packages)
            })
    }

    /// The lines from an offset of the text on.
    fn lines_at(&self, start: Option<u32>) -> impl Iterator<Item = &str> {
        let start = start.map_or(self.bytes.len(), |start| self.text.saturating_add(start as usize));
        let from = self.bytes.get(start..).unwrap_or_default();
        let mut rest = Some(from);
        std::iter::from_fn(move || {
            let from = rest?;
            let (line, next) = match memchr::memchr(b'\n', from) {
                Some(at) => (from.get(..at)?, from.get(at + 1..)),
                None => (from, None),
            };
            rest = next;
            Some(std::str::from_utf8(line).unwrap_or(""))
        })
    }

    fn lines(&self, package: usize) -> impl Iterator<Item = &str> {
        self.lines_at(number(&self.bytes, HEADER + package * PACKAGE))
    }

    fn package_name(&self, at: usize) -> &str {
        self.lines(at).next().unwrap_or("")
    }

    /// Provided name, its version or nothing, and the number of the providing package.
    fn provided(&self, at: usize) -> (&str, &str, usize) {
        let entry = HEADER + self.packages * PACKAGE + at * PROVIDER;
        let mut lines = self.lines_at(number(&self.bytes, entry));
        let package = number(&self.bytes, entry + 4).map_or(usize::MAX, |at| at as usize);
        (lines.next().unwrap_or(""), lines.next().unwrap_or(""), package)
    }

    fn package(&self, at: usize) -> Package {
        let entry = HEADER + at * PACKAGE;
        let fixed = |at: usize| self.bytes.get(at..).unwrap_or_default();
        let mut lines = self.lines(at).map(str::to_owned);
        let mut next = || lines.next().unwrap_or_default();
        let mut package = Package {
            name: next(),
            version: next(),
            architecture: next(),
            multi_arch: next(),
            pre_depends: next(),
            depends: next(),
            conflicts: next(),
            breaks: next(),
            provides: next(),
            filename: next(),
            size: u64::from_le_bytes(fixed(entry + 4).first_chunk().copied().unwrap_or_default()),
            sha256: Digest::from_bytes(fixed(entry + 12).first_chunk().copied().unwrap_or_default()),
            source: None,
        };
        package.source = source(&next(), &package.version);
        package
    }
}

/// `NAME` or `NAME (VERSION)`; absent where the package is its own source.
fn source(text: &str, version: &str) -> Option<(String, String)> {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let version = rest.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(version);
    Some((name.to_owned(), version.to_owned())).filter(|(name, _)| !name.is_empty())
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

/// The first number below `count` for which `before` does not hold.
fn partition(count: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

fn damaged() -> Finding {
    unreadable(format!("this is no compact package index of version {INDEX_VERSION}, or it is damaged"))
        .help("it is made again from the package index where that is at hand")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::compact::FIELDS;
    use super::super::{Stanzas, compact};
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = include_str!("../../../tests/debian/index.Packages");

    fn index(text: &str) -> Result<Index, Finding> {
        Index::open(compact(&mut text.as_bytes())?)
    }

    /// What the stanza reader says of the same text: field by field.
    fn stanzas(mut text: &[u8]) -> Vec<BTreeMap<String, String>> {
        let mut reader = Stanzas::new(&mut text);
        let mut all = Vec::new();
        while let Some(stanza) = reader.read().unwrap() {
            all.push(stanza.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
        }
        all
    }

    fn shown(package: &Package) -> BTreeMap<String, String> {
        let source = package.source.as_ref().map(|(name, version)| match *version == package.version {
            true => name.clone(),
            false => format!("{name} ({version})"),
        });
        let fields = [
            ("Package", package.name.clone()),
            ("Version", package.version.clone()),
            ("Architecture", package.architecture.clone()),
            ("Multi-Arch", package.multi_arch.clone()),
            ("Pre-Depends", package.pre_depends.clone()),
            ("Depends", package.depends.clone()),
            ("Conflicts", package.conflicts.clone()),
            ("Breaks", package.breaks.clone()),
            ("Provides", package.provides.clone()),
            ("Filename", package.filename.clone()),
            ("Size", package.size.to_string()),
            ("SHA256", package.sha256.hex()),
            ("Source", source.unwrap_or_default()),
        ];
        fields.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.into(), value)).collect()
    }

    fn agrees(text: &str) {
        let index = index(text).unwrap();
        let expected = stanzas(text.as_bytes());
        assert!(!expected.is_empty());
        for mut stanza in expected {
            let found = index.find(&stanza["Package"], &stanza["Version"]).unwrap();
            stanza.retain(|name, _| FIELDS.contains(&name.as_str()) || name == "Size" || name == "SHA256");
            stanza.values_mut().for_each(|value| *value = value.split_whitespace().collect::<Vec<_>>().join(" "));
            assert_eq!(shown(&found), stanza);
        }
    }

    #[test]
    fn every_stanza_is_found_again_as_it_was() {
        agrees(TEXT);
    }

    #[test]
    fn the_newest_version_stands_first_and_names_stand_once() {
        let index = index(TEXT).unwrap();
        let versions: Vec<String> = index.packages("lantern").into_iter().map(|p| p.version).collect();
        assert_eq!(versions, ["1:0.9-1", "2.0-1+deb1u2", "2.0-1", "2.0~rc1-1"]);
        assert_eq!(index.names().collect::<Vec<_>>(), ["lantern", "libwick2", "tallow", "wax"]);
        assert!(index.packages("lanter").is_empty() && index.packages("zinc").is_empty());
        assert_eq!(index.find("lantern", "2.0"), None);
    }

    #[test]
    fn providers_are_found_with_the_version_they_provide() {
        let index = index(TEXT).unwrap();
        let of = |name: &str| -> Vec<(String, Option<String>)> {
            index.providers(name).into_iter().map(|(package, version)| (package.name, version)).collect()
        };
        assert_eq!(of("fuel"), [("tallow".into(), None), ("wax".into(), Some("3".into()))]);
        assert_eq!(of("wick-abi-2"), [("libwick2".into(), None)]);
        assert_eq!(of("lantern"), []);
    }

    #[test]
    fn what_a_package_index_must_not_hold_is_refused() {
        let cases = [
            ("Version: 2.0-1\n", "Version: two\n", "`lantern` has `Version: two`"),
            ("Package: wax", "Package: Wax", "has `Package: Wax`"),
            ("Architecture: all", "Architecture: ", "has `Architecture: `"),
            ("pool/t/tallow.deb", "pool/../../tallow.deb", "`tallow` has `Filename: pool/../../tallow.deb`"),
            ("pool/t/tallow.deb", "/tallow.deb", "has `Filename: /tallow.deb`"),
            ("Size: 105", "Size: -1", "has `Size: -1`"),
            ("Size: 105", "Size: 105\nSize: 106", "`tallow` has the field Size twice"),
            ("Version: 2.0-1+deb1u2", "Version: 2.0-1", "`lantern` is listed twice in one version"),
            ("Provides: fuel (= 3)", "Provides: fuel = 3", "`wax` provides `fuel = 3`"),
            ("SHA256: 44", "SHA256: 4", "has `SHA256: 4"),
        ];
        for (from, to, problem) in cases {
            assert!(TEXT.contains(from), "{from}");
            let finding = index(&TEXT.replace(from, to)).unwrap_err();
            assert!(finding.message.contains(problem), "{}", finding.message);
        }
    }

    #[test]
    fn every_single_damaged_byte_is_refused_or_harmless() {
        let bytes = compact(&mut TEXT.as_bytes()).unwrap();
        let mut refused = 0;
        for at in 0..bytes.len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= mask;
                match Index::open(damaged) {
                    Ok(index) => exercise(&index),
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(refused > HEADER * 3, "{refused}");
        for length in 0..bytes.len() {
            assert!(Index::open(bytes[..length].to_vec()).is_err());
        }
    }

    fn exercise(index: &Index) {
        let names: Vec<String> = index.names().map(str::to_owned).collect();
        for name in names.iter().map(String::as_str).chain(["fuel", "lantern", "", "\u{10ffff}"]) {
            let _ = (index.packages(name), index.providers(name), index.find(name, "1"));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_behind_a_header_are_refused_or_harmless(
            counts in (0u32..4, 0u32..4),
            body in proptest::collection::vec(prop_oneof![Just(0u8), Just(b'\n'), any::<u8>()], 0..300),
        ) {
            let tables = counts.0 as usize * PACKAGE + counts.1 as usize * PROVIDER;
            let length = u32::try_from(body.len().saturating_sub(tables)).unwrap();
            let mut bytes = MAGIC.to_vec();
            [INDEX_VERSION, counts.0, counts.1, length].iter().for_each(|n| bytes.extend(n.to_le_bytes()));
            bytes.extend(&body);
            if let Ok(index) = Index::open(bytes) {
                exercise(&index);
            }
        }

        #[test]
        fn an_index_holds_what_the_stanzas_say(
            packages in proptest::collection::btree_map(
                ("[a-c][a-c0-9+.-]{0,3}", "[0-9][0-9a-z.+~]{0,4}"),
                ("[a-c]{1,3}( \\| [a-c]{1,3}){0,2}", "[a-c]{1,3}( \\(= [1-9]\\))?(,\n [a-c]{1,3}){0,2}", any::<u32>()),
                1..12,
            ),
        ) {
            let text: String = packages
                .iter()
                .map(|((name, version), (depends, provides, size))| format!(
                    "Package: {name}\nVersion: {version}\nArchitecture: all\nDepends: {depends}\nProvides: {provides}\n\
                     Filename: pool/{name}.deb\nSize: {size}\nSHA256: {}\nDescription: left out\n\n",
                    Digest::of(name.as_bytes()).hex(),
                ))
                .collect();
            agrees(&text);
        }
    }
}
