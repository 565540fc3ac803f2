//! Transmission keys of one trade: equation (17), phases 1 to 5.
//!
//! **Parties.** The gateways x_i (buyer) and y_j (seller), at the ends of one link or at one site.
//!
//! **Rules.** Both draw one QKD key by its key_ID and cut it into six keys of 256 bits: the secret before the first phase and
//! a fresh key for each of the phases 1 to 5. With them they turn the ratchet of [`tieline_seal::keys`]. The seller seals its
//! response under the key of phase 4, the buyer the trade key under that of phase 5.
//!
//! | `keys.protection` | the six keys | on record |
//! |---|---|---|
//! | `its` | the QKD key itself; without it no trade ([`TradeError::Short`]) | `its` |
//! | `hybrid` | agreed by QKD, X25519 and ML-KEM-768 together | `hybrid` |
//! | `hybrid`, no key in the pool | agreed by X25519 and ML-KEM-768, with the reason | `pq-only` |
//! | `pq-only` | agreed by X25519 and ML-KEM-768 | `pq-only` |
//!
//! **Guarantees.** Whatever the label, what the ratchet derives is computational ([`tieline_seal::keys`]). A `hybrid`
//! agreement is authenticated by its QKD key; a `pq-only` one is not by itself, and here both gateways run it in one process.
//!
//! **Deviation.** The paper draws nothing afresh for a phase. Here every phase has a key of its own: whoever learns one
//! transmission key cannot follow the trade.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_core::Rng as _;
use thiserror::Error;
use tieline_contract::terms::{OrderId, Unconditional};
use tieline_contract::trade::KeyReturn;
use tieline_qkd::hybrid::{
    Decision, HybridError, Initiator, KeyRef, Label, Policy, Proposal, QkdKey, Terms,
};
use tieline_qkd::store::{Entropy, KeyId, Sae};
use tieline_seal::keys::{
    Agreement, KeyError, Phase, Ratchet, Response, TradeKey, TransmissionKey,
};
use tieline_units::{Digest, Encoder, MicrogridId, Time};
use zeroize::Zeroizing;

use super::{Drawn, Keys, Pair, Purpose, Short, Subject, UseRecord, Want, generator};
use crate::config::Protection;

/// Bytes of one key, and how many a trade takes: the secret and five phases.
const KEY_BYTES: usize = 32;
const PHASES: usize = 5;
const TRADE_BYTES: usize = KEY_BYTES * (PHASES + 1);

/// Bytes of the QKD key that joins a hybrid agreement.
const HYBRID_BYTES: usize = 32;

