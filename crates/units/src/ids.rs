//! Identifiers as types: an id of one kind cannot stand where another belongs.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// Longest identifier, in bytes.
pub(crate) const ID_BYTES_MAX: usize = 64;

/// A text that cannot be an identifier.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "'{text}' is not a valid id: letters, digits, '-' and '_' only, 1 to {ID_BYTES_MAX} of them"
)]
pub struct IdError {
    /// The text found, control characters escaped.
    pub text: String,
}

fn checked(text: &str) -> Result<Arc<str>, IdError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(Arc::from(text))
    } else {
        Err(IdError {
            text: text
                .chars()
                .take(ID_BYTES_MAX)
                .flat_map(char::escape_debug)
                .collect(),
        })
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// From text: letters, digits, `-` and `_`, 1 to 64 of them.
            ///
            /// # Errors
            /// [`IdError`] for anything else.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                checked(text).map(Self)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A microgrid, `mg-1`.
    MicrogridId
}
id! {
    /// A private chain, `chain-1`.
    ChainId
}
id! {
    /// A place with nodes and a key manager, `site-1`.
    SiteId
}
