//! The same runs without anything that the checker saves itself: every block has its own height, every certificate is made
//! from the outbox of the chain that said it.

use std::sync::Arc;

use tieline_contract::apply;
use tieline_contract::certificate::Certificate;
use tieline_contract::state::{Block, State};
use tieline_contract::transaction::Transaction;
use tieline_sim::model::Scenario;
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::certificates;
use tieline_sim::world::{Event, Label, Side, Universe};

/// Runs per scenario.
const RUNS: u64 = 60;

/// A small generator: the walks are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % count as u64) as usize
    }
}

/// The certificate that a label means, from the ledger that said it.
fn certificate(ledgers: &[State; 3], label: Label) -> Option<Arc<Certificate>> {
    let ledger = &ledgers[label.from? as usize];
    let mut said = ledger.said();
    let (height, payload) = said.find(|(_, payload)| {
        let hash = payload.hash();
        hash.as_bytes().starts_with(&label.entry)
    })?;
    let seats: Vec<u8> = (0..label.signers).collect();
    let block = certificates(ledger, height, label.epoch, &seats);
    block.into_iter().find(|c| c.payload == **payload)
}

#[test]
fn runs_on_ledgers_with_heights_of_their_own_come_to_the_same() {
    for scenario in [Scenario::Fine, Scenario::RotationX, Scenario::Capacity] {
        let universe = Universe::new(&scenario.plan());
        for seed in 1..=RUNS {
            walk(
                &universe,
                &mut Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            );
        }
    }
}

fn walk(universe: &Universe, dice: &mut Dice) {
    let mut world = universe.start();
    let mut ledgers = Side::ALL.map(|side| universe.ledger(&world, side).clone());
    let mut height = 1_000;
    loop {
        let mut steps = Vec::new();
        universe.steps(&world, &mut steps);
        if steps.is_empty() {
            return;
        }
        let step = steps[dice.below(steps.len())];
        let event = universe.event(step);
        let done = match event {
            Event::Submit(deed) => Some((deed.side(), universe.transaction(step).cloned())),
            Event::Deliver(label, side) => {
                let made = certificate(&ledgers, label).unwrap();
                Some((side, Some(Transaction::Certificate(made))))
            }
            Event::Tick(_) | Event::Die(..) => None,
        };
        if let Some((side, transaction)) = done {
            height += 1 + dice.below(1_000) as u64;
            let time = universe.now(&world, side);
            let ledger = &mut ledgers[side as usize];
            let block = Block { height, time };
            apply(ledger, &transaction.unwrap(), block, &Symbolic).unwrap();
        }
        world = universe.next(&world, step).unwrap();
        for (side, own) in Side::ALL.into_iter().zip(&ledgers) {
            let theirs = universe.ledger(&world, side);
            assert_eq!(universe.content(side, own), universe.content(side, theirs));
        }
    }
}
