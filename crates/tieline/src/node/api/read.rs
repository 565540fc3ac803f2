//! What is final.

use serde::Serialize;
use tieline_chain::block::{Block, Header, transaction_hash};
use tieline_chain::ledger::{Outcome, Receipt};
use tieline_units::Digest;
use tieline_units::canonical::Canonical as _;

use super::super::http::{Ask, Reply};
use super::validators::{Validator, ends, votes};
use super::{Access, disk, look, number};
use crate::commands::chain::words::{DoubleVoteWords, says};
use crate::node::hex::{hex, unhex};

/// Longest key of a record that is looked up, bytes.
const KEY_BYTES_MAX: usize = 1024;

#[derive(Serialize)]
struct Status {
    chain: String,
    genesis: String,
    height: u64,
    block: String,
    time: String,
    epoch: u64,
    epoch_ends: u64,
    votes: bool,
    validators: Vec<Validator>,
    state_root: String,
    waiting: usize,
    waiting_bytes: usize,
    forks: usize,
}

pub(super) fn status(access: &dyn Access) -> Result<Reply, Reply> {
    let own = access.identity();
    let status = look(access, |replica| {
        let (ledger, figures) = (replica.ledger(), replica.figures());
        let (home, tip) = (ledger.home(), ledger.tip());
        let set = ledger.validators();
        Ok(Status {
            chain: home.chain.to_string(),
            genesis: home.genesis.to_string(),
            height: tip.height,
            block: tip.digest.to_string(),
            time: tip.time.to_string(),
            epoch: tip.epoch,
            epoch_ends: ends(replica),
            votes: votes(replica, own)?,
            validators: set.validators.iter().map(Validator::of).collect(),
            state_root: ledger.roots().state_root.to_string(),
            waiting: figures.waiting,
            waiting_bytes: figures.waiting_bytes,
            forks: figures.forks,
        })
    })?;
    let status: Result<_, tieline_chain::store::StoreError> = status;
    Ok(Reply::json(200, &status.map_err(disk)?))
}

#[derive(Serialize)]
struct BlockView {
    block: String,
    header: HeaderView,
    transactions: Vec<TransactionView>,
    receipts: Option<Vec<ReceiptView>>,
    double_votes: Vec<DoubleVoteWords>,
}

#[derive(Serialize)]
struct HeaderView {
    version: u8,
    parent: String,
    height: u64,
    time: String,
    epoch: u64,
    validators: String,
    next_validators: String,
    handover: Option<String>,
    double_votes: Option<String>,
    transactions: u64,
    transactions_root: String,
    state_root_before: String,
    outbox_entries_before: u64,
    outbox_root_before: String,
    context: String,
}

#[derive(Serialize)]
struct TransactionView {
    transaction: String,
    says: String,
}

#[derive(Serialize)]
struct ReceiptView {
    transaction: String,
    outcome: OutcomeView,
}

/// What became of a transaction.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeView {
    /// Names of the transitions.
    Applied(Vec<String>),
    /// Why not.
    Refused(String),
}

impl OutcomeView {
    pub(super) fn of(receipt: Receipt) -> OutcomeView {
        match receipt.outcome {
            Outcome::Applied(transitions) => OutcomeView::Applied(transitions),
            Outcome::Refused(reason) => OutcomeView::Refused(reason),
        }
    }
}

pub(super) fn block(access: &dyn Access, ask: &Ask, part: &str) -> Result<Reply, Reply> {
    let height = number("the height", part)?;
    let found = look(access, |replica| {
        let tip = replica.ledger().tip().height;
        // What is archived above the tip is not executed yet.
        let block = match height <= tip {
            true => replica.store().block(height)?,
            false => None,
        };
        let receipts = replica.store().receipts(height)?;
        let name = block.as_ref().map(|b| b.digest(replica.ledger().home()));
        Ok((block.zip(name), receipts))
    })?;
    let found: Result<_, tieline_chain::store::StoreError> = found;
    let (block, receipts) = found.map_err(disk)?;
    let (block, name) = block.ok_or_else(|| {
        let error = format!("no final block of height {height} is here");
        Reply::wrong(404, &error, "GET /v1/status says how far the chain is")
    })?;
    if ask.is_raw() {
        return Ok(Reply::octets(block.to_bytes()));
    }
    Ok(Reply::json(200, &BlockView::of(&block, name, receipts)))
}

impl BlockView {
    fn of(block: &Block, name: Digest, receipts: Option<Vec<Receipt>>) -> BlockView {
        let transactions = block.body.transactions.iter();
        let receipt = |receipt: Receipt| ReceiptView {
            transaction: receipt.transaction.to_string(),
            outcome: OutcomeView::of(receipt),
        };
        BlockView {
            block: name.to_string(),
            header: HeaderView::of(&block.header),
            transactions: transactions
                .map(|transaction| TransactionView {
                    transaction: transaction_hash(transaction).to_string(),
                    says: says(transaction),
                })
                .collect(),
            receipts: receipts.map(|all| all.into_iter().map(receipt).collect()),
            double_votes: DoubleVoteWords::all(&block.body),
        }
    }
}

impl HeaderView {
    fn of(header: &Header) -> HeaderView {
        HeaderView {
            version: header.version,
            parent: header.parent.to_string(),
            height: header.height,
            time: header.time.to_string(),
            epoch: header.epoch,
            validators: header.validators.to_string(),
            next_validators: header.next_validators.to_string(),
            handover: header.handover.map(|handover| handover.to_string()),
            double_votes: header.double_votes.map(|hash| hash.to_string()),
            transactions: header.transactions,
            transactions_root: header.transactions_root.to_string(),
            state_root_before: header.before.state_root.to_string(),
            outbox_entries_before: header.before.outbox_entries,
            outbox_root_before: header.before.outbox_root.to_string(),
            context: hex(&header.context),
        }
    }
}

pub(super) fn certificate(access: &dyn Access, part: &str) -> Result<Reply, Reply> {
    let height = number("the height", part)?;
    let found = look(access, |replica| replica.store().certificate(height))?;
    let found = found.map_err(disk)?;
    found.map(Reply::octets).ok_or_else(|| {
        let error = format!("block {height} has no certificate of its own here");
        let next = "a later block with one proves it through its parents";
        Reply::wrong(404, &error, next)
    })
}

#[derive(Serialize)]
struct ProofView {
    key: String,
    value: Option<String>,
    proof: String,
    state_height: u64,
    header_height: u64,
    state_root: String,
}

pub(super) fn proof(access: &dyn Access, part: &str) -> Result<Reply, Reply> {
    let key = unhex(part).filter(|key| key.len() <= KEY_BYTES_MAX);
    let key = key.ok_or_else(|| {
        let error = "the key is not hexadecimal, or too long";
        Reply::wrong(400, error, "write its bytes as pairs of 0-9 and a-f")
    })?;
    let found = look(access, |replica| {
        let ledger = replica.ledger();
        let value = replica.store().value(&key)?;
        let proof = ledger.tree().prove(&key);
        let height = ledger.tip().height;
        Ok(ProofView {
            key: hex(&key),
            value: value.map(|value| hex(&value)),
            proof: hex(&proof.to_bytes()),
            state_height: height,
            // The header after a block says what the block left.
            header_height: height + 1,
            state_root: ledger.roots().state_root.to_string(),
        })
    })?;
    let found: Result<ProofView, tieline_chain::store::StoreError> = found;
    Ok(Reply::json(200, &found.map_err(disk)?))
}
