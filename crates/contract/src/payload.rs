//! What one ledger says to another: the entries of its outbox.

use std::sync::Arc;

use tieline_units::canonical::Canonical;
use tieline_units::{ChainId, Digest, Energy, MicrogridId, Money, canonical, canonical_enum};

use crate::bounds::{SEALED_BYTES_MAX, TRANSFERS_MAX};
use crate::member::Member;
use crate::settlement::Settlement;
use crate::terms::{OrderId, Request};
use crate::threshold::Committee;

/// Which kind of entry: REQ ACC REJ COM REF VOID, MET of either end, SET ROT DEP NET REG FRZ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// REQ, X to Y: a request is locked.
    Request,
    /// ACC, Y to X: tentatively accepted.
    Accept,
    /// REJ, Y to X: will never be accepted.
    Reject,
    /// COM, X to Y and Z: the buyer is bound.
    Commit,
    /// REF, X to Y: the buyer has its money back.
    Refund,
    /// VOID, Y to X: will never be confirmed.
    Void,
    /// MET_x, X to Z: what the buyer took.
    Taken,
    /// MET_y, Y to Z: what the seller delivered.
    Delivered,
    /// SET, Z to X and Y: what the order comes to.
    Settle,
    /// ROT, any chain to all: the next verification nodes.
    Rotate,
    /// DEP, Z to a home chain.
    Deposit,
    /// NET, Z to a pair of chains.
    Net,
    /// REG, Z to all.
    Register,
    /// FRZ, Z to all.
    Freeze,
}

canonical_enum!(Kind {
    1 => Request, 2 => Accept, 3 => Reject, 4 => Commit, 5 => Refund, 6 => Void, 7 => Taken, 8 => Delivered,
    9 => Settle, 10 => Rotate, 11 => Deposit, 12 => Net, 13 => Register, 14 => Freeze,
});

/// What an entry is about: no chain ever says two things of one kind on one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An order.
    Order(OrderId),
    /// The kind's own sequence number on its chain.
    Sequence(u64),
}

canonical_enum!(Subject { 1 => Order(id), 2 => Sequence(number) });

/// ACC: the seller's tentative yes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Acceptance {
    /// Of which order.
    pub order: OrderId,
    /// Of which terms.
    pub terms_hash: Digest,
    /// Binds the seller to its response without showing it.
    pub response_commitment: Digest,
    /// The response, for the buyer's eyes.
    pub sealed_response: Arc<[u8]>,
}

canonical!(Acceptance {
    order,
    terms_hash,
    response_commitment,
    sealed_response[SEALED_BYTES_MAX]
});

impl Acceptance {
    /// The trade hash: what the buyer writes on X in phase 5, and Y finds in the COM certificate.
    pub fn hash(&self) -> Digest {
        self.digest("tieline.trade/1")
    }
}

/// COM: the buyer is bound to the trade.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment {
    /// The request, for Z which has not seen it.
    pub request: Arc<Request>,
    /// Hash of the acceptance that X consumed.
    pub trade_hash: Digest,
}

canonical!(Commitment {
    request,
    trade_hash
});

/// MET: one end's reading of one order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reading {
    /// The request, for Z.
    pub request: Arc<Request>,
    /// q_x or q_y.
    pub energy: Energy,
    /// Hash of the acceptance (from X) or of the COM that Y consumed, which proves to Z that it did.
    pub trade_hash: Digest,
}

canonical!(Reading {
    request,
    energy,
    trade_hash
});

/// SET: what an order comes to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome {
    /// Which order.
    pub order: OrderId,
    /// Of which terms.
    pub terms_hash: Digest,
    /// What is paid, and for how much energy.
    pub settlement: Settlement,
}

canonical!(Outcome {
    order,
    terms_hash,
    settlement
});

canonical!(Settlement {
    settled,
    payment,
    to_seller,
    to_aggregator,
    short,
    penalty,
    disputed
});

/// ROT: the life of a chain's epochs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rotation {
    /// The next verification nodes of the chain that says so.
    Opened(Arc<Committee>),
    /// The chain that says so knows `chain`'s epoch.
    Acknowledged {
        /// Whose.
        chain: ChainId,
        /// Which.
        epoch: u64,
    },
    /// Nothing is attested under this epoch any more; its keys are erased.
    Closed {
        /// Which, of the chain that says so.
        epoch: u64,
    },
}

canonical_enum!(Rotation { 1 => Opened(committee), 2 => Acknowledged { chain, epoch }, 3 => Closed { epoch } });

