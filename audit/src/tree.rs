//! The Merkle tree over the entries of a log (RFC 6962 §2.1, RFC 9162 §2.1), with SHA-256.
//!
//! Nodes are named by level and index: the node `(level, index)` is the hash over the `2^level` leaves that begin at
//! leaf `index * 2^level`. Only complete subtrees have such a name; they never change while the tree grows.

use std::ops::Range;

use model::{Digest, Hasher};

/// The hash of an entry.
pub fn leaf(entry: &[u8]) -> Digest {
    hash(0, &[entry])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    hash(1, &[left.as_bytes(), right.as_bytes()])
}

/// Leaves and nodes begin with different bytes, so that none can be taken for the other.
fn hash(kind: u8, parts: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[kind]);
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finish()
}

/// The right edge of a tree: the complete subtrees its leaves fall into, the largest first. It is all that is needed to
/// add leaves and to know the root.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    size: u64,
    peaks: Vec<Digest>,
}

impl Edge {
    /// The edge of a tree whose nodes are known.
    ///
    /// # Errors
    /// Those of `nodes`.
    pub fn of<E>(size: u64, nodes: &mut impl FnMut(u32, u64) -> Result<Digest, E>) -> Result<Self, E> {
        Ok(Self { size, peaks: peaks(0..size, nodes)? })
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Digest) {
        let (mut new, mut rest) = (leaf, self.size);
        // A set bit is a subtree as large as the new one, to the left of it.
        while rest & 1 == 1 {
            new = self.peaks.pop().map_or(new, |left| node(&left, &new));
            rest >>= 1;
        }
        self.peaks.push(new);
        self.size += 1;
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hash of the whole tree.
    pub fn root(&self) -> Digest {
        root(&self.peaks)
    }
}

impl FromIterator<Digest> for Edge {
    fn from_iter<I: IntoIterator<Item = Digest>>(leaves: I) -> Self {
        let mut edge = Self::default();
        leaves.into_iter().for_each(|leaf| edge.push(leaf));
        edge
    }
}

fn root(peaks: &[Digest]) -> Digest {
    let root = peaks.iter().rev().copied().reduce(|right, left| node(&left, &right));
    root.unwrap_or_else(|| Digest::of(b""))
}

/// The complete subtrees that leaves fall into. The range begins where a subtree of its size may begin.
fn peaks<E>(leaves: Range<u64>, nodes: &mut impl FnMut(u32, u64) -> Result<Digest, E>) -> Result<Vec<Digest>, E> {
    let (mut at, mut peaks) = (leaves.start, Vec::new());
    while at < leaves.end {
        let level = (leaves.end - at).ilog2();
        peaks.push(nodes(level, at >> level)?);
        at += 1 << level;
    }
    Ok(peaks)
}

/// How many leaves the left subtree has, of at least two.
fn left(leaves: &Range<u64>) -> u64 {
    1 << (leaves.end - leaves.start - 1).ilog2()
}

/// What shows that the leaf at `index` is in the tree of `size` leaves: its siblings, the lowest first. The index is
/// below the size.
///
/// # Errors
/// Those of `nodes`.
pub fn prove_inclusion<E>(
    index: u64,
    size: u64,
    nodes: &mut impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    let (mut within, mut proof) = (0..size, Vec::new());
    while within.end - within.start > 1 {
        let middle = within.start + left(&within);
        let (kept, other) = if index < middle {
            (within.start..middle, middle..within.end)
        } else {
            (middle..within.end, within.start..middle)
        };
        proof.push(root(&peaks(other, nodes)?));
        within = kept;
    }
    proof.reverse();
    Ok(proof)
}

/// What shows that the tree of `size` leaves begins with the tree of `older` leaves, of which there are no more.
///
/// # Errors
/// Those of `nodes`.
pub fn prove_consistency<E>(
    older: u64,
    size: u64,
    nodes: &mut impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    let (mut within, mut proof) = (0..size, Vec::new());
    if older == 0 {
        return Ok(proof);
    }
    while within.end != older {
        let middle = within.start + left(&within);
        let (kept, other) = if older <= middle {
            (within.start..middle, middle..within.end)
        } else {
            (middle..within.end, within.start..middle)
        };
        proof.push(root(&peaks(other, nodes)?));
        within = kept;
    }
    // Whoever checks has the older root; only a part of it has to be said.
    if within.start != 0 {
        proof.push(root(&peaks(within, nodes)?));
    }
    proof.reverse();
    Ok(proof)
}

/// Whether a proof shows that `leaf` is at `index` of the tree (RFC 9162 §2.1.3.2).
pub fn is_included(leaf: &Digest, index: u64, size: u64, root: &Digest, proof: &[Digest]) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for other in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(other, &hash);
            (at, last) = to_right_child(at, last);
        } else {
            hash = node(&hash, other);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether a proof shows that the newer tree begins with the older (RFC 9162 §2.1.4.2). Every tree begins with the empty one.
pub fn is_consistent(older: (u64, &Digest), newer: (u64, &Digest), proof: &[Digest]) -> bool {
    let ((size, root), (newer_size, newer_root)) = (older, newer);
    if size == 0 || size == newer_size {
        return proof.is_empty() && *root == if size == 0 { Digest::of(b"") } else { *newer_root };
    }
    if size > newer_size {
        return false;
    }
    // A complete older tree is a node of the newer one, and is not said again.
    let (first, rest) = match (size.is_power_of_two(), proof) {
        (_, []) => return false,
        (true, proof) => (root, proof),
        (false, [first, rest @ ..]) => (first, rest),
    };
    let (mut at, mut last) = (size - 1, newer_size - 1);
    let steps = at.trailing_ones();
    (at, last) = (at >> steps, last >> steps);
    let (mut old, mut new) = (*first, *first);
    for other in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            (old, new) = (node(other, &old), node(other, &new));
            (at, last) = to_right_child(at, last);
        } else {
            new = node(&new, other);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && old == *root && new == *newer_root
}

/// Levels on which the node stands alone at the end are passed over: it has no sibling there.
fn to_right_child(at: u64, last: u64) -> (u64, u64) {
    let steps = if at == 0 { 0 } else { at.trailing_zeros() };
    (at >> steps, last >> steps)
}

#[cfg(test)]
mod tests;
