//! T15: verification nodes that contradict themselves lose their stake, and their epoch takes no new orders.

use std::collections::BTreeSet;
use std::sync::Arc;

use tieline_units::canonical::Canonical;
use tieline_units::{ChainId, Digest, Encoder};

use crate::certificate::{Certificate, Statement};
use crate::change::{Change, Draft};
use crate::guard::{Fact, Guard, Refusal};
use crate::payload::{Kind, Payload};
use crate::state::{Account, State};
use crate::threshold::public_check;
use crate::transaction::{Contradiction, Evidence};
use crate::transition::Transition;
use tieline_seal::hybrid::{KeyId, Purpose, Verify};

/// What evidence comes to.
struct Verdict {
    /// Keys that signed both, or signed against what is final.
    culprits: BTreeSet<KeyId>,
    /// What they contradicted themselves on.
    subject: Digest,
    /// Two whole certificates: even if nobody signed both, one of them is a forgery.
    forged: bool,
}

/// On Z: judges, punishes, freezes.
pub(crate) fn evidence(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    evidence: &Evidence,
) -> Result<(), Refusal> {
    d.begin(Transition::Evidence);
    let state = d.state;
    d.require(Guard::Ledger, state.is_vpp(), Fact::Plain)?;
    let verdict = judge(state, verify, evidence);
    let Some(verdict) = verdict.filter(|v| v.forged || !v.culprits.is_empty()) else {
        return Err(Refusal::new(Guard::Contradiction, Fact::Plain));
    };
    let (chain, epoch) = (evidence.one.chain.clone(), evidence.one.epoch);
    let punished = |key: &KeyId| state.punished.contains(&(*key, verdict.subject));
    let culprits: Vec<KeyId> = verdict
        .culprits
        .iter()
        .copied()
        .filter(|key| !punished(key))
        .collect();
    let fresh =
        !culprits.is_empty() || verdict.culprits.is_empty() && !state.is_frozen(&chain, epoch);
    d.require(Guard::Unpunished, fresh, Fact::Plain)?;
    for key in culprits {
        let stake = Account::Stake(key);
        let amount = state.balance(&stake);
        d.pay(stake, Account::Forfeited, amount);
        d.then(Change::Credibility(key, 0));
        d.then(Change::Punish(key, verdict.subject));
    }
    if !state.is_frozen(&chain, epoch) {
        let sequence = state.sequences.get(&Kind::Freeze).copied().unwrap_or(0);
        d.then(Change::Count(Kind::Freeze));
        d.then(Change::Freeze(chain.clone(), epoch));
        d.then(Change::Emit(Payload::Freeze {
            sequence,
            chain,
            epoch,
        }));
    }
    Ok(())
}

fn signers(
    state: &State,
    verify: &dyn Verify,
    certificate: &Certificate,
) -> Option<BTreeSet<KeyId>> {
    let committee = state.committee(&certificate.chain, certificate.epoch)?;
    certificate.verify_signatures(committee, verify).ok()?;
    let seats = certificate.attestations.keys();
    let keys = seats.filter_map(|&seat| committee.seats.get(usize::from(seat)));
    Some(keys.map(|seat| seat.key.id()).collect())
}

fn judge(state: &State, verify: &dyn Verify, evidence: &Evidence) -> Option<Verdict> {
    let one = &evidence.one;
    let first = signers(state, verify, one)?;
    let whole = |c: &Certificate| {
        let committee = state.committee(&c.chain, c.epoch);
        committee.is_some_and(|k| public_check(k, c.payload.kind(), c.attestations.len()).is_ok())
    };
    match &evidence.other {
        Contradiction::Certificate(other) => {
            let second = signers(state, verify, other)?;
            Some(Verdict {
                culprits: first.intersection(&second).copied().collect(),
                subject: conflict(one, other)?,
                forged: whole(one) && whole(other),
            })
        }
        Contradiction::Final {
            statement,
            signatures,
        } => {
            let said = one.statement()?;
            let block = (&statement.chain, statement.genesis, statement.height);
            let same = (&said.chain, said.genesis, said.height) == block;
            let committee = state.committee(&statement.chain, statement.epoch)?;
            let (domain, message) = (statement.domain(Purpose::Finality), statement.message());
            let valid = signatures.iter().all(|(&seat, signature)| {
                let member = committee.seats.get(usize::from(seat));
                member.is_some_and(|m| verify.verify(&m.key, &domain, &message, signature))
            });
            let quorum = signatures.len() + usize::from(committee.faults) >= committee.size();
            let differ = content(&said) != content(statement);
            (same && valid && quorum && differ).then(|| Verdict {
                culprits: first,
                subject: height_subject(one),
                forged: false,
            })
        }
    }
}

/// What two certificates of one chain contradict each other on, if they do.
fn conflict(one: &Certificate, other: &Certificate) -> Option<Digest> {
    if (&one.chain, one.genesis) != (&other.chain, other.genesis) {
        return None;
    }
    let (a, b) = (one.statement()?, other.statement()?);
    if a.height == b.height && content(&a) != content(&b) {
        return Some(height_subject(one));
    }
    let about = |c: &Certificate| (c.payload.kind(), c.payload.subject());
    if about(one) != about(other) || one.payload == other.payload {
        return None;
    }
    let mut encoder = Encoder::new("tieline.contradiction/1");
    one.chain.encode(&mut encoder);
    one.payload.kind().encode(&mut encoder);
    one.payload.subject().encode(&mut encoder);
    Some(encoder.digest())
}

/// What a block's statement says; epochs that attest one block say the same.
fn content(statement: &Statement) -> (Digest, u64, Digest) {
    (
        statement.state_root,
        statement.outbox_entries,
        statement.outbox_root,
    )
}

fn height_subject(certificate: &Certificate) -> Digest {
    let mut encoder = Encoder::new("tieline.contradiction-height/1");
    certificate.chain.encode(&mut encoder);
    certificate.height.encode(&mut encoder);
    encoder.digest()
}

/// FRZ on other ledgers.
pub(crate) fn freeze(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    (chain, epoch): (&ChainId, u64),
) -> Result<(), Refusal> {
    d.begin(Transition::Freeze);
    d.author(certificate, &d.state.rules().vpp)?;
    d.numbered(certificate)?;
    d.certified(verify, certificate)?;
    d.then(Change::Freeze(chain.clone(), epoch));
    d.then(Change::Keep(certificate.clone()));
    Ok(())
}
