//! The vocabulary of ETSI GS QKD 014 V1.1.1: identifiers, messages, exact texts.
//!
//! Parties: an SAE (secure application entity) asks the KME (key management entity) of its own site for keys that it
//! shares with an SAE at another site. The one that asks first is the *master* and gets keys with their `key_ID`s
//! (`enc_keys`); it names the `key_ID`s to the *slave*, which fetches the same keys from its own KME (`dec_keys`).
//!
//! Rules of these types: field names as printed in the standard; a field twice, a `null`, a number in quotes and a number
//! with a fraction are refused; a field that the standard does not name is ignored, for a later version may add it. What a
//! vendor adds on purpose travels in the extension fields, and an unknown *mandatory* extension is refused by its reader.
//!
//! Source: ETSI GS QKD 014 V1.1.1 (2019-02), clauses 5 and 6.

mod id;
mod key;
mod message;
mod object;
mod query;
mod request;

pub use id::{IdError, KeyId, KmeId, SaeId};
pub use key::{Key, KeyContainer, SecretText};
pub use message::{ErrorBody, Status, text};
pub use object::read_message;
pub use query::{
    QueryError, key_id_of_query, key_request_of_query, segment_decode, segment_encode,
};
pub use request::{Extension, KeyIdItem, KeyIds, KeyRequest};
