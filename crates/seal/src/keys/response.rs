//! The blinded response of y_j (phase 4).

use std::fmt;

use tieline_units::canonical::Decoder;
use tieline_units::{Digest, Encoder};
use zeroize::Zeroizing;

use super::seal::Place;
use super::{KeyError, TransmissionKey, hash};

/// Longest response, bytes.
pub const RESPONSE_BYTES_MAX: usize = 4096;
/// Bytes of a blinding.
pub const BLINDING_BYTES: usize = 32;
/// Longest sealed response, bytes: blinding, length, response, padding, tag.
pub const SEALED_RESPONSE_BYTES_MAX: usize =
    (BLINDING_BYTES + 4 + RESPONSE_BYTES_MAX).next_multiple_of(STEP) + 16;
/// Sealed responses differ in length by this many bytes or not at all.
const STEP: usize = 256;

const COMMITMENT: &str = "tieline.response-commitment/1";
const SEALED: &str = "tieline.sealed-response/1";

/// Private details that y_j tells x_i with its acceptance, and nobody else; wiped when dropped.
///
/// On chain stand a commitment, `SHA-256("tieline.response-commitment/1", order, blinding, response)`, and the sealed
/// bytes. The commitment hides, because the blinding is 32 random bytes, and binds, because SHA-256 has no known
/// collisions: y_j cannot say later that it answered something else. The sealed bytes are blinding and response, padded
/// with zeros to a multiple of 256, under a key derived from that of phase 4.
pub struct Response(Zeroizing<Vec<u8>>);

impl Response {
    /// From bytes or text.
    ///
    /// # Errors
    /// [`KeyError::ResponseLength`] above [`RESPONSE_BYTES_MAX`].
    pub fn new(bytes: &[u8]) -> Result<Response, KeyError> {
        match bytes.len() {
            0..=RESPONSE_BYTES_MAX => Ok(Response(Zeroizing::new(bytes.to_vec()))),
            bytes => Err(KeyError::ResponseLength { bytes }),
        }
    }

    /// What it says.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What stands on the chain for this response. `blinding`: random, for this response alone.
    pub fn commitment(&self, blinding: &[u8; BLINDING_BYTES], order: Digest) -> Digest {
        let mut open = Encoder::new(COMMITMENT);
        open.raw(order.as_bytes());
        hash(&open, &[blinding, &self.length(), &self.0])
    }

    /// Commitment and sealed bytes, both for the chain. `key`: the transmission key of phase 4.
    pub fn seal(
        &self,
        key: &TransmissionKey,
        blinding: [u8; BLINDING_BYTES],
        order: Digest,
    ) -> (Digest, Vec<u8>) {
        let commitment = self.commitment(&blinding, order);
        let used = BLINDING_BYTES + 4 + self.0.len();
        let mut content = Zeroizing::new(vec![0; used.next_multiple_of(STEP)]);
        content[..BLINDING_BYTES].copy_from_slice(&blinding);
        content[BLINDING_BYTES..BLINDING_BYTES + 4].copy_from_slice(&self.length());
        content[BLINDING_BYTES + 4..used].copy_from_slice(&self.0);
        (commitment, place(order, commitment).seal(key, &content))
    }

    fn length(&self) -> [u8; 4] {
        (self.0.len() as u32).to_be_bytes()
    }

    /// Opens what [`Response::seal`] sealed. `key`: the transmission key of phase 4.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] when the bytes, the key, the order or the commitment is another;
    /// [`KeyError::Malformed`] and [`KeyError::OtherHash`] when y_j itself sealed something else than it committed to.
    pub fn open(
        key: &TransmissionKey,
        order: Digest,
        commitment: Digest,
        sealed: &[u8],
    ) -> Result<Response, KeyError> {
        let place = place(order, commitment);
        let content = place.open(key, sealed)?;
        let (blinding, response) = read(&content).ok_or_else(|| place.malformed())?;
        place.check(response.commitment(&blinding, order))?;
        Ok(response)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Response(<redacted>)")
    }
}

fn place(order: Digest, commitment: Digest) -> Place {
    Place {
        what: "response",
        domain: SEALED,
        order,
        hash: commitment,
    }
}

/// Blinding and response of a content; `None` unless it is exactly as [`Response::seal`] writes it.
fn read(content: &[u8]) -> Option<([u8; BLINDING_BYTES], Response)> {
    let mut from = Decoder::new(content);
    let blinding = from.array().ok()?;
    let response = from.bytes(RESPONSE_BYTES_MAX).ok()?;
    let rest = &content[from.at()..];
    let shortest = content.len() == from.at().next_multiple_of(STEP);
    let zero = rest.iter().all(|byte| *byte == 0);
    (shortest && zero).then(|| (blinding, Response(Zeroizing::new(response.to_vec()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a dishonest y_j can seal under a commitment, honest cipher given.
    fn open(content: &[u8], commitment: Digest) -> Result<Vec<u8>, KeyError> {
        let order = Digest::of(b"order");
        let key = TransmissionKey::start(&[7; 32], order);
        let sealed = place(order, commitment).seal(&key, content);
        Response::open(&key, order, commitment, &sealed)
            .map(|response| response.as_bytes().to_vec())
    }

    #[test]
    fn a_response_that_is_not_the_committed_one_is_laid_at_its_senders_door() {
        let order = Digest::of(b"order");
        let (said, committed) = (
            Response::new(b"no").unwrap(),
            Response::new(b"yes").unwrap(),
        );
        let mut content = Encoder::default();
        content
            .raw(&[1; 32])
            .bytes(said.as_bytes())
            .raw(&[0; 256 - 38]);
        let commitment = committed.commitment(&[1; 32], order);
        let error = KeyError::OtherHash {
            what: "response",
            expected: commitment,
            found: said.commitment(&[1; 32], order),
        };
        assert_eq!(open(content.as_bytes(), commitment), Err(error));
        let right = said.commitment(&[1; 32], order);
        assert_eq!(open(content.as_bytes(), right), Ok(b"no".to_vec()));
    }

    #[test]
    fn a_content_that_is_written_otherwise_is_malformed() {
        let malformed = Err(KeyError::Malformed { what: "response" });
        let whole = |length: u32, pad: &[u8]| {
            let mut content = vec![1; 32];
            content.extend(length.to_be_bytes());
            content.extend(pad);
            content
        };
        for content in [
            Vec::new(),
            whole(0, &[]),
            whole(0, &[0; 219]),
            whole(0, &[0; 220 + 256]),
            whole(0, &[[0; 219].as_slice(), &[1]].concat()),
            whole(221, &[0; 220]),
            whole(4097, &[0; 4316]),
        ] {
            assert_eq!(
                open(&content, Digest::of(b"any")),
                malformed,
                "{} bytes",
                content.len()
            );
        }
    }
}
