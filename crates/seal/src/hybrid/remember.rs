//! One block's certificates carry one set of signatures: what was right once need not be computed again.

use std::cell::RefCell;
use std::collections::BTreeSet;

use tieline_units::canonical::Canonical;
use tieline_units::{Digest, Encoder};

use super::{Domain, PublicKey, Signature, Verify};

/// Signatures that are remembered at most; then all are forgotten.
const REMEMBERED_MAX: usize = 4096;

/// A verifier that remembers what another found right: the same answers, sooner. What was found wrong is not remembered.
#[derive(Debug)]
pub struct Remembering<V> {
    inner: V,
    right: RefCell<BTreeSet<Digest>>,
}

impl<V: Verify> Remembering<V> {
    /// Remembers for `inner`.
    pub fn new(inner: V) -> Remembering<V> {
        Remembering {
            inner,
            right: RefCell::default(),
        }
    }
}

impl<V: Verify> Verify for Remembering<V> {
    fn verify(
        &self,
        key: &PublicKey,
        domain: &Domain,
        message: &[u8],
        signature: &Signature,
    ) -> bool {
        let mut encoder = Encoder::new("tieline.remembered/1");
        key.encode(&mut encoder);
        domain.encode(&mut encoder);
        encoder.bytes(message);
        signature.encode(&mut encoder);
        let what = encoder.digest();
        if self.right.borrow().contains(&what) {
            return true;
        }
        let right = self.inner.verify(key, domain, message, signature);
        if right {
            let mut remembered = self.right.borrow_mut();
            if remembered.len() >= REMEMBERED_MAX {
                remembered.clear();
            }
            remembered.insert(what);
        }
        right
    }
}
