//! Money and capacity are conserved over random lives of three ledgers with twenty members.

mod audit;
mod walk;

use crate::town::slow;
use audit::Tally;
use walk::Walk;

/// Transactions of one life; then a new one begins, so that ledgers do not grow for ever.
const LIFE: u64 = 50_000;

/// `TIELINE_SEED`, or a constant.
fn seed() -> u64 {
    let given = std::env::var("TIELINE_SEED").ok();
    given.map_or(20_260_801, |text| text.parse().unwrap())
}

#[test]
fn money_and_capacity_are_conserved_over_a_million_random_transactions() {
    let lives = if slow() { 20 } else { 1 };
    let mut all = Tally::new(seed());
    for life in 0..lives {
        let mut walk = Walk::new(seed() + life);
        while walk.tally.accepted + walk.tally.refused < LIFE {
            walk.step();
        }
        walk.finish();
        all.add(&walk.tally);
    }
    eprintln!("{all}");
    all.assert_lively();
    if !slow() {
        eprintln!("left out: 19 of 20 lives, set TIELINE_SLOW=1");
    }
}
