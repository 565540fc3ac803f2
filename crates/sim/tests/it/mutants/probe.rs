//! Tries attacks on ledgers of the chronicle: what one guard alone refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::{Discriminant, discriminant};

use tieline_contract::guard::Guard;
use tieline_contract::mutant::{Effect, Mutant};
use tieline_contract::state::{Block, State};
use tieline_contract::transaction::{Act, Transaction};
use tieline_contract::transition::Transition;
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::Village;
use tieline_units::Time;

use super::attacks::variants;
use super::chronicle::{Exhibit, early, tale};
use super::setting::settings;

/// Attacks of one guard by one sort of transaction that are kept at most: enough to have one for each transition.
const KEPT: usize = 2_000;

/// Sort of a transaction, and of its act.
type Sort = (Discriminant<Transaction>, Option<Discriminant<Act>>);

fn sort(transaction: &Transaction) -> Sort {
    let act = match transaction {
        Transaction::Signed(signed) => Some(discriminant(&signed.act)),
        _ => None,
    };
    (discriminant(transaction), act)
}

/// The chronicle, and everything that its ledgers refuse.
pub(crate) struct Bench {
    exhibits: Vec<Exhibit>,
    refused: BTreeMap<Guard, Vec<Exhibit>>,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let mut exhibits = Vec::new();
        let mut refused: BTreeMap<Guard, Vec<Exhibit>> = BTreeMap::new();
        for setting in settings() {
            exhibits.extend(tale(&setting).exhibits);
        }
        let mut counts: Vec<((Guard, Sort), usize)> = Vec::new();
        let others = elsewhere(&exhibits);
        let mut keep = |attack: Exhibit| {
            let Err(refusal) = attack
                .before
                .check(&attack.transaction, attack.block, &Symbolic)
            else {
                return;
            };
            let sort = (refusal.guard, sort(&attack.transaction));
            let many = counts.iter().position(|(known, _)| *known == sort);
            let many = many.unwrap_or_else(|| {
                counts.push((sort, 0));
                counts.len() - 1
            });
            if counts[many].1 < KEPT {
                counts[many].1 += 1;
                refused.entry(refusal.guard).or_default().push(attack);
            }
        };
        for exhibit in &exhibits {
            for attack in around(exhibit) {
                keep(attack);
            }
        }
        for attack in others {
            keep(attack);
        }
        Bench { exhibits, refused }
    }

    /// Which transitions happen in the chronicle.
    pub(crate) fn made(&self) -> BTreeSet<Transition> {
        let checked = self.exhibits.iter().filter_map(Exhibit::checked);
        checked.flat_map(|c| c.transitions().to_vec()).collect()
    }

    /// Which guards are asked in it.
    pub(crate) fn asked(&self) -> BTreeSet<(Transition, Guard)> {
        let checked = self.exhibits.iter().filter_map(Exhibit::checked);
        checked.flat_map(|c| c.asked().to_vec()).collect()
    }

    /// An attack that is refused, and goes through where this guard is not asked.
    pub(crate) fn probe(&self, transition: Transition, guard: Guard) -> Option<&Exhibit> {
        let mutant = Mutant::Unguarded(transition, guard);
        let attacks = self.refused.get(&guard)?;
        attacks.iter().find(|attack| {
            let ledger = attack.before.clone().with_mutant(Some(mutant));
            ledger
                .check(&attack.transaction, attack.block, &Symbolic)
                .is_ok()
        })
    }

    /// Which sorts of effects transitions have in it.
    pub(crate) fn effects(&self) -> BTreeSet<(Transition, Effect)> {
        let mut all = BTreeSet::new();
        for exhibit in &self.exhibits {
            let Some(checked) = exhibit.checked() else {
                continue;
            };
            for change in checked.changes() {
                for transition in checked.transitions() {
                    all.insert((*transition, Effect::of(change)));
                }
            }
        }
        all.retain(|(transition, effect)| self.misses(*transition, *effect));
        all
    }

    /// Whether some ledger of the chronicle is another without the effect.
    fn misses(&self, transition: Transition, effect: Effect) -> bool {
        let mutant = Mutant::Without(transition, effect);
        self.exhibits.iter().any(|exhibit| {
            let Some(checked) = exhibit.checked() else {
                return false;
            };
            if !checked.transitions().contains(&transition) {
                return false;
            }
            let (mut one, mut other) = (
                exhibit.before.clone(),
                exhibit.before.clone().with_mutant(Some(mutant)),
            );
            let again = other.check(&exhibit.transaction, exhibit.block, &Symbolic);
            one.apply(checked);
            again.is_ok_and(|checked| {
                other.apply(checked);
                one.digest() != other.digest()
            })
        })
    }
}

impl Exhibit {
    fn checked(&self) -> Option<tieline_contract::change::Checked> {
        self.before
            .check(&self.transaction, self.block, &Symbolic)
            .ok()
    }
}

/// What belongs to one ledger, brought to another: the last of each.
fn elsewhere(exhibits: &[Exhibit]) -> Vec<Exhibit> {
    let ledgers = exhibits.iter().map(|exhibit| {
        let chain = exhibit.before.rules().chain.as_str().to_owned();
        (chain, exhibit.before.clone())
    });
    let ledgers: BTreeMap<String, State> = ledgers.collect();
    let mut all = Vec::new();
    for exhibit in exhibits {
        let other = ledgers.values();
        for ledger in other.filter(|l| l.rules().chain != exhibit.before.rules().chain) {
            let block = Block {
                height: ledger.block().height + 1,
                time: ledger.block().time.max(exhibit.block.time),
            };
            let spoilt = variants(&exhibit.transaction).into_iter();
            all.extend(spoilt.map(|transaction| Exhibit {
                before: ledger.clone(),
                transaction,
                block,
            }));
        }
    }
    all
}

/// The step again, at other times, and spoilt; before and after it was done.
fn around(exhibit: &Exhibit) -> Vec<Exhibit> {
    let block = exhibit.block;
    let at = |before: &State, transaction: &_, time| Exhibit {
        before: before.clone(),
        transaction: Clone::clone(transaction),
        block: Block {
            height: before.block().height + 1,
            time,
        },
    };
    let mut ledgers = vec![exhibit.before.clone()];
    let mut after = exhibit.before.clone();
    if let Some(checked) = exhibit.checked() {
        after.apply(checked);
        ledgers.push(after);
    }
    let mut all = Vec::new();
    for ledger in &ledgers {
        let times = instants().into_iter().filter(|t| *t >= ledger.block().time);
        all.extend(times.map(|time| at(ledger, &exhibit.transaction, time)));
        for spoilt in variants(&exhibit.transaction) {
            all.push(at(ledger, &spoilt, block.time));
        }
        let before = ledger.block().time.minus_millis(1);
        all.push(at(ledger, &exhibit.transaction, before));
    }
    all
}

fn instants() -> Vec<Time> {
    let village = Village::default();
    let terms = village.terms();
    let grace = terms.metering_deadline.plus_millis(village.grace);
    let mut all = Vec::new();
    for limit in [
        early(&terms),
        terms.deadline,
        terms.gate_closure,
        terms.start,
        terms.end(),
        grace,
    ] {
        all.extend([limit.minus_millis(1), limit, limit.plus_millis(1)]);
    }
    all
}