/// Why a trade has no transmission keys. Nothing was drawn, but for [`TradeError::Agreement`] and [`TradeError::Seal`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TradeError {
    /// The pool of the two sites is short, and the settings take nothing weaker.
    #[error(transparent)]
    Short(#[from] Short),
    /// A party that the scenario does not have.
    #[error("{microgrid} is no microgrid of this scenario")]
    Unknown {
        /// Who.
        microgrid: MicrogridId,
    },
    /// A response that is too long.
    #[error(transparent)]
    Seal(#[from] KeyError),
    /// The agreement failed; none is expected to.
    #[error("the gateways agreed on no key: {0}")]
    Agreement(#[from] HybridError),
}

/// Which trade.
#[derive(Clone, Copy, Debug)]
pub struct Trade<'a> {
    /// Its order.
    pub order: OrderId,
    /// x_i
    pub buyer: &'a MicrogridId,
    /// y_j
    pub seller: &'a MicrogridId,
    /// What the seller tells the buyer and nobody else, at most [`tieline_seal::keys::RESPONSE_BYTES_MAX`] bytes.
    pub response: &'a [u8],
}

/// What the two parties put on their chains, and the ratchets with which each opens the other's.
#[derive(Debug)]
pub struct TradeKeys {
    /// `response_commitment` of the acceptance.
    pub commitment: Digest,
    /// `sealed_response` of the acceptance.
    pub sealed_response: Arc<[u8]>,
    /// `key_hash` of the key return.
    pub key_hash: Digest,
    /// `sealed_key` of the key return.
    pub sealed_key: Arc<[u8]>,
    /// What the keys rest on.
    pub agreement: Agreement,
    /// x_i's.
    pub buyer: Ratchet,
    /// y_j's.
    pub seller: Ratchet,
}

impl TradeKeys {
    /// T5k: the key return, with the unconditional signature that covers it.
    pub fn key_return(&self, unconditional: Unconditional) -> KeyReturn {
        KeyReturn {
            key_hash: self.key_hash,
            sealed_key: self.sealed_key.clone(),
            agreement: self.agreement,
            unconditional,
        }
    }
}

/// The six keys at both ends, and where they come from.
struct Fresh {
    keys: [Zeroizing<Vec<u8>>; 2],
    name: String,
    agreement: Agreement,
}

impl Keys {
    /// Transmission keys, sealed response and sealed trade key of one order; the same again after the same draws.
    ///
    /// # Errors
    /// [`TradeError`].
    pub fn trade(&mut self, now: Time, trade: Trade<'_>) -> Result<TradeKeys, TradeError> {
        let response = Response::new(trade.response)?;
        let (drawn, label, because) = self.drawn_for(now, trade)?;
        let order = trade.order.0;
        let mut what = Encoder::new("tieline.simulated-trade/1");
        what.u64(self.seed()).raw(order.as_bytes());
        let mut random = generator(&what);
        let fresh = match (label, &drawn) {
            (Label::Its, Some(drawn)) => Fresh {
                keys: [drawn.bits.clone(), drawn.bits.clone()],
                name: drawn.key.key_id.to_string(),
                agreement: Agreement::Qkd,
            },
            _ => agree(trade, label, drawn.as_ref(), &mut random)?,
        };
        let keys: Vec<_> = drawn.into_iter().map(|drawn| drawn.key).collect();
        self.record(UseRecord {
            at: now.to_string(),
            subject: Subject::Order {
                order: order.to_string(),
            },
            label: label.to_string(),
            because,
            bits: UseRecord::bits_of(&keys),
            keys,
        });
        let (mut blinding, mut returned) = ([0; KEY_BYTES], [0; KEY_BYTES]);
        random.fill_bytes(&mut blinding);
        random.fill_bytes(&mut returned);
        let [buyer, seller] = [0, 1].map(|end| ratchet(&fresh, end, order));
        let (commitment, sealed_response) =
            response.seal(turned(&seller, Phase::Response), blinding, order);
        let (key_hash, sealed_key) =
            TradeKey::new(returned).seal(turned(&buyer, Phase::KeyReturn), order);
        Ok(TradeKeys {
            commitment,
            sealed_response: sealed_response.into(),
            key_hash,
            sealed_key: sealed_key.into(),
            agreement: fresh.agreement,
            buyer,
            seller,
        })
    }

    /// The QKD key of a trade, what its keys rest on then, and why on less than wanted.
    fn drawn_for(
        &mut self,
        now: Time,
        trade: Trade<'_>,
    ) -> Result<(Option<Drawn>, Label, Option<String>), TradeError> {
        let site = |microgrid: &MicrogridId| {
            let unknown = || TradeError::Unknown {
                microgrid: microgrid.clone(),
            };
            self.site_of(microgrid).cloned().ok_or_else(unknown)
        };
        let pair = Pair::new(&site(trade.buyer)?, &site(trade.seller)?);
        let bytes = match self.protection() {
            Protection::Its => TRADE_BYTES,
            Protection::Hybrid => HYBRID_BYTES,
            Protection::PqOnly => return Ok((None, Label::PqOnly, None)),
        };
        let want = Want {
            bits: bytes as u64 * 8,
            links: 1,
        };
        let wants = BTreeMap::from([(pair, want)]);
        match (self.draw(now, Purpose::TradeKey, &wants), self.protection()) {
            (Ok(drawn), Protection::Its) => Ok((drawn.into_values().next(), Label::Its, None)),
            (Ok(drawn), _) => Ok((drawn.into_values().next(), Label::Hybrid, None)),
            (Err(short), Protection::Its) => Err(short.into()),
            (Err(short), _) => Ok((None, Label::PqOnly, Some(short.to_string()))),
        }
    }
}

/// One end's ratchet, turned to phase 5.
fn ratchet(fresh: &Fresh, end: usize, order: Digest) -> Ratchet {
    let mut keys = fresh.keys[end].chunks_exact(KEY_BYTES).map(|key| {
        let mut one = Zeroizing::new([0; KEY_BYTES]);
        one.copy_from_slice(key);
        one
    });
    let secret = keys.next().expect("six keys");
    let mut ratchet = Ratchet::new(fresh.agreement, &secret, order);
    for (phase, key) in Phase::ALL.into_iter().zip(keys) {
        let taken = ratchet.take(phase, &fresh.name, &key);
        taken.expect("a fresh ratchet takes a named key per phase");
    }
    ratchet
}

fn turned(ratchet: &Ratchet, phase: Phase) -> &TransmissionKey {
    let key = ratchet.key(phase);
    key.expect("the keys of phases 1 to 5 are taken")
}

/// Both ends of the hybrid agreement, with the gateways' simulated randomness.
fn agree(
    trade: Trade<'_>,
    label: Label,
    drawn: Option<&Drawn>,
    random: &mut rand_chacha::ChaCha20Rng,
) -> Result<Fresh, HybridError> {
    let sae = |microgrid: &MicrogridId| {
        let name = Sae::new(microgrid.as_str());
        name.expect("a microgrid's name is an application's")
    };
    let terms = Terms {
        initiator: sae(trade.buyer),
        responder: sae(trade.seller),
        purpose: trade.order.0.as_bytes().to_vec(),
        bytes: TRADE_BYTES as u32,
    };
    let policy = Policy::exactly(label);
    let Decision::Go(grade) = policy.decide(Ok(())) else {
        unreachable!("a policy gives what it wants where nothing is missing");
    };
    let qkd = || {
        drawn.map(|drawn| {
            let place = KeyRef::KeyId(KeyId(*drawn.key.key_id.as_bytes()));
            QkdKey::new(place, drawn.bits.clone())
        })
    };
    let (initiator, first) = Initiator::start(terms.clone(), grade, qkd(), &mut entropy(random))?;
    let proposal = Proposal::read(&first)?;
    let (responder, second) = proposal.respond(&terms, &policy, qkd(), &mut entropy(random))?;
    let (at_buyer, third) = initiator.finish(&second)?;
    let at_seller = responder.complete(&third)?;
    let name = Digest::from_bytes(*at_buyer.transcript()).to_string();
    let keys = [at_buyer, at_seller].map(|agreed| {
        let key = agreed.into_key();
        Zeroizing::new(key.expose().to_vec())
    });
    Ok(Fresh {
        keys,
        name,
        agreement: match label {
            Label::PqOnly => Agreement::PostQuantum,
            Label::Hybrid | Label::Its => Agreement::Hybrid,
        },
    })
}

/// A source of its own for one end.
fn entropy(random: &mut rand_chacha::ChaCha20Rng) -> Entropy {
    let mut seed = Zeroizing::new([0; 32]);
    random.fill_bytes(&mut *seed);
    let mut own = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed(*seed);
    Box::new(move |bytes| {
        own.fill_bytes(bytes);
        Ok(())
    })
}
