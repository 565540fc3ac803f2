//! Universal hash families: the functions whose descriptions the signer shares with each receiver.
//!
//! A function is a hash key and a pad of b bits, both uniform and secret; its tag of a message m is `hash(m) ⊕ pad`. What a
//! family promises is ε: whoever saw one valid pair (m, t) guesses the tag of another message m' with a probability of at most
//!
//! > ε = max over m ≠ m' and all d of P\[hash(m) ⊕ hash(m') = d\], over the hash key,
//!
//! because the pad is uniform, so that t says nothing about the hash key. Pads are not this module's business: it holds
//! hash keys and computes hashes. With a fresh pad per message the hash key serves many messages (Wegman and Carter).
//!
//! | family | text | hash key | tag | ε of messages up to a bits |
//! |---|---|---|---|---|
//! | [`gf128`] | `gf128` | 128 | 128 | (⌈a/128⌉ + 1) / 2^128 |
//! | [`gf64`] | `gf64` | 64 | 64 | (⌈a/64⌉ + 1) / 2^64 |
//! | [`small`] | `small-b-s` | 2(b + s) | b | 2^-b + ⌈a/(b + s)⌉ / 2^(b+s) · (1 - 2^-b) |
//! | [`lfsr`] | `lfsr128` | 256 | 128 | 2^-128 + ⌈a/128⌉ · 128 / (2^128 - 2^64) · (1 - 2^-128) |
//!
//! Every family cuts the message into blocks, fills the last one with zeros and appends a **length block**, the number of
//! bytes of the message: m and m‖0 are different block strings, and the empty message is one block. Each bound counts it.
//! Every hash key is allowed, zero too: the bounds count it, and refusing some keys would only make the others likelier.
//!
//! Hashing takes the same time for all keys and contents of one length: no branch and no index depends on either.

pub mod gf128;
pub mod gf64;
mod keys;
pub mod lfsr;
mod name;
pub mod small;

use thiserror::Error;
use zeroize::Zeroize;

use crate::bits::{BitReader, BitWriter};

pub use crate::kernel::Backend;
#[doc(hidden)]
pub use crate::kernel::raw_clmul512;
pub use keys::HashKeys;
pub use small::Small;

/// Longest message that any family hashes, 16 MiB.
pub const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Which universal hash family; see the [table](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Polynomial over GF(2^128), POLYVAL: [`gf128`].
    Gf128,
    /// Polynomial over GF(2^64): [`gf64`].
    Gf64,
    /// Polynomial over a small field, cut to b bits by a random linear map: [`small`]. The least key.
    Small(Small),
    /// Toeplitz matrix from a shift register: [`lfsr`].
    Lfsr128,
}

/// Why a family or its keys cannot be had or used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FamilyError {
    /// The message is longer than [`Family::message_bytes_max`].
    #[error("message of {bytes} bytes: {family} hashes at most {max}")]
    MessageTooLong {
        /// The family.
        family: Family,
        /// Length of the message.
        bytes: usize,
        /// Longest message of the family.
        max: usize,
    },
    /// Fewer shared bits than the hash keys need.
    #[error("{keys} hash keys of {family} need {needed} bits, {left} are left")]
    TooFewBits {
        /// The family.
        family: Family,
        /// Keys asked for.
        keys: usize,
        /// Bits they need.
        needed: u128,
        /// Bits there are.
        left: usize,
    },
    /// Keys of two families cannot lie in one list.
    #[error("a hash key of {found} among keys of {expected}")]
    OtherFamily {
        /// Family of the list.
        expected: Family,
        /// Family of the other key.
        found: Family,
    },
    /// No key has that index.
    #[error("no hash key {index}: there are {keys}")]
    NoSuchKey {
        /// Index asked for.
        index: usize,
        /// Number of keys.
        keys: usize,
    },
    /// Tag and extra bits outside what [`Small`] allows.
    #[error(
        "small family with {tag_bits} tag bits and {extra_bits} extra bits: tags have {} to {}, extra bits are at least 1, both together at most {}",
        small::TAG_BITS_MIN,
        small::TAG_BITS_MAX,
        small::FIELD_BITS_MAX
    )]
    SmallBits {
        /// b.
        tag_bits: u32,
        /// s.
        extra_bits: u32,
    },
    /// Bytes that name no family.
    #[error("no hash family has the code {code:02x?}")]
    UnknownCode {
        /// The bytes.
        code: [u8; 3],
    },
    /// Text that names no family.
    #[error("no hash family is named {name:?}: gf128, gf64, small-<b>-<s>, lfsr128")]
    UnknownName {
        /// The text.
        name: String,
    },
}

