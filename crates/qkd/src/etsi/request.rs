//! What an SAE asks for.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::id::{KeyId, SaeId};
use super::object::objects;

/// Parameters of a vendor: names with a prefix of the vendor's, and values.
pub type Extension = Map<String, Value>;

/// Reads a field that may be left out but not `null`.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The body of `enc_keys`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyRequest {
    /// How many keys; one without it.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub number: Option<u64>,
    /// Of how many bits each; `key_size` of the status without it.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub size: Option<u64>,
    /// Who else gets the same keys.
    #[serde(
        rename = "additional_slave_SAE_IDs",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub additional_slave_sae_ids: Vec<SaeId>,
    /// Parameters that must be understood and fulfilled, or the request fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extension_mandatory: Vec<Extension>,
    /// Parameters that may be ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extension_optional: Vec<Extension>,
}

/// One key to fetch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyIdItem {
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
}

/// The body of `dec_keys`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyIds {
    /// Which keys.
    #[serde(rename = "key_IDs", deserialize_with = "objects")]
    pub key_ids: Vec<KeyIdItem>,
    /// Reserved by the standard.
    #[serde(
        rename = "key_IDs_extension",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub key_ids_extension: Option<Value>,
}

impl KeyIds {
    /// These keys, without extensions.
    pub fn of(ids: &[KeyId]) -> KeyIds {
        let key_ids = ids.iter().map(|&key_id| KeyIdItem {
            key_id,
            key_id_extension: None,
        });
        KeyIds {
            key_ids: key_ids.collect(),
            key_ids_extension: None,
        }
    }
}
