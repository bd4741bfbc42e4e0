//! The manifests and lock files of a source tree.

use std::collections::BTreeMap;
use std::path::Path;

use files::input;
use ignore::WalkBuilder;
use model::{Finding, codes};

/// More of them are no source tree.
const MOST: usize = 10_000;
/// Bytes of one.
const LARGEST: u64 = 64 << 20;
/// Bytes of all of them.
const ALL: usize = 512 << 20;
/// Folders of what was fetched for a tree, not of the tree itself.
const FETCHED: [&str; 6] = [".git", ".venv", "node_modules", "target", "vendor", "venv"];

/// Manifests and lock files below a folder, by their paths from there. What version control leaves out, and what package managers
/// fetched, is not looked at, and no link is followed.
///
/// # Errors
/// `INPUT_IO`, also where there are too many.
pub fn manifests(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Finding> {
    let failed = |path: &Path, why: &dyn std::fmt::Display| {
        Finding::error(codes::INPUT_IO, format!("{} cannot be read: {why}", path.display()))
    };
    if !folder.is_dir() {
        return Err(failed(folder, &"it is no folder").help("name the folder of a source tree"));
    }
    let mut walk = WalkBuilder::new(folder);
    // What this machine is set to does not count, and what a folder above says neither.
    walk.hidden(false).require_git(false).parents(false).ignore(false).git_global(false).git_exclude(false);
    walk.filter_entry(|entry| {
        !FETCHED.iter().any(|name| entry.file_name() == *name) || entry.file_type().is_none_or(|kind| !kind.is_dir())
    });
    let (mut found, mut bytes) = (BTreeMap::new(), 0);
    for entry in walk.build() {
        let entry = entry.map_err(|e| failed(folder, &e))?;
        let name = entry.file_name().to_string_lossy();
        if !entry.file_type().is_some_and(|kind| kind.is_file()) || !inspect::dependencies::is_manifest(&name) {
            continue;
        }
        let path = entry.path();
        let text = input::read(path, LARGEST).map_err(|e| failed(path, &e))?;
        bytes += text.len();
        if found.len() == MOST || bytes > ALL {
            let why = format!("its manifests are more than {MOST} or have more than {ALL} bytes");
            return Err(failed(folder, &why).help("name a folder within it"));
        }
        let shown = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned();
        found.insert(shown, text);
    }
    Ok(found)
}
