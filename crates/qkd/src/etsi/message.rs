//! Status, errors, and the texts that the standard fixes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id::{KmeId, SaeId};
use super::request::present;

/// Texts of errors, word for word.
pub mod text {
    /// A size that is no whole number of bytes. Status 400.
    pub const SIZE_MULTIPLE_OF_8: &str = "size shall be a multiple of 8";
    /// A mandatory extension that this key manager does not know. Status 400.
    pub const EXTENSION_UNKNOWN: &str = "not all extension_mandatory parameters are supported";
    /// A mandatory extension that it knows and cannot fulfil. Status 400.
    pub const EXTENSION_UNMET: &str = "not all extension_mandatory request options could be met";
    /// Optional extensions that were left aside, where a key manager insists on saying so. Status 400.
    pub const OPTIONAL_NOT_HANDLED: &str = "not all extension_optional request options handled";
    /// A `key_ID` that never was, or is no more. Status 400, for the whole request.
    pub const KEYS_NOT_FOUND: &str = "one or more keys specified are not found on KME";
}

/// What `status` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The key manager that answers.
    #[serde(rename = "source_KME_ID")]
    pub source_kme_id: KmeId,
    /// The key manager at the slave's site.
    #[serde(rename = "target_KME_ID")]
    pub target_kme_id: KmeId,
    /// Who asks.
    #[serde(rename = "master_SAE_ID")]
    pub master_sae_id: SaeId,
    /// For whom.
    #[serde(rename = "slave_SAE_ID")]
    pub slave_sae_id: SaeId,
    /// Size of a key for which no size is asked, bits.
    pub key_size: u64,
    /// Keys of that size that can be had now.
    pub stored_key_count: u64,
    /// Keys of that size that can be stored.
    pub max_key_count: u64,
    /// Keys in one request.
    pub max_key_per_request: u64,
    /// Largest key, bits.
    pub max_key_size: u64,
    /// Smallest key, bits.
    pub min_key_size: u64,
    /// Additional slaves in one request; 0: no multicast.
    #[serde(rename = "max_SAE_ID_count")]
    pub max_sae_id_count: u64,
    /// Reserved by the standard; ours says where the bits come from.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub status_extension: Option<Value>,
}

/// What comes with the codes 400 and 503; 401 has no body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What went wrong.
    pub message: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Value>,
}
