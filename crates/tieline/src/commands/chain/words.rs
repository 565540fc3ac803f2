//! Blocks, transactions and what became of them, in plain words.

use serde::Serialize;
use tieline_chain::Receipt;
use tieline_chain::block::{Block, Body, transaction_hash};
use tieline_chain::double_vote::{DoubleVote, VoteKind};
use tieline_chain::ledger::Outcome;
use tieline_contract::payload::Payload;
use tieline_contract::terms::{OrderId, Request};
use tieline_contract::transaction::{Act, Signed, Transaction};
use tieline_units::Digest;

/// A block.
#[derive(Serialize)]
pub(super) struct BlockWords {
    height: u64,
    digest: String,
    parent: String,
    time: String,
    epoch: u64,
    /// Validators that the block hands over to.
    #[serde(skip_serializing_if = "Option::is_none")]
    hands_over_to: Option<usize>,
    /// Validators that it shows to have voted for two things.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accuses: Vec<DoubleVoteWords>,
    /// After the block before.
    state_root_before: String,
    certificate_bytes: Option<usize>,
    transactions: Vec<TransactionWords>,
}

/// A validator that voted for two things.
#[derive(Serialize)]
pub(crate) struct DoubleVoteWords {
    /// Its place in the set that is in charge of the block.
    validator: u8,
    /// Epoch of the engine.
    agreement: u64,
    /// What both votes do.
    votes: [&'static str; 2],
}

impl DoubleVoteWords {
    /// Those of a block.
    pub(crate) fn all(body: &Body) -> Vec<DoubleVoteWords> {
        let one = |double: &DoubleVote| DoubleVoteWords {
            validator: double.validator,
            agreement: double.agreement,
            votes: [&double.one, &double.other].map(|vote| match vote.kind {
                VoteKind::Notarize => "notarize",
                VoteKind::Nullify => "nullify",
                VoteKind::Finalize => "finalize",
            }),
        };
        body.double_votes.iter().map(one).collect()
    }
}

/// A transaction.
#[derive(Serialize)]
struct TransactionWords {
    hash: String,
    says: String,
    /// Left out where nobody has executed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<bool>,
    /// Transitions that it made, or why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
}

impl BlockWords {
    /// `receipts`: one per transaction, where they are known.
    pub(super) fn of(
        (block, digest): (&Block, Digest),
        certificate: Option<&[u8]>,
        receipts: Option<&[Receipt]>,
    ) -> BlockWords {
        let header = &block.header;
        let transactions = block.body.transactions.iter().enumerate();
        let one = |(index, transaction): (usize, &Transaction)| {
            let receipt = receipts.and_then(|receipts| receipts.get(index));
            TransactionWords::of(transaction, receipt)
        };
        BlockWords {
            height: header.height,
            digest: digest.to_string(),
            parent: header.parent.to_string(),
            time: header.time.to_string(),
            epoch: header.epoch,
            hands_over_to: block.body.handover.as_ref().map(|h| h.next.size()),
            accuses: DoubleVoteWords::all(&block.body),
            state_root_before: header.before.state_root.to_string(),
            certificate_bytes: certificate.map(<[u8]>::len),
            transactions: transactions.map(one).collect(),
        }
    }

