//! The forms with GET: parameters in the URI, SAE identifiers in its path.

use thiserror::Error;

use super::id::{IdError, KeyId};
use super::request::KeyRequest;

/// Why a URI makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A per-cent sign without two hexadecimal digits, or bytes that are no UTF-8.
    #[error("{text:?} is not percent-encoded UTF-8")]
    Encoding {
        /// What was there.
        text: String,
    },
    /// A parameter twice.
    #[error("the parameter {name} is given twice")]
    Twice {
        /// Which.
        name: &'static str,
    },
    /// No whole number.
    #[error("{name}={value:?} is no whole number from 0 on")]
    NoNumber {
        /// Which parameter.
        name: &'static str,
        /// What was there.
        value: String,
    },
    /// The parameter that the request is about.
    #[error("the parameter key_ID is missing; add ?key_ID=UUID or POST a list of key_IDs")]
    NoKeyId,
    /// No UUID.
    #[error(transparent)]
    KeyId(#[from] IdError),
}

/// Encodes an identifier for one segment of a path.
pub fn segment_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(byte as char);
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Decodes one segment of a path or one value of a query.
///
/// # Errors
/// [`QueryError::Encoding`].
pub fn segment_decode(text: &str) -> Result<String, QueryError> {
    let wrong = || QueryError::Encoding {
        text: text.chars().take(80).collect(),
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let [b'%', high, low, after_code @ ..] = rest else {
            if *first == b'%' {
                return Err(wrong());
            }
            bytes.push(*first);
            rest = after;
            continue;
        };
        let digit = |byte: u8| (byte as char).to_digit(16).ok_or_else(wrong);
        bytes.push((digit(*high)? << 4 | digit(*low)?) as u8);
        rest = after_code;
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// The value of a parameter; others are ignored.
fn parameter(query: &str, name: &'static str) -> Result<Option<String>, QueryError> {
    let mut found = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if segment_decode(key)? != name {
            continue;
        }
        if found.is_some() {
            return Err(QueryError::Twice { name });
        }
        found = Some(segment_decode(value)?);
    }
    Ok(found)
}

fn number(query: &str, name: &'static str) -> Result<Option<u64>, QueryError> {
    let Some(value) = parameter(query, name)? else {
        return Ok(None);
    };
    let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(number) if plain => Ok(Some(number)),
        _ => Err(QueryError::NoNumber { name, value }),
    }
}

/// `?number=…&size=…`, both optional.
///
/// # Errors
/// A parameter twice or no whole number.
pub fn key_request_of_query(query: &str) -> Result<KeyRequest, QueryError> {
    Ok(KeyRequest {
        number: number(query, "number")?,
        size: number(query, "size")?,
        ..KeyRequest::default()
    })
}

/// `?key_ID=…`.
///
/// # Errors
/// It is missing, there twice, or no UUID.
pub fn key_id_of_query(query: &str) -> Result<KeyId, QueryError> {
    let text = parameter(query, "key_ID")?.ok_or(QueryError::NoKeyId)?;
    Ok(text.parse()?)
}
