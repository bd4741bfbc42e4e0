//! Debian packages: dpkg's status file, or one file for each package where images have no dpkg; and dpkg's lists of files.

use std::collections::BTreeSet;

use model::TreePath;
use model::inventory::{Ecosystem, Found};

use super::{List, Told, file_name, line, parent, said};
use crate::debian::{Stanza, Stanzas};

const STATUS: &[u8] = b"var/lib/dpkg/status";
const STATUS_DIRECTORY: &[u8] = b"var/lib/dpkg/status.d/";
const LISTS: &[u8] = b"var/lib/dpkg/info/";
const DOCUMENTS: &[u8] = b"usr/share/doc/";
/// States of packages of which no file is there (dpkg(1), "Package states"); of one that was not configured there are.
const GONE: [&str; 2] = ["not-installed", "config-files"];

pub(super) fn is_status(path: &[u8]) -> bool {
    path == STATUS
        || path.strip_prefix(STATUS_DIRECTORY).is_some_and(|name| {
            !name.contains(&b'/') && ![b".md5sums".as_slice(), b".list"].iter().any(|end| name.ends_with(end))
        })
}

pub(super) fn is_list(path: &[u8]) -> bool {
    let is = |directory: &[u8], end: &[u8]| {
        path.strip_prefix(directory).is_some_and(|name| !name.contains(&b'/') && name.ends_with(end))
    };
    is(LISTS, b".list") || is(STATUS_DIRECTORY, b".md5sums")
}

pub(super) fn is_copyright(path: &[u8]) -> bool {
    path.strip_prefix(DOCUMENTS)
        .and_then(|rest| rest.strip_suffix(b"/copyright"))
        .is_some_and(|name| !name.contains(&b'/'))
}

/// The licences of a package's files, as a machine-readable copyright file names them (copyright-format 1.0), put together as that
/// format does: `, and` binds less than `or`, and that less than `and`. Of one that is only to
/// be read by people nothing is said here.
pub(super) fn copyright(path: &TreePath, mut text: &[u8]) -> Told {
    let name = documented(path);
    if !text.starts_with(b"Format:") && !text.starts_with(b"Format-Specification:") {
        return Told::default();
    }
    let mut stanzas = Stanzas::new(&mut text);
    let mut licences = BTreeSet::new();
    loop {
        match stanzas.read() {
            Ok(Some(stanza)) if stanza.get("Files").is_some() => {
                let short = stanza.get("License").and_then(|licence| licence.lines().next()).and_then(said);
                licences.extend(short);
            }
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(finding) => return Told::unread(finding.message),
        }
    }
    let licence = licences.into_iter().collect::<Vec<_>>().join(", and ");
    let list = (!licence.is_empty()).then_some(List::DebianLicence(name, licence));
    Told { list, ..Told::default() }
}

/// The package whose papers a file is among.
pub(super) fn documented(path: &TreePath) -> String {
    parent(path.as_bytes()).map(|(name, _)| String::from_utf8_lossy(name).into_owned()).unwrap_or_default()
}

/// The packages of a status file of which files are there. A stanza that cannot be read costs that package alone.
pub(super) fn status(path: &TreePath, text: &[u8]) -> Told {
    let mut told = Told::default();
    // dpkg ends every line, so a file that ends within one was cut off.
    if !text.is_empty() && !text.ends_with(b"\n") {
        told.unread = Some("it is cut off".into());
    }
    let lossy = String::from_utf8_lossy(text);
    for stanza in lossy.split("\n\n").map(|stanza| stanza.trim_matches('\n')).filter(|stanza| !stanza.is_empty()) {
        let stanza = match Stanza::new(stanza) {
            Ok(stanza) => stanza,
            Err(why) => {
                let first = said(stanza.lines().next().unwrap_or_default()).unwrap_or_default();
                told.unread.get_or_insert(format!(
                    "the package of the line `{first}` {why}; packages before and after it are read"
                ));
                continue;
            }
        };
        let get = |name: &str| stanza.get(name).and_then(said);
        // A package that was removed keeps a stanza for its settings.
        let state = stanza.get("Status").and_then(|status| status.rsplit(' ').next());
        if state.is_some_and(|state| GONE.contains(&state)) {
            continue;
        }
        let (Some(name), Some(version)) = (stanza.get("Package").and_then(line), get("Version")) else {
            told.unread.get_or_insert("a package has no name or no version".into());
            continue;
        };
        let source = get("Source").map(|source| match source.split_once(" (") {
            Some((source, of)) => (source.to_owned(), of.trim_end_matches(')').to_owned()),
            None => (source, version.clone()),
        });
        let requires = ["Pre-Depends", "Depends"].into_iter().filter_map(|field| stanza.get(field));
        let requires = requires.flat_map(|list| list.split(',')).filter_map(said).collect();
        told.found.push(Found {
            version: Some(version),
            architecture: get("Architecture"),
            supplier: get("Maintainer"),
            homepage: get("Homepage"),
            description: stanza.get("Description").and_then(|text| said(text.lines().next().unwrap_or_default())),
            source,
            requires,
            ..Found::new(Ecosystem::Deb, name, path)
        });
    }
    told
}

/// The files of a package: `NAME.list` and `NAME:ARCH.list` with absolute paths, or `NAME.md5sums` with digests and relative ones.
pub(super) fn list(path: &TreePath, text: &[u8]) -> Told {
    let name = String::from_utf8_lossy(file_name(path.as_bytes())).into_owned();
    let (name, is_sums) = match (name.strip_suffix(".list"), name.strip_suffix(".md5sums")) {
        (Some(name), _) => (name, false),
        (_, Some(name)) => (name, true),
        _ => return Told::default(),
    };
    let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let file = |line: &[u8]| {
        let path = if is_sums { line.get(34..).unwrap_or_default() } else { line };
        path.strip_prefix(b"/").unwrap_or(path).to_vec()
    };
    let files = lines.map(file).collect();
    let (name, architecture) = match name.split_once(':') {
        Some((name, architecture)) => (name, Some(architecture.to_owned())),
        None => (name, None),
    };
    Told { list: Some(List::Debian(name.to_owned(), architecture, files)), ..Told::default() }
}
