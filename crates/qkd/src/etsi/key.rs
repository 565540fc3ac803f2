//! Keys on the wire.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::id::KeyId;
use super::object::objects;
use super::request::present;

/// Text that is wiped when it is dropped and prints nothing: a key in base64.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes a text.
    pub fn new(text: String) -> SecretText {
        SecretText(Zeroizing::new(text))
    }

    /// Encodes key bits, in constant time.
    pub fn base64(bits: &[u8]) -> SecretText {
        SecretText::new(Base64::encode_string(bits))
    }

    /// Decodes the text, in constant time; `None` when it is no padded base64 of the standard alphabet.
    pub fn decode(&self) -> Option<Zeroizing<Vec<u8>>> {
        Base64::decode_vec(&self.0).ok().map(Zeroizing::new)
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<redacted, {} characters>", self.0.len())
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SecretText, D::Error> {
        String::deserialize(deserializer).map(SecretText::new)
    }
}

/// One key with its identifier.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Key {
    /// Its identifier.
    #[serde(rename = "key_ID")]
    pub key_id: KeyId,
    /// Reserved by the standard.
    #[serde(
        rename = "key_ID_extension",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub key_id_extension: Option<Value>,
    /// Its bits in base64.
    pub key: SecretText,
    /// Reserved by the standard.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub key_extension: Option<Value>,
}

/// What `enc_keys` and `dec_keys` answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyContainer {
    /// The keys.
    #[serde(deserialize_with = "objects")]
    pub keys: Vec<Key>,
    /// Reserved by the standard; ours says where the bits come from.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub key_container_extension: Option<Value>,
}
