//! What a signature costs in bits of key and of signature.

use super::parameters::{Load, Parameters};

/// Bits of one message and one pair, authentication keys left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCost {
    /// n k y: descriptions of the functions that the signer shares with one receiver.
    pub signer_to_receiver_bits: u64,
    /// n k b: fresh pads of the same functions for one more message.
    pub signer_to_receiver_bits_per_further_message: u64,
    /// k (y + ⌈log2 nk⌉): one set of the split, a description and an index per function.
    pub receiver_to_receiver_bits: u64,
    /// k b: the fresh pads of one set.
    pub receiver_to_receiver_bits_per_further_message: u64,
    /// n² k b.
    pub signature_bits: u64,
}

/// Bits of an epoch over all pairs, authentication keys left out, and messages to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochCost {
    /// Between the signer and all receivers, and among all receivers.
    pub key_bits: u64,
    /// A set and its receipt per ordered pair of receivers, and each signature to each receiver; disputes come on top.
    pub authenticated_messages: u64,
}

impl KeyCost {
    /// Of these parameters.
    pub fn of(parameters: &Parameters) -> KeyCost {
        let receivers = u64::from(parameters.committee().receivers());
        let functions = u64::from(parameters.functions());
        let tag_bits = u64::from(parameters.family().tag_bits);
        let description_bits = u64::from(parameters.family().description_bits);
        let held = receivers * functions;
        // ⌈log2 held⌉, at least 1: held ≥ 4.
        let index_bits = u64::from(u64::BITS - (held - 1).leading_zeros());
        KeyCost {
            signer_to_receiver_bits: held * description_bits,
            signer_to_receiver_bits_per_further_message: held * tag_bits,
            receiver_to_receiver_bits: functions * (description_bits + index_bits),
            receiver_to_receiver_bits_per_further_message: functions * tag_bits,
            signature_bits: receivers * held * tag_bits,
        }
    }

    /// Over all pairs of a committee of `receivers` n, for an epoch of `load.messages` messages.
    pub fn epoch(&self, receivers: u8, load: Load) -> EpochCost {
        let receivers = u64::from(receivers);
        let messages = u64::from(load.messages);
        let further = messages.saturating_sub(1);
        let from_signer = self.signer_to_receiver_bits
            + further * self.signer_to_receiver_bits_per_further_message;
        let among = self.receiver_to_receiver_bits
            + further * self.receiver_to_receiver_bits_per_further_message;
        let ordered_pairs = receivers * (receivers - 1);
        // The pads of a further message go as one set to each other receiver.
        EpochCost {
            key_bits: receivers * from_signer + ordered_pairs * among,
            authenticated_messages: (ordered_pairs * 2 + receivers) * messages,
        }
    }
}
