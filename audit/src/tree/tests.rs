use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;

/// The entries that implementations of Certificate Transparency test with, and the roots of the trees of the first of them.
const ENTRIES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn known(hex: &str) -> Digest {
    Digest::from_hex(hex).unwrap()
}

fn known_leaves() -> Vec<Digest> {
    ENTRIES.iter().map(|hex| leaf(&HEXLOWER.decode(hex.as_bytes()).unwrap())).collect()
}

/// Nodes as the RFC defines them, from the leaves.
fn nodes(leaves: &[Digest]) -> impl FnMut(u32, u64) -> Result<Digest, ()> {
    move |level, index| {
        let first = usize::try_from(index << level).unwrap();
        let under = leaves.get(first..first + (1 << level)).ok_or(())?;
        Ok(under.iter().copied().collect::<Edge>().root())
    }
}

fn root_of(leaves: &[Digest]) -> Digest {
    leaves.iter().copied().collect::<Edge>().root()
}

#[test]
fn the_empty_tree_has_the_digest_of_nothing() {
    assert_eq!(Edge::default().root(), Digest::of(b""));
}

#[test]
fn trees_have_the_known_roots() {
    let mut edge = Edge::default();
    for (leaf, root) in known_leaves().into_iter().zip(ROOTS) {
        edge.push(leaf);
        assert_eq!(edge.root(), known(root), "{} leaves", edge.size());
        let again = Edge::of(edge.size(), &mut nodes(&known_leaves())).unwrap();
        assert_eq!(again.root(), known(root));
    }
}

#[test]
fn proofs_are_the_known_ones() {
    let leaves = known_leaves();
    let inclusion = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ];
    assert_eq!(prove_inclusion(0, 8, &mut nodes(&leaves)).unwrap(), inclusion.map(known));
    let consistency = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(prove_consistency(6, 8, &mut nodes(&leaves)).unwrap(), consistency.map(known));
    assert!(is_consistent((6, &known(ROOTS[5])), (8, &known(ROOTS[7])), &consistency.map(known)));
    assert!(!is_consistent((6, &known(ROOTS[4])), (8, &known(ROOTS[7])), &consistency.map(known)));
}

#[test]
fn edges_of_the_algorithms() {
    let (empty, one) = (Digest::of(b""), known(ROOTS[0]));
    assert!(is_consistent((0, &empty), (1, &one), &[]));
    assert!(!is_consistent((0, &one), (1, &one), &[]));
    assert!(!is_consistent((0, &empty), (1, &one), &[one]));
    assert!(is_consistent((1, &one), (1, &one), &[]));
    assert!(!is_consistent((2, &one), (1, &one), &[]));
    assert!(!is_consistent((1, &one), (2, &one), &[]));
    assert!(is_included(&one, 0, 1, &one, &[]));
    assert!(!is_included(&one, 1, 1, &one, &[]));
    assert!(!is_included(&one, 0, 0, &one, &[]));
    assert!(!is_included(&one, u64::MAX, u64::MAX, &one, &[one; 64]));
}

fn leaves(size: u64) -> Vec<Digest> {
    (0..size).map(|n| leaf(&n.to_be_bytes())).collect()
}

fn flipped(hash: &Digest, bit: usize) -> Digest {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Digest::from_bytes(bytes)
}

proptest! {
    #[test]
    fn an_inclusion_proof_verifies_and_no_other_does(size in 1_u64..600, at in 0_u64..600, part in 0_usize..20, bit in 0_usize..256) {
        let (index, leaves) = (at % size, leaves(size));
        let (root, leaf) = (root_of(&leaves), leaves[usize::try_from(index).unwrap()]);
        let mut proof = prove_inclusion(index, size, &mut nodes(&leaves)).unwrap();
        prop_assert!(is_included(&leaf, index, size, &root, &proof));
        prop_assert!(!is_included(&flipped(&leaf, bit), index, size, &root, &proof));
        prop_assert!(!is_included(&leaf, index, size, &flipped(&root, bit), &proof));
        prop_assert!(size == 1 || !is_included(&leaf, index ^ 1, size, &root, &proof));
        proof.push(root);
        prop_assert!(!is_included(&leaf, index, size, &root, &proof));
        proof.pop();
        if let Some(hash) = proof.len().checked_sub(1).map(|most| part.min(most)).and_then(|part| proof.get_mut(part)) {
            *hash = flipped(hash, bit);
            prop_assert!(!is_included(&leaf, index, size, &root, &proof));
        }
        proof.pop();
        prop_assert!(size == 1 || !is_included(&leaf, index, size, &root, &proof));
    }

    #[test]
    fn a_consistency_proof_verifies_and_no_other_does(size in 1_u64..600, at in 1_u64..600, part in 0_usize..20, bit in 0_usize..256) {
        let (older, leaves) = (at % size + 1, leaves(size));
        let (old, new) = (root_of(&leaves[..usize::try_from(older).unwrap()]), root_of(&leaves));
        let mut proof = prove_consistency(older, size, &mut nodes(&leaves)).unwrap();
        prop_assert!(is_consistent((older, &old), (size, &new), &proof));
        prop_assert!(!is_consistent((older, &flipped(&old, bit)), (size, &new), &proof));
        prop_assert!(!is_consistent((older, &old), (size, &flipped(&new, bit)), &proof));
        proof.push(new);
        prop_assert!(!is_consistent((older, &old), (size, &new), &proof));
        proof.pop();
        if let Some(hash) = proof.len().checked_sub(1).map(|most| part.min(most)).and_then(|part| proof.get_mut(part)) {
            *hash = flipped(hash, bit);
            prop_assert!(!is_consistent((older, &old), (size, &new), &proof));
        }
    }

    #[test]
    fn claims_of_any_kind_end(size in any::<u64>(), at in any::<u64>(), hashes in 0_usize..70) {
        let hash = Digest::of(b"");
        is_included(&hash, at, size, &hash, &vec![hash; hashes]);
        is_consistent((at, &hash), (size, &hash), &vec![hash; hashes]);
    }
}
