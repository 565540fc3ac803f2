//! The messages of the distribution as bytes.
//!
//! ```text
//! part:   version 1 | kind 1 | epoch 8 | counter 4 | from 1 | to 1 | authenticator 16 | ciphertext
//! offer:  version 1 | kind 2 | epoch 8 |        0 4 |    0 1 | to 1 | authenticator 16 | ciphertext
//! ```
//! Integers are big-endian. The epoch fixes the length of every message; it is checked before anything else, so that a
//! wrong one allocates nothing. Nothing here is trusted: the authenticator covers epoch, counter, direction and content.

use thiserror::Error;
use tieline_units::bytes::Encoder;

use crate::channel::{Mac, Sealed};
use crate::distribute::PartMessage;
use crate::parameters::Epoch;
use crate::party::{Counter, Receiver};
use crate::sign::Offer;

const VERSION: u8 = 1;
const PART: u8 = 1;
const OFFER: u8 = 2;
/// Bytes before the ciphertext.
const HEADER_BYTES: usize = 32;

/// Why bytes are not a message of an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WireError {
    /// Not the length that the round prescribes.
    #[error("a message of {bytes} bytes, {expected} are due")]
    Length {
        /// Received.
        bytes: usize,
        /// Due.
        expected: usize,
    },
    /// Another version, kind or epoch, or a receiver that the epoch does not have.
    #[error("the message's {field} is {found}, which is not this round's")]
    Header {
        /// Which number.
        field: &'static str,
        /// Received.
        found: u64,
    },
}

/// A part for another receiver, for `counter`.
pub fn encode_part(epoch: &Epoch, counter: Counter, message: &PartMessage) -> Vec<u8> {
    let ends = [message.from.index() as u8, message.to.index() as u8];
    encode(epoch, PART, counter, ends, &message.sealed)
}

/// Reads a part for `counter`: with functions for the first counter, with pads alone for others.
///
/// # Errors
/// [`WireError`].
pub fn decode_part(
    epoch: &Epoch,
    counter: Counter,
    bytes: &[u8],
) -> Result<PartMessage, WireError> {
    let parameters = epoch.parameters();
    let bits = if counter == Counter(0) {
        parameters.set_bits()
    } else {
        parameters.pads_bits()
    };
    let (found, [from, to], sealed) = decode(epoch, PART, bits, bytes)?;
    if found != counter {
        return Err(WireError::Header {
            field: "counter",
            found: u64::from(found.0),
        });
    }
    Ok(PartMessage {
        from: member(epoch, "sender", from)?,
        to: member(epoch, "receiver", to)?,
        sealed,
    })
}

/// The signer's offer to a receiver.
pub fn encode_offer(epoch: &Epoch, offer: &Offer) -> Vec<u8> {
    encode(
        epoch,
        OFFER,
        Counter(0),
        [0, offer.to.index() as u8],
        &offer.sealed,
    )
}

/// Reads an offer; only families with a drawn part have them.
///
/// # Errors
/// [`WireError`].
pub fn decode_offer(epoch: &Epoch, bytes: &[u8]) -> Result<Offer, WireError> {
    let parameters = epoch.parameters();
    let bits = parameters.functions_per_receiver() * parameters.family().drawn_bits() as usize;
    let (counter, [from, to], sealed) = decode(epoch, OFFER, bits, bytes)?;
    if counter != Counter(0) || from != 0 {
        return Err(WireError::Header {
            field: "counter or sender",
            found: u64::from(counter.0) << 8 | u64::from(from),
        });
    }
    Ok(Offer {
        to: member(epoch, "receiver", to)?,
        sealed,
    })
}

fn encode(epoch: &Epoch, kind: u8, counter: Counter, ends: [u8; 2], sealed: &Sealed) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder
        .u8(VERSION)
        .u8(kind)
        .u64(epoch.id().0)
        .u32(counter.0)
        .raw(&ends);
    encoder
        .raw(&sealed.mac.0.to_be_bytes())
        .raw(&sealed.ciphertext);
    encoder.as_bytes().to_vec()
}

fn decode(
    epoch: &Epoch,
    kind: u8,
    bits: usize,
    bytes: &[u8],
) -> Result<(Counter, [u8; 2], Sealed), WireError> {
    let expected = HEADER_BYTES + bits.div_ceil(8);
    let length = WireError::Length {
        bytes: bytes.len(),
        expected,
    };
    if bytes.len() != expected {
        return Err(length);
    }
    let (head, ciphertext) = bytes.split_at(HEADER_BYTES);
    let number = |from: usize, to: usize| {
        head[from..to]
            .iter()
            .fold(0_u128, |value, byte| value << 8 | u128::from(*byte))
    };
    let fields = [
        ("version", VERSION.into(), 0, 1),
        ("kind", kind.into(), 1, 2),
        ("epoch", epoch.id().0, 2, 10),
    ];
    for (field, due, from, to) in fields {
        let found = number(from, to) as u64;
        if found != due {
            return Err(WireError::Header { field, found });
        }
    }
    let sealed = Sealed {
        mac: Mac(number(16, 32)),
        ciphertext: ciphertext.to_vec(),
    };
    Ok((Counter(number(10, 14) as u32), [head[14], head[15]], sealed))
}

fn member(epoch: &Epoch, field: &'static str, index: u8) -> Result<Receiver, WireError> {
    if index >= epoch.parameters().committee().receivers() {
        return Err(WireError::Header {
            field,
            found: u64::from(index),
        });
    }
    Ok(Receiver::new(index))
}
