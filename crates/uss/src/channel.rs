//! The secret channel between two participants: one-time pad and Wegman–Carter authentication, both from raw QKD bits.
//!
//! A message of L bits takes L + 256 bits of key: 128 for the hash key of the authenticator, 128 for its pad, L for the
//! encryption. A forged message passes with probability (⌈a/128⌉ + 1)/2^128 at most, a bits being authenticated.
//!
//! Source: Wegman and Carter 1981; [`crate::family`] for the hash.

use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::bits::{BitReader, BitWriter};
use crate::family::{Family, HashKeys, MESSAGE_BYTES_MAX};
use crate::key::{ItsKey, KeyError};
use crate::party::Party;

/// Key bits of one authenticator.
pub const MAC_KEY_BITS: usize = 256;

/// How often a receiver tries to open what comes on one link: every try adds the authenticator's error.
/// With 2^16 tries a forgery of the longest message still has a chance below 2^-90. Whoever can inject so many has cut the
/// link: the transport below should know who sends.
pub const OPEN_ATTEMPTS_MAX: u32 = 1 << 16;

/// An authenticator of 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac(pub u128);

/// Encrypted bits with their authenticator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// As many bytes as the plain bits need.
    pub ciphertext: Vec<u8>,
    /// Over the context and the ciphertext.
    pub mac: Mac,
}

/// Why a sealed message or an authenticator is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// Not the length that the round prescribes.
    #[error("a sealed message of {bytes} bytes, {expected} are due")]
    Length {
        /// Received.
        bytes: usize,
        /// Due.
        expected: usize,
    },
    /// The authenticator does not fit: altered on the way, or for another place.
    #[error("the authenticator does not fit; ask for the message again")]
    Forged,
    /// Longer than what an authenticator can cover.
    #[error("{bytes} bytes with their context: at most {MESSAGE_BYTES_MAX} can be authenticated")]
    TooLong {
        /// Context and content, with the length that separates them.
        bytes: usize,
    },
    /// Too many that did not fit.
    #[error("{OPEN_ATTEMPTS_MAX} messages with wrong authenticators came; no more are tried")]
    TooManyAttempts,
    /// The key does not have the right length.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Seals the first `bits` bits of `plain` for `context` with exactly `bits` + 256 bits of key.
///
/// # Errors
/// [`ChannelError::Key`] when the key is shorter or longer, or there is nothing to seal, [`ChannelError::Length`] when
/// `plain` has not as many bytes as the bits need, [`ChannelError::TooLong`] above what can be authenticated.
pub fn seal(
    context: &[u8],
    plain: &[u8],
    bits: usize,
    key: ItsKey,
) -> Result<Sealed, ChannelError> {
    if bits == 0 {
        return Err(KeyError::Empty.into());
    }
    let expected = bits.div_ceil(8);
    if plain.len() != expected {
        return Err(ChannelError::Length {
            bytes: plain.len(),
            expected,
        });
    }
    check_length(context, plain)?;
    key.expect_bits(bits + MAC_KEY_BITS)?;
    let mut reader = key.reader();
    let authenticator = MacKey::read(&mut reader);
    let ciphertext = xor_bits(plain, bits, &mut reader);
    let mac = authenticator.mac(context, &ciphertext);
    Ok(Sealed { ciphertext, mac })
}

/// A key that waits for the one message it opens. Wrong messages leave it as it was, up to [`OPEN_ATTEMPTS_MAX`] of them.
#[derive(Debug)]
pub struct Opening {
    key: ItsKey,
    bits: usize,
    attempts: u32,
}

impl Opening {
    /// Expects a message of `bits` bits under a key of exactly `bits` + 256 bits.
    ///
    /// # Errors
    /// [`KeyError`] when the key is shorter or longer, or nothing is expected.
    pub fn new(bits: usize, key: ItsKey) -> Result<Opening, KeyError> {
        if bits == 0 {
            return Err(KeyError::Empty);
        }
        key.expect_bits(bits.saturating_add(MAC_KEY_BITS))?;
        Ok(Opening {
            key,
            bits,
            attempts: 0,
        })
    }

    /// Checks and decrypts.
    ///
    /// # Errors
    /// [`ChannelError`]; after [`ChannelError::Forged`] the right message can still be opened.
    pub fn open(
        &mut self,
        context: &[u8],
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        let expected = self.bits.div_ceil(8);
        if sealed.ciphertext.len() != expected {
            return Err(ChannelError::Length {
                bytes: sealed.ciphertext.len(),
                expected,
            });
        }
        check_length(context, &sealed.ciphertext)?;
        if self.attempts >= OPEN_ATTEMPTS_MAX {
            return Err(ChannelError::TooManyAttempts);
        }
        self.attempts += 1;
        let mut reader = self.key.reader();
        let mac = MacKey::read(&mut reader).mac(context, &sealed.ciphertext);
        if !same(mac, sealed.mac) {
            return Err(ChannelError::Forged);
        }
        Ok(Zeroizing::new(xor_bits(
            &sealed.ciphertext,
            self.bits,
            &mut reader,
        )))
    }
}

