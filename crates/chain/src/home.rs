//! Which chain.

use tieline_seal::hybrid::{Domain, Purpose};
use tieline_units::canonical::Canonical as _;
use tieline_units::{ChainId, Digest, Encoder, canonical};

/// A chain of one network: its name and the hash of its genesis. Nothing that is hashed or signed for one counts in another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Home {
    /// Its name.
    pub chain: ChainId,
    /// Hash of its genesis document.
    pub genesis: Digest,
}

canonical!(Home { chain, genesis });

impl Home {
    /// Where signatures of an epoch's validators count.
    pub fn domain(&self, epoch: u64, purpose: Purpose) -> Domain {
        Domain {
            chain: self.chain.clone(),
            genesis: self.genesis,
            epoch,
            purpose,
        }
    }

    /// Begins a value of this chain that is hashed.
    pub(crate) fn encoder(&self, kind: &str) -> Encoder {
        let mut encoder = Encoder::new(kind);
        self.encode(&mut encoder);
        encoder
    }
}
