//! Who is in charge, and who comes next.

use serde::Serialize;
use tieline_chain::replica::Replica;
use tieline_chain::store::StoreError;
use tieline_chain::validators::{Handover, Validator as Member, ValidatorSet};
use tieline_units::canonical::Canonical as _;

use super::super::http::{Ask, OCTETS, Reply};
use super::{Access, look};
use crate::node::hex::hex;

#[derive(Serialize)]
struct Present {
    epoch: u64,
    epoch_blocks: u64,
    epoch_ends: u64,
    quorum: usize,
    hash: String,
    validators: Vec<Validator>,
    waiting: Option<Next>,
}

#[derive(Serialize)]
struct Next {
    epoch: u64,
    handover: String,
    validators: Vec<Validator>,
}

#[derive(Serialize)]
pub(super) struct Validator {
    identity: String,
    owner: String,
}

impl Validator {
    pub(super) fn of(member: &Member) -> Validator {
        Validator {
            identity: hex(&member.identity),
            owner: member.owner.to_string(),
        }
    }
}

impl Next {
    fn of(handover: &Handover) -> Next {
        Next {
            epoch: handover.next.epoch,
            handover: handover.hash().to_string(),
            validators: listed(&handover.next),
        }
    }
}

fn listed(set: &ValidatorSet) -> Vec<Validator> {
    set.validators.iter().map(Validator::of).collect()
}

/// Height of the last block of the epoch that the next block belongs to.
pub(super) fn ends(replica: &Replica) -> u64 {
    let blocks = replica.epoch_blocks();
    (replica.epoch() + 1)
        .saturating_mul(blocks)
        .saturating_sub(1)
}

/// Whether the node of this identity votes on the next block.
pub(super) fn votes(replica: &Replica, own: [u8; 32]) -> Result<bool, StoreError> {
    let mut set = replica.ledger().validators().validators.iter();
    Ok(set.any(|it| it.identity == own) && replica.may_vote(replica.epoch())?)
}

pub(super) fn present(access: &dyn Access, ask: &Ask) -> Result<Reply, Reply> {
    if ask.is_raw() {
        let set = look(access, |replica| replica.ledger().validators().to_bytes())?;
        return Ok(Reply::octets(set));
    }
    let present = look(access, |replica| {
        let set = replica.ledger().validators();
        Present {
            epoch: set.epoch,
            epoch_blocks: replica.epoch_blocks(),
            epoch_ends: ends(replica),
            quorum: set.quorum(),
            hash: set.hash().to_string(),
            validators: listed(set),
            waiting: replica.waiting_handover().map(|it| Next::of(it)),
        }
    })?;
    Ok(Reply::json(200, &present))
}

pub(super) fn hand_over(access: &dyn Access, ask: &Ask) -> Result<Reply, Reply> {
    let bytes = "send the canonical bytes of one handover, as tieline chain handover submit does";
    if !ask.kind.is_empty() && !ask.kind.starts_with(OCTETS) {
        let error = format!("the body must be of Content-Type {OCTETS}");
        return Err(Reply::wrong(400, &error, bytes));
    }
    let handover = Handover::decode(&ask.body).map_err(|error| {
        let error = format!("the body is no handover: {error}");
        Reply::wrong(400, &error, bytes)
    })?;
    let next = Next::of(&handover);
    access.hand_over(handover).map_err(|error| {
        let next = "GET /v1/validators says who has to sign; the next set has the next epoch";
        Reply::wrong(422, &error, next)
    })?;
    Ok(Reply::json(202, &next))
}
