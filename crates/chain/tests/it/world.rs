//! Chains of the village with validators, whose signatures are symbols.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_chain::block::{Block, Body, Parent, Proposal};
use tieline_chain::validators::{Handover, Validator, ValidatorSet};
use tieline_chain::{Home, Ledger};
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::{PublicKey, Purpose, Signature};
use tieline_sim::symbol::{key, sign};
use tieline_sim::village::{Village, chain, genesis, member};
use tieline_units::Time;

pub(crate) fn home(name: &str) -> Home {
    Home {
        chain: chain(name),
        genesis: genesis(name),
    }
}

pub(crate) fn validator_key(name: &str, epoch: u64, index: u8) -> PublicKey {
    key(&format!("{name} validator {index} of epoch {epoch}"))
}

pub(crate) fn validators(name: &str, epoch: u64) -> ValidatorSet {
    let one = |index: u8| Validator {
        identity: [index + 1; 32],
        key: validator_key(name, epoch, index),
        owner: member("vpp"),
    };
    ValidatorSet {
        epoch,
        validators: (0..4).map(one).collect(),
    }
}

/// Signatures of these validators.
pub(crate) fn signatures(
    name: &str,
    (epoch, purpose): (u64, Purpose),
    message: &[u8],
    who: &[u8],
) -> BTreeMap<u8, Signature> {
    let domain = home(name).domain(epoch, purpose);
    let one = |&index: &u8| {
        let key = validator_key(name, epoch, index);
        (index, sign(&key, &domain, message))
    };
    who.iter().map(one).collect()
}

/// From an epoch to the next.
pub(crate) fn handover(name: &str, epoch: u64) -> Handover {
    let next = Arc::new(validators(name, epoch + 1));
    let message = Handover::message(&next);
    Handover {
        approvals: signatures(name, (epoch, Purpose::Transaction), &message, &[0, 1, 3]),
        possession: signatures(
            name,
            (epoch + 1, Purpose::Possession),
            &message,
            &[0, 1, 2, 3],
        ),
        next,
    }
}

/// One of the village's ledgers as a chain before its first block.
pub(crate) fn ledger(village: &Village, name: &str) -> Ledger {
    let records = village.ledger(name).records();
    let set = Arc::new(validators(name, 0));
    let tip = Parent {
        digest: genesis(name),
        height: 0,
        time: Time::default(),
        epoch: 0,
        validators: set.hash(),
    };
    let pairs = records.iter().map(|(key, value)| (&key[..], &value[..]));
    Ledger::load(&home(name), pairs, tip, set).unwrap()
}

pub(crate) fn block(ledger: &Ledger, time: Time, transactions: Vec<Transaction>) -> Block {
    block_with(
        ledger,
        time,
        Body {
            transactions,
            handover: None,
            ..Body::default()
        },
    )
}

pub(crate) fn block_with(ledger: &Ledger, time: Time, body: Body) -> Block {
    let context = Vec::new();
    let proposal = Proposal {
        time,
        body,
        context,
    };
    ledger.propose(proposal).unwrap()
}

/// Whether the long tests run: `TIELINE_SLOW=1`.
pub(crate) fn slow() -> bool {
    std::env::var("TIELINE_SLOW").is_ok_and(|value| value == "1")
}
