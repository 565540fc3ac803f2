//! The states of an order on the three ledgers.

use std::sync::Arc;

use tieline_units::canonical::Canonical;
use tieline_units::{Digest, Energy, canonical, canonical_enum};

use crate::bounds::SEALED_BYTES_MAX;
use crate::payload::Acceptance;
use crate::settlement::Settlement;
use crate::terms::{Request, Unconditional};
use tieline_seal::keys::Agreement;

/// Where an order stands on the buyer's chain X. The last two are for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuyerState {
    /// The escrow is locked, the request is out.
    Locked,
    /// The buyer is bound; whether the order is on, Y decides.
    Committed,
    /// Paid.
    Settled,
    /// The escrow went back.
    Refunded,
}

canonical_enum!(BuyerState { 1 => Locked, 2 => Committed, 3 => Settled, 4 => Refunded });

/// Where an order stands on the seller's chain Y. The last three are for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SellerState {
    /// The request arrived.
    Offered,
    /// Tentatively accepted: capacity and bond are reserved.
    Accepted,
    /// The order is on: only now may the seller dispatch.
    Confirmed,
    /// Delivered and settled.
    Settled,
    /// Never accepted.
    Rejected,
    /// Never confirmed.
    Voided,
}

canonical_enum!(SellerState {
    1 => Offered, 2 => Accepted, 3 => Confirmed, 4 => Settled, 5 => Rejected, 6 => Voided,
});

/// Where an order stands on the VPP's ledger Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VppState {
    /// Something is known: the commitment, readings.
    Open,
    /// Written once.
    Settled,
}

canonical_enum!(VppState { 1 => Open, 2 => Settled });

/// Phase 5: x_i returns the key of the trade.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyReturn {
    /// Hash of the key.
    pub key_hash: Digest,
    /// The key, sealed to the seller.
    pub sealed_key: Arc<[u8]>,
    /// Where the pair's key comes from.
    pub agreement: Agreement,
    /// For the verification nodes of both chains.
    pub unconditional: Unconditional,
}

canonical!(KeyReturn {
    key_hash,
    sealed_key[SEALED_BYTES_MAX],
    agreement,
    unconditional
});

/// An order on the buyer's chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purchase {
    /// The request.
    pub request: Arc<Request>,
    /// Where it stands.
    pub state: BuyerState,
    /// Epoch of V_x whose members hold the keys of the request's unconditional signature.
    pub epoch: u64,
    /// Hash of the acceptance that bound the buyer.
    pub trade_hash: Option<Digest>,
    /// The key, once returned.
    pub key: Option<Arc<KeyReturn>>,
    /// q_x, once metered.
    pub taken: Option<Energy>,
    /// q, once settled.
    pub settled: Option<Energy>,
}

canonical!(Purchase {
    request,
    state,
    epoch,
    trade_hash,
    key,
    taken,
    settled
});

/// An order on the seller's chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sale {
    /// The request; `None` where it was timed out before it came.
    pub request: Option<Arc<Request>>,
    /// Where it stands.
    pub state: SellerState,
    /// Epoch of V_y whose members test the parties' unconditional signatures.
    pub epoch: u64,
    /// The acceptance.
    pub acceptance: Option<Arc<Acceptance>>,
    /// Hash of the commitment that Y consumed.
    pub commit_hash: Option<Digest>,
    /// q_y, once metered.
    pub delivered: Option<Energy>,
    /// q, once settled.
    pub settled: Option<Energy>,
}

canonical!(Sale {
    request,
    state,
    epoch,
    acceptance,
    commit_hash,
    delivered,
    settled
});

impl Sale {
    /// Whether the seller may turn its plant on for this order.
    pub fn may_dispatch(&self) -> bool {
        matches!(self.state, SellerState::Confirmed | SellerState::Settled)
    }
}

/// One end's reading as Z knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attested {
    /// The reading.
    pub energy: Energy,
    /// t'_d: how many attested it, for formula (16).
    pub signers: u8,
    /// Of which epoch.
    pub epoch: u64,
}

canonical!(Attested {
    energy,
    signers,
    epoch
});

/// An order on the VPP's ledger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settling {
    /// The request.
    pub request: Arc<Request>,
    /// Where it stands.
    pub state: VppState,
    /// Whether X's commitment is known.
    pub committed: bool,
    /// MET_x.
    pub taken: Option<Attested>,
    /// MET_y.
    pub delivered: Option<Attested>,
    /// What it comes to.
    pub settlement: Option<Settlement>,
}

canonical!(Settling {
    request,
    state,
    committed,
    taken,
    delivered,
    settlement
});

impl Settling {
    /// A fresh record.
    pub fn open(request: Arc<Request>) -> Settling {
        Settling {
            request,
            state: VppState::Open,
            committed: false,
            taken: None,
            delivered: None,
            settlement: None,
        }
    }
}

/// Hash of a commitment: what MET_y carries to prove that Y consumed it.
pub fn commit_hash(commitment: &crate::payload::Commitment) -> Digest {
    commitment.digest("tieline.commitment/1")
}
