//! Signing in everybody's name: what a ledger still holds against when every key but its own rules is in wrong hands.
//!
//! Signatures are symbols ([`crate::symbol`]), so whoever knows a public key can sign. Tests and fuzz targets make hostile
//! transactions by changing fields at will and signing the result as the ledger wants it signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_contract::certificate::{Certificate, Statement, VERSION};
use tieline_contract::member::MeterBatch;
use tieline_contract::payload::{Commitment, Payload, Reading};
use tieline_contract::state::State;
use tieline_contract::terms::{Request, Terms};
use tieline_contract::threshold::Committee;
use tieline_contract::transaction::{
    Act, Contradiction, Evidence, NextEpoch, Signed, Transaction, committee_message,
};
use tieline_seal::hybrid::{Domain, PublicKey, Purpose, Signature};
use tieline_seal::merkle::Proof;
use tieline_units::{Digest, MicrogridId};

use crate::symbol::{key, sign};

/// A certificate of the chain that says `payload`, signed by all its verification nodes of `epoch` as `ledger` knows them;
/// by nobody where it knows none.
pub fn certificate(
    ledger: &State,
    (chain, epoch): (&str, u64),
    height: u64,
    payload: Payload,
) -> Arc<Certificate> {
    let chain = crate::village::chain(chain);
    let known = ledger.committee(&chain, epoch);
    let mut certificate = Certificate {
        version: VERSION,
        genesis: known.map_or(Digest::of(&[]), |committee| committee.genesis),
        chain,
        epoch,
        height,
        state_root: Digest::of(b"state root"),
        payload,
        proof: Proof {
            index: 0,
            count: 1,
            path: Vec::new(),
        },
        attestations: BTreeMap::new(),
    };
    attest(ledger, &mut certificate);
    Arc::new(certificate)
}

/// The transaction with every signature and every hash made right for `ledger`.
pub fn signed_again(ledger: &State, transaction: &Transaction) -> Transaction {
    match transaction {
        Transaction::Request(one) => Transaction::Request(request(ledger, one)),
        Transaction::Local {
            request: one,
            answer,
        } => {
            let request = request(ledger, one);
            let mut answer = Signed::clone(answer);
            if let Act::Accept { order, .. } = &mut answer.act {
                *order = request.order();
            }
            let answer = party(ledger, answer);
            Transaction::Local { request, answer }
        }
        Transaction::Signed(one) => Transaction::Signed(party(ledger, Signed::clone(one))),
        Transaction::Certificate(one) => Transaction::Certificate(certified(ledger, one)),
        Transaction::Meter(batch) => Transaction::Meter(metered(ledger, MeterBatch::clone(batch))),
        Transaction::Epoch(next) => Transaction::Epoch(approved(ledger, NextEpoch::clone(next))),
        Transaction::Evidence(evidence) => {
            Transaction::Evidence(proven(ledger, Evidence::clone(evidence)))
        }
        Transaction::TimeoutRequest(_)
        | Transaction::Timeout(_)
        | Transaction::Void(_)
        | Transaction::Default(_)
        | Transaction::CloseEpoch(_)
        | Transaction::Net { .. } => transaction.clone(),
    }
}

fn domain(ledger: &State, purpose: Purpose) -> Domain {
    Domain {
        chain: ledger.rules().chain.clone(),
        genesis: ledger.rules().genesis,
        epoch: 0,
        purpose,
    }
}

fn key_of(ledger: &State, member: &MicrogridId) -> PublicKey {
    let known = ledger.member(member).map(|member| member.key.clone());
    known.unwrap_or_else(|| key(member.as_str()))
}

fn request(ledger: &State, request: &Request) -> Arc<Request> {
    let mut terms = Terms::clone(&request.terms);
    terms.rendering_hash = terms.rendering_digest();
    let message = Request::message(terms.order(request.nonce), &request.unconditional);
    let key = key_of(ledger, &terms.buyer);
    Arc::new(Request {
        nonce: request.nonce,
        unconditional: request.unconditional.clone(),
        signature: sign(&key, &Request::domain(&terms), &message),
        terms: Arc::new(terms),
    })
}

