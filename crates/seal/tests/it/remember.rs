//! A verifier that remembers gives the answers of the one it asks, and asks once.

use std::cell::Cell;

use tieline_seal::hybrid::{Domain, PublicKey, Purpose, Remembering, Signature, Suite, Verify};
use tieline_units::{ChainId, Digest};

/// Right are signatures that begin with the key's first byte; counts how often it is asked.
struct Counting<'a>(&'a Cell<u32>);

impl Verify for Counting<'_> {
    fn verify(&self, key: &PublicKey, _: &Domain, _: &[u8], signature: &Signature) -> bool {
        self.0.set(self.0.get() + 1);
        key.as_bytes()[0] == signature.as_bytes()[0]
    }
}

fn key(byte: u8) -> PublicKey {
    PublicKey::new(Suite::MlDsa65, &vec![byte; 1952]).unwrap()
}

fn signature(byte: u8) -> Signature {
    Signature::new(Suite::MlDsa65, &vec![byte; 3309]).unwrap()
}

fn domain(epoch: u64) -> Domain {
    Domain {
        chain: ChainId::parse("chain-1").unwrap(),
        genesis: Digest::of(b"genesis"),
        epoch,
        purpose: Purpose::Attestation,
    }
}

#[test]
fn what_was_right_is_asked_once_and_what_was_wrong_every_time() {
    let asked = Cell::new(0);
    let verify = Remembering::new(Counting(&asked));
    for _ in 0..3 {
        assert!(verify.verify(&key(1), &domain(0), b"message", &signature(1)));
    }
    assert_eq!(asked.get(), 1);
    for _ in 0..3 {
        assert!(!verify.verify(&key(1), &domain(0), b"message", &signature(2)));
    }
    assert_eq!(asked.get(), 4);
}

#[test]
fn every_part_of_the_question_counts() {
    let asked = Cell::new(0);
    let verify = Remembering::new(Counting(&asked));
    verify.verify(&key(1), &domain(0), b"message", &signature(1));
    verify.verify(&key(1), &domain(1), b"message", &signature(1));
    verify.verify(&key(1), &domain(0), b"massage", &signature(1));
    assert_eq!(asked.get(), 3);
    assert!(!verify.verify(&key(2), &domain(0), b"message", &signature(1)));
}

#[test]
fn it_forgets_rather_than_grows() {
    let asked = Cell::new(0);
    let verify = Remembering::new(Counting(&asked));
    for epoch in 0..5000 {
        assert!(verify.verify(&key(1), &domain(epoch), b"message", &signature(1)));
    }
    assert!(verify.verify(&key(1), &domain(0), b"message", &signature(1)));
    assert_eq!(asked.get(), 5001, "the first was forgotten");
}
