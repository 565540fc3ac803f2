//! One secret in one file: for keys that are written once and read whole, sealed as the store's records are.
//!
//! ```text
//! 8    "TLSEAL01"
//! u32  memory, KiB    | of Argon2id
//! u32  passes         |
//! 32   salt
//! 32   HMAC of all that: a wrong passphrase is told from a changed file
//! 24   nonce
//! rest ciphertext and tag of XChaCha20-Poly1305, under a key for what the secret is
//! ```
//! Files that one [`Sealer`] makes share their salt, so that a passphrase is stretched once for all of them.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::Mac as _;
use thiserror::Error;
use zeroize::Zeroizing;

use super::codec::Reader;
use super::error::StoreError;
use super::seal::{Cost, Entropy, Keys, Secret, mac};

const MAGIC: &[u8; 8] = b"TLSEAL01";
const SALT: usize = 32;
const HEAD: usize = MAGIC.len() + 8 + SALT;
const HEAD_MAC: usize = 32;
const NONCE: usize = 24;

/// Most memory that a file may ask for, KiB, and most passes: a changed one must not take the machine down.
const COST_MAX: Cost = Cost {
    memory_kib: 1024 * 1024,
    passes: 64,
};

/// Why a sealed file does not open.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UnsealError {
    /// Not a sealed file.
    #[error("not a sealed file of this version")]
    NotSealed,
    /// Another passphrase, or a changed head.
    #[error("the passphrase does not open it, or its head was changed")]
    Passphrase,
    /// Changed, cut, or sealed as something else.
    #[error("it was changed, or is no {purpose}")]
    Changed {
        /// What it should be.
        purpose: String,
    },
    /// The cost of the passphrase is out of range.
    #[error(transparent)]
    Cost(StoreError),
}

/// Seals secrets under one passphrase.
pub struct Sealer {
    keys: Keys,
    head: Vec<u8>,
}

impl Sealer {
    /// Stretches a passphrase.
    ///
    /// # Errors
    /// [`StoreError::Cost`] for an empty passphrase or a cost that Argon2id refuses, [`StoreError::Entropy`].
    pub fn new(
        phrase: Zeroizing<String>,
        cost: Cost,
        entropy: &mut Entropy,
    ) -> Result<Sealer, StoreError> {
        let mut salt = [0; SALT];
        entropy(&mut salt)?;
        let keys = Keys::derive(&salt, &Secret::Passphrase(phrase, cost), Some(cost))?;
        let Cost { memory_kib, passes } = cost;
        let numbers = [memory_kib.to_be_bytes(), passes.to_be_bytes()].concat();
        let head = [&MAGIC[..], &numbers, &salt].concat();
        Ok(Sealer { keys, head })
    }

    /// The content of the file that holds `plain`; `purpose`: what it is, said again by whoever opens it.
    ///
    /// # Errors
    /// [`StoreError::Entropy`].
    pub fn seal(
        &self,
        purpose: &str,
        plain: &[u8],
        entropy: &mut Entropy,
    ) -> Result<Vec<u8>, StoreError> {
        let mut fresh = [0; NONCE];
        entropy(&mut fresh)?;
        let nonces = self
            .keys
            .expand(&[b"sealed file nonces", purpose.as_bytes()]);
        let nonce = mac(&*nonces).chain_update(fresh).chain_update(plain);
        let nonce = nonce.finalize().into_bytes();
        let nonce: [u8; NONCE] = nonce[..NONCE].try_into().expect("a hash has 32 bytes");
        let payload = Payload {
            msg: plain,
            aad: &self.head,
        };
        let sealed = cipher(&self.keys, purpose).encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("the cipher takes 256 GiB");
        let tag = self.keys.head_mac(&self.head).finalize().into_bytes();
        Ok([&self.head[..], &tag, &nonce, &sealed].concat())
    }
}

/// Opens what [`Sealer::seal`] made for the same purpose.
///
/// # Errors
/// [`UnsealError`].
pub fn unseal(
    phrase: Zeroizing<String>,
    purpose: &str,
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
    let short = |_| UnsealError::NotSealed;
    let mut reader = Reader::new(bytes);
    if reader.array().map_err(short)? != *MAGIC {
        return Err(UnsealError::NotSealed);
    }
    let cost = Cost {
        memory_kib: reader.u32().map_err(short)?,
        passes: reader.u32().map_err(short)?,
    };
    let salt: [u8; SALT] = reader.array().map_err(short)?;
    let tag: [u8; HEAD_MAC] = reader.array().map_err(short)?;
    let nonce: [u8; NONCE] = reader.array().map_err(short)?;
    if cost.memory_kib > COST_MAX.memory_kib || cost.passes > COST_MAX.passes {
        let Cost { memory_kib, passes } = cost;
        return Err(UnsealError::Cost(StoreError::Cost { memory_kib, passes }));
    }
    let secret = Secret::Passphrase(phrase, cost);
    let keys = Keys::derive(&salt, &secret, Some(cost)).map_err(UnsealError::Cost)?;
    let head = &bytes[..HEAD];
    let same = keys.head_mac(head).verify_slice(&tag);
    same.map_err(|_| UnsealError::Passphrase)?;
    let payload = Payload {
        msg: &bytes[HEAD + HEAD_MAC + NONCE..],
        aad: head,
    };
    let plain = cipher(&keys, purpose).decrypt(&XNonce::from(nonce), payload);
    let plain = plain.map_err(|_| UnsealError::Changed {
        purpose: purpose.to_owned(),
    })?;
    Ok(Zeroizing::new(plain))
}

fn cipher(keys: &Keys, purpose: &str) -> XChaCha20Poly1305 {
    let key = keys.expand(&[b"sealed file", purpose.as_bytes()]);
    XChaCha20Poly1305::new((&*key).into())
}
