//! Hybrid keys: QKD, X25519 and ML-KEM-768 in one agreement, for ciphers. Good as long as one of the three is.
//!
//! Two parties, three messages. The initiator I has drawn a QKD key and says where; the responder R draws the same.
//!
//! | message | from | says |
//! |---|---|---|
//! | initiate | I | label, both names, purpose, length, place of the QKD key, X25519 share, ML-KEM-768 encapsulation key |
//! | respond | R | X25519 share, ML-KEM-768 ciphertext, proof that R has the key |
//! | finish | I | proof that I has the key |
//!
//! Rules: whoever has the key has seen every byte of both messages as the other did, because the derivation covers them
//! ([`combine`]). A message that is not exactly as this module writes it is refused. The label is part of the first
//! message and of the derivation: the ends cannot disagree on it.
//!
//! | label | what it rests on |
//! |---|---|
//! | [`Label::Its`] | raw QKD bits, used once: unconditional. Never the output of this module |
//! | [`Label::Hybrid`] | QKD, X25519 or ML-KEM-768, whichever holds, and the derivation: computational |
//! | [`Label::PqOnly`] | X25519 or ML-KEM-768, and the derivation |
//!
//! A hybrid agreement is authenticated by the QKD key, which nobody else has. A pq-only one is **not** authenticated by
//! itself: run it over mutual TLS, or sign [`AgreedKey::transcript`] at both ends.
//!
//! What is derived is good for a cipher:
//!
//! ```
//! fn cipher(key: tieline_uss::key::DerivedKey) {}
//! fn serve(agreed: tieline_qkd::hybrid::AgreedKey) {
//!     cipher(agreed.into_key());
//! }
//! ```
//!
//! and cannot be used where unconditional security is claimed:
//!
//! ```compile_fail
//! fn claim(key: tieline_uss::key::ItsKey) {}
//! fn attack_07(agreed: tieline_qkd::hybrid::AgreedKey) {
//!     claim(agreed.into_key());
//! }
//! ```
//!
//! Nobody starts an agreement that no [`Policy`] has allowed:
//!
//! ```compile_fail
//! use tieline_qkd::hybrid::{Grade, Label};
//! let grade = Grade { label: Label::PqOnly, because: None };
//! ```
//!
//! Sources: ETSI TS 103 744 (CatKDF), NIST SP 800-56C r2 (section 5, HKDF as two-step derivation), NIST SP 800-227
//! (combiners bind public keys and ciphertexts), FIPS 203, RFC 7748, RFC 5869.
//!
//! **Deviations.** Every secret is preceded by its length, because the QKD key has no fixed one. The first message names
//! its purpose, so that one QKD key cannot serve two.

mod combine;
mod keys;
mod parts;
mod policy;
mod rounds;

pub use combine::{Secrets, combine};
pub use keys::AgreedKey;
pub use parts::{
    HybridError, KEY_BYTES_MAX, KeyRef, PURPOSE_BYTES_MAX, QKD_BYTES_MIN, QkdKey, Terms,
};
pub use policy::{Decision, Grade, Label, Policy, Reason};
pub use rounds::{Initiator, Proposal, Responder};