fn party(ledger: &State, mut signed: Signed) -> Arc<Signed> {
    let mut key = key_of(ledger, &signed.by);
    match &mut signed.act {
        Act::Register(member) => key = member.key.clone(),
        Act::RegisterChain {
            committee,
            possession,
        } => {
            let domain = Domain {
                chain: committee.chain.clone(),
                genesis: committee.genesis,
                epoch: 0,
                purpose: Purpose::Possession,
            };
            *possession = by_all(committee, &domain, &committee_message(committee));
        }
        _ => {}
    }
    let message = signed.act.message(&signed.by);
    signed.signature = sign(&key, &domain(ledger, Purpose::Transaction), &message);
    Arc::new(signed)
}

fn by_all(committee: &Committee, domain: &Domain, message: &[u8]) -> BTreeMap<u8, Signature> {
    let seats = (0..=u8::MAX).zip(&committee.seats);
    seats
        .map(|(index, seat)| (index, sign(&seat.key, domain, message)))
        .collect()
}

fn certified(ledger: &State, certificate: &Certificate) -> Arc<Certificate> {
    let mut certificate = certificate.clone();
    if let Some(committee) = ledger.committee(&certificate.chain, certificate.epoch) {
        certificate.genesis = committee.genesis;
    }
    let renewed = |one: &Arc<Request>| request(ledger, one);
    match &mut certificate.payload {
        Payload::Request(one) => *one = renewed(one),
        Payload::Commit(commitment) => {
            *commitment = Arc::new(Commitment {
                request: renewed(&commitment.request),
                ..Commitment::clone(commitment)
            });
        }
        Payload::Taken(reading) | Payload::Delivered(reading) => {
            *reading = Arc::new(Reading {
                request: renewed(&reading.request),
                ..Reading::clone(reading)
            });
        }
        _ => {}
    }
    certificate.version = VERSION;
    if certificate.statement().is_none() {
        certificate.proof = Proof {
            index: 0,
            count: 1,
            path: Vec::new(),
        };
    }
    attest(ledger, &mut certificate);
    Arc::new(certificate)
}

/// Signed by the seats that signed before, or by all where nobody did.
fn attest(ledger: &State, certificate: &mut Certificate) {
    let committee = ledger.committee(&certificate.chain, certificate.epoch);
    let (Some(committee), Some(statement)) = (committee, certificate.statement()) else {
        return;
    };
    let domain = statement.domain(Purpose::Attestation);
    let mut signatures = by_all(committee, &domain, &statement.message());
    if !certificate.attestations.is_empty() {
        signatures.retain(|seat, _| certificate.attestations.contains_key(seat));
    }
    certificate.attestations = signatures;
}

fn metered(ledger: &State, mut batch: MeterBatch) -> Arc<MeterBatch> {
    let member = ledger.member(&batch.member);
    if let Some(key) = member.and_then(|member| member.meters.get(usize::from(batch.meter))) {
        batch.signature = sign(key, &domain(ledger, Purpose::Meter), &batch.message());
    }
    Arc::new(batch)
}

fn approved(ledger: &State, mut next: NextEpoch) -> Arc<NextEpoch> {
    if let Some(present) = ledger.current(&ledger.rules().chain) {
        let domain = Domain {
            chain: present.chain.clone(),
            genesis: present.genesis,
            epoch: present.epoch,
            purpose: Purpose::Transaction,
        };
        next.approvals = by_all(present, &domain, &committee_message(&next.committee));
    }
    Arc::new(next)
}

fn proven(ledger: &State, mut evidence: Evidence) -> Arc<Evidence> {
    evidence.one = certified(ledger, &evidence.one);
    match &mut evidence.other {
        Contradiction::Certificate(other) => *other = certified(ledger, other),
        Contradiction::Final {
            statement,
            signatures,
        } => *signatures = finality(ledger, statement),
    }
    Arc::new(evidence)
}

fn finality(ledger: &State, statement: &Statement) -> BTreeMap<u8, Signature> {
    let committee = ledger.committee(&statement.chain, statement.epoch);
    let domain = statement.domain(Purpose::Finality);
    committee.map_or_else(BTreeMap::new, |committee| {
        by_all(committee, &domain, &statement.message())
    })
}