    /// Lines for people.
    pub(super) fn text(&self) -> String {
        let certificate = match self.certificate_bytes {
            None => "none of its own".to_owned(),
            Some(bytes) => format!("{bytes} bytes, not checked"),
        };
        let mut text = format!(
            "block {}\n  name         {}\n  follows      {}\n  time         {}\n  epoch        {}\n  \
             state before {}\n  certificate  {certificate}\n",
            self.height, self.digest, self.parent, self.time, self.epoch, self.state_root_before
        );
        if let Some(size) = self.hands_over_to {
            text.push_str(&format!("  hands over to {size} validators\n"));
        }
        for double in &self.accuses {
            let [one, other] = double.votes;
            text.push_str(&format!(
                "  accuses validator {} of votes that contradict each other ({one}, {other}), epoch {} of the engine\n",
                double.validator, double.agreement
            ));
        }
        if self.transactions.is_empty() {
            text.push_str("  no transactions\n");
        }
        for (index, transaction) in self.transactions.iter().enumerate() {
            text.push_str(&format!("  {}. {}\n", index + 1, transaction.says));
            match (transaction.applied, &transaction.outcome) {
                (Some(true), Some(made)) => text.push_str(&format!("     applied: {made}\n")),
                (_, Some(why)) => text.push_str(&format!("     refused: {why}\n")),
                (_, None) => {}
            }
        }
        text
    }
}

impl TransactionWords {
    fn of(transaction: &Transaction, receipt: Option<&Receipt>) -> TransactionWords {
        let outcome = receipt.map(|receipt| match &receipt.outcome {
            Outcome::Applied(transitions) => transitions.join(", "),
            Outcome::Refused(reason) => reason.clone(),
        });
        TransactionWords {
            hash: transaction_hash(transaction).to_string(),
            says: says(transaction),
            applied: receipt.map(|receipt| matches!(receipt.outcome, Outcome::Applied(_))),
            outcome,
        }
    }
}

/// What a transaction asks for.
pub(crate) fn says(transaction: &Transaction) -> String {
    match transaction {
        Transaction::Request(request) => wants(request),
        Transaction::Local { request, .. } => {
            format!(
                "{}; both are on this chain and agree at once",
                wants(request)
            )
        }
        Transaction::Signed(signed) => acts(signed),
        Transaction::Certificate(certificate) => format!(
            "{} says, attested by {} of its verification nodes: {}",
            certificate.chain,
            certificate.attestations.len(),
            payload(&certificate.payload)
        ),
        Transaction::TimeoutRequest(request) => {
            format!("the time of the request {} is up", order(request.order()))
        }
        Transaction::Timeout(id) => format!("the buyer's time for order {} is up", order(*id)),
        Transaction::Void(id) => format!("the gate of order {} is closed", order(*id)),
        Transaction::Default(id) => format!("readings of order {} are overdue", order(*id)),
        Transaction::Meter(batch) => format!(
            "meter {} of {} reads a net {} kWh out from {} to {}",
            batch.meter,
            batch.member,
            batch.net().to_kilowatt_hours(),
            batch.start,
            batch.end()
        ),
        Transaction::Epoch(next) => format!(
            "verification nodes of epoch {}: {} nodes, {} approvals",
            next.committee.epoch,
            next.committee.size(),
            next.approvals.len()
        ),
        Transaction::CloseEpoch(epoch) => {
            format!("epoch {epoch} of the verification nodes is over")
        }
        Transaction::Evidence(evidence) => format!(
            "verification nodes of {}, epoch {}, contradict themselves",
            evidence.one.chain, evidence.one.epoch
        ),
        Transaction::Net { one, other } => {
            format!("a settlement period of {one} and {other} is over")
        }
    }
}

fn wants(request: &Request) -> String {
    let terms = &request.terms;
    format!(
        "{} wants {} kWh from {} on {}, from {} to {}, order {}",
        terms.buyer,
        terms.quantity.to_kilowatt_hours(),
        terms.seller,
        terms.chain_y,
        terms.start,
        terms.end(),
        order(request.order())
    )
}

fn acts(signed: &Signed) -> String {
    let by = &signed.by;
    match &signed.act {
        Act::Accept { order: id, .. } => format!("{by} says yes to order {}", order(*id)),
        Act::Decline(id) => format!("{by} says no to order {}", order(*id)),
        Act::KeyReturn { order: id, .. } => {
            format!("{by} returns the key of order {}", order(*id))
        }
        Act::Register(member) => format!("{by} applies as {:?} of {}", member.role, member.home),
        Act::Approve { member, .. } => format!("{by} lets {member} in"),
        Act::Revoke { member, .. } => format!("{by} revokes {member}"),
        Act::RegisterChain { committee, .. } => format!(
            "{by} registers the chain {} with {} verification nodes",
            committee.chain,
            committee.size()
        ),
        Act::Deposit {
            sequence,
            member,
            amount,
        } => format!("{by} certifies deposit {sequence}: {amount} by {member}"),
        Act::Stake {
            sequence,
            member,
            amount,
        } => format!("{by} certifies deposit {sequence}: {amount} by {member}, for stakes"),
        Act::Round { orders, .. } => {
            format!("{by} certifies a cleared round of {} orders", orders.len())
        }
        Act::Tariff { start, .. } => format!("{by} gives the grid's prices from {start}"),
        Act::Imbalance { start, flows } => format!(
            "{by} books what {} members had with the grid from {start}",
            flows.len()
        ),
    }
}

fn payload(payload: &Payload) -> String {
    match payload {
        Payload::Request(request) => format!("request {} is locked", order(request.order())),
        Payload::Accept(accepted) => format!("order {} has a tentative yes", order(accepted.order)),
        Payload::Reject(id) => format!("order {} will not be accepted", order(*id)),
        Payload::Commit(commitment) => {
            let id = commitment.request.order();
            format!("the buyer of order {} is bound", order(id))
        }
        Payload::Refund(id) => format!("the buyer of order {} has its money back", order(*id)),
        Payload::Void(id) => format!("order {} will not be confirmed", order(*id)),
        Payload::Taken(reading) => format!(
            "the buyer of order {} took {} kWh",
            order(reading.request.order()),
            reading.energy.to_kilowatt_hours()
        ),
        Payload::Delivered(reading) => format!(
            "the seller of order {} delivered {} kWh",
            order(reading.request.order()),
            reading.energy.to_kilowatt_hours()
        ),
        Payload::Settle(outcome) => format!("order {} is settled", order(outcome.order)),
        Payload::Rotate { .. } => "other verification nodes are in charge".to_owned(),
        Payload::Deposit { sequence, .. } => format!("deposit {sequence}"),
        Payload::Net { transfers, .. } => format!("{} transfers between chains", transfers.len()),
        Payload::Register { sequence, .. } => format!("registration {sequence}"),
        Payload::Freeze { chain, epoch, .. } => {
            format!("no new orders under epoch {epoch} of {chain}")
        }
    }
}

/// The beginning of an order's name.
fn order(id: OrderId) -> String {
    id.to_string().chars().take(12).collect()
}
