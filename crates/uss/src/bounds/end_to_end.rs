//! The scheme's own bound beside what key distribution and authentication add to it.

use super::cost::EpochCost;
use super::log2::Log2;

/// Key that authenticates one message: a point of GF(2^128) and a pad, both fresh.
pub const AUTHENTICATION_BITS: u64 = 256;

/// How good the channels under the scheme are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Channel {
    /// κ, composable failure of key distribution per bit of key delivered.
    pub failure_per_bit: f64,
    /// ε_auth, chance to replace one authenticated message.
    pub forgery_per_message: Log2,
}

impl Default for Channel {
    /// κ = 1e-15 per bit; ε_auth = 2^-107, a polynomial over GF(2^128) on messages of up to 32 MiB.
    fn default() -> Channel {
        Channel {
            failure_per_bit: 1e-15,
            forgery_per_message: Log2::from_exponent(-107.0),
        }
    }
}

/// Bounds that hold for a whole epoch, and their sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EndToEnd {
    /// The scheme over perfect channels.
    pub scheme: Log2,
    /// ε_QKD: κ times all bits of key, those of authentication included.
    pub keys: Log2,
    /// ε_auth times all authenticated messages.
    pub authentication: Log2,
}

impl EndToEnd {
    /// Over `channel`, for an epoch that costs `cost`; `scheme` is [`super::SecurityBounds::sum`].
    ///
    /// The three add up because each part is composable: a distance from its ideal counterpart.
    pub fn of(scheme: Log2, cost: EpochCost, channel: Channel) -> EndToEnd {
        let messages = Log2::of(cost.authenticated_messages);
        let key_bits = cost.key_bits + AUTHENTICATION_BITS * cost.authenticated_messages;
        EndToEnd {
            scheme,
            keys: Log2::of(key_bits) * Log2::of_float(channel.failure_per_bit),
            authentication: messages * channel.forgery_per_message,
        }
    }

    /// What may go wrong in all.
    pub fn sum(&self) -> Log2 {
        self.scheme + self.keys + self.authentication
    }
}
