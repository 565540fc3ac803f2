//! Bytes sealed under a transmission key.

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use tieline_units::{Digest, Encoder};
use zeroize::Zeroizing;

use super::{KeyError, TransmissionKey};

/// What is sealed where: the use, the order, and the hash of the content that stands on the chain.
///
/// The cipher's key is derived from all three, and the content's hash is on record before anybody opens. So one key seals
/// one content, and a nonce of zeros is never used for two: sealing the same again gives the same bytes, anything else has
/// another hash and with it another key. This holds across crashes and restarts, where a random nonce needs a random
/// generator and a counter a disk.
pub(super) struct Place {
    pub(super) what: &'static str,
    pub(super) domain: &'static str,
    pub(super) order: Digest,
    pub(super) hash: Digest,
}

impl Place {
    fn cipher(&self, key: &TransmissionKey) -> ChaCha20Poly1305 {
        let mut info = Encoder::new(self.domain);
        info.raw(self.order.as_bytes()).raw(self.hash.as_bytes());
        ChaCha20Poly1305::new((&*key.for_use(&info)).into())
    }

    /// The content and a tag of 16 bytes.
    pub(super) fn seal(&self, key: &TransmissionKey, content: &[u8]) -> Vec<u8> {
        let sealed = self.cipher(key).encrypt(&Nonce::default(), content);
        sealed.expect("contents are bounded far below the cipher's 256 GiB")
    }

    pub(super) fn open(
        &self,
        key: &TransmissionKey,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let content = self.cipher(key).decrypt(&Nonce::default(), sealed);
        let what = self.what;
        content
            .map(Zeroizing::new)
            .map_err(|_| KeyError::Sealed { what })
    }

    pub(super) fn malformed(&self) -> KeyError {
        KeyError::Malformed { what: self.what }
    }

    /// Refuses content that has another hash than the chain's.
    pub(super) fn check(&self, found: Digest) -> Result<(), KeyError> {
        let Place {
            what,
            hash: expected,
            ..
        } = *self;
        match found == expected {
            true => Ok(()),
            false => Err(KeyError::OtherHash {
                what,
                expected,
                found,
            }),
        }
    }
}
