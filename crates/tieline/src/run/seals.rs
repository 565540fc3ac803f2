//! Step 7: one unconditional signature per gateway, counterpart chain, market gate and kind of message.
//!
//! **Parties.** The gateway signs; the verification nodes of its own chain and of the counterpart's are the receivers, n of
//! them, with l_max = 1 between two chains. A local order has one chain, and its nodes alone.
//!
//! **Rules.**
//! * Keys come from the pools of the sites ([`Keys`]), exactly what the rounds take of every link; if one pool is short,
//!   nothing is drawn and nothing is signed.
//! * All receivers run their own tests (10) and (11) on what was signed. A home node's pass counts at level 1, the
//!   counterpart's at level 0 ([`Verdicts::passes`]); a node attests no message whose seal it did not pass.
//! * **Batch mode.** The kinds that one gateway signs for one counterpart at one gate share an epoch: the functions and their
//!   secret split are distributed once, and every further seal takes fresh pads only. That is the cheaper way: with 4 + 4
//!   nodes at 64 bits, the first seal takes 1,088 kbit over all links (585 across the fibre), a further one 182. The bounds
//!   are searched for [`SEALS_PER_EPOCH`] messages, which makes the first seal some 3 % dearer than one for itself. An epoch
//!   does not outlive its gate, so nobody keeps split or functions for a day.
//! * `keys.protection = "pq-only"`: no unconditional signature. The seal is the hash of the body; every node passes it whose
//!   messages have that hash, and the record says `pq-only`: what remains are the transactions' own signatures. `"hybrid"`
//!   does the same where keys are short, with the reason on record.
//!
//! **Guarantees.** Those of `docs/signature-bounds.md` for what each honest node believes; certificates and state rest on
//! post-quantum signatures. Here all parties run in one process with simulated keys and randomness ([`crate::run::keys`]).

pub mod content;
pub mod deal;
mod epoch;
pub mod sizes;
pub mod verdicts;

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;
use tieline_contract::bounds::UNCONDITIONAL_BYTES_MAX;
use tieline_qkd::hybrid::Label;
use tieline_units::{ChainId, Digest, MicrogridId, SiteId, Time};
use tieline_uss::parameters::ParameterError;
use tieline_uss::rehearsal::RehearsalError;

use super::keys::{KeyUse, Keys, Purpose, Short, Subject, UseRecord};
use crate::config::Protection;
use deal::Places;
use epoch::Open;
use sizes::{SizeError, Sizes, TRANSFERS};
pub use verdicts::{Levels, Verdicts};

/// M: the three kinds of one gate, and one more.
pub const SEALS_PER_EPOCH: u32 = 4;

/// Most epochs that are open at once; the one used longest ago gives way, and its gateway distributes anew.
const OPEN_MAX: usize = 64;

/// What a seal covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Phase 1, by the buyer.
    Requests,
    /// Phase 4, by the seller.
    Responses,
    /// Phase 5, by the buyer.
    KeyReturns,
}

impl Kind {
    /// The word in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Requests => "requests",
            Kind::Responses => "responses",
            Kind::KeyReturns => "key returns",
        }
    }

    /// What its keys are drawn for.
    pub(crate) fn purpose(self) -> Purpose {
        match self {
            Kind::Requests => Purpose::Request,
            Kind::Responses => Purpose::Response,
            Kind::KeyReturns => Purpose::KeyReturn,
        }
    }
}

