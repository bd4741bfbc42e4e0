//! Which line is wrong. Tiles and bundles keep, apart from the lines, what every line was: whichever of them still has the
//! root that is signed says what stood where.

use model::{Digest, Finding};

use super::folder::{Folder, broken};
use super::lines::Lines;
use super::tiles;
use crate::Checkpoint;
use crate::tile::{Tile, WIDTH};
use crate::tree::{self, Edge};

/// Where leaves are kept besides the lines.
#[derive(Clone, Copy)]
enum Kept {
    Tiles,
    Bundles,
}

/// The first line that is wrong in a log whose lines have another root than its checkpoint. The first `known` lines are those
/// of an older checkpoint. `wrong` is the first line that is none in itself.
pub(super) fn first_wrong(
    folder: &Folder,
    checkpoint: &Checkpoint,
    known: u64,
    wrong: Option<Finding>,
) -> Result<Finding, Finding> {
    let size = checkpoint.size;
    for kept in [Kept::Tiles, Kept::Bundles] {
        let is_right =
            leaves(folder, size, kept).collect::<Option<Edge>>().is_some_and(|edge| edge.root() == checkpoint.root);
        if is_right && let Some(finding) = compare(folder, size, kept)? {
            return Ok(finding);
        }
    }
    // Lines, tiles and bundles were all changed; what is left is how the lines follow one another.
    let why = "its tiles were altered as well, so that they do not say what stood there";
    Ok(match wrong {
        Some(finding) => finding.because(why),
        None => {
            broken(format!("the audit trail was written anew behind line {known}: it is not what its checkpoint signs"))
                .because(why)
        }
    })
}

/// The leaves as they are kept; nothing where they are not.
fn leaves(folder: &Folder, size: u64, kept: Kept) -> impl Iterator<Item = Option<Digest>> {
    let tiles = (0..size.div_ceil(WIDTH)).map_while(move |index| Tile::of(size, 0, index));
    tiles.flat_map(move |tile| {
        let leaves = match kept {
            Kept::Tiles => tiles::hashes(folder, &tile).ok(),
            Kept::Bundles => tiles::entries(folder, &tile)
                .ok()
                .map(|entries| entries.iter().map(|entry| tree::leaf(entry)).collect()),
        };
        leaves.map_or_else(|| vec![None], |leaves| leaves.into_iter().map(Some).collect())
    })
}

/// The first line that is not as it was, and what became of it.
fn compare(folder: &Folder, size: u64, kept: Kept) -> Result<Option<Finding>, Finding> {
    let mut lines = Lines::of(folder)?;
    for (number, wanted) in (1..).zip(leaves(folder, size, kept).flatten()) {
        let Some(line) = lines.next().transpose()? else {
            return Ok(Some(broken(format!(
                "{} of the audit trail {} cut off",
                numbers(number, size),
                were(number, size)
            ))));
        };
        if line.leaf() != wanted {
            return describe(folder, size, kept, number, &line.leaf(), &wanted).map(Some);
        }
    }
    Ok(None)
}

/// What became of the line `number`: where it stands now, and where the one belongs that stands there.
fn describe(
    folder: &Folder,
    size: u64,
    kept: Kept,
    number: u64,
    found: &Digest,
    wanted: &Digest,
) -> Result<Finding, Finding> {
    let behind =
        (number + 1..).zip(leaves(folder, size, kept).flatten().skip(usize::try_from(number).unwrap_or(usize::MAX)));
    let belongs = behind.into_iter().find(|(_, leaf)| leaf == found).map(|(number, _)| number);
    let mut stands = None;
    for (line, at) in Lines::of(folder)?.zip(1..) {
        if at > number && line?.leaf() == *wanted {
            stands = Some(at);
            break;
        }
    }
    let what = match (belongs, stands) {
        (Some(belongs), Some(stands)) if belongs == stands => {
            format!("lines {number} and {stands} of the audit trail have changed places")
        }
        (Some(belongs), Some(stands)) => {
            format!("lines {number} to {} of the audit trail stand in another order", belongs.max(stands))
        }
        (Some(belongs), None) => {
            format!("{} of the audit trail {} taken out", numbers(number, belongs - 1), were(number, belongs - 1))
        }
        (None, Some(stands)) => {
            format!("{} of the audit trail {} put in", numbers(number, stands - 1), were(number, stands - 1))
        }
        (None, None) => format!("line {number} of the audit trail was edited"),
    };
    Ok(broken(what).because(format!("the log was signed with a line {number} of the hash {wanted}")))
}

fn numbers(first: u64, last: u64) -> String {
    if first == last { format!("line {first}") } else { format!("lines {first} to {last}") }
}

fn were(first: u64, last: u64) -> &'static str {
    if first == last { "was" } else { "were" }
}
