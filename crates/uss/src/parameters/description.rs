//! An epoch as all participants describe it.

use tieline_units::bytes::Encoder;

use super::{CHAINS_MAX, NAME_BYTES_MAX, ParameterError, Parameters};
use crate::party::{Counter, EpochId, Link};

/// Blocks of the complaint window where nothing else is said: complaints about a block are in order in the next one.
pub const COMPLAINT_BLOCKS: u64 = 1;

/// Longest complaint window, blocks.
pub const COMPLAINT_BLOCKS_MAX: u64 = 1 << 20;

/// One epoch: its number, who signs, for which chains, and the parameters. The same value at every participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    id: EpochId,
    signer: String,
    chains: Vec<String>,
    parameters: Parameters,
    complaint_blocks: u64,
}

impl Epoch {
    /// Describes an epoch. `signer`: the signer's name; `chains`: the ledgers that its messages concern.
    ///
    /// # Errors
    /// [`ParameterError::Name`], [`ParameterError::NoBody`].
    pub fn new(
        id: EpochId,
        signer: &str,
        chains: &[&str],
        parameters: Parameters,
    ) -> Result<Epoch, ParameterError> {
        check_name("signer", signer)?;
        chains
            .iter()
            .try_for_each(|chain| check_name("chain", chain))?;
        if chains.is_empty() || chains.len() > CHAINS_MAX {
            return Err(ParameterError::Name {
                what: "chains",
                text: chains.join(", "),
            });
        }
        let epoch = Epoch {
            id,
            signer: signer.to_owned(),
            chains: chains.iter().map(|chain| (*chain).to_owned()).collect(),
            parameters,
            complaint_blocks: COMPLAINT_BLOCKS,
        };
        let header = epoch.message(Counter(0), &[]).len();
        let bytes = epoch.parameters.limits.message_bytes;
        if header >= bytes {
            return Err(ParameterError::NoBody { bytes, header });
        }
        Ok(epoch)
    }

    /// The same epoch with another complaint window than [`COMPLAINT_BLOCKS`]: a message of a later block is taken after
    /// `blocks` blocks in which nothing but complaints about the one before was taken, as many as it takes until a
    /// complaint is sure to be in order. Without a window, or with one too short, receivers that have complained give no
    /// verdict on messages that overtook their complaint, and a message may find too few that do.
    pub fn with_complaint_window(self, blocks: u64) -> Epoch {
        Epoch {
            complaint_blocks: blocks.min(COMPLAINT_BLOCKS_MAX),
            ..self
        }
    }

    /// The complaint window, blocks.
    pub fn complaint_blocks(&self) -> u64 {
        self.complaint_blocks
    }

    /// Its number.
    pub fn id(&self) -> EpochId {
        self.id
    }

    /// The signer's name.
    pub fn signer(&self) -> &str {
        &self.signer
    }

    /// The ledgers that its messages concern.
    pub fn chains(&self) -> &[String] {
        &self.chains
    }

    /// The sizes.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The bytes that are hashed: domain, chains, epoch, counter, signer, length and body. A signature thus holds for one
    /// place alone.
    pub fn message(&self, counter: Counter, body: &[u8]) -> Vec<u8> {
        let mut encoder = Encoder::new("tieline.uss.message/1");
        encoder.length(self.chains.len());
        self.chains.iter().for_each(|chain| {
            encoder.text(chain);
        });
        encoder
            .u64(self.id.0)
            .u32(counter.0)
            .text(&self.signer)
            .bytes(body);
        encoder.as_bytes().to_vec()
    }

    /// All that the participants must agree on, in one encoding. Every message of the distribution is authenticated together
    /// with it: parties with other numbers do not understand each other.
    pub fn canonical(&self) -> Vec<u8> {
        let (parameters, limits) = (&self.parameters, self.parameters.limits());
        let committee = parameters.committee();
        let mut encoder = Encoder::new("tieline.uss.epoch/1");
        encoder.bytes(&self.message(Counter(0), &[]));
        encoder.raw(&parameters.family().code());
        encoder
            .u8(committee.receivers())
            .u8(committee.dishonest())
            .u8(committee.transfers());
        encoder.u32(parameters.functions() as u32);
        committee.levels().for_each(|level| {
            encoder.u32(u32::from(parameters.budget(level)));
        });
        encoder
            .u32(limits.messages)
            .u64(limits.message_bytes as u64)
            .u64(self.complaint_blocks);
        encoder.as_bytes().to_vec()
    }

    /// Longest body that a message can have, bytes.
    pub fn body_bytes_max(&self) -> usize {
        self.parameters.limits.message_bytes - self.message(Counter(0), &[]).len()
    }

    /// The bytes that authenticate a message of `round` on `link` for `counter`, so that none serves twice or elsewhere.
    pub fn round_context(&self, round: Round, link: Link, counter: Counter) -> Vec<u8> {
        let mut encoder = Encoder::new("tieline.uss.round/1");
        encoder
            .text(round.name())
            .text(&link.to_string())
            .bytes(&self.message(counter, &[]))
            .bytes(&self.canonical());
        encoder.as_bytes().to_vec()
    }
}

/// Which message of the distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// From the signer, what it must draw itself.
    Offer,
    /// From receiver to receiver, functions and pads.
    Part,
}

impl Round {
    fn name(self) -> &'static str {
        match self {
            Round::Offer => "offer",
            Round::Part => "part",
        }
    }
}

fn check_name(what: &'static str, text: &str) -> Result<(), ParameterError> {
    if text.is_empty() || text.len() > NAME_BYTES_MAX {
        return Err(ParameterError::Name {
            what,
            text: text.to_owned(),
        });
    }
    Ok(())
}
