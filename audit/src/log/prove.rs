use std::path::Path;

use model::{Finding, codes};

use super::folder::{Folder, broken};
use super::{checkpoint, public_key, tiles};
use crate::tile::{Tile, WIDTH};
use crate::{Checkpoint, Growth, Proof, tree};

/// A proof that a line, counted from one, is in the log.
///
/// # Errors
/// `AUDIT_UNUSABLE` if there is no such line, or what cannot be read; `AUDIT_BROKEN` if the log does not show it.
pub fn prove(dir: &Path, line: u64) -> Result<Proof, Finding> {
    let folder = Folder::at(dir);
    let _lock = folder.lock_shared()?;
    let key = public_key(&folder)?;
    let (checkpoint, note) = checkpoint(&folder, &key)?;
    let size = checkpoint.size;
    let place = line.checked_sub(1).and_then(|index| Some((index, Tile::of(size, 0, index / WIDTH)?)));
    let (index, tile) = place.filter(|(index, _)| *index < size).ok_or_else(|| {
        Finding::error(codes::AUDIT_UNUSABLE, format!("the audit trail has no line {line}"))
            .help(format!("It has {size} lines, the first is line 1."))
    })?;
    let hashes = tree::prove_inclusion(index, size, &mut |level, index| tiles::node(&folder, size, level, index))?;
    let entry = tiles::entries(&folder, &tile)?.into_iter().zip(tile.index * WIDTH..).find(|(_, at)| *at == index);
    let proof = Proof { index, entry: entry.map(|(entry, _)| entry).unwrap_or_default(), hashes, checkpoint: note };
    proof.check(&key).map_err(|why| {
        broken(format!("the audit trail does not show that line {line} is in it")).because(why.to_string())
    })?;
    Ok(proof)
}

/// A proof that the log begins with what an older checkpoint signs.
///
/// # Errors
/// `AUDIT_UNUSABLE` for what cannot be read; `AUDIT_BROKEN` if the older checkpoint is of another log, or the log does not show it.
pub fn prove_growth(dir: &Path, older: &str) -> Result<Growth, Finding> {
    let folder = Folder::at(dir);
    let _lock = folder.lock_shared()?;
    let key = public_key(&folder)?;
    let (Checkpoint { size, .. }, note) = checkpoint(&folder, &key)?;
    let older = Checkpoint::open(older, &key)
        .map_err(|why| broken(format!("the older checkpoint is not one of {}", key.name())).because(why.to_string()))?;
    if older.size > size {
        return Err(broken(format!("the audit trail has {size} lines, and the older checkpoint {}", older.size)));
    }
    let hashes =
        tree::prove_consistency(older.size, size, &mut |level, index| tiles::node(&folder, size, level, index))?;
    let growth = Growth { older: older.size, hashes, checkpoint: note };
    growth.check(&older, &key).map_err(|why| broken("the audit trail was rewritten").because(why.to_string()))?;
    Ok(growth)
}
