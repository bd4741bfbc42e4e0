//! Python distributions: `METADATA` of wheels and `PKG-INFO` of eggs (core metadata), and `RECORD` with their files.

use model::TreePath;
use model::inventory::{Ecosystem, Found};

use super::{List, Told, file_name, parent, said};
use crate::archive::wheel;
use crate::pypi::{CoreMetadata, normalize};

pub(super) fn is_metadata(path: &[u8]) -> bool {
    let name = file_name(path);
    let within = |end: &[u8]| parent(path).is_some_and(|(directory, _)| directory.ends_with(end));
    name == b"METADATA" && within(b".dist-info")
        || name == b"PKG-INFO" && within(b".egg-info")
        || name.ends_with(b".egg-info")
}

pub(super) fn is_files(path: &[u8]) -> bool {
    file_name(path) == b"RECORD" && parent(path).is_some_and(|(directory, _)| directory.ends_with(b".dist-info"))
}

pub(super) fn metadata(path: &TreePath, text: &[u8]) -> Told {
    if std::str::from_utf8(text).is_err() {
        return Told::unread("it is not UTF-8");
    }
    let metadata = match CoreMetadata::parse(text) {
        Ok(metadata) => metadata,
        Err(finding) => return Told::unread(finding.causes.join("; ")),
    };
    let name = normalize(&metadata.name);
    if name.is_empty() {
        return Told::unread("it names no distribution");
    }
    let found = Found {
        version: said(&metadata.version),
        licence: metadata.license,
        supplier: metadata.author.as_deref().and_then(said),
        homepage: metadata.home_page.as_deref().and_then(said),
        description: metadata.summary.as_deref().and_then(said),
        requires: metadata.requires_dist.iter().filter_map(|text| said(text)).collect(),
        ..Found::new(Ecosystem::Pypi, name, path)
    };
    Told::one(found)
}

/// Names in RECORD are relative to the directory that `….dist-info` lies in, or absolute.
pub(super) fn files(path: &TreePath, text: &[u8]) -> Told {
    let rows = std::str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned());
    let rows = match rows.and_then(|text| wheel::recorded(text).map_err(|finding| finding.message)) {
        Ok(rows) => rows,
        Err(why) => return Told::unread(why),
    };
    let base = parent(path.as_bytes()).map_or(&b""[..], |(_, above)| above);
    let file = |name: String| match name.strip_prefix('/') {
        Some(absolute) => absolute.as_bytes().to_vec(),
        None => joined(base, name.as_bytes()),
    };
    Told { list: Some(List::Python(rows.into_iter().map(file).collect())), ..Told::default() }
}

/// A path below another, `..` and `.` taken out.
fn joined(base: &[u8], relative: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in base.split(|b| *b == b'/').chain(relative.split(|b| *b == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join(&b'/')
}