/// Why there is no seal. No key was drawn, but for [`SealError::Rounds`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SealError {
    /// A pool is short, and the settings take nothing weaker.
    #[error(transparent)]
    Short(#[from] Short),
    /// A gateway that the scenario does not have.
    #[error("{gateway} is no microgrid of this scenario")]
    Gateway {
        /// Whose.
        gateway: MicrogridId,
    },
    /// A chain without verification nodes.
    #[error("{chain} has no verification nodes")]
    NoNodes {
        /// Which.
        chain: ChainId,
    },
    /// A body that no transaction can carry.
    #[error(
        "a seal of {bytes} bytes: transactions carry {UNCONDITIONAL_BYTES_MAX}; sign fewer messages at once"
    )]
    TooLong {
        /// Bytes of body and signature.
        bytes: usize,
    },
    /// More verification nodes than any signature has receivers.
    #[error("{receivers} verification nodes are too many for one signature")]
    TooMany {
        /// n.
        receivers: usize,
    },
    /// No sizes reach `keys.level`.
    #[error(transparent)]
    Sizes(#[from] SizeError),
    /// Names that no epoch takes.
    #[error(transparent)]
    Epoch(#[from] ParameterError),
    /// A round failed; with honest parties none is expected to.
    #[error("the rounds of the signature failed: {0}")]
    Rounds(#[from] RehearsalError),
}

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Who signs.
    pub gateway: &'a MicrogridId,
    /// Its own chain.
    pub home: &'a ChainId,
    /// The other side's chain; the same for a local order.
    pub counterpart: &'a ChainId,
    /// The market gate.
    pub gate: Time,
    /// What the messages are.
    pub kind: Kind,
    /// How many messages the body lists, for the record.
    pub messages: usize,
    /// The canonical list of the messages.
    pub body: &'a [u8],
    /// Sign another body than this one, so that every node's test fails.
    pub cheat: bool,
}

/// An unconditional signature over a list of messages.
#[derive(Clone, Debug)]
pub struct Seal {
    /// SHA-256 of `bytes`, for [`tieline_contract::terms::Unconditional::Named`].
    pub hash: Digest,
    /// Epoch, body and signature, for [`tieline_contract::terms::Unconditional::Carried`].
    pub bytes: Arc<[u8]>,
    /// What it rests on: `its`, or `pq-only`.
    pub label: Label,
    /// The key blocks it took.
    pub keys: Vec<KeyUse>,
    /// Bits of key it took, within sites included.
    pub key_bits: u64,
}

/// Signs for all gateways of a run, and tests for all verification nodes.
#[derive(Debug)]
pub struct Seals {
    nodes: BTreeMap<ChainId, Vec<SiteId>>,
    sizes: Sizes,
    open: BTreeMap<Lane, Open>,
    last: BTreeMap<Lane, (Time, u32)>,
    signed: u64,
    verdicts: Arc<Verdicts>,
}

/// A gateway and its counterpart chain.
type Lane = (MicrogridId, ChainId);

impl Seals {
    /// For these chains. `nodes`: the site of every verification node by seat, per chain.
    pub fn new(nodes: BTreeMap<ChainId, Vec<SiteId>>) -> Seals {
        Seals {
            nodes,
            sizes: Sizes::default(),
            open: BTreeMap::new(),
            last: BTreeMap::new(),
            signed: 0,
            verdicts: Arc::default(),
        }
    }

    /// What verification nodes found; shared with their threads.
    pub fn verdicts(&self) -> Arc<Verdicts> {
        self.verdicts.clone()
    }

    /// Signs, and lets every verification node test.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn sign(&mut self, keys: &mut Keys, now: Time, ask: Ask<'_>) -> Result<Seal, SealError> {
        let places = self.places(keys, ask)?;
        if keys.protection() == Protection::PqOnly {
            return Ok(self.named(keys, now, ask, None));
        }
        match self.sealed(keys, now, ask, &places) {
            Err(SealError::Short(short)) if keys.protection() == Protection::Hybrid => {
                Ok(self.named(keys, now, ask, Some(short.to_string())))
            }
            other => other,
        }
    }

    /// Gateway and verification nodes of both chains, the home chain's first.
    fn places(&self, keys: &Keys, ask: Ask<'_>) -> Result<Places, SealError> {
        let gateway = || SealError::Gateway {
            gateway: ask.gateway.clone(),
        };
        let signer = keys.site_of(ask.gateway).ok_or_else(gateway)?.clone();
        let mut receivers = Vec::new();
        for chain in ask.chains() {
            let nodes = (self.nodes.get(chain)).filter(|nodes| !nodes.is_empty());
            let nodes = nodes.ok_or_else(|| SealError::NoNodes {
                chain: chain.clone(),
            })?;
            receivers.extend(nodes.iter().cloned());
        }
        match u8::try_from(receivers.len()) {
            Ok(_) => Ok(Places { signer, receivers }),
            Err(_) => Err(SealError::TooMany {
                receivers: receivers.len(),
            }),
        }
    }

    /// A further seal of the open epoch, or the first one of a new epoch.
    fn sealed(
        &mut self,
        keys: &mut Keys,
        now: Time,
        ask: Ask<'_>,
        places: &Places,
    ) -> Result<Seal, SealError> {
        let lane: Lane = (ask.gateway.clone(), ask.counterpart.clone());
        self.signed += 1;
        let (mut open, used) = match self.open.remove(&lane) {
            Some(mut open) if open.serves(ask) => match open.refresh(keys, now, ask, places) {
                Ok(used) => (open, used),
                Err(SealError::Short(short)) => {
                    self.open.insert(lane, open);
                    return Err(short.into());
                }
                Err(error) => return Err(error),
            },
            _ => {
                let number = match self.last.get(&lane) {
                    Some((gate, number)) if *gate == ask.gate => number + 1,
                    _ => 0,
                };
                let receivers = places.receivers.len() as u8;
                let parameters = self.sizes.of(receivers, keys.level(), ask.body.len())?;
                let epoch = ask.epoch(keys.seed(), number, parameters)?;
                let begun = Open::begin(keys, now, (ask, epoch), places)?;
                self.last.insert(lane.clone(), (ask.gate, number));
                begun
            }
        };
        let at_home = self.nodes.get(ask.home).map_or(0, Vec::len);
        let (bytes, levels) = open.sign(ask, (at_home, self.signed))?;
        // A mismatch stays with the epoch: receivers that complained say nothing of later messages.
        if !ask.cheat {
            self.keep(lane, open);
        }
        Ok(self.done(keys, now, ask, Made::its(bytes, levels, used)))
    }

    /// Keeps an epoch open, and closes the one that was used longest ago where there are too many.
    fn keep(&mut self, lane: Lane, open: Open) {
        self.open.insert(lane, open);
        if self.open.len() > OPEN_MAX {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.used());
            let oldest = oldest.map(|(lane, _)| lane.clone());
            oldest.and_then(|lane| self.open.remove(&lane));
        }
    }

    /// Without an unconditional signature: the hash of the body. Nodes compare it with the messages they see.
    fn named(&self, keys: &mut Keys, now: Time, ask: Ask<'_>, because: Option<String>) -> Seal {
        let body = match ask.cheat {
            true => Digest::of(&[ask.body, b"!"].concat()),
            false => Digest::of(ask.body),
        };
        let bytes = content::named(&ask.subject(), body);
        let reached = (!ask.cheat).then_some(TRANSFERS as i8);
        let levels = ask.chains().into_iter().map(|chain| {
            let nodes = self.nodes.get(chain).map_or(0, Vec::len);
            (chain.clone(), vec![reached; nodes])
        });
        let made = Made {
            bytes,
            levels: levels.collect(),
            used: Vec::new(),
            label: Label::PqOnly,
            because,
        };
        self.done(keys, now, ask, made)
    }

    /// Puts a seal on record and its verdicts where the nodes read them.
    fn done(&self, keys: &mut Keys, now: Time, ask: Ask<'_>, made: Made) -> Seal {
        let hash = Digest::of(&made.bytes);
        self.verdicts.put(hash, ask.gate, made.levels);
        let key_bits = UseRecord::bits_of(&made.used);
        keys.record(UseRecord {
            at: now.to_string(),
            subject: Subject::Seal {
                gateway: ask.gateway.to_string(),
                counterpart: ask.counterpart.to_string(),
                gate: ask.gate.to_string(),
                kind: ask.kind.as_str().to_owned(),
                messages: ask.messages,
                hash: hash.to_string(),
            },
            label: made.label.to_string(),
            because: made.because,
            bits: key_bits,
            keys: made.used.clone(),
        });
        Seal {
            hash,
            bytes: made.bytes.into(),
            label: made.label,
            keys: made.used,
            key_bits,
        }
    }
}

/// A seal before it is on record.
struct Made {
    bytes: Vec<u8>,
    levels: Levels,
    used: Vec<KeyUse>,
    label: Label,
    because: Option<String>,
}

impl Made {
    fn its(bytes: Vec<u8>, levels: Levels, used: Vec<KeyUse>) -> Made {
        Made {
            bytes,
            levels,
            used,
            label: Label::Its,
            because: None,
        }
    }
}
