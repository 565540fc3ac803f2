//! What makes records on the disk unreadable and unforgeable: keys from a passphrase or a key file, and frames.
//!
//! A frame is `marker 4 | number 8 | length 4 | nonce 24 | ciphertext | tag 16`. The cipher is XChaCha20-Poly1305 under a
//! key of the segment's own; number, length and offset are authenticated, so a frame opens only where it was written.
//! The nonce is a keyed hash of the content and of fresh randomness: a machine that was cloned together with its random
//! generator repeats a nonce only for the same content.

use std::io;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::codec::{Reader, Writer};
use super::disk::{Action, DiskError};
use super::error::StoreError;
use super::name::Sae;

/// A source of bytes that nobody can foretell.
pub type Entropy = Box<dyn FnMut(&mut [u8]) -> Result<(), StoreError> + Send>;

/// The system's random generator.
pub fn system_entropy() -> Entropy {
    Box::new(|bytes| {
        getrandom::fill(bytes).map_err(|cause| StoreError::Entropy {
            cause: cause.to_string(),
        })
    })
}

/// What Argon2id costs whoever guesses passphrases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Cost {
    /// 64 MiB, 3 passes: the second recommendation of RFC 9106, section 4, with one lane.
    fn default() -> Cost {
        Cost {
            memory_kib: 64 * 1024,
            passes: 3,
        }
    }
}

/// What opens a store.
pub enum Secret {
    /// Goes through Argon2id; the cost counts when the store is made, afterwards the head of the store says it.
    Passphrase(Zeroizing<String>, Cost),
    /// 32 bytes from a file or a key service.
    Key(Zeroizing<[u8; 32]>),
}

impl Secret {
    /// Reads a key file: 32 bytes that nobody but the owner can read.
    ///
    /// # Errors
    /// [`StoreError::Disk`], [`StoreError::KeyFileLength`], [`StoreError::KeyFileMode`].
    pub fn from_key_file(path: &Path) -> Result<Secret, StoreError> {
        let file = path.display().to_string();
        let error = |cause: io::Error| {
            StoreError::Disk(DiskError {
                action: Action::Read,
                file: file.clone(),
                cause,
            })
        };
        refuse_readable_by_others(path, &file).map_err(error)??;
        let bytes = Zeroizing::new(std::fs::read(path).map_err(error)?);
        let key = <[u8; 32]>::try_from(bytes.as_slice());
        let key = key.map_err(|_| StoreError::KeyFileLength {
            file,
            bytes: bytes.len(),
        })?;
        Ok(Secret::Key(Zeroizing::new(key)))
    }
}

#[cfg(unix)]
fn refuse_readable_by_others(path: &Path, file: &str) -> io::Result<Result<(), StoreError>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    Ok(match mode & 0o077 {
        0 => Ok(()),
        _ => Err(StoreError::KeyFileMode {
            file: file.to_owned(),
            mode,
        }),
    })
}

#[cfg(not(unix))]
fn refuse_readable_by_others(_: &Path, _: &str) -> io::Result<Result<(), StoreError>> {
    Ok(Ok(()))
}

/// Name of the file that says how the store is opened.
pub(crate) const HEAD: &str = "head";
const HEAD_MAGIC: &[u8; 8] = b"TLKSTOR1";
const HEAD_MAC: usize = 32;

/// The keys of an opened store.
pub(crate) struct Keys {
    master: Zeroizing<[u8; 32]>,
}

impl Keys {
    /// Makes the head of a new store of `owner` and its keys.
    pub(crate) fn make(
        owner: &Sae,
        secret: &Secret,
        entropy: &mut Entropy,
    ) -> Result<(Keys, Vec<u8>), StoreError> {
        let mut salt = [0; 32];
        entropy(&mut salt)?;
        let mut head = Writer::default();
        head.raw(HEAD_MAGIC);
        match secret {
            Secret::Key(_) => head.u8(0),
            Secret::Passphrase(_, cost) => {
                head.u8(1);
                head.u32(cost.memory_kib);
                head.u32(cost.passes);
            }
        }
        head.raw(&salt);
        head.sae(owner);
        let head = head.finish();
        let keys = Keys::derive(&salt, secret, secret_cost(secret))?;
        let mut bytes = head.to_vec();
        bytes.extend_from_slice(&keys.head_mac(&head).finalize().into_bytes());
        Ok((keys, bytes))
    }

