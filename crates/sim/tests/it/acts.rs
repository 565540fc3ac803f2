//! What changes who is registered and who attests, and what only liars say.

use std::sync::Arc;

use tieline_contract::certificate::{Certificate, Statement, VERSION};
use tieline_contract::member::Member;
use tieline_contract::payload::Payload;
use tieline_contract::record_digest;
use tieline_contract::threshold::Committee;
use tieline_contract::transaction::{
    Act, Contradiction, Evidence, NextEpoch, Signed, Transaction, committee_message,
};
use tieline_seal::hybrid::{Domain, PublicKey, Purpose, Signature};
use tieline_seal::merkle::{Proof, root};
use tieline_sim::symbol::sign;
use tieline_sim::village::{Village, chain, genesis, member, seat_key};
use tieline_units::Digest;

use crate::town::{Town, operator};

/// A certificate of an entry that its chain may never have written, with real signatures of these seats.
pub(crate) fn forge(
    name: &str,
    (epoch, height): (u64, u64),
    payload: Payload,
    seats: &[u8],
) -> Arc<Certificate> {
    let statement = Statement {
        chain: chain(name),
        genesis: genesis(name),
        epoch,
        height,
        state_root: Digest::of(b"state root"),
        outbox_entries: 1,
        outbox_root: root(&[payload.hash()]),
    };
    let (domain, message) = (statement.domain(Purpose::Attestation), statement.message());
    let one = |&seat: &u8| -> (u8, Signature) {
        let key = seat_key(name, epoch, usize::from(seat));
        (seat, sign(&key, &domain, &message))
    };
    Arc::new(Certificate {
        version: VERSION,
        chain: statement.chain.clone(),
        genesis: statement.genesis,
        epoch,
        height,
        state_root: statement.state_root,
        proof: Proof::of(&[payload.hash()], 0).unwrap(),
        payload,
        attestations: seats.iter().map(one).collect(),
    })
}

/// The same to be delivered.
pub(crate) fn forged(name: &str, payload: Payload) -> Transaction {
    Transaction::Certificate(forge(name, (0, 77), payload, &[0, 1, 2]))
}

/// Verification nodes of a village's chain whose owner lives on Z, where stakes are.
pub(crate) fn nodes(name: &str, epoch: u64) -> Committee {
    let mut committee = Village::default().committee(name, epoch);
    committee
        .seats
        .iter_mut()
        .for_each(|seat| seat.owner = member("vpp"));
    committee
}

/// The next epoch, approved by these seats of the one before.
pub(crate) fn next_epoch(committee: Committee, approving: &[u8]) -> Transaction {
    let domain = Domain {
        chain: committee.chain.clone(),
        genesis: committee.genesis,
        epoch: committee.epoch - 1,
        purpose: Purpose::Transaction,
    };
    let message = committee_message(&committee);
    let approve = |&seat: &u8| {
        let key = seat_key(committee.chain.as_str(), committee.epoch - 1, seat.into());
        (seat, sign(&key, &domain, &message))
    };
    let approvals = approving.iter().map(approve).collect();
    let candidates = committee.seats.clone();
    Transaction::Epoch(Arc::new(NextEpoch {
        committee: Arc::new(committee),
        candidates,
        approvals,
    }))
}

/// A chain that is to be registered, every seat with a proof that it holds its key.
pub(crate) fn register_chain(committee: Committee) -> Transaction {
    let domain = Domain {
        chain: committee.chain.clone(),
        genesis: committee.genesis,
        epoch: 0,
        purpose: Purpose::Possession,
    };
    let message = committee_message(&committee);
    let seats = committee.seats.iter().enumerate();
    let possession = seats.map(|(index, seat)| (index as u8, sign(&seat.key, &domain, &message)));
    operator(Act::RegisterChain {
        possession: possession.collect(),
        committee: Arc::new(committee),
    })
}

/// An application signed with a key.
pub(crate) fn application(record: Member, with: &PublicKey) -> Transaction {
    let domain = Domain {
        chain: chain("chain-z"),
        genesis: genesis("chain-z"),
        epoch: 0,
        purpose: Purpose::Transaction,
    };
    let by = record.id.clone();
    let act = Act::Register(Arc::new(record));
    let signature = sign(with, &domain, &act.message(&by));
    Transaction::Signed(Arc::new(Signed { by, act, signature }))
}

pub(crate) fn approve(record: &Member) -> Transaction {
    operator(Act::Approve {
        member: record.id.clone(),
        record: record_digest(record),
    })
}

pub(crate) fn revoke(record: &Member) -> Transaction {
    operator(Act::Revoke {
        member: record.id.clone(),
        record: record_digest(record),
    })
}

pub(crate) fn evidence(one: &Arc<Certificate>, other: &Arc<Certificate>) -> Transaction {
    Transaction::Evidence(Arc::new(Evidence {
        one: one.clone(),
        other: Contradiction::Certificate(other.clone()),
    }))
}

impl Town {
    /// A member as Z knows it.
    pub(crate) fn record(&self, who: &str) -> Member {
        self.on("chain-z").member(&member(who)).unwrap().clone()
    }

    /// A member's record changes on Z and on these chains.
    pub(crate) fn change(&mut self, record: Member, on: &[&str]) {
        let key = record.key.clone();
        self.act("chain-z", &application(record.clone(), &key));
        let said = self.act("chain-z", &approve(&record));
        on.iter().for_each(|name| drop(self.tell(name, &said)));
    }

    /// A member is revoked on Z and on these chains.
    pub(crate) fn revoke(&mut self, who: &str, on: &[&str]) {
        let said = self.act("chain-z", &revoke(&self.record(who)));
        on.iter().for_each(|name| drop(self.tell(name, &said)));
    }

    /// Two seats of a chain's epoch 0 are shown to have signed two things; the chains of the list hear of it.
    pub(crate) fn freeze(&mut self, name: &str, on: &[&str]) {
        let order = tieline_contract::terms::OrderId(Digest::of(b"some order"));
        let one = forge(name, (0, 500), Payload::Void(order), &[0, 1]);
        let other = forge(name, (0, 500), Payload::Reject(order), &[0, 1]);
        let said = self.act("chain-z", &evidence(&one, &other));
        on.iter().for_each(|name| drop(self.tell(name, &said)));
    }
}
