//! The combiner: secrets in, key out.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::parts::{KeyRef, Terms};
use super::policy::Label;
use crate::store::codec::Writer;

/// The secrets of an agreement.
pub struct Secrets<'a> {
    /// From the QKD link; empty when there is none.
    pub qkd: &'a [u8],
    /// From ML-KEM-768.
    pub kem: &'a [u8; 32],
    /// From X25519.
    pub dh: &'a [u8; 32],
}

const SALT: &[u8] = b"tieline hybrid key 1";

/// Derives `bytes` bytes for one `use_` of an agreement (CatKDF over HKDF-SHA-256):
///
/// ```text
/// secret = u32 len ‖ K_QKD ‖ u32 len ‖ K_KEM ‖ u32 len ‖ K_X25519
/// info   = u32 len ‖ use ‖ label ‖ transcript 32 ‖ place of the QKD key ‖ SAE of I ‖ SAE of R ‖ u32 len ‖ purpose ‖ u32 bytes
/// K      = HKDF-Expand(HKDF-Extract("tieline hybrid key 1", secret), info, bytes)
/// ```
///
/// `transcript` is the hash of both messages, with both X25519 shares, the encapsulation key and the ciphertext in them.
/// At most 8,160 bytes, which the terms have checked.
pub fn combine(
    secrets: &Secrets<'_>,
    use_: &str,
    label: Label,
    terms: &Terms,
    (transcript, place): (&[u8; 32], Option<KeyRef>),
) -> Zeroizing<Vec<u8>> {
    let mut secret = Writer::with_capacity(secrets.qkd.len() + 12 + 64);
    secret.blob(secrets.qkd);
    secret.blob(secrets.kem);
    secret.blob(secrets.dh);
    let mut info = Writer::default();
    info.blob(use_.as_bytes());
    info.u8(label.byte());
    info.raw(transcript);
    KeyRef::write(place, &mut info);
    info.sae(&terms.initiator);
    info.sae(&terms.responder);
    info.blob(&terms.purpose);
    info.u32(terms.bytes);
    let mut key = Zeroizing::new(vec![0; terms.bytes as usize]);
    Hkdf::<Sha256>::new(Some(SALT), &secret.finish())
        .expand(&info.finish(), &mut key)
        .expect("the terms bound the length");
    key
}
