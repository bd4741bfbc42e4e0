//! Rust crates, as `cargo auditable` records them in a program: JSON, compressed with zlib.

use std::io::Read as _;

use auditable_serde::{DependencyKind, VersionInfo};
use flate2::read::ZlibDecoder;
use model::TreePath;
use model::inventory::{Ecosystem, Found};

use super::Told;

pub(super) const SECTION: &str = ".dep-v0";
/// Bytes of the JSON; the largest programs have a few hundred kilobytes.
const LARGEST: u64 = 16 << 20;

pub(super) fn crates(path: &TreePath, section: &[u8]) -> Told {
    let mut json = Vec::new();
    if let Err(error) = ZlibDecoder::new(section).take(LARGEST).read_to_end(&mut json) {
        return Told::unread(format!("its record of Rust crates cannot be unpacked: {error}"));
    }
    let record: VersionInfo = match serde_json::from_slice(&json) {
        Ok(record) => record,
        Err(error) => return Told::unread(format!("its record of Rust crates cannot be read: {error}")),
    };
    // What was only needed to build it is not in it. The program itself comes first.
    let mut crates: Vec<_> =
        record.packages.into_iter().filter(|package| package.kind == DependencyKind::Runtime).collect();
    crates.sort_by_key(|package| !package.root);
    let has_root = crates.first().is_some_and(|package| package.root);
    let found = crates.into_iter().enumerate().map(|(number, package)| Found {
        version: Some(package.version.to_string()),
        holder: (has_root && number > 0).then_some(0),
        ..Found::new(Ecosystem::Cargo, package.name, path)
    });
    Told { found: found.collect(), ..Told::default() }
}