/// Authenticates bytes that are not secret, with exactly 256 bits of key.
///
/// # Errors
/// [`ChannelError::TooLong`], and [`ChannelError::Key`] when the key is shorter or longer.
pub fn authenticate(context: &[u8], bytes: &[u8], key: ItsKey) -> Result<Mac, ChannelError> {
    check_length(context, bytes)?;
    key.expect_bits(MAC_KEY_BITS)?;
    Ok(MacKey::read(&mut key.reader()).mac(context, bytes))
}

/// What has one encoding, for authentication.
pub trait Canonical {
    /// Equal values give equal bytes, and no two values share them.
    fn canonical(&self) -> Vec<u8>;
}

/// A value whose sender is certain: only this module and a ledger that checks senders make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated<T> {
    from: Party,
    value: T,
}

impl<T> Authenticated<T> {
    /// For ledgers: the sender's signature on the transaction was checked, and the ledger put it in order.
    pub fn by_ledger(from: Party, value: T) -> Authenticated<T> {
        Authenticated { from, value }
    }

    /// Checks the authenticator that `from` made with [`authenticate`] over the value's canonical bytes and `context`, which
    /// names the link, with the same 256 bits of key.
    ///
    /// # Errors
    /// [`ChannelError::Forged`], [`ChannelError::TooLong`], [`ChannelError::Key`].
    pub fn by_mac(
        from: Party,
        value: T,
        context: &[u8],
        mac: Mac,
        key: ItsKey,
    ) -> Result<Authenticated<T>, ChannelError>
    where
        T: Canonical,
    {
        if !same(authenticate(context, &value.canonical(), key)?, mac) {
            return Err(ChannelError::Forged);
        }
        Ok(Authenticated { from, value })
    }

    /// Who sent it.
    pub fn from(&self) -> Party {
        self.from
    }

    /// What was sent.
    pub fn value(&self) -> &T {
        &self.value
    }
}

/// Bytes that the length of the context takes before it.
const PREFIX_BYTES: usize = 8;

/// Refuses what the authenticator's family cannot hash, before anything is copied.
fn check_length(context: &[u8], bytes: &[u8]) -> Result<(), ChannelError> {
    let bytes = PREFIX_BYTES + context.len() + bytes.len();
    if bytes > MESSAGE_BYTES_MAX {
        return Err(ChannelError::TooLong { bytes });
    }
    Ok(())
}

fn same(a: Mac, b: Mac) -> bool {
    a.0.to_be_bytes().ct_eq(&b.0.to_be_bytes()).into()
}

/// One hash key and one pad.
struct MacKey {
    hash: HashKeys,
    pad: u128,
}

impl MacKey {
    fn read(reader: &mut BitReader<'_>) -> MacKey {
        let hash = HashKeys::read(Family::Gf128, reader, 1).expect("the length is checked");
        let pad = reader.read(128).expect("the length is checked");
        MacKey { hash, pad }
    }

    /// The context goes before the bytes with its length, so that no two pairs of them are one message.
    fn mac(&self, context: &[u8], bytes: &[u8]) -> Mac {
        let mut message = Vec::with_capacity(PREFIX_BYTES + context.len() + bytes.len());
        message.extend_from_slice(&(context.len() as u64).to_be_bytes());
        message.extend_from_slice(context);
        message.extend_from_slice(bytes);
        let mut hashes = Zeroizing::new(Vec::with_capacity(1));
        self.hash
            .hash(&message, &mut hashes)
            .expect("the length is checked");
        Mac(hashes[0] ^ self.pad)
    }
}

impl Drop for MacKey {
    fn drop(&mut self) {
        self.pad.zeroize();
    }
}

/// The first `bits` bits of `input` under the next `bits` bits of key.
fn xor_bits(input: &[u8], bits: usize, key: &mut BitReader<'_>) -> Vec<u8> {
    let mut reader = BitReader::new(input);
    let mut output = BitWriter::with_capacity(bits);
    let mut left = bits;
    while left > 0 {
        let width = left.min(128) as u32;
        let text = reader.read(width).expect("the length is checked");
        let mask = key.read(width).expect("the length is checked");
        output.write(text ^ mask, width);
        left -= width as usize;
    }
    output.into_bytes()
}
