//! What a ledger can be asked to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tieline_units::canonical::Canonical;
use tieline_units::{ChainId, Digest, Energy, MicrogridId, Money, Time, canonical, canonical_enum};

use crate::bounds::{
    CANDIDATES_MAX, FLOWS_MAX, ROUND_ORDERS_MAX, SEALED_BYTES_MAX, TRANSACTION_BYTES_MAX,
};
use crate::certificate::{Certificate, Statement};
use crate::member::{Member, MeterBatch};
use crate::state::Tariff;
use crate::terms::{OrderId, Request, Unconditional};
use crate::threshold::{Committee, SEATS_MAX, Seat};
use crate::trade::KeyReturn;
use tieline_seal::hybrid::Signature;

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transaction {
    /// T1, phase 1.
    Request(Arc<Request>),
    /// T0: both gateways at once, where both sides are on one chain.
    Local {
        /// The buyer's.
        request: Arc<Request>,
        /// The seller's [`Act::Accept`].
        answer: Arc<Signed>,
    },
    /// What a registered party does.
    Signed(Arc<Signed>),
    /// What another ledger said; by any relayer.
    Certificate(Arc<Certificate>),
    /// T3': a request's time is up, also before it came.
    TimeoutRequest(Arc<Request>),
    /// T5': the buyer's time is up.
    Timeout(OrderId),
    /// T6': the gate is closed.
    Void(OrderId),
    /// T8': readings are overdue.
    Default(OrderId),
    /// T7: a meter's batch.
    Meter(Arc<MeterBatch>),
    /// T14: the next verification nodes of this chain.
    Epoch(Arc<NextEpoch>),
    /// T14: an epoch of this chain is over.
    CloseEpoch(u64),
    /// T15: somebody contradicted itself.
    Evidence(Arc<Evidence>),
    /// T16: a settlement period of a pair of chains is over.
    Net {
        /// The lesser name.
        one: ChainId,
        /// The greater.
        other: ChainId,
    },
}

canonical_enum!(Transaction[TRANSACTION_BYTES_MAX] {
    1 => Request(request), 2 => Local { request, answer }, 3 => Signed(signed), 4 => Certificate(certificate),
    5 => TimeoutRequest(request), 6 => Timeout(order), 7 => Void(order), 8 => Default(order),
    9 => Meter(batch), 10 => Epoch(next), 11 => CloseEpoch(epoch), 12 => Evidence(evidence), 13 => Net { one, other },
});

/// What a registered party does, by its own signature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// T4, phase 4: the seller's tentative yes with its blinded response.
    Accept {
        /// To which order.
        order: OrderId,
        /// Binds the seller to its response.
        response_commitment: Digest,
        /// The response, for the buyer's eyes.
        sealed_response: Arc<[u8]>,
        /// For the verification nodes of both chains.
        unconditional: Unconditional,
    },
    /// T4': the seller's no.
    Decline(OrderId),
    /// T5k, phase 5.
    KeyReturn {
        /// Of which order.
        order: OrderId,
        /// The key, sealed, and where it comes from.
        key: Arc<KeyReturn>,
    },
    /// T11: an application; signed with the key that it names.
    Register(Arc<Member>),
    /// T11: the operator lets an applicant in.
    Approve {
        /// Who.
        member: MicrogridId,
        /// Digest of the application.
        record: Digest,
    },
    /// T11: a member starts nothing new.
    Revoke {
        /// Who.
        member: MicrogridId,
        /// Digest of the record as it stands.
        record: Digest,
    },
    /// T11: a chain with its first verification nodes.
    RegisterChain {
        /// Epoch 0.
        committee: Arc<Committee>,
        /// By seat: each key's own signature on the committee.
        possession: BTreeMap<u8, Signature>,
    },
    /// T12.
    Deposit {
        /// Its number, from 0.
        sequence: u64,
        /// Whose.
        member: MicrogridId,
        /// How much.
        amount: Money,
    },
    /// T12: the same, credited on Z wherever the member's home is: what it stands for verification nodes with.
    Stake {
        /// Its number, counted with the deposits.
        sequence: u64,
        /// Whose.
        member: MicrogridId,
        /// How much.
        amount: Money,
    },
    /// T13.
    Round {
        /// Hash of the cleared round's certificate.
        hash: Digest,
        /// Its orders.
        orders: BTreeSet<OrderId>,
    },
    /// T17.
    Tariff {
        /// First instant of the interval.
        start: Time,
        /// Its prices.
        tariff: Tariff,
    },
    /// T18: what meters show beyond orders is with the grid.
    Imbalance {
        /// First instant of the interval.
        start: Time,
        /// Net flow of each member over it, export positive, as the batches of its meters came to on its home chain.
        flows: BTreeMap<MicrogridId, Energy>,
    },
}

canonical_enum!(Act {
    1 => Accept { order, response_commitment, sealed_response[SEALED_BYTES_MAX], unconditional }, 2 => Decline(order),
    3 => KeyReturn { order, key }, 4 => Register(member), 5 => Approve { member, record },
    6 => Revoke { member, record }, 7 => RegisterChain { committee, possession[SEATS_MAX] },
    8 => Deposit { sequence, member, amount }, 9 => Round { hash, orders[ROUND_ORDERS_MAX] }, 10 => Tariff { start, tariff },
    11 => Stake { sequence, member, amount }, 12 => Imbalance { start, flows[FLOWS_MAX] },
});

/// An act with its signature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signed {
    /// Who.
    pub by: MicrogridId,
    /// Does what.
    pub act: Act,
    /// Its signature on [`Act::message`].
    pub signature: Signature,
}

canonical!(Signed { by, act, signature });

impl Act {
    /// What the party signs.
    pub fn message(&self, by: &MicrogridId) -> Vec<u8> {
        let mut encoder = tieline_units::Encoder::new("tieline.act/1");
        by.encode(&mut encoder);
        self.encode(&mut encoder);
        encoder.into_bytes()
    }
}

/// The next verification nodes, as the present ones approve them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NextEpoch {
    /// They.
    pub committee: Arc<Committee>,
    /// Who could have been selected.
    pub candidates: Vec<Seat>,
    /// Signatures of present members by seat, on [`committee_message`].
    pub approvals: BTreeMap<u8, Signature>,
}

canonical!(NextEpoch {
    committee,
    candidates[CANDIDATES_MAX],
    approvals[SEATS_MAX]
});

/// What members approve, and what seats prove their keys on.
pub fn committee_message(committee: &Committee) -> Vec<u8> {
    committee.digest("tieline.committee/1").as_bytes().to_vec()
}

/// What contradicts a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contradiction {
    /// Another certificate.
    Certificate(Arc<Certificate>),
    /// The finalised block of that height.
    Final {
        /// What it says.
        statement: Statement,
        /// At least n_k - f_k members of the epoch, by seat.
        signatures: BTreeMap<u8, Signature>,
    },
}

canonical_enum!(Contradiction { 1 => Certificate(certificate), 2 => Final { statement, signatures[SEATS_MAX] } });

/// Two things that cannot both be true.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// A certificate, or one attestation alone.
    pub one: Arc<Certificate>,
    /// What contradicts it.
    pub other: Contradiction,
}

canonical!(Evidence { one, other });
