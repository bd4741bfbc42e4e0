//! The tiles of a log on the disk.

use model::{Digest, Finding};

use super::folder::{Folder, broken};
use crate::tile::{self, LARGEST_BUNDLE, LARGEST_TILE, Tile, WIDTH};
use crate::tree;

fn altered(path: &str) -> Finding {
    broken(format!("{path} of the audit trail was altered"))
}

/// The hashes of a tile. Nobody has said yet that they are right.
pub(super) fn hashes(folder: &Folder, tile: &Tile) -> Result<Vec<Digest>, Finding> {
    let bytes = folder.read(&tile.path(), LARGEST_TILE)?;
    bytes.and_then(|bytes| tile.hashes(&bytes)).ok_or_else(|| altered(&tile.path()))
}

/// The entries whose leaves are in a tile. Nobody has said yet that they are right.
pub(super) fn entries(folder: &Folder, tile: &Tile) -> Result<Vec<Vec<u8>>, Finding> {
    let bytes = folder.read(&tile.bundle_path(), LARGEST_BUNDLE)?.unwrap_or_default();
    let entries = tile.entries(&bytes).ok_or_else(|| altered(&tile.bundle_path()))?;
    Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
}

/// A node of the tree of `size` leaves.
pub(super) fn node(folder: &Folder, size: u64, level: u32, index: u64) -> Result<Digest, Finding> {
    let (level, index, start, end) = Tile::of_node(level, index);
    let tile = Tile::of(size, level, index).ok_or_else(|| altered("tile"))?;
    let hashes = hashes(folder, &tile)?;
    hashes.get(start..end).map(tile::root).ok_or_else(|| altered(&tile.path()))
}

/// Adds a leaf to the tiles of a tree of `size` leaves, and its entry to the bundle. What is there is the tree's; files are
/// new ones, so that those of the tree as it was stay until its checkpoint is another.
pub(super) fn add(folder: &Folder, size: u64, entry: &[u8]) -> Result<(), Finding> {
    let mut new = tree::leaf(entry);
    for level in 0.. {
        let Some(tile) = last(size + 1, level) else { break };
        let (mut held, mut bundle) = (Vec::new(), Vec::new());
        if let Some(before) = before(&tile) {
            held = hashes(folder, &before)?;
            if level == 0 {
                bundle = folder.read(&before.bundle_path(), LARGEST_BUNDLE)?.unwrap_or_default();
            }
        }
        held.push(new);
        if level == 0 {
            tile::add_entry(&mut bundle, entry).ok_or_else(|| altered(&tile.bundle_path()))?;
            folder.write(&tile.bundle_path(), &bundle)?;
        }
        folder.write(&tile.path(), &tile::encode(&held))?;
        if tile.width < WIDTH {
            break;
        }
        new = tile::root(&held);
    }
    Ok(())
}

/// Removes the partial tiles that the last leaf of a tree of `size` leaves made larger. Whoever serves a log serves a copy,
/// whose checkpoint stays; to keep each of them here would make a log of long lines many times larger.
pub(super) fn sweep(folder: &Folder, size: u64) -> Result<(), Finding> {
    for level in 0.. {
        let Some(tile) = last(size, level) else { break };
        if let Some(before) = before(&tile) {
            folder.remove(&before.path())?;
            if level == 0 {
                folder.remove(&before.bundle_path())?;
            }
        }
        if tile.width < WIDTH {
            break;
        }
    }
    Ok(())
}

/// The last tile of a level.
pub(super) fn last(size: u64, level: u32) -> Option<Tile> {
    let hashes = (0..level).fold(size, |hashes, _| hashes / WIDTH);
    Tile::of(size, level, hashes.checked_sub(1)? / WIDTH)
}

/// A tile before its last hash.
fn before(tile: &Tile) -> Option<Tile> {
    let width = tile.width.checked_sub(1).filter(|width| *width > 0)?;
    Some(Tile { width, ..*tile })
}
