//! The state root: a sparse Merkle tree over the records of a state.
//!
//! A record hangs where the bits of SHA-256 of its key lead, highest bit first, at the first depth at which no other record
//! shares them. So the root is a function of the set of records alone, whatever the order of changes, and a change of k
//! records of n hashes about k·log2(n) nodes.
//!
//! ```text
//! leaf    H(0x00 ‖ H(key) ‖ H(value))
//! branch  H(0x01 ‖ left ‖ right)
//! nothing 32 zero bytes
//! ```
//! Leaves and branches have 65 bytes with different first ones: neither passes as the other. A branch with one leaf below
//! it does not exist: the leaf takes its place.
//!
//! A clone shares all nodes with the original and costs nothing.

mod proof;

use std::sync::Arc;

use tieline_units::Digest;

pub use proof::{DEPTH_MAX, End, ProofError, StateProof};

/// The root of a tree without records.
pub const EMPTY: Digest = Digest::from_bytes([0; 32]);

/// The records of a state by their hashes.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    root: Link,
}

type Link = Option<Arc<Node>>;

#[derive(Debug)]
enum Node {
    Leaf(Leaf),
    Branch {
        hash: Digest,
        left: Link,
        right: Link,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leaf {
    key: Digest,
    value: Digest,
    hash: Digest,
}

/// Where a record hangs, and its leaf from now on.
type Change = (Digest, Option<Leaf>);

impl Tree {
    /// The tree over these records, in any order; of two with one key the last counts.
    pub fn of<'a>(records: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Tree {
        let mut tree = Tree::default();
        tree.update(records.into_iter().map(|(key, value)| (key, Some(value))));
        tree
    }

    /// The state root.
    pub fn root(&self) -> Digest {
        hash_of(&self.root)
    }

    /// Sets records, and removes those without a value. Of two changes of one key the last counts.
    pub fn update<'a>(&mut self, changes: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>) {
        let hashed = changes.into_iter().map(|(key, value)| {
            let key = Digest::of(key);
            (key, value.map(|value| Leaf::new(key, Digest::of(value))))
        });
        let mut hashed: Vec<Change> = hashed.collect();
        hashed.sort_by_key(|(key, _)| *key);
        // Stable: the last of equal keys is the last one given.
        let mut changes: Vec<Change> = Vec::with_capacity(hashed.len());
        for change in hashed {
            match changes.last_mut() {
                Some(last) if last.0 == change.0 => *last = change,
                _ => changes.push(change),
            }
        }
        self.root = updated(self.root.take(), 0, &changes);
    }

    /// Proves the value of a key, or that it has none.
    pub fn prove(&self, key: &[u8]) -> StateProof {
        let key = Digest::of(key);
        let (mut at, mut siblings) = (&self.root, Vec::new());
        loop {
            match at.as_deref() {
                None => break StateProof::new(siblings, End::Nothing),
                Some(Node::Leaf(leaf)) if leaf.key == key => {
                    break StateProof::new(siblings, End::Here);
                }
                Some(Node::Leaf(Leaf { key, value, .. })) => {
                    let (key, value) = (*key, *value);
                    break StateProof::new(siblings, End::Other { key, value });
                }
                Some(Node::Branch { left, right, .. }) => {
                    let (on, off) = match bit(&key, siblings.len()) {
                        false => (left, right),
                        true => (right, left),
                    };
                    siblings.push(hash_of(off));
                    at = on;
                }
            }
        }
    }
}

impl Leaf {
    fn new(key: Digest, value: Digest) -> Leaf {
        let hash = proof::hash(0, key, value);
        Leaf { key, value, hash }
    }
}

fn hash_of(link: &Link) -> Digest {
    match link.as_deref() {
        None => EMPTY,
        Some(Node::Leaf(leaf)) => leaf.hash,
        Some(Node::Branch { hash, .. }) => *hash,
    }
}

/// The bit of a key that decides at a depth.
fn bit(key: &Digest, depth: usize) -> bool {
    key.as_bytes()[depth / 8] >> (7 - depth % 8) & 1 == 1
}

/// `changes`: sorted, no key twice, all sharing their first `depth` bits with what hangs here.
fn updated(link: Link, depth: usize, changes: &[Change]) -> Link {
    let (Some(node), false) = (link.as_deref(), changes.is_empty()) else {
        return match changes.is_empty() {
            true => link,
            false => built(depth, &leaves(changes)),
        };
    };
    match node {
        Node::Leaf(leaf) => {
            let mut leaves = leaves(changes);
            let place = changes.partition_point(|(key, _)| *key < leaf.key);
            if changes.get(place).is_none_or(|(key, _)| *key != leaf.key) {
                let place = leaves.partition_point(|other| other.key < leaf.key);
                leaves.insert(place, *leaf);
            }
            built(depth, &leaves)
        }
        Node::Branch { left, right, .. } => {
            let middle = changes.partition_point(|(key, _)| !bit(key, depth));
            let (below, above) = changes.split_at(middle);
            let left = updated(left.clone(), depth + 1, below);
            let right = updated(right.clone(), depth + 1, above);
            joined(left, right)
        }
    }
}

fn leaves(changes: &[Change]) -> Vec<Leaf> {
    changes.iter().filter_map(|(_, leaf)| *leaf).collect()
}

/// The tree of these leaves, sorted by key, whose keys share their first `depth` bits.
fn built(depth: usize, leaves: &[Leaf]) -> Link {
    match leaves {
        [] => None,
        [one] => Some(Arc::new(Node::Leaf(*one))),
        several => {
            let middle = several.partition_point(|leaf| !bit(&leaf.key, depth));
            let (below, above) = several.split_at(middle);
            joined(built(depth + 1, below), built(depth + 1, above))
        }
    }
}

fn joined(left: Link, right: Link) -> Link {
    let alone = |link: &Link| matches!(link.as_deref(), Some(Node::Leaf(_)));
    if left.is_none() && (right.is_none() || alone(&right)) {
        return right;
    }
    if right.is_none() && alone(&left) {
        return left;
    }
    let hash = proof::hash(1, hash_of(&left), hash_of(&right));
    Some(Arc::new(Node::Branch { hash, left, right }))
}
