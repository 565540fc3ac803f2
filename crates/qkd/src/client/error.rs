//! What can go wrong with a key manager, and what to do then.

use thiserror::Error;
use tieline_uss::key::KeyError;

use crate::etsi::{IdError, KeyId, text};
use crate::tls::TlsError;

use super::wire::WireError;

/// Which of the standard's reasons for 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// "size shall be a multiple of 8"
    SizeMultipleOf8,
    /// "not all extension_mandatory parameters are supported"
    ExtensionUnknown,
    /// "not all extension_mandatory request options could be met"
    ExtensionUnmet,
    /// "not all extension_optional request options handled"
    OptionalNotHandled,
    /// "one or more keys specified are not found on KME"
    KeysNotFound,
    /// A text of the key manager's own.
    Other,
}

impl BadRequest {
    /// Reads the standard's texts.
    pub fn of(message: &str) -> BadRequest {
        match message {
            text::SIZE_MULTIPLE_OF_8 => BadRequest::SizeMultipleOf8,
            text::EXTENSION_UNKNOWN => BadRequest::ExtensionUnknown,
            text::EXTENSION_UNMET => BadRequest::ExtensionUnmet,
            text::OPTIONAL_NOT_HANDLED => BadRequest::OptionalNotHandled,
            text::KEYS_NOT_FOUND => BadRequest::KeysNotFound,
            _ => BadRequest::Other,
        }
    }
}

/// Why there are no keys.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No connection, or a request that did not leave: nothing was asked.
    #[error(transparent)]
    NotAsked(WireError),
    /// The request left, no whole answer came. Keys that it asked for are lost to this side; never ask for the same
    /// `key_ID` again and expect the key, agree on new keys.
    #[error("in doubt: {source}")]
    InDoubt {
        /// What happened.
        source: WireError,
        /// The keys asked for, when they have names.
        key_ids: Vec<KeyId>,
    },
    /// The certificate at that address names another key manager.
    #[error("the certificate names the key manager {found:?}, expected {expected}")]
    OtherKme {
        /// Its name; empty when it has none.
        found: String,
        /// The name of the settings.
        expected: String,
    },
    /// 400.
    #[error("the key manager says 400: {message}")]
    Bad {
        /// Its text.
        message: String,
        /// Which of the standard's.
        kind: BadRequest,
    },
    /// 401.
    #[error("the key manager says 401: this SAE may not have what it asks for")]
    Unauthorized,
    /// 503, also after the last attempt.
    #[error("the key manager says 503: {message}")]
    Unavailable {
        /// Its text.
        message: String,
        /// When to ask again, seconds, if it says so.
        retry_after: Option<u64>,
    },
    /// A code that the standard does not know.
    #[error("the key manager says {code}, which the standard does not know: {message}")]
    OtherCode {
        /// The code.
        code: u16,
        /// The text, cut.
        message: String,
    },
    /// An answer that does not fit the standard.
    #[error("the answer does not fit the standard: {why}")]
    Nonsense {
        /// Where.
        why: String,
    },
    /// A number of keys that was not asked for.
    #[error("{asked} keys asked, {got} came; all are discarded")]
    Count {
        /// Asked.
        asked: usize,
        /// Came.
        got: usize,
    },
    /// A key of another length than asked.
    #[error(
        "key {key_id} has {got} bits, {asked} were asked; all keys of the answer are discarded"
    )]
    Length {
        /// Which.
        key_id: KeyId,
        /// Its bits.
        got: u64,
        /// Asked.
        asked: u64,
    },
    /// A `key_ID` or a key that came before.
    #[error("key {key_id} came before; all keys of the answer are discarded")]
    Repeated {
        /// Which.
        key_id: KeyId,
    },
    /// A key that was not asked for.
    #[error("key {key_id} was not asked for; all keys of the answer are discarded")]
    NotAskedFor {
        /// Which.
        key_id: KeyId,
    },
    /// Bits that are no key.
    #[error("key {key_id}: {source}; all keys of the answer are discarded")]
    Key {
        /// Which.
        key_id: KeyId,
        /// Why.
        source: KeyError,
    },
    /// No identifier.
    #[error(transparent)]
    Id(#[from] IdError),
}

impl ClientError {
    /// What to do next.
    pub fn next_step(&self) -> &'static str {
        match self {
            ClientError::Tls(_) => "check the files of certificate, key and CA",
            ClientError::NotAsked(WireError::Url { .. }) => "write https://host:port",
            ClientError::NotAsked(_) => {
                "check address, certificate and CA, and whether the key manager runs; asking again is safe"
            }
            ClientError::InDoubt { .. } => {
                "the keys are lost: ask for new ones with enc_keys, and do not use these key_IDs"
            }
            ClientError::OtherKme { .. } => {
                "this is not the key manager of the settings: check the address, or stop, somebody may be between"
            }
            ClientError::Bad { kind, .. } => match kind {
                BadRequest::SizeMultipleOf8 => "ask for a size that is a multiple of 8",
                BadRequest::ExtensionUnknown => "leave out the extension, or make it optional",
                BadRequest::ExtensionUnmet => {
                    "ask without the extension, or wait until it can be met"
                }
                BadRequest::OptionalNotHandled => "leave out the optional extensions",
                BadRequest::KeysNotFound => {
                    "the keys were fetched before, have expired, or are at another key manager: agree on new ones"
                }
                BadRequest::Other => "see status for sizes and numbers that are possible",
            },
            ClientError::Unauthorized => {
                "the SAE ID is in the certificate's subject: register it at the key manager, or ask as the slave that the master named"
            }
            ClientError::Unavailable { .. } => {
                "nothing was delivered: wait until the link has made keys, or raise the quota"
            }
            ClientError::OtherCode { .. } | ClientError::Nonsense { .. } => {
                "run tieline qkd probe against this key manager"
            }
            ClientError::Count { .. }
            | ClientError::Length { .. }
            | ClientError::Repeated { .. }
            | ClientError::NotAskedFor { .. }
            | ClientError::Key { .. } => {
                "this key manager is broken: do not use its keys, run tieline qkd probe against it"
            }
            ClientError::Id(_) => "SAE IDs have 1 to 128 bytes, key_IDs are UUIDs",
        }
    }
}
