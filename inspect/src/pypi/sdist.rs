//! Source distributions: what one says of itself before it is built (PEP 517, 518, 621 and 643).

use std::collections::BTreeSet;
use std::io::Read;

use model::{Finding, codes};
use serde::Deserialize;

use super::{CoreMetadata, normalize};
use crate::archive::Limits;
use crate::archive::tar::{Content, Member, MemberKind, walk};

/// The largest document that is read, in bytes.
const LARGEST: u64 = 16 << 20;
/// What builds a project that does not say so itself (PEP 517).
const SETUPTOOLS: &str = "setuptools>=40.8.0";
/// The most requirements of a build.
const MOST: usize = 200;
/// The most lines of `requires.txt`, and bytes of what is made of them: each repeats the marker of its section.
const MOST_LINES: usize = 10_000;
const MOST_BYTES: usize = 4 << 20;

/// What a source distribution says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdist {
    /// Core metadata: its `PKG-INFO`, with the requirements setuptools keeps apart where they are not in it.
    pub metadata: Vec<u8>,
    /// Requirements of its build, as written, sorted.
    pub build: Vec<String>,
}

/// The documents that are read.
#[derive(Default)]
struct Documents {
    pkg_info: Option<Vec<u8>>,
    requires: Option<Vec<u8>>,
    pyproject: Option<Vec<u8>>,
}

impl Sdist {
    /// Reads a tar archive of `size` bytes, plain or compressed; nothing of it is run.
    ///
    /// # Errors
    /// `ARCHIVE_…`; `PYPI_BAD_METADATA` where a document is missing or cannot be read.
    pub fn read(input: impl Read, size: u64, limits: &Limits) -> Result<Self, Finding> {
        let mut documents = Documents::default();
        let mut members = 0;
        walk(input, size, limits, &mut |member, content| {
            members += 1;
            if members > limits.entries {
                return Err(bad(format!("it has more than {} members", limits.entries)));
            }
            documents.take(&member, content)
        })?;
        documents.read()
    }
}

impl Documents {
    /// Keeps the member if it is one of the documents: at the top of the one directory everything is in, or in setuptools' own.
    fn take(&mut self, member: &Member, content: &mut Content) -> Result<(), Finding> {
        let MemberKind::File { size } = member.kind else { return Ok(()) };
        let name = member.name.strip_prefix(b"./").unwrap_or(&member.name);
        let parts: Vec<&[u8]> = name.split(|byte| *byte == b'/').skip(1).collect();
        let place = match *parts.as_slice() {
            [b"PKG-INFO"] => &mut self.pkg_info,
            [b"pyproject.toml"] => &mut self.pyproject,
            [.., directory, b"requires.txt"] if directory.ends_with(b".egg-info") && parts.len() <= 3 => {
                &mut self.requires
            }
            _ => return Ok(()),
        };
        if size > LARGEST {
            let name = String::from_utf8_lossy(name).into_owned();
            return Err(bad(format!("{name} has {size} bytes, more than the {LARGEST} accepted")));
        }
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(|e| bad(e.to_string()))?;
        *place = Some(bytes);
        Ok(())
    }

    fn read(self) -> Result<Sdist, Finding> {
        let mut metadata = self.pkg_info.ok_or_else(|| bad("it has no PKG-INFO"))?;
        let said = CoreMetadata::parse(&metadata)?;
        if let Some(requires) = self.requires.filter(|_| said.requires_dist.is_empty()) {
            let requires = String::from_utf8(requires).map_err(|_| bad("requires.txt is not UTF-8"))?;
            metadata = with_requirements(&metadata, &requirements(&requires)?);
            CoreMetadata::parse(&metadata)?;
        }
        Ok(Sdist { metadata, build: build(self.pyproject.as_deref())? })
    }
}

