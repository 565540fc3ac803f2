//! What a ledger says and is: what makes two ledgers the same place.

use std::collections::BTreeSet;
use std::sync::Arc;

use tieline_contract::payload::{Kind, Payload, Rotation};
use tieline_contract::state::{Block, State};
use tieline_contract::transaction::{Contradiction, Evidence, Transaction};
use tieline_units::canonical::Canonical;
use tieline_units::{ChainId, Digest, Encoder};

use super::Side;
use super::certificates::{Held, content, key};
use super::place::Survey;
use super::universe::{Universe, bits};
use crate::properties::{Broken, Rule, books};
use crate::symbol::Symbolic;
use crate::village::certificates;

/// Tables that are not compared between ledgers as they are: rules and members never change here; the block is the clock;
/// of the outbox and of kept certificates the content counts, not the height.
const NOT_COMPARED: [u8; 6] = [0, 1, 2, CREDIBILITY, 15, 16];

/// The table of standings: they weigh in a draw of verification nodes, and none is drawn here.
const CREDIBILITY: u8 = 7;

/// The table of numbers that were imported; a chain's own certificates are numbered by their height.
const IMPORTED: u8 = 17;

/// The table of verification nodes.
const COMMITTEES: u8 = 3;

impl Universe {
    pub(super) fn survey(&self, side: Side, state: &State) -> Survey {
        let mut encoder = Encoder::new("tieline.place-content/1");
        let records = state.records();
        let own = |key: &Vec<u8>| {
            let number = <(ChainId, Kind, u64)>::decode(&key[1..]);
            number.is_ok_and(|(chain, ..)| chain == state.rules().chain)
        };
        for (key, value) in &records {
            match key.first() {
                Some(table) if NOT_COMPARED.contains(table) => {}
                // By height.
                Some(&IMPORTED) if own(key) => {}
                // Who sits in an epoch of a chain is the same in all worlds of a plan.
                Some(&COMMITTEES) => {
                    encoder.bytes(key);
                }
                _ => {
                    encoder.bytes(key).bytes(value);
                }
            }
        }
        let said = said(side, state, self.plan.thin);
        for said in &said {
            said.key.encode(&mut encoder);
            encoder.u8(u8::from(said.fresh));
        }
        let kept: BTreeSet<Digest> = state.kept().map(|c| content(c)).collect();
        for key in &kept {
            key.encode(&mut encoder);
        }
        let mut survey = Survey {
            content: encoder.digest(),
            said: 0,
            fresh: 0,
            kept: 0,
            broken: books::broken(state, &records, &self.plan),
        };
        for said in said {
            let bit = self.bit(state, &said);
            survey.said |= bit;
            survey.fresh |= if said.fresh { bit } else { 0 };
        }
        survey.broken = survey.broken | self.contradictions(survey.said);
        for certificate in state.kept().filter(|c| travels(c.payload.kind())) {
            let number = self
                .deck
                .number(content(certificate), false, || certificate.clone());
            survey.kept |= number.map_or(0, |number| 1 << number);
        }
        survey
    }

    /// S9: two entries of one kind on one subject, and nothing to convict their signers by.
    fn contradictions(&self, said: u128) -> Broken {
        let certificates: Vec<&Held> = bits(said).map(|number| self.deck.get(number)).collect();
        let about = |held: &Held| {
            (
                held.certificate.payload.kind(),
                held.certificate.payload.subject(),
            )
        };
        let pairs = certificates.iter().enumerate().flat_map(|(n, one)| {
            let others = certificates[n + 1..].iter();
            others.map(move |other| (*one, *other))
        });
        let mut pairs = pairs.filter(|(one, other)| {
            about(one) == about(other) && one.certificate.payload != other.certificate.payload
        });
        let excused = pairs.all(|(one, other)| {
            let evidence = Transaction::Evidence(Arc::new(Evidence {
                one: one.certificate.clone(),
                other: Contradiction::Certificate(other.certificate.clone()),
            }));
            let block = Block {
                height: self.court.block().height + 1,
                time: self.court.block().time,
            };
            self.court.check(&evidence, block, &Symbolic).is_ok()
        });
        Broken::unless(Rule::S9, excused)
    }

    fn bit(&self, state: &State, said: &Said) -> u128 {
        let seats: Vec<u8> = (0..said.signers).collect();
        let number = self.deck.number(said.key, false, || {
            let block = certificates(state, said.height, said.epoch, &seats);
            let mine = block.into_iter().find(|c| c.payload == *said.payload);
            mine.expect("the block has its entries")
        });
        number.map_or(0, |number| 1 << number)
    }
}

/// An entry of an outbox, under one epoch.
struct Said {
    key: Digest,
    payload: Arc<Payload>,
    height: u64,
    epoch: u64,
    signers: u8,
    fresh: bool,
}

/// Everything that a ledger said, in an order that does not depend on when.
fn said(side: Side, state: &State, thin: bool) -> Vec<Said> {
    let chain = &state.rules().chain;
    let closed: Vec<(u64, u64)> = state
        .said()
        .filter_map(|(height, payload)| match &**payload {
            Payload::Rotate {
                rotation: Rotation::Closed { epoch },
                ..
            } => Some((*epoch, height)),
            _ => None,
        })
        .collect();
    let mut all = Vec::new();
    for (height, payload) in state.said().filter(|(_, p)| travels(p.kind())) {
        let (hash, kind) = (payload.hash(), payload.kind());
        let mut epoch = 0;
        while let Some(committee) = state.committee(chain, epoch) {
            let over = closed.iter().find(|(which, _)| *which == epoch);
            let everybody = committee.size();
            let few = thin && matches!(kind, Kind::Taken | Kind::Delivered);
            let counts = [Some(everybody), few.then(|| committee.needed(kind))];
            // An epoch that is over attested what was said before it closed; relayers may still have that.
            let attested = over.is_none_or(|(_, at)| height < *at);
            for signers in counts.into_iter().flatten().filter(|_| attested) {
                all.push(Said {
                    key: key(side.chain(), epoch, hash, signers),
                    payload: payload.clone(),
                    height,
                    epoch,
                    signers: signers as u8,
                    fresh: over.is_none(),
                });
            }
            epoch += 1;
        }
    }
    all.sort_by_key(|said| said.key);
    all
}

/// Whether entries of this kind are delivered after the beginning.
fn travels(kind: Kind) -> bool {
    !matches!(kind, Kind::Deposit | Kind::Net | Kind::Register)
}
