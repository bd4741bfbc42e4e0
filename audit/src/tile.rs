//! Tiles: the tree in files of 256 hashes, and the entries in bundles beside them (C2SP tlog-tiles).

use model::Digest;

use crate::record;
use crate::tree::Edge;

/// Hashes of a full tile: eight levels of the tree, of which the lowest is written down.
pub const WIDTH: u64 = 256;
/// Levels of the tree that a tile stands for.
const HEIGHT: u32 = 8;
/// Levels of tiles that a tree has at most: sizes have 64 bits.
const LEVELS: u32 = 8;
/// Bytes of a hash.
const HASH: usize = 32;
/// Bytes of the largest tile.
pub const LARGEST_TILE: u64 = WIDTH * HASH as u64;
/// Bytes of the largest bundle.
pub const LARGEST_BUNDLE: u64 = WIDTH * (2 + record::LONGEST as u64);

/// A tile as it is in a tree of some size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// 0 holds the leaves; a hash of each level above is the root of a full tile below.
    pub level: u32,
    /// Its place among the tiles of the level.
    pub index: u64,
    /// How many hashes it has: 1 to 256.
    pub width: u64,
}

impl Tile {
    /// The tile in a tree of `size` leaves, if it has a hash there.
    pub fn of(size: u64, level: u32, index: u64) -> Option<Self> {
        let hashes = size.checked_shr(HEIGHT * level)?;
        let width = hashes.checked_sub(index.checked_mul(WIDTH)?)?.min(WIDTH);
        (width > 0).then_some(Self { level, index, width })
    }

    /// Every tile of a tree.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        (0..LEVELS).flat_map(move |level| {
            let tiles = (size >> (HEIGHT * level)).div_ceil(WIDTH);
            (0..tiles).filter_map(move |index| Self::of(size, level, index))
        })
    }

    /// Its file.
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, self.place())
    }

    /// The file of the entries whose leaves a tile of level 0 holds.
    pub fn bundle_path(&self) -> String {
        format!("tile/entries/{}", self.place())
    }

    fn place(&self) -> String {
        let mut place = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            place = format!("x{:03}/{place}", rest % 1000);
            rest /= 1000;
        }
        if self.width < WIDTH { format!("{place}.p/{}", self.width) } else { place }
    }

    /// Where a node of the tree is in tiles: the level and the index of the tile, and where in it the hashes begin that the
    /// node is over.
    pub fn of_node(level: u32, index: u64) -> (u32, u64, usize, usize) {
        let inside = level % HEIGHT;
        let first = index << inside;
        let start = usize::try_from(first % WIDTH).unwrap_or_default(); // below 256
        (level / HEIGHT, first / WIDTH, start, start + (1 << inside))
    }

    /// The hashes of its bytes, if they are as many as it has.
    pub fn hashes(&self, bytes: &[u8]) -> Option<Vec<Digest>> {
        let (chunks, rest) = bytes.as_chunks::<HASH>();
        let fits = rest.is_empty() && chunks.len() as u64 == self.width;
        fits.then(|| chunks.iter().copied().map(Digest::from_bytes).collect())
    }

    /// The entries of the bytes of its bundle, if they are as many as it has hashes.
    pub fn entries<'b>(&self, mut bundle: &'b [u8]) -> Option<Vec<&'b [u8]>> {
        let mut entries = Vec::new();
        while let Some((length, rest)) = bundle.split_first_chunk::<2>() {
            let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
            entries.push(entry);
            bundle = rest;
        }
        (bundle.is_empty() && entries.len() as u64 == self.width).then_some(entries)
    }
}

