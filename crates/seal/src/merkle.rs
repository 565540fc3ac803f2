//! A Merkle tree over the entries of one block's outbox, so that one attestation serves all of them.
//!
//! Hashing is RFC 9162's (2.1, the same as RFC 6962's) with SHA-256: a leaf is H(0x00 ‖ digest of the entry's canonical
//! bytes), a node H(0x01 ‖ left ‖ right), a tree without leaves H(nothing). The prefixes keep a node from passing as a
//! leaf.
//!
//! **What a root does not say: how many leaves there are.** A path of one tree may be read as a path of another with a
//! different count, and then at a different index. The leaf is bound all the same. Where the index counts as well,
//! the number of leaves has to be signed beside the root and compared with [`Proof::count`].

use tieline_units::canonical::{Canonical, DecodeError, Decoder};
use tieline_units::{Digest, Encoder};

/// Longest path: the depth of a tree of 2^64 leaves.
const PATH_MAX: usize = 64;

/// The root over `leaves`, each the SHA-256 of an entry's canonical bytes, in the order of the outbox.
///
/// Source: RFC 9162, 2.1.1 (MTH).
pub fn root(leaves: &[Digest]) -> Digest {
    root_of_hashes(leaves.iter().copied().map(leaf_hash).collect())
}

/// The proofs of all leaves, in order: [`Proof::of`] for each, with every node hashed once.
pub fn proofs(leaves: &[Digest]) -> Vec<Proof> {
    let mut levels: Vec<Vec<Digest>> = vec![leaves.iter().copied().map(leaf_hash).collect()];
    while let Some(level) = levels.last().filter(|level| level.len() > 1) {
        levels.push(parents(level));
    }
    let path = |index: usize| {
        let siblings = levels.iter().enumerate();
        let siblings = siblings.filter_map(|(height, level)| level.get((index >> height) ^ 1));
        siblings.copied().collect()
    };
    let count = leaves.len() as u64;
    let proof = |index: usize| Proof {
        index: index as u64,
        count,
        path: path(index),
    };
    (0..leaves.len()).map(proof).collect()
}

/// That a leaf is in a tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proof {
    /// Position of the leaf, from 0.
    pub index: u64,
    /// Leaves in the tree.
    pub count: u64,
    /// The siblings on the way up, lowest first; at most 64.
    pub path: Vec<Digest>,
}

impl Proof {
    /// The proof of the leaf at `index`; `None` beyond the last. Hashes the whole tree; [`proofs`] makes all of a block's at
    /// once.
    ///
    /// Source: RFC 9162, 2.1.3.1 (PATH).
    pub fn of(leaves: &[Digest], index: usize) -> Option<Proof> {
        if index >= leaves.len() {
            return None;
        }
        let mut level: Vec<Digest> = leaves.iter().copied().map(leaf_hash).collect();
        let mut path = Vec::new();
        let mut at = index;
        while level.len() > 1 {
            path.extend(level.get(at ^ 1));
            level = parents(&level);
            at /= 2;
        }
        Some(Proof {
            index: index as u64,
            count: leaves.len() as u64,
            path,
        })
    }

    /// The root of the tree in which this proof puts `leaf`; `None` when the path does not have the length that index and
    /// count demand, or the index is not below the count. The leaf is in the tree when this is the signed root.
    ///
    /// Source: RFC 9162, 2.1.3.2.
    pub fn root(&self, leaf: Digest) -> Option<Digest> {
        let mut last = self.count.checked_sub(1)?;
        let mut at = self.index;
        if at > last {
            return None;
        }
        let mut hash = leaf_hash(leaf);
        let mut path = self.path.iter();
        while last > 0 {
            // The last node of a level with an odd number has no sibling and moves up as it is.
            if at % 2 == 1 {
                hash = node_hash(*path.next()?, hash);
            } else if at < last {
                hash = node_hash(hash, *path.next()?);
            }
            at /= 2;
            last /= 2;
        }
        path.next().is_none().then_some(hash)
    }
}

impl Canonical for Proof {
    fn encode(&self, to: &mut Encoder) {
        self.index.encode(to);
        self.count.encode(to);
        self.path.encode(to);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let index = u64::read(from)?;
        let count = u64::read(from)?;
        let length = from.length(PATH_MAX)?;
        let path: Result<_, _> = (0..length).map(|_| Digest::read(from)).collect();
        Ok(Proof {
            index,
            count,
            path: path?,
        })
    }
}

fn root_of_hashes(mut level: Vec<Digest>) -> Digest {
    while level.len() > 1 {
        level = parents(&level);
    }
    level.pop().unwrap_or_else(|| Digest::of(&[]))
}

/// One level up: nodes in pairs, an odd last one as it is. Same tree as the RFC's split at the largest power of two.
fn parents(level: &[Digest]) -> Vec<Digest> {
    let pairs = level.chunks(2);
    pairs
        .map(|pair| match pair {
            [left, right] => node_hash(*left, *right),
            alone => alone[0],
        })
        .collect()
}

fn leaf_hash(leaf: Digest) -> Digest {
    let mut bytes = [0; 33];
    bytes[1..].copy_from_slice(leaf.as_bytes());
    Digest::of(&bytes)
}

fn node_hash(left: Digest, right: Digest) -> Digest {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left.as_bytes());
    bytes[33..].copy_from_slice(right.as_bytes());
    Digest::of(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leaves and roots for 0 to 8 of them: the reference tests of the certificate transparency project.
    #[test]
    fn roots_over_the_reference_leaves_are_those_of_certificate_transparency() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (count, expected) in roots.into_iter().enumerate() {
            let hash = |leaf: &&[u8]| Digest::of(&[&[0], *leaf].concat());
            let hashes = leaves[..count].iter().map(hash).collect();
            assert_eq!(root_of_hashes(hashes).to_string(), expected);
        }
    }
}
