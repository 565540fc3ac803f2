//! The state root against a naive rebuild.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tieline_chain::tree::{EMPTY, End, ProofError, StateProof, Tree};
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Encoder};

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

fn tree(records: &Records) -> Tree {
    Tree::of(records.iter().map(|(key, value)| (&key[..], &value[..])))
}

/// The definition, word by word: leaves by their key's bits, branches above two leaves or more.
fn naive(leaves: &[(Digest, Digest)], depth: usize) -> Digest {
    let hash = |kind: u8, one: &Digest, other: &Digest| {
        let mut bytes = Encoder::default();
        bytes.u8(kind).raw(one.as_bytes()).raw(other.as_bytes());
        bytes.digest()
    };
    match leaves {
        [] => Digest::from_bytes([0; 32]),
        [(key, value)] => hash(0, key, value),
        several => {
            let high = |key: &Digest| key.as_bytes()[depth / 8] >> (7 - depth % 8) & 1 == 1;
            let side = |wanted: bool| -> Vec<(Digest, Digest)> {
                let of_side = several.iter().filter(|(key, _)| high(key) == wanted);
                of_side.copied().collect()
            };
            let (left, right) = (
                naive(&side(false), depth + 1),
                naive(&side(true), depth + 1),
            );
            hash(1, &left, &right)
        }
    }
}

fn naive_root(records: &Records) -> Digest {
    let leaves: Vec<_> = records
        .iter()
        .map(|(key, value)| (Digest::of(key), Digest::of(value)))
        .collect();
    naive(&leaves, 0)
}

fn some_records() -> impl Strategy<Value = Records> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..4);
    prop::collection::btree_map(bytes(), bytes(), 0..40)
}

fn some_changes() -> impl Strategy<Value = BTreeMap<Vec<u8>, Option<Vec<u8>>>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..3);
    prop::collection::btree_map(bytes(), prop::option::of(bytes()), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_root_is_that_of_the_definition(records in some_records()) {
        prop_assert_eq!(tree(&records).root(), naive_root(&records));
    }

    #[test]
    fn changes_lead_to_the_root_of_a_tree_built_anew(
        start in some_records(),
        rounds in prop::collection::vec(some_changes(), 1..6),
    ) {
        let (mut records, mut changed) = (start.clone(), tree(&start));
        for changes in rounds {
            changed.update(changes.iter().map(|(key, value)| (&key[..], value.as_deref())));
            for (key, value) in changes {
                match value {
                    Some(value) => records.insert(key, value),
                    None => records.remove(&key),
                };
            }
            prop_assert_eq!(changed.root(), naive_root(&records));
        }
    }

    #[test]
    fn every_value_and_every_absence_is_proven_and_nothing_else(
        records in some_records(),
        key in prop::collection::vec(any::<u8>(), 0..3),
        wrong in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let (tree, root) = (tree(&records), naive_root(&records));
        for key in records.keys().chain([&key]) {
            let (proof, value) = (tree.prove(key), records.get(key).map(|value| &value[..]));
            prop_assert_eq!(StateProof::decode(&proof.to_bytes()).unwrap(), proof.clone());
            prop_assert!(proof.verify(root, key, value).is_ok());
            let lie = match value {
                Some(value) if value == wrong => None,
                _ => Some(&wrong[..]),
            };
            prop_assert!(proof.verify(root, key, lie).is_err());
            if value.is_some() {
                prop_assert!(proof.verify(root, key, None).is_err());
            }
            for index in 0..proof.siblings.len() {
                let mut bent = proof.clone();
                bent.siblings[index] = Digest::of(b"bent");
                prop_assert!(bent.verify(root, key, value).is_err());
                bent.siblings.truncate(index);
                prop_assert!(bent.verify(root, key, value).is_err());
            }
        }
    }
}

#[test]
fn a_proof_of_absence_is_not_made_of_a_record_that_hangs_elsewhere() {
    let records: Records = (0..64_u8).map(|index| (vec![index], vec![index])).collect();
    let (tree, root) = (tree(&records), naive_root(&records));
    let mut refused = 0;
    for shown in records.keys() {
        for hidden in records.keys().filter(|key| *key != shown) {
            let mut forged = tree.prove(shown);
            forged.end = End::Other {
                key: Digest::of(shown),
                value: Digest::of(&records[shown]),
            };
            let error = forged.verify(root, hidden, None).unwrap_err();
            refused += usize::from(error == ProofError::Elsewhere);
        }
    }
    assert!(refused > 0);
}

#[test]
fn impossible_proofs_are_refused_by_name() {
    let proof = |depth, end| StateProof {
        siblings: vec![EMPTY; depth],
        end,
    };
    let long = proof(257, End::Nothing).verify(EMPTY, b"k", None);
    assert_eq!(long, Err(ProofError::Depth { depth: 257 }));
    let end = proof(0, End::Nothing).verify(EMPTY, b"k", Some(b"v"));
    let expected = ProofError::End {
        end: End::Nothing,
        value: true,
    };
    assert_eq!(end, Err(expected));
    let (key, value) = (Digest::of(b"k"), Digest::of(b"v"));
    let own = proof(0, End::Other { key, value }).verify(EMPTY, b"k", None);
    assert_eq!(own, Err(ProofError::Elsewhere));
    assert_eq!(
        Tree::default().prove(b"k").verify(EMPTY, b"k", None),
        Ok(())
    );
    let long = proof(257, End::Nothing).to_bytes();
    assert!(StateProof::decode(&long).is_err());
}

#[test]
fn roots_are_pinned() {
    let records: Records = [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5")]
        .map(|(key, value)| (key.into(), value.into()))
        .into();
    assert_eq!(tree(&records).root(), naive_root(&records));
    assert_eq!(
        tree(&records).root().to_string(),
        "3023800af3d89b67e03770b7524da2a8aa725e996c3729e5f5fd013765346beb"
    );
}