    /// Reads the head of a store, and says whose it is.
    pub(crate) fn open(bytes: &[u8], secret: &Secret) -> Result<(Keys, Sae), StoreError> {
        let length = bytes.len().saturating_sub(HEAD_MAC);
        let (head, mac) = bytes.split_at(length);
        let (cost, salt, owner) = read_head(head)?;
        if cost.is_some() != matches!(secret, Secret::Passphrase(..)) {
            return Err(StoreError::OtherSecret {
                passphrase: cost.is_some(),
            });
        }
        let keys = Keys::derive(&salt, secret, cost)?;
        keys.head_mac(head)
            .verify_slice(mac)
            .map_err(|_| StoreError::WrongSecret)?;
        Ok((keys, owner))
    }

    pub(super) fn derive(
        salt: &[u8],
        secret: &Secret,
        cost: Option<Cost>,
    ) -> Result<Keys, StoreError> {
        let input = match (secret, cost) {
            (Secret::Passphrase(phrase, _), Some(cost)) => stretch(phrase, salt, cost)?,
            (Secret::Passphrase(..), None) => return Err(StoreError::WrongSecret),
            (Secret::Key(key), _) => key.clone(),
        };
        let (master, _) = Hkdf::<Sha256>::extract(Some(salt), input.as_slice());
        Ok(Keys {
            master: Zeroizing::new(master.into()),
        })
    }

    pub(super) fn head_mac(&self, head: &[u8]) -> Hmac<Sha256> {
        let key = self.expand(&[b"head"]);
        mac(&*key).chain_update(head)
    }

    /// The key under which material is fingerprinted.
    pub(crate) fn fingerprint_key(&self) -> Zeroizing<[u8; 32]> {
        self.expand(&[b"fingerprint"])
    }

    /// The cipher of one segment.
    pub(crate) fn segment(&self, generation: u64, salt: &[u8; 32]) -> SegmentKey {
        let context = [&generation.to_be_bytes()[..], salt].concat();
        let cipher_key = self.expand(&[b"segment", &context]);
        SegmentKey {
            cipher: XChaCha20Poly1305::new((&*cipher_key).into()),
            nonces: self.expand(&[b"nonces", &context]),
        }
    }

    pub(super) fn expand(&self, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::from_prk(&*self.master)
            .expect("the key has the length of a hash")
            .expand_multi_info(info, &mut *key)
            .expect("HKDF gives 32 bytes");
        key
    }
}

fn secret_cost(secret: &Secret) -> Option<Cost> {
    match secret {
        Secret::Passphrase(_, cost) => Some(*cost),
        Secret::Key(_) => None,
    }
}

fn read_head(head: &[u8]) -> Result<(Option<Cost>, [u8; 32], Sae), StoreError> {
    let damaged = |_| StoreError::Corrupt {
        file: HEAD.to_owned(),
        offset: 0,
        what: "is not the head of a key store",
    };
    let mut reader = Reader::new(head);
    if reader.array().map_err(damaged)? != *HEAD_MAGIC {
        return Err(StoreError::NotAStore);
    }
    let cost = match reader.flag("kind of secret").map_err(damaged)? {
        false => None,
        true => Some(Cost {
            memory_kib: reader.u32().map_err(damaged)?,
            passes: reader.u32().map_err(damaged)?,
        }),
    };
    let salt = reader.array().map_err(damaged)?;
    let owner = reader.sae().map_err(damaged)?;
    reader.finish().map_err(damaged)?;
    Ok((cost, salt, owner))
}

/// Most memory that a head may ask for: a damaged one must not take the machine down.
const MEMORY_KIB_MAX: u32 = 4 * 1024 * 1024;

fn stretch(phrase: &str, salt: &[u8], cost: Cost) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let refused = StoreError::Cost {
        memory_kib: cost.memory_kib,
        passes: cost.passes,
    };
    if cost.memory_kib > MEMORY_KIB_MAX || phrase.is_empty() {
        return Err(refused);
    }
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32));
    let Ok(params) = params else {
        return Err(refused);
    };
    let mut key = Zeroizing::new([0; 32]);
    match Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
        phrase.as_bytes(),
        salt,
        &mut *key,
    ) {
        Ok(()) => Ok(key),
        Err(_) => Err(refused),
    }
}