/// The requirements of a build (PEP 518): those of `pyproject.toml`, or what builds a project without it.
fn build(pyproject: Option<&[u8]>) -> Result<Vec<String>, Finding> {
    #[derive(Deserialize)]
    struct Pyproject {
        #[serde(rename = "build-system")]
        build_system: Option<BuildSystem>,
    }
    #[derive(Deserialize)]
    struct BuildSystem {
        requires: Vec<String>,
    }
    let system = match pyproject {
        Some(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| bad("pyproject.toml is not UTF-8"))?;
            let read: Pyproject = toml::from_str(text)
                .map_err(|e| bad(format!("pyproject.toml: {}", e.message().lines().next().unwrap_or_default())))?;
            read.build_system
        }
        None => None,
    };
    let mut requires = system.map_or_else(|| vec![SETUPTOOLS.to_owned()], |system| system.requires);
    if requires.len() > MOST {
        return Err(bad(format!("its build has {} requirements, more than the {MOST} accepted", requires.len())));
    }
    requires.sort();
    requires.dedup();
    Ok(requires)
}

/// Requirements out of setuptools' `requires.txt`: those under `[extra:marker]` hold where both do.
fn requirements(text: &str) -> Result<Vec<String>, Finding> {
    let mut section = (String::new(), String::new());
    let mut found = Vec::new();
    let mut bytes = 0;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(inner) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let (extra, marker) = inner.split_once(':').unwrap_or((inner, ""));
            section = (extra.trim().to_owned(), marker.trim().to_owned());
            continue;
        }
        let (requirement, own) = line.split_once(';').unwrap_or((line, ""));
        let extra = if section.0.is_empty() { String::new() } else { format!("extra == \"{}\"", section.0) };
        let markers =
            [own.trim(), section.1.as_str()].map(|m| if m.is_empty() { String::new() } else { format!("({m})") });
        let markers: Vec<String> = markers.into_iter().chain([extra]).filter(|marker| !marker.is_empty()).collect();
        let requirement = match markers.join(" and ") {
            none if none.is_empty() => requirement.trim().to_owned(),
            marker => format!("{}; {marker}", requirement.trim()),
        };
        bytes += requirement.len();
        found.push(requirement);
        if found.len() > MOST_LINES || bytes > MOST_BYTES {
            return Err(bad(format!(
                "requires.txt has more than {MOST_LINES} requirements, or they are longer than {MOST_BYTES} bytes"
            )));
        }
    }
    Ok(found)
}

/// Core metadata with further requirements among its headers.
fn with_requirements(metadata: &[u8], requirements: &[String]) -> Vec<u8> {
    let mut extended: Vec<u8> =
        requirements.iter().flat_map(|requirement| format!("Requires-Dist: {requirement}\n").into_bytes()).collect();
    extended.extend_from_slice(metadata);
    extended
}

/// Requirements that one document has and another has not, however they are written. Both come from the same tool, so that
/// parentheses, quotes and the order of limits are all that differs between equal ones.
pub(crate) fn added<'a>(built: &'a [String], said: &[String]) -> Vec<&'a str> {
    let said: BTreeSet<String> = said.iter().map(|text| usual(text)).collect();
    built.iter().filter(|text| !said.contains(&usual(text))).map(String::as_str).collect()
}

fn usual(requirement: &str) -> String {
    let plain: String = requirement
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')'))
        .map(|c| if c == '\'' { '"' } else { c })
        .collect();
    let plain = normalize(&plain);
    let (head, marker) = plain.split_once(';').unwrap_or((&plain, ""));
    let at = head.find(['<', '>', '=', '!', '~']).unwrap_or(head.len());
    let (name, limits) = head.split_at_checked(at).unwrap_or((head, ""));
    let mut limits: Vec<&str> = limits.split(',').collect();
    limits.sort_unstable();
    format!("{name}{};{marker}", limits.join(","))
}

