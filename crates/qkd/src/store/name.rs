//! Names: consumers, keys, directed links.

use std::fmt;

use hmac::digest::Digest as _;
use sha2::Sha256;
use thiserror::Error;

/// Longest name of a consumer, bytes.
pub const SAE_BYTES_MAX: usize = 255;

/// Why a name is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// Empty or too long.
    #[error("the name of a consumer (SAE) has 1 to {SAE_BYTES_MAX} bytes, this one has {bytes}")]
    Length {
        /// Its length.
        bytes: usize,
    },
    /// A control character.
    #[error("the name {name:?} of a consumer (SAE) contains a control character")]
    Control {
        /// The name.
        name: String,
    },
    /// Not a UUID.
    #[error("'{text}' is not a key_ID: a UUID of 32 hexadecimal digits, with or without hyphens")]
    KeyId {
        /// The text.
        text: String,
    },
    /// Both ends are one.
    #[error("a link leads from {name} to itself")]
    Loop {
        /// The name.
        name: Sae,
    },
}

/// The name of a consumer of keys: the SAE ID of ETSI GS QKD 014.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sae(String);

impl Sae {
    /// Takes a name of 1 to 255 bytes without control characters.
    ///
    /// # Errors
    /// [`NameError::Length`], [`NameError::Control`].
    pub fn new(name: &str) -> Result<Sae, NameError> {
        if name.is_empty() || name.len() > SAE_BYTES_MAX {
            return Err(NameError::Length { bytes: name.len() });
        }
        if name.chars().any(char::is_control) {
            return Err(NameError::Control {
                name: name.to_owned(),
            });
        }
        Ok(Sae(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sae {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The `key_ID` of ETSI GS QKD 014: a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 16]);

impl KeyId {
    /// Reads a UUID.
    ///
    /// # Errors
    /// [`NameError::KeyId`] for any other text.
    pub fn parse(text: &str) -> Result<KeyId, NameError> {
        let wrong = || NameError::KeyId {
            text: text.to_owned(),
        };
        let hyphens = [8, 13, 18, 23];
        let bytes = text.as_bytes();
        let hyphened = bytes.len() == 36;
        if !hyphened && bytes.len() != 32 {
            return Err(wrong());
        }
        let mut id = [0; 16];
        let mut digits = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if hyphened && hyphens.contains(&at) {
                if *byte != b'-' {
                    return Err(wrong());
                }
                continue;
            }
            let digit = char::from(*byte).to_digit(16).ok_or_else(wrong)?;
            id[digits / 2] = id[digits / 2] << 4 | digit as u8;
            digits += 1;
        }
        Ok(KeyId(id))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if [4, 6, 8, 10].contains(&at) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// One direction between two consumers. The two directions never share a bit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// Who encrypts and authenticates, and decides the order in which key is used.
    pub from: Sae,
    /// Who decrypts and checks, and follows.
    pub to: Sae,
}

impl Lane {
    /// The lane from one consumer to another.
    ///
    /// # Errors
    /// [`NameError::Loop`].
    pub fn new(from: Sae, to: Sae) -> Result<Lane, NameError> {
        if from == to {
            return Err(NameError::Loop { name: from });
        }
        Ok(Lane { from, to })
    }

    /// The other direction.
    pub fn back(&self) -> Lane {
        Lane {
            from: self.to.clone(),
            to: self.from.clone(),
        }
    }

    /// The lane that a key of a **symmetric** pool belongs to, where a key manager gives both ends the same keys and
    /// neither end asked first: by the lowest bit of a hash over the key_ID and both names in order. Both ends compute
    /// the same, in any order of arrival, and half of the keys go each way.
    ///
    /// Where one end asks (`enc_keys`) and the other is told (`dec_keys`), the asking end is the lane's
    /// [`from`](Lane::from) and this rule is not needed.
    pub fn of_symmetric_key(&self, id: KeyId) -> Lane {
        let (low, high) = match self.from <= self.to {
            true => (&self.from, &self.to),
            false => (&self.to, &self.from),
        };
        let mut hash = Sha256::new();
        hash.update(b"tieline lane of a symmetric key 1");
        for name in [low, high] {
            hash.update((name.0.len() as u64).to_be_bytes());
            hash.update(name.0.as_bytes());
        }
        hash.update(id.0);
        let upward = hash.finalize()[31] & 1 == 0;
        let (from, to) = match upward {
            true => (low, high),
            false => (high, low),
        };
        Lane {
            from: from.clone(),
            to: to.clone(),
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.to)
    }
}
