//! What a buyer and a seller agree on: terms, their identity, the request.

use std::sync::Arc;

use tieline_units::canonical::{Canonical, DecodeError, Decoder};
use tieline_units::{
    ChainId, Currency, Digest, Encoder, Energy, IntervalLength, MicrogridId, Money, Price, Time,
    canonical, canonical_enum,
};

use crate::bounds::{
    CODE_VERSION_BYTES_MAX, REQUEST_BYTES_MAX, TERMS_BYTES_MAX, UNCONDITIONAL_BYTES_MAX,
};
use crate::settlement::{Metering, OrderTerms};
use tieline_seal::hybrid::{Domain, Purpose, Signature};

/// Version of the terms' encoding.
pub const VERSION: u8 = 1;

/// Which contract code the terms are for: a node refuses terms for other code.
pub const CODE_VERSION: &str = "tieline-contract/1";

/// Names an order everywhere: H(genesis of X, buyer, buyer's nonce, H(terms)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub Digest);

canonical!(OrderId { 0 });

impl std::fmt::Display for OrderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The terms of one order. Suffix `_x`: the buyer's chain, `_y`: the seller's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Terms {
    /// [`VERSION`].
    pub version: u8,
    /// Chain of the buyer.
    pub chain_x: ChainId,
    /// Chain of the seller.
    pub chain_y: ChainId,
    /// Its genesis.
    pub genesis_x: Digest,
    /// Its genesis.
    pub genesis_y: Digest,
    /// x_i, which takes the energy.
    pub buyer: MicrogridId,
    /// y_j, which delivers it.
    pub seller: MicrogridId,
    /// Who is paid the difference of the two prices.
    pub aggregator: MicrogridId,
    /// Certificate of the cleared round that the order comes from.
    pub round_hash: Digest,
    /// t0: first instant of delivery.
    pub start: Time,
    /// t1 - t0.
    pub length: IntervalLength,
    /// Ordered energy.
    pub quantity: Energy,
    /// Of all money in it; that of every ledger which it touches.
    pub currency: Currency,
    /// What the buyer pays.
    pub price: Price,
    /// What the seller is paid, at most `price`.
    pub seller_price: Price,
    /// How the two ends are metered.
    pub metering: Metering,
    /// Share of missing energy's price that is charged, parts per million.
    pub penalty_short_ppm: u32,
    /// Price of missing energy that the penalty is measured by.
    pub imbalance: Price,
    /// Locked by the buyer.
    pub escrow: Money,
    /// Locked by the seller.
    pub bond: Money,
    /// D: the deal is off for the buyer after it.
    pub deadline: Time,
    /// G: nothing is confirmed from then on.
    pub gate_closure: Time,
    /// T_m: readings are due.
    pub metering_deadline: Time,
    /// Δt: upper limit of the time for deploying or executing the contract, milliseconds.
    pub delta_t: u64,
    /// [`CODE_VERSION`].
    pub code_version: String,
    /// Hash of the terms in plain language ([`Terms::rendering`]).
    pub rendering_hash: Digest,
}

canonical!(Terms[TERMS_BYTES_MAX] {
    version,
    chain_x,
    chain_y,
    genesis_x,
    genesis_y,
    buyer,
    seller,
    aggregator,
    round_hash,
    start,
    length,
    quantity,
    currency,
    price,
    seller_price,
    metering,
    penalty_short_ppm,
    imbalance,
    escrow,
    bond,
    deadline,
    gate_closure,
    metering_deadline,
    delta_t,
    code_version[CODE_VERSION_BYTES_MAX],
    rendering_hash,
});

impl Canonical for Metering {
    fn encode(&self, to: &mut Encoder) {
        let parts = match self {
            Metering::TieLines => None,
            Metering::OwnLine {
                loss_ppm,
                tolerance_ppm,
            } => Some((*loss_ppm, *tolerance_ppm)),
        };
        parts.encode(to);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let parts: Option<(u32, u32)> = Canonical::read(from)?;
        Ok(match parts {
            None => Metering::TieLines,
            Some((loss_ppm, tolerance_ppm)) => Metering::OwnLine {
                loss_ppm,
                tolerance_ppm,
            },
        })
    }
}

impl Terms {
    /// H(terms).
    pub fn hash(&self) -> Digest {
        self.digest("tieline.terms/1")
    }

    /// t1: first instant after delivery.
    pub fn end(&self) -> Time {
        self.start.plus_millis(self.length.millis())
    }

    /// The part that settlement reads.
    pub fn settlement(&self) -> OrderTerms {
        OrderTerms {
            quantity: self.quantity,
            price: self.price,
            seller_price: self.seller_price,
            bond: self.bond,
            imbalance: self.imbalance,
            penalty_short_ppm: self.penalty_short_ppm,
            metering: self.metering,
        }
    }

    /// The most that the buyer can come to owe, ⌈quantity·price⌉.
    pub fn value(&self) -> Money {
        -Price::from_millionths(-self.price.as_millionths()).cost_of(self.quantity)
    }

    /// The order these terms make together with the buyer's nonce.
    pub fn order(&self, nonce: u64) -> OrderId {
        let mut encoder = Encoder::new("tieline.order/1");
        self.genesis_x.encode(&mut encoder);
        self.buyer.encode(&mut encoder);
        nonce.encode(&mut encoder);
        self.hash().encode(&mut encoder);
        OrderId(encoder.digest())
    }
}

/// The unconditional signature that a message of the parties carries: tested by verification nodes, never by a ledger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unconditional {
    /// SHA-256 of the signature, whose bytes came with another message of the same batch.
    Named {
        /// The hash.
        hash: Digest,
    },
    /// The signature itself.
    Carried {
        /// Its bytes.
        bytes: Arc<[u8]>,
    },
}

canonical_enum!(Unconditional { 1 => Named { hash }, 2 => Carried { bytes[UNCONDITIONAL_BYTES_MAX] } });

impl Unconditional {
    /// SHA-256 of the signature's bytes.
    pub fn hash(&self) -> Digest {
        match self {
            Unconditional::Named { hash } => *hash,
            Unconditional::Carried { bytes } => Digest::of(bytes),
        }
    }
}

/// Phase 1: the buyer's demand, signed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// What it wants.
    pub terms: Arc<Terms>,
    /// Chosen by the buyer, once per terms.
    pub nonce: u64,
    /// For the verification nodes of both chains.
    pub unconditional: Unconditional,
    /// The buyer's, for everybody.
    pub signature: Signature,
}

canonical!(Request[REQUEST_BYTES_MAX] {
    terms,
    nonce,
    unconditional,
    signature
});

impl Request {
    /// The order it asks for.
    pub fn order(&self) -> OrderId {
        self.terms.order(self.nonce)
    }

    /// Where the buyer's signature counts.
    pub fn domain(terms: &Terms) -> Domain {
        Domain {
            chain: terms.chain_x.clone(),
            genesis: terms.genesis_x,
            epoch: 0,
            purpose: Purpose::Transaction,
        }
    }

    /// What the buyer signs.
    pub fn message(order: OrderId, unconditional: &Unconditional) -> Vec<u8> {
        let mut encoder = Encoder::new("tieline.request/1");
        order.encode(&mut encoder);
        unconditional.hash().encode(&mut encoder);
        encoder.into_bytes()
    }
}
