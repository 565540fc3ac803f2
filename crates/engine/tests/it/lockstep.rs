//! Chains led in step, and chains that go on from a final block.

use std::collections::BTreeSet;
use std::time::Duration;

use tieline_chain::Ledger;
use tieline_chain::files::Entry;
use tieline_chain::light::{FinalityProof as _, FinalityStatement};
use tieline_contract::transaction::{Act, Transaction};
use tieline_engine::application::Pace;
use tieline_engine::finality::Finalized;
use tieline_engine::lockstep::{Final, Lanes, Plan, Report, Step};
use tieline_engine::simulated::Line;
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{START, deposit, signed};
use tieline_units::{Digest, Money, Time};

use crate::village::{founding, validators_of};

/// Blocks when there is work; else one in a quarter of an hour.
const PACE: Pace = Pace {
    heartbeat: Duration::from_secs(900),
    gather: Duration::from_millis(5),
    block_bytes: 1 << 16,
};

const Z: &str = "chain-z";

const ONE: Money = Money::from_millionths(1_000_000);

fn plan(name: &'static str, (ledger, floor): (Ledger, Option<Entry>), start: Time) -> Plan {
    Plan {
        seed: 5,
        founding: ledger,
        validators: validators_of(name, 4),
        pace: PACE,
        line: Line::default(),
        start,
        floor,
        verify: crate::village::either,
    }
}

/// An act of the operator that nothing depends on, some kilobytes of it.
fn round(number: u64) -> Transaction {
    let of = |what: u64| Digest::of(format!("{number} {what}").as_bytes());
    let orders = (0..100).map(|it| tieline_contract::terms::OrderId(of(it + 1)));
    let act = Act::Round {
        hash: of(0),
        orders: orders.collect::<BTreeSet<_>>(),
    };
    Transaction::Signed(signed(Z, "vpp", act))
}

/// Leads one lane; what it said so far.
struct Led {
    lanes: Lanes,
    now: Time,
    ledger: Ledger,
    last: Option<Final>,
    signed: usize,
    rests: bool,
}

impl Led {
    fn new() -> Led {
        let ledger = founding(Z, 4);
        Led {
            lanes: Lanes::start(vec![plan(Z, (ledger.clone(), None), START)]).unwrap(),
            now: START,
            ledger,
            last: None,
            signed: 0,
            rests: false,
        }
    }

    fn step(&mut self, millis: u64, transactions: Vec<Transaction>) -> Report {
        self.now = self.now.plus_millis(millis);
        let step = Step {
            until: self.now,
            transactions,
        };
        let report = self.lanes.step(vec![step]).unwrap().remove(0);
        assert_eq!(report.now, self.now);
        assert_eq!(report.refused, []);
        for found in &report.blocks {
            self.ledger.execute(&found.block, &Symbolic).unwrap();
            assert!(found.at <= self.now);
            self.last = Some(found.clone());
        }
        self.signed += report.signed.len();
        self.rests = report.rests;
        report
    }

    /// Everything goes on from the last block.
    fn renew(&mut self) {
        assert!(self.rests);
        let floor = self.last.clone().map(|it| Entry {
            block: it.block,
            certificate: it.certificate,
        });
        let plan = plan(Z, (self.ledger.clone(), floor), self.now);
        self.lanes = Lanes::start(vec![plan]).unwrap();
    }

    /// Gives some acts, and goes on until they are on the ledger; the seconds it took.
    fn give(&mut self, numbers: std::ops::Range<u64>) -> u64 {
        let all: Vec<Digest> = numbers
            .clone()
            .map(|number| Digest::of(format!("{number} 0").as_bytes()))
            .collect();
        self.step(500, numbers.map(round).collect());
        for half_seconds in 1..2_000 {
            let done = |hash: &Digest| self.ledger.state().round(*hash).is_some();
            if all.iter().all(done) {
                return half_seconds / 2;
            }
            self.step(500, Vec::new());
        }
        panic!("the acts do not get onto the ledger");
    }

    fn rest(&mut self) {
        for _ in 0..20 {
            self.step(500, Vec::new());
            if self.rests {
                return;
            }
        }
        panic!("the chain does not rest");
    }
}

#[test]
fn a_chain_goes_on_from_a_final_block_as_if_it_had_not_stopped() {
    let mut led = Led::new();
    assert!(led.give(0..5) < 5);
    led.rest();
    for segment in 1..4 {
        led.renew();
        // An idle hour; a view that is given up would cost one of three heartbeats.
        let idle = led.step(3_600_000, Vec::new());
        assert_eq!(idle.blocks.len(), 3);
        led.rest();
        led.renew();
        led.step(600_000, Vec::new());
        // More than a block takes: the second view after a start, and the third.
        let took = led.give(segment * 100..segment * 100 + 60);
        assert!(took < 5, "{took} s in segment {segment}");
        led.rest();
    }
    let last = led.last.clone().unwrap();
    let statement = FinalityStatement {
        home: led.ledger.home().clone(),
        height: last.block.header.height,
        block: last.block.digest(led.ledger.home()),
        epoch: last.block.header.epoch,
    };
    let shown = Finalized(last.certificate.unwrap());
    shown
        .verify(&statement, led.ledger.validators(), &Symbolic)
        .unwrap();
}

#[test]
fn what_lanes_say_does_not_depend_on_how_many_run_beside_each_other() {
    let reports = |names: &[&'static str]| -> Vec<Vec<Report>> {
        let plans = names.iter();
        let plans = plans.map(|name| plan(name, (founding(name, 4), None), START));
        let mut lanes = Lanes::start(plans.collect()).unwrap();
        let mut all = vec![Vec::new(); names.len()];
        for half_seconds in 1..8_u64 {
            let until = START.plus_millis(500 * half_seconds);
            let steps = names.iter().map(|name| Step {
                until,
                transactions: match *name {
                    Z => vec![round(half_seconds), deposit(0, "mg-x", ONE)],
                    _ => Vec::new(),
                },
            });
            let said = lanes.step(steps.collect()).unwrap();
            for (all, said) in all.iter_mut().zip(said) {
                all.push(said);
            }
        }
        lanes.stop();
        all
    };
    let three = reports(&["chain-x", "chain-y", Z]);
    let alone = reports(&[Z]);
    assert_eq!(three[2], alone[0]);
    assert_eq!(reports(&["chain-x", "chain-y", Z]), three);
    // Every block once, in order; each verification node signs once; the deposit counts once and is refused afterwards.
    let blocks = alone[0].iter().flat_map(|report| &report.blocks);
    let heights: Vec<u64> = blocks.map(|it| it.block.header.height).collect();
    let expected: Vec<u64> = (1..=heights.len() as u64).collect();
    assert_eq!(heights, expected);
    let signed: usize = alone[0].iter().map(|report| report.signed.len()).sum();
    assert_eq!(signed, 4, "the deposit's entry, by four seats");
    let refused: usize = alone[0].iter().map(|report| report.refused.len()).sum();
    assert_eq!(refused, 6);
}