/// The bytes of a tile.
pub fn encode(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Adds an entry to a bundle; none that is longer than a bundle can say.
pub fn add_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Option<()> {
    let length = u16::try_from(entry.len()).ok()?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Some(())
}

/// The tiles of a tree whose leaves come one after the other.
#[derive(Default)]
pub struct Growing {
    /// For each level the index of its last tile, and what is in that so far.
    levels: [(u64, Vec<Digest>); LEVELS as usize],
}

impl Growing {
    /// Adds a leaf, and answers the tiles that are full by it.
    pub fn push(&mut self, leaf: Digest) -> Vec<(Tile, Vec<Digest>)> {
        let (mut new, mut full) = (leaf, Vec::new());
        for (level, (index, hashes)) in (0..).zip(&mut self.levels) {
            hashes.push(new);
            if (hashes.len() as u64) < WIDTH {
                break;
            }
            let hashes = std::mem::take(hashes);
            new = root(&hashes);
            full.push((Tile { level, index: *index, width: WIDTH }, hashes));
            *index += 1;
        }
        full
    }

    /// The tiles that are not full.
    pub fn finish(self) -> Vec<(Tile, Vec<Digest>)> {
        let levels = (0..).zip(self.levels).filter(|(_, (_, hashes))| !hashes.is_empty());
        let tile = |(level, (index, hashes)): (u32, (u64, Vec<Digest>))| {
            (Tile { level, index, width: hashes.len() as u64 }, hashes)
        };
        levels.map(tile).collect()
    }
}

/// The node that hashes of a tile are under.
pub fn root(hashes: &[Digest]) -> Digest {
    hashes.iter().copied().collect::<Edge>().root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_have_the_paths_of_the_specification() {
        let tile = |level, index, width| Tile { level, index, width };
        assert_eq!(tile(0, 0, 256).path(), "tile/0/000");
        assert_eq!(tile(1, 1_234_067, 256).path(), "tile/1/x001/x234/067");
        assert_eq!(tile(2, 1000, 17).path(), "tile/2/x001/000.p/17");
        assert_eq!(tile(0, 999, 1).bundle_path(), "tile/entries/999.p/1");
    }

    /// The example of the specification: 70,000 leaves.
    #[test]
    fn a_tree_has_the_tiles_of_the_specification() {
        let tiles: Vec<Tile> = Tile::all(70_000).collect();
        let of = |level| tiles.iter().filter(move |tile| tile.level == level).map(|tile| tile.width);
        assert_eq!((of(0).filter(|width| *width == 256).count(), of(0).next_back()), (273, Some(112)));
        assert_eq!(of(1).collect::<Vec<_>>(), [256, 17]);
        assert_eq!(of(2).collect::<Vec<_>>(), [1]);
        assert_eq!(tiles.len(), 277);
        let full: Vec<String> = Tile::all(256).map(|tile| tile.path()).collect();
        assert_eq!(full, ["tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(Tile::all(0).count(), 0);
        assert_eq!(Tile::of(256, 0, 1), None);
    }

    #[test]
    fn tiles_that_grow_are_those_of_the_whole_tree() {
        for size in [0, 1, 255, 256, 257, 65_536, 70_000] {
            let mut growing = Growing::default();
            let mut tiles: Vec<Tile> = Vec::new();
            for n in 0_u64..size {
                tiles.extend(growing.push(Digest::of(&n.to_be_bytes())).into_iter().map(|(tile, _)| tile));
            }
            tiles.extend(growing.finish().into_iter().map(|(tile, _)| tile));
            tiles.sort_by_key(|tile| (tile.level, tile.index));
            assert_eq!(tiles, Tile::all(size).collect::<Vec<_>>());
        }
    }

    #[test]
    fn bundles_are_read_as_written_and_others_are_refused() {
        let mut bundle = Vec::new();
        let long = [7; 0xffff];
        for entry in [&b"one"[..], b"", &long] {
            add_entry(&mut bundle, entry).unwrap();
        }
        assert_eq!(add_entry(&mut bundle, &[0; 0x1_0000]), None);
        let tile = |width| Tile { level: 0, index: 0, width };
        assert_eq!(tile(3).entries(&bundle), Some(vec![&b"one"[..], b"", &long]));
        assert_eq!(tile(2).entries(&bundle), None);
        assert_eq!(tile(3).entries(&bundle[..bundle.len() - 1]), None);
        assert_eq!(tile(1).entries(&[0]), None);
        let hashes = [Digest::of(b"a"), Digest::of(b"b")];
        assert_eq!(tile(2).hashes(&encode(&hashes)), Some(hashes.to_vec()));
        assert_eq!(tile(1).hashes(&encode(&hashes)), None);
        assert_eq!(tile(1).hashes(&encode(&hashes)[..33]), None);
    }
}
