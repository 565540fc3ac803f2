//! The Merkle tree over an outbox.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;
use tieline_seal::merkle::{Proof, proofs, root};
use tieline_units::Digest;
use tieline_units::canonical::{Canonical, DecodeError};

fn leaves(count: usize) -> Vec<Digest> {
    (0..count).map(|at| Digest::of(&at.to_be_bytes())).collect()
}

fn node(left: Digest, right: Digest) -> Digest {
    Digest::of(&[&[1], &left.as_bytes()[..], right.as_bytes()].concat())
}

fn leaf(leaf: Digest) -> Digest {
    Digest::of(&[&[0], &leaf.as_bytes()[..]].concat())
}

#[test]
fn roots_and_proofs_of_up_to_seventy_leaves_are_those_of_another_implementation() {
    let mut other = MemoryBackedTree::<Sha256, [u8; 32]>::new();
    for count in 0..=70 {
        let leaves = leaves(count);
        let expected = root(&leaves);
        assert_eq!(other.root().as_bytes()[..], expected.as_bytes()[..]);
        for (index, leaf) in leaves.iter().enumerate() {
            let proof = Proof::of(&leaves, index).unwrap();
            assert_eq!((proof.index, proof.count), (index as u64, count as u64));
            let path: Vec<u8> = proof.path.iter().flat_map(|it| *it.as_bytes()).collect();
            assert_eq!(other.prove_inclusion(index).as_bytes(), path);
            assert_eq!(proof.root(*leaf), Some(expected));
        }
        assert_eq!(Proof::of(&leaves, count), None);
        other.push(*Digest::of(&count.to_be_bytes()).as_bytes());
    }
}

#[test]
fn small_trees_are_what_the_rfc_draws() {
    let all = leaves(3);
    let [a, b, c] = [leaf(all[0]), leaf(all[1]), leaf(all[2])];
    assert_eq!(root(&[]), Digest::of(&[]));
    assert_eq!(root(&all[..1]), a);
    assert_eq!(root(&all[..2]), node(a, b));
    assert_eq!(root(&all), node(node(a, b), c));
    let proof = Proof::of(&all, 2).unwrap();
    assert_eq!(proof.path, [node(a, b)]);
}

#[test]
fn a_node_does_not_pass_as_a_leaf() {
    let all = leaves(4);
    let [a, b, c, d] = [0, 1, 2, 3].map(|at| leaf(all[at]));
    let tree = root(&all);
    assert_eq!(tree, node(node(a, b), node(c, d)));
    let upper = Proof {
        index: 0,
        count: 2,
        path: vec![node(c, d)],
    };
    // As the attacker would have it, (a, b) is an entry of a tree of two.
    assert_ne!(upper.root(node(a, b)), Some(tree));
    for entry in [a, Digest::of(&[&a.as_bytes()[..], b.as_bytes()].concat())] {
        assert_ne!(upper.root(entry), Some(tree));
    }
    // Nor does the list of nodes pass as the list of leaves.
    assert_ne!(root(&[a, b, c, d]), tree);
    assert_ne!(root(&[node(a, b), node(c, d)]), tree);
}

#[test]
fn the_last_leaf_twice_is_another_tree() {
    let all = leaves(3);
    assert_ne!(root(&all), root(&[all[0], all[1], all[2], all[2]]));
}

#[test]
fn a_path_of_the_wrong_length_gives_no_root() {
    for count in 1..=20 {
        let all = leaves(count);
        for (index, leaf) in all.iter().enumerate() {
            let good = Proof::of(&all, index).unwrap();
            let mut longer = good.clone();
            longer.path.push(root(&all));
            assert_eq!(longer.root(*leaf), None);
            let mut shorter = good.clone();
            if shorter.path.pop().is_some() {
                assert_eq!(shorter.root(*leaf), None);
            }
        }
    }
}

#[test]
fn an_index_not_below_the_count_gives_no_root() {
    for (index, count) in [(0, 0), (1, 1), (2, 2), (u64::MAX, u64::MAX), (5, 0)] {
        let path = Vec::new();
        let proof = Proof { index, count, path };
        assert_eq!(proof.root(Digest::of(b"leaf")), None);
    }
}

