//! A chain with four epochs of validators, and what a server can show of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_chain::block::{Block, Body, Parent};
use tieline_chain::ledger::Ledger;
use tieline_chain::light::{FinalityStatement, LightClient, Trail, Votes};
use tieline_chain::records;
use tieline_chain::tree::StateProof;
use tieline_chain::validators::ValidatorSet;
use tieline_contract::payload::Payload;
use tieline_contract::state::Account;
use tieline_seal::hybrid::{Purpose, Signature};
use tieline_seal::merkle::Proof;
use tieline_sim::symbol::{Symbolic, sign};
use tieline_sim::village::{Village, deposit, member};
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Money, Time};

use crate::world::{block_with, handover, home, ledger, validator_key, validators};

pub(super) const NAME: &str = "chain-z";

/// Epoch 0 is blocks 1 to 5, epoch 1 is 6 to 10, and so on.
pub(super) const EPOCH_BLOCKS: u64 = 5;

pub(super) const BLOCKS: u64 = 19;

pub(super) struct Story {
    pub(super) start: (Parent, Arc<ValidatorSet>),
    pub(super) blocks: Vec<Block>,
    /// After each block; the first is the genesis.
    pub(super) ledgers: Vec<Ledger>,
}

pub(super) type Shown = Trail<Votes>;

/// Deposits are in every block: two in each.
pub(super) fn story() -> Story {
    let mut ledger = ledger(&Village::default(), NAME);
    let start = (*ledger.tip(), ledger.validators().clone());
    let (mut blocks, mut ledgers) = (Vec::new(), vec![ledger.clone()]);
    for height in 1..=BLOCKS {
        let two = [2 * height - 2, 2 * height - 1];
        let who = ["mg-x", "vpp", "mg-y"][height as usize % 3];
        let money = Money::from_millionths(height as i64);
        let last = height.is_multiple_of(EPOCH_BLOCKS);
        let body = Body {
            transactions: two.map(|number| deposit(number, who, money)).into(),
            handover: last.then(|| Arc::new(handover(NAME, (height - 1) / EPOCH_BLOCKS))),
            ..Body::default()
        };
        let block = block_with(&ledger, Time::from_millis(800_000_000 + height), body);
        ledger.execute(&block, &Symbolic).unwrap();
        blocks.push(block);
        ledgers.push(ledger.clone());
    }
    Story {
        start,
        blocks,
        ledgers,
    }
}

impl Story {
    pub(super) fn client(&self) -> LightClient {
        LightClient::from_parts(home(NAME), self.start.0, self.start.1.clone())
    }

    pub(super) fn block(&self, height: u64) -> &Block {
        &self.blocks[height as usize - 1]
    }

    /// Headers `from` to `to`, with the votes of these validators on the last.
    pub(super) fn trail(&self, from: u64, to: u64, who: &[u8]) -> Shown {
        let headers: Vec<_> = (from..=to)
            .map(|height| self.block(height).header.clone())
            .collect();
        let statement = FinalityStatement::of(&home(NAME), headers.last().unwrap());
        Trail {
            proof: votes(&statement, Purpose::Finality, who),
            headers,
        }
    }

    /// The set that a block hands over to.
    pub(super) fn next(&self, height: u64) -> Option<Arc<ValidatorSet>> {
        let handover = self.block(height).body.handover.as_ref()?;
        Some(handover.next.clone())
    }

    /// A client that has seen the last block of each epoch before `epoch`.
    pub(super) fn client_in(&self, epoch: u64) -> LightClient {
        let mut client = self.client();
        for past in 1..=epoch {
            let height = past * EPOCH_BLOCKS;
            let trail = self.trail(height, height, &[0, 1, 2]);
            let next = self.next(height);
            client.advance(&trail, next.as_ref(), &Symbolic).unwrap();
        }
        client
    }

    /// An entry of a block's outbox with its proof, for the header after it.
    pub(super) fn entry(&self, height: u64, index: usize) -> (Payload, Proof) {
        let state = self.ledgers[height as usize].state();
        let entries: Vec<_> = state.outbox(height).cloned().collect();
        let leaves: Vec<Digest> = entries.iter().map(|entry| entry.hash()).collect();
        let proof = Proof::of(&leaves, index).unwrap();
        ((*entries[index]).clone(), proof)
    }

    /// What an account holds after a block, with its proof for the header after it.
    pub(super) fn account(&self, height: u64, who: &str) -> (Vec<u8>, Option<Vec<u8>>, StateProof) {
        let ledger = &self.ledgers[height as usize];
        let account = Account::Clearing(member(who));
        let key = records::account(&account);
        let balance = ledger.state().balance(&account);
        let value = (balance != Money::ZERO).then(|| balance.to_bytes());
        let proof = ledger.tree().prove(&key);
        (key, value, proof)
    }
}

pub(super) fn votes(statement: &FinalityStatement, purpose: Purpose, who: &[u8]) -> Votes {
    let domain = statement.home.domain(statement.epoch, purpose);
    let one = |&index: &u8| -> (u8, Signature) {
        let key = validator_key(NAME, statement.epoch, index);
        (index, sign(&key, &domain, &statement.message()))
    };
    let signatures: BTreeMap<_, _> = who.iter().map(one).collect();
    Votes { signatures }
}

/// A set nobody handed over to.
pub(super) fn strangers(epoch: u64) -> Arc<ValidatorSet> {
    Arc::new(ValidatorSet {
        epoch,
        ..validators("chain-y", epoch)
    })
}