/// HMAC-SHA-256, which takes keys of any length.
pub(crate) fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes any key")
}

const FRAME_HEAD: usize = 16;
const NONCE: usize = 24;
const TAG: usize = 16;
/// What a frame begins with.
pub(crate) const MARKER: &[u8; 4] = b"TLKR";

/// The cipher of one segment.
pub(crate) struct SegmentKey {
    cipher: XChaCha20Poly1305,
    nonces: Zeroizing<[u8; 32]>,
}

/// Where a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Number of the frame in its segment.
    pub(crate) number: u64,
    /// Its first byte in the file.
    pub(crate) offset: u64,
}

impl SegmentKey {
    /// Seals `plain` for `place`.
    pub(crate) fn seal(
        &self,
        place: Place,
        plain: &[u8],
        entropy: &mut Entropy,
    ) -> Result<Vec<u8>, StoreError> {
        let mut fresh = [0; NONCE];
        entropy(&mut fresh)?;
        let head = frame_head(place.number, plain.len());
        let associated = associated(&head, place.offset);
        let nonce = mac(&*self.nonces)
            .chain_update(fresh)
            .chain_update(associated)
            .chain_update(plain)
            .finalize()
            .into_bytes();
        let nonce: [u8; NONCE] = nonce[..NONCE].try_into().expect("a hash has 32 bytes");
        let payload = Payload {
            msg: plain,
            aad: &associated,
        };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("the cipher takes 256 GiB");
        Ok([&head[..], &nonce, &sealed].concat())
    }

    /// Opens the frame of `place` at the head of `bytes`; returns its plaintext and its length, or `None` when it is not
    /// whole, not authentic or not of this place.
    pub(crate) fn open(&self, place: Place, bytes: &[u8]) -> Option<(Zeroizing<Vec<u8>>, usize)> {
        let mut reader = Reader::new(bytes);
        let head: [u8; FRAME_HEAD] = reader.array().ok()?;
        let length = u32::from_be_bytes(head[12..].try_into().expect("four bytes")) as usize;
        if head != frame_head(place.number, length) {
            return None;
        }
        let nonce: [u8; NONCE] = reader.array().ok()?;
        let sealed = reader.raw(length.checked_add(TAG)?).ok()?;
        let payload = Payload {
            msg: sealed,
            aad: &associated(&head, place.offset),
        };
        let plain = self.cipher.decrypt(&XNonce::from(nonce), payload).ok()?;
        Some((Zeroizing::new(plain), reader.at()))
    }

    /// Whether an authentic frame of a later number lies in `bytes`, whose first byte is at `offset`.
    pub(crate) fn finds_later(&self, after: Place, bytes: &[u8]) -> bool {
        let starts = bytes.windows(FRAME_HEAD).enumerate();
        starts
            .filter(|(_, head)| head.starts_with(MARKER))
            .any(|(at, head)| {
                let number = u64::from_be_bytes(head[4..12].try_into().expect("eight bytes"));
                let place = Place {
                    number,
                    offset: after.offset + at as u64,
                };
                number > after.number && self.open(place, &bytes[at..]).is_some()
            })
    }
}

fn frame_head(number: u64, length: usize) -> [u8; FRAME_HEAD] {
    let length = u32::try_from(length).expect("a record stays below 4 GiB");
    let mut head = [0; FRAME_HEAD];
    head[..4].copy_from_slice(MARKER);
    head[4..12].copy_from_slice(&number.to_be_bytes());
    head[12..].copy_from_slice(&length.to_be_bytes());
    head
}

fn associated(head: &[u8; FRAME_HEAD], offset: u64) -> [u8; FRAME_HEAD + 8] {
    let mut bytes = [0; FRAME_HEAD + 8];
    bytes[..FRAME_HEAD].copy_from_slice(head);
    bytes[FRAME_HEAD..].copy_from_slice(&offset.to_be_bytes());
    bytes
}