/// DEP: money that came in from outside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deposit {
    /// Whose.
    pub member: MicrogridId,
    /// Its home chain, where it is credited.
    pub home: ChainId,
    /// How much.
    pub amount: Money,
}

canonical!(Deposit {
    member,
    home,
    amount
});

/// One member's money on a foreign chain that goes home.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transfer {
    /// Whose.
    pub party: MicrogridId,
    /// The chain it lies on.
    pub from: ChainId,
    /// The party's home chain.
    pub to: ChainId,
    /// How much.
    pub amount: Money,
}

canonical!(Transfer {
    party,
    from,
    to,
    amount
});

/// REG: a member, new or changed, or a chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Registration {
    /// A member as it stands from now on; a revoked one starts nothing new.
    Member(Arc<Member>),
    /// A chain and its verification nodes of epoch 0.
    Chain(Arc<Committee>),
}

canonical_enum!(Registration { 1 => Member(member), 2 => Chain(committee) });

/// An entry of an outbox.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payload {
    /// REQ.
    Request(Arc<Request>),
    /// ACC.
    Accept(Arc<Acceptance>),
    /// REJ.
    Reject(OrderId),
    /// COM.
    Commit(Arc<Commitment>),
    /// REF.
    Refund(OrderId),
    /// VOID.
    Void(OrderId),
    /// MET_x.
    Taken(Arc<Reading>),
    /// MET_y.
    Delivered(Arc<Reading>),
    /// SET.
    Settle(Arc<Outcome>),
    /// ROT.
    Rotate {
        /// Its number on the chain that says it.
        sequence: u64,
        /// What.
        rotation: Rotation,
    },
    /// DEP.
    Deposit {
        /// Its number.
        sequence: u64,
        /// What.
        deposit: Deposit,
    },
    /// NET.
    Net {
        /// Its number.
        sequence: u64,
        /// What goes from chain to chain.
        transfers: Vec<Transfer>,
    },
    /// REG.
    Register {
        /// Its number.
        sequence: u64,
        /// What.
        registration: Registration,
    },
    /// FRZ: no new orders under an epoch in which verification nodes contradicted themselves.
    Freeze {
        /// Its number.
        sequence: u64,
        /// Whose.
        chain: ChainId,
        /// Which.
        epoch: u64,
    },
}

canonical_enum!(Payload {
    1 => Request(request), 2 => Accept(acceptance), 3 => Reject(order), 4 => Commit(commitment), 5 => Refund(order),
    6 => Void(order), 7 => Taken(reading), 8 => Delivered(reading), 9 => Settle(outcome),
    10 => Rotate { sequence, rotation }, 11 => Deposit { sequence, deposit }, 12 => Net { sequence, transfers[TRANSFERS_MAX] },
    13 => Register { sequence, registration }, 14 => Freeze { sequence, chain, epoch },
});

impl Payload {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Payload::Request(_) => Kind::Request,
            Payload::Accept(_) => Kind::Accept,
            Payload::Reject(_) => Kind::Reject,
            Payload::Commit(_) => Kind::Commit,
            Payload::Refund(_) => Kind::Refund,
            Payload::Void(_) => Kind::Void,
            Payload::Taken(_) => Kind::Taken,
            Payload::Delivered(_) => Kind::Delivered,
            Payload::Settle(_) => Kind::Settle,
            Payload::Rotate { .. } => Kind::Rotate,
            Payload::Deposit { .. } => Kind::Deposit,
            Payload::Net { .. } => Kind::Net,
            Payload::Register { .. } => Kind::Register,
            Payload::Freeze { .. } => Kind::Freeze,
        }
    }

    /// What it is about.
    pub fn subject(&self) -> Subject {
        match self {
            Payload::Request(request) => Subject::Order(request.order()),
            Payload::Accept(acceptance) => Subject::Order(acceptance.order),
            Payload::Reject(order) | Payload::Refund(order) | Payload::Void(order) => {
                Subject::Order(*order)
            }
            Payload::Commit(commitment) => Subject::Order(commitment.request.order()),
            Payload::Taken(reading) | Payload::Delivered(reading) => {
                Subject::Order(reading.request.order())
            }
            Payload::Settle(outcome) => Subject::Order(outcome.order),
            Payload::Rotate { sequence, .. }
            | Payload::Deposit { sequence, .. }
            | Payload::Net { sequence, .. }
            | Payload::Register { sequence, .. }
            | Payload::Freeze { sequence, .. } => Subject::Sequence(*sequence),
        }
    }

    /// The leaf of the outbox's tree.
    pub fn hash(&self) -> Digest {
        self.digest("tieline.outbox-entry/1")
    }
}