#[test]
fn the_largest_tree_has_a_path_of_sixty_four() {
    let mut proof = Proof {
        index: 0,
        count: u64::MAX,
        path: vec![Digest::of(b"sibling"); 64],
    };
    assert!(proof.root(Digest::of(b"leaf")).is_some());
    let bytes = proof.to_bytes();
    assert_eq!(Proof::decode(&bytes), Ok(proof.clone()));
    proof.path.push(Digest::of(b"one more"));
    let refused = Proof::decode(&proof.to_bytes());
    assert!(matches!(
        refused,
        Err(DecodeError::TooLong {
            length: 65,
            max: 64,
            ..
        })
    ));
}

/// Leaf 2 of 3 and leaf 1 of 2 have the same path: whoever trusts an index compares the count with a signed one.
#[test]
fn the_count_is_not_in_the_root() {
    let all = leaves(3);
    let mut proof = Proof::of(&all, 2).unwrap();
    (proof.index, proof.count) = (1, 2);
    assert_eq!(proof.root(all[2]), Some(root(&all)));
}

#[test]
fn the_bytes_are_pinned() {
    let proof = Proof::of(&leaves(70), 69).unwrap();
    assert_eq!(
        Digest::of(&proof.to_bytes()).to_string(),
        "8b80674c077bfa015e33d95d85a1ad4037811ab15530f839120f124548cfb8d8"
    );
    assert_eq!(
        root(&leaves(70)).to_string(),
        "a9d832284e0b988922f26963b34562ebe41e5827d8f343c0cafe8c4e3ebe7605"
    );
}

#[test]
fn proofs_made_at_once_are_those_made_one_by_one() {
    for count in 0..=130 {
        let all = leaves(count);
        let each: Vec<Proof> = (0..count)
            .map(|index| Proof::of(&all, index).unwrap())
            .collect();
        assert_eq!(proofs(&all), each, "{count}");
    }
}

proptest! {
    #[test]
    fn proofs_made_at_once_lead_to_the_root(count in 0usize..=2_000) {
        let all = leaves(count);
        let tree = root(&all);
        for (leaf, proof) in all.iter().zip(proofs(&all)) {
            prop_assert_eq!(proof.root(*leaf), Some(tree));
        }
    }

    #[test]
    fn anything_tampered_misses_the_root(
        count in 1usize..=70,
        index in any::<prop::sample::Index>(),
        wrong in any::<prop::sample::Index>(),
        bit in 0usize..256,
    ) {
        let all = leaves(count);
        let index = index.index(count);
        let good = Proof::of(&all, index).unwrap();
        let tree = root(&all);
        let flip = |digest: Digest| {
            let mut bytes = *digest.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            Digest::from_bytes(bytes)
        };
        prop_assert_eq!(good.root(all[index]), Some(tree));
        prop_assert_ne!(good.root(flip(all[index])), Some(tree));
        let other = wrong.index(count);
        if other != index {
            prop_assert_ne!(good.root(all[other]), Some(tree));
            let moved = Proof { index: other as u64, ..good.clone() };
            prop_assert_ne!(moved.root(all[index]), Some(tree));
        }
        if !good.path.is_empty() {
            let at = wrong.index(good.path.len());
            let mut bent = good.clone();
            bent.path[at] = flip(bent.path[at]);
            prop_assert_ne!(bent.root(all[index]), Some(tree));
        }
        let mut changed = all.clone();
        changed[other] = flip(changed[other]);
        prop_assert_ne!(root(&changed), tree);
    }

    #[test]
    fn any_proof_decodes_to_itself_and_takes_any_input_without_a_panic(
        index in any::<u64>(),
        count in any::<u64>(),
        path in prop::collection::vec(any::<[u8; 32]>(), 0..=64),
    ) {
        let path = path.into_iter().map(Digest::from_bytes).collect();
        let proof = Proof { index, count, path };
        proof.root(Digest::of(b"leaf"));
        prop_assert_eq!(Proof::decode(&proof.to_bytes()), Ok(proof));
    }
}
