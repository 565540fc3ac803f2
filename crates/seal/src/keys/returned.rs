//! The key that x_i returns (phase 5).

use std::fmt;

use tieline_units::{Digest, Encoder};
use zeroize::Zeroizing;

use super::seal::Place;
use super::{KeyError, TransmissionKey, hash};

const HASH: &str = "tieline.trade-key/1";
const SEALED: &str = "tieline.key-return/1";

/// Bytes of a sealed key: the key and a tag of 16 bytes.
pub const SEALED_KEY_BYTES: usize = 48;

/// The key under which the parties' private details of a trade lie: 32 random bytes, wiped when dropped.
pub struct TradeKey(Zeroizing<[u8; 32]>);

impl TradeKey {
    /// From random bytes, which x_i draws for this order alone.
    pub fn new(bytes: [u8; 32]) -> TradeKey {
        TradeKey(Zeroizing::new(bytes))
    }

    /// The bytes, for the cipher of the details.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// What the chain records of it. Nobody finds 32 random bytes from it.
    pub fn hash(&self, order: Digest) -> Digest {
        let mut open = Encoder::new(HASH);
        open.raw(order.as_bytes());
        hash(&open, &[&*self.0])
    }

    /// Hash and sealed bytes, both for the chain ("x_i returns the key", transition T5k). `key`: the transmission key of
    /// phase 5.
    pub fn seal(&self, key: &TransmissionKey, order: Digest) -> (Digest, Vec<u8>) {
        let key_hash = self.hash(order);
        (key_hash, place(order, key_hash).seal(key, &*self.0))
    }

    /// Opens at y_j what [`TradeKey::seal`] sealed, and checks the hash. `key`: the transmission key of phase 5.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] when the bytes, the key, the order or the hash is another; [`KeyError::Malformed`] and
    /// [`KeyError::OtherHash`] when x_i itself sealed something else than it put on record.
    pub fn open(
        key: &TransmissionKey,
        order: Digest,
        key_hash: Digest,
        sealed: &[u8],
    ) -> Result<TradeKey, KeyError> {
        let place = place(order, key_hash);
        let content = place.open(key, sealed)?;
        let bytes = content.as_slice().try_into();
        let opened = TradeKey::new(bytes.map_err(|_| place.malformed())?);
        place.check(opened.hash(order))?;
        Ok(opened)
    }
}

impl fmt::Debug for TradeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TradeKey(<redacted>)")
    }
}

fn place(order: Digest, key_hash: Digest) -> Place {
    Place {
        what: "trade key",
        domain: SEALED,
        order,
        hash: key_hash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_that_is_not_the_recorded_key_is_laid_at_its_senders_door() {
        let order = Digest::of(b"order");
        let key = TransmissionKey::start(&[7; 32], order);
        let key_hash = TradeKey::new([1; 32]).hash(order);
        let open = |content: &[u8]| {
            let sealed = place(order, key_hash).seal(&key, content);
            TradeKey::open(&key, order, key_hash, &sealed).err()
        };
        let what = "trade key";
        let found = TradeKey::new([2; 32]).hash(order);
        let expected = key_hash;
        assert_eq!(
            open(&[2; 32]),
            Some(KeyError::OtherHash {
                what,
                expected,
                found
            })
        );
        assert_eq!(open(&[1; 31]), Some(KeyError::Malformed { what }));
        assert_eq!(open(&[1; 32]), None);
    }
}