fn bad(cause: impl Into<String>) -> Finding {
    Finding::error(codes::PYPI_BAD_METADATA, "a source distribution cannot be read")
        .because(cause)
        .help("Choose another version, or one that has a wheel, and tell the package's authors.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sdist(files: &[(&str, &str)]) -> Result<Sdist, Finding> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            archive.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        let bytes = archive.into_inner().unwrap();
        Sdist::read(bytes.as_slice(), bytes.len() as u64, &Limits::default())
    }

    const PKG_INFO: &str = "Metadata-Version: 2.1\nName: a\nVersion: 1\n";

    fn required(sdist: &Sdist) -> Vec<String> {
        CoreMetadata::parse(&sdist.metadata).unwrap().requires_dist
    }

    #[test]
    fn what_builds_it_stands_in_pyproject_or_is_setuptools() {
        let with = |text: &str| sdist(&[("a-1/PKG-INFO", PKG_INFO), ("a-1/pyproject.toml", text)]);
        assert_eq!(sdist(&[("a-1/PKG-INFO", PKG_INFO)]).unwrap().build, [SETUPTOOLS]);
        assert_eq!(with("[project]\nname = 'a'\n").unwrap().build, [SETUPTOOLS]);
        let flit = with("[build-system]\nrequires = ['flit_core >=3,<4', 'a']\nbuild-backend = 'x'\n").unwrap();
        assert_eq!(flit.build, ["a", "flit_core >=3,<4"]);
        for broken in ["[build-system]\n", "[build-system]\nrequires = 1\n", "[build-system", "a = \"\0"] {
            assert_eq!(with(broken).unwrap_err().code, codes::PYPI_BAD_METADATA, "{broken}");
        }
    }

    #[test]
    fn requirements_setuptools_keeps_apart_are_put_into_the_metadata() {
        let requires =
            "b>=1\n\n[:python_version < \"3\"]\nc\n\n[x]\nd<2,>=1; os_name == 'nt'\n\n[y:python_version > \"3\"]\ne\n";
        let files = [("a-1/PKG-INFO", PKG_INFO), ("a-1/src/a.egg-info/requires.txt", requires)];
        let expected = [
            "b>=1",
            "c; (python_version < \"3\")",
            "d<2,>=1; (os_name == 'nt') and extra == \"x\"",
            "e; (python_version > \"3\") and extra == \"y\"",
        ];
        assert_eq!(required(&sdist(&files).unwrap()), expected);
        // but where PKG-INFO has them, they are those
        let said = format!("{PKG_INFO}Requires-Dist: z\n");
        assert_eq!(required(&sdist(&[("a-1/PKG-INFO", &said), files[1]]).unwrap()), ["z"]);
    }

    #[test]
    fn requirements_that_would_fill_the_memory_are_refused() {
        let long = format!("[:python_version > \"{}\"]\n{}", "3".repeat(1 << 20), "a\n".repeat(1 << 20));
        for requires in ["a\n".repeat(MOST_LINES + 1), long] {
            let files = [("a-1/PKG-INFO", PKG_INFO), ("a-1/a.egg-info/requires.txt", requires.as_str())];
            assert_eq!(sdist(&files).unwrap_err().code, codes::PYPI_BAD_METADATA);
        }
    }

    #[test]
    fn documents_of_other_places_are_not_its_own() {
        let other = [("a-1/PKG-INFO", PKG_INFO), ("a-1/vendor/b/PKG-INFO", "x"), ("a-1/tests/pyproject.toml", "x = [")];
        assert_eq!(sdist(&other).unwrap().build, [SETUPTOOLS]);
        assert_eq!(sdist(&[("PKG-INFO", PKG_INFO)]).unwrap_err().causes, ["it has no PKG-INFO"]);
        assert_eq!(sdist(&[("a-1/PKG-INFO", "<html>")]).unwrap_err().code, codes::PYPI_BAD_METADATA);
    }

    #[test]
    fn equal_requirements_are_equal_however_they_are_written() {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let said = owned(&["Foo_Bar<2,>=1", "d>=1; (os_name == 'nt') and extra == 'x_y'", "e[f] (>=2)"]);
        let built = owned(&["foo-bar >=1,<2", "d >=1 ; os_name == \"nt\" and extra == \"x-y\"", "e[f]>=2"]);
        assert_eq!(added(&built, &said), Vec::<&str>::new());
        assert_eq!(added(&owned(&["foo-bar>=1,<3", "new"]), &said), ["foo-bar>=1,<3", "new"]);
        assert_eq!(added(&[], &said), Vec::<&str>::new()); // what is not needed after all does no harm
    }
}
