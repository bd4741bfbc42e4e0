//! What the description of a Debian source package (`.dsc`) says.

use std::collections::BTreeMap;

use model::{Digest, Finding, codes};

use super::checksums::{checksum, start, stays_below};
use super::{Stanza, version};

/// The description of a source package, which its uploader signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dsc {
    /// Name.
    pub source: String,
    /// Version.
    pub version: String,
    /// Digest and size of each file it is made of, by name.
    pub files: BTreeMap<String, (Digest, u64)>,
}

impl Dsc {
    /// Reads a description, or what stands between the signature armour of one.
    ///
    /// # Errors
    /// `DEBIAN_CONTROL_UNREADABLE`.
    pub fn parse(text: &str) -> Result<Self, Finding> {
        let stanza = Stanza::new(text.trim_end()).map_err(|problem| unreadable(problem.to_owned()))?;
        Ok(Self {
            source: required(&stanza, "Source")?.to_owned(),
            version: version_of(&stanza)?,
            files: files(&stanza)?,
        })
    }
}

fn required<'a>(stanza: &Stanza<'a>, name: &str) -> Result<&'a str, Finding> {
    let value = stanza.get(name).filter(|value| !value.is_empty());
    value.ok_or_else(|| unreadable(format!("has no field `{name}`")))
}

fn version_of(stanza: &Stanza) -> Result<String, Finding> {
    let version = required(stanza, "Version")?;
    match version::is_valid(version) {
        true => Ok(version.to_owned()),
        false => Err(unreadable(format!("has the version `{}`", start(version)))),
    }
}

/// The files of `Checksums-Sha256`; each name stands there once and is a plain one.
fn files(stanza: &Stanza) -> Result<BTreeMap<String, (Digest, u64)>, Finding> {
    let mut files = BTreeMap::new();
    for line in required(stanza, "Checksums-Sha256")?.lines() {
        let (digest, size, name) = checksum(line).ok_or_else(|| {
            let line = start(line);
            unreadable(format!("has the line `{line}` below Checksums-Sha256 (expected digest, size and name)"))
        })?;
        if name.contains('/') || !stays_below(name) {
            return Err(unreadable(format!("lists `{}`, which is no file name", start(name))));
        }
        if files.insert(name.to_owned(), (digest, size)).is_some() {
            return Err(unreadable(format!("lists `{}` twice", start(name))));
        }
    }
    Ok(files)
}

fn unreadable(problem: String) -> Finding {
    Finding::error(codes::DEBIAN_CONTROL_UNREADABLE, format!("the description of a source package {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DSC: &str = include_str!("../../../tests/debian/lantern.dsc");

    #[test]
    fn a_description_says_what_it_is_of_and_lists_its_files() {
        let dsc = Dsc::parse(DSC).unwrap();
        assert_eq!((dsc.source.as_str(), dsc.version.as_str()), ("lantern", "2.0-1"));
        let names: Vec<&str> = dsc.files.keys().map(String::as_str).collect();
        assert_eq!(names, ["lantern_2.0-1.debian.tar.xz", "lantern_2.0.orig.tar.xz"]);
        assert_eq!(dsc.files["lantern_2.0.orig.tar.xz"], (Digest::from_hex(&"c".repeat(64)).unwrap(), 3000));
    }

    #[test]
    fn each_missing_or_wrong_part_is_named() {
        let cases = [
            ("Version: 2.0-1\n", "", "no field `Version`"),
            ("Version: 2.0-1\n", "Version: 2.0 1\n", "the version `2.0 1`"),
            ("Checksums-Sha256", "Checksums-Sha1", "no field `Checksums-Sha256`"),
            (" 3000 ", " many ", "expected digest, size and name"),
            (" 3000 ", " -1 ", "expected digest, size and name"),
            (" 3000 ", " ", "expected digest, size and name"),
            (" 3000 ", " 3000 and ", "expected digest, size and name"),
            ("cccc", "ccc", "expected digest, size and name"),
            (" lantern_2.0.orig.tar.xz", " ../orig.tar.xz", "no file name"),
            (" lantern_2.0.orig.tar.xz", " ..", "no file name"),
            (" lantern_2.0.orig.tar.xz", " lantern_2.0-1.debian.tar.xz", "twice"),
        ];
        for (from, to, problem) in cases {
            assert!(DSC.contains(from), "{from}");
            let finding = Dsc::parse(&DSC.replace(from, to)).unwrap_err();
            assert_eq!(finding.code, codes::DEBIAN_CONTROL_UNREADABLE);
            assert!(finding.message.contains(problem), "{problem}: {}", finding.message);
        }
        assert!(Dsc::parse(&DSC.replace("Source:", "Package:")).unwrap_err().message.contains("no field `Source`"));
        assert!(Dsc::parse(&format!("{DSC}\n{DSC}")).is_err());
    }

    proptest! {
        #[test]
        fn damaged_texts_are_read_or_refused(at in any::<prop::sample::Index>(), with in any::<u8>()) {
            let mut bytes = DSC.as_bytes().to_vec();
            bytes[at.index(DSC.len())] = with;
            if let Ok(text) = String::from_utf8(bytes) {
                let _ = Dsc::parse(&text);
            }
        }
    }
}