/// What each family does; [`Family`] and [`HashKeys`] choose between the four.
trait HashFamily: Copy {
    /// A hash key in the form that is kept.
    type Key: Copy + Zeroize;

    /// The family's name.
    fn family(self) -> Family;
    /// b, bits of a tag.
    fn tag_bits(self) -> u32;
    /// Bits of a hash key.
    fn hash_key_bits(self) -> u32;
    /// Longest message, bytes.
    fn message_bytes_max(self) -> usize;
    /// ε for messages up to the given length, which is at most [`Self::message_bytes_max`].
    fn epsilon(self, message_bytes: usize) -> f64;
    /// Takes one hash key from the bits, or `None` when there are too few.
    fn read(self, bits: &mut BitReader<'_>) -> Option<Self::Key>;
    /// The bits that [`Self::read`] took.
    fn write(self, key: &Self::Key, out: &mut BitWriter);
    /// Appends the hash of one message under every key; the message is not too long.
    fn hash(self, backend: Backend, keys: &[Self::Key], message: &[u8], hashes: &mut Vec<u128>);
}

impl Family {
    /// b, bits of a tag and of its pad.
    pub fn tag_bits(self) -> u32 {
        match self {
            Family::Gf128 => gf128::Gf128.tag_bits(),
            Family::Gf64 => gf64::Gf64.tag_bits(),
            Family::Small(small) => small.tag_bits(),
            Family::Lfsr128 => lfsr::Lfsr128.tag_bits(),
        }
    }

    /// Bits of a hash key: what batch mode keeps for an epoch.
    pub fn hash_key_bits(self) -> u32 {
        match self {
            Family::Gf128 => gf128::Gf128.hash_key_bits(),
            Family::Gf64 => gf64::Gf64.hash_key_bits(),
            Family::Small(small) => HashFamily::hash_key_bits(small),
            Family::Lfsr128 => lfsr::Lfsr128.hash_key_bits(),
        }
    }

    /// y, bits of a whole description: the hash key and one pad.
    pub fn description_bits(self) -> u32 {
        self.hash_key_bits() + self.tag_bits()
    }

    /// Bits of a hash key that must be drawn from a set, so that raw shared bits cannot be them: the signer draws them and
    /// sends them sealed. 0 but for [`Family::Lfsr128`], whose polynomial must be irreducible.
    pub fn drawn_bits(self) -> u32 {
        match self {
            Family::Gf128 | Family::Gf64 | Family::Small(_) => 0,
            Family::Lfsr128 => 128,
        }
    }

    /// Longest message that the family hashes, bytes.
    pub fn message_bytes_max(self) -> usize {
        match self {
            Family::Gf128 => gf128::Gf128.message_bytes_max(),
            Family::Gf64 => gf64::Gf64.message_bytes_max(),
            Family::Small(small) => small.message_bytes_max(),
            Family::Lfsr128 => lfsr::Lfsr128.message_bytes_max(),
        }
    }

    /// ε: how likely the tag of another message is guessed by who saw one valid pair, both messages at most `message_bytes`
    /// long. 1 for lengths that the family cannot hash.
    pub fn epsilon(self, message_bytes: usize) -> f64 {
        if message_bytes > self.message_bytes_max() {
            return 1.0;
        }
        match self {
            Family::Gf128 => gf128::Gf128.epsilon(message_bytes),
            Family::Gf64 => gf64::Gf64.epsilon(message_bytes),
            Family::Small(small) => small.epsilon(message_bytes),
            Family::Lfsr128 => lfsr::Lfsr128.epsilon(message_bytes),
        }
        .min(1.0)
    }

    /// log2 of [`Family::epsilon`], 0 or less.
    pub fn epsilon_log2(self, message_bytes: usize) -> f64 {
        self.epsilon(message_bytes).log2()
    }
}

/// 2^-bits, exact.
fn two_to_minus(bits: u32) -> f64 {
    debug_assert!(bits < 1023);
    f64::from_bits(u64::from(1023 - bits) << 52)
}
