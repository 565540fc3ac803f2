//! Identifiers of applications, key managers and keys.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Longest identifier of an SAE or KME, bytes.
const ID_BYTES_MAX: usize = 128;

/// Why a text is no identifier.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdError {
    /// Nothing at all, or too much.
    #[error("an identifier of {bytes} bytes; 1 to {ID_BYTES_MAX} are allowed")]
    Length {
        /// Its length.
        bytes: usize,
    },
    /// Control characters.
    #[error("an identifier with the control character {character:?}")]
    Control {
        /// The first one.
        character: char,
    },
    /// No UUID.
    #[error("{text:?} is no UUID of the form 01234567-89ab-cdef-0123-456789abcdef")]
    NoUuid {
        /// What was there, cut to 40 characters.
        text: String,
    },
}

fn checked(text: String) -> Result<String, IdError> {
    if text.is_empty() || text.len() > ID_BYTES_MAX {
        return Err(IdError::Length { bytes: text.len() });
    }
    match text.chars().find(|character| character.is_control()) {
        Some(character) => Err(IdError::Control { character }),
        None => Ok(text),
    }
}

/// Identifies a secure application entity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SaeId(String);

/// Identifies a key management entity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KmeId(String);

impl SaeId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KmeId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SaeId {
    type Error = IdError;
    fn try_from(text: String) -> Result<SaeId, IdError> {
        checked(text).map(SaeId)
    }
}

impl TryFrom<String> for KmeId {
    type Error = IdError;
    fn try_from(text: String) -> Result<KmeId, IdError> {
        checked(text).map(KmeId)
    }
}

impl std::str::FromStr for SaeId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<SaeId, IdError> {
        SaeId::try_from(text.to_owned())
    }
}

impl std::str::FromStr for KmeId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<KmeId, IdError> {
        KmeId::try_from(text.to_owned())
    }
}

impl From<SaeId> for String {
    fn from(id: SaeId) -> String {
        id.0
    }
}

impl From<KmeId> for String {
    fn from(id: KmeId) -> String {
        id.0
    }
}

impl fmt::Display for SaeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for KmeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Identifies a key: a UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId([u8; 16]);

/// Where the hyphens of a UUID are.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl KeyId {
    /// Takes 16 bytes as they are.
    pub fn from_bytes(bytes: [u8; 16]) -> KeyId {
        KeyId(bytes)
    }

    /// Makes a UUID of version 8 (RFC 9562: contents of the issuer's own making) of 16 bytes; 6 bits are overwritten.
    pub fn version_8(mut bytes: [u8; 16]) -> KeyId {
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        KeyId(bytes)
    }

    /// Its 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::str::FromStr for KeyId {
    type Err = IdError;

    /// Reads the form with four hyphens, in small or capital letters.
    fn from_str(text: &str) -> Result<KeyId, IdError> {
        let no_uuid = || IdError::NoUuid {
            text: text.chars().take(40).collect(),
        };
        let bytes = text.as_bytes();
        if bytes.len() != 36 || HYPHENS.iter().any(|&at| bytes[at] != b'-') {
            return Err(no_uuid());
        }
        let mut id = [0u8; 16];
        let mut digits = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            if HYPHENS.contains(&at) {
                continue;
            }
            let digit = (byte as char).to_digit(16).ok_or_else(no_uuid)? as u8;
            id[digits / 2] = id[digits / 2] << 4 | digit;
            digits += 1;
        }
        Ok(KeyId(id))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for byte in self.0 {
            if HYPHENS.contains(&at) {
                at += 1;
            }
            text[at] = DIGITS[usize::from(byte >> 4)];
            text[at + 1] = DIGITS[usize::from(byte & 15)];
            at += 2;
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<KeyId, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
