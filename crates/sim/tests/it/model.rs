//! The model checker: what it explores, what it finds, and that it sees what it should.

mod plain;

use std::sync::Arc;

use tieline_contract::state::State;
use tieline_sim::model::{Exploration, Limits, Scenario, explore, explore_with};
use tieline_sim::narrate::{literal_counterexample, narrate, replay_corrected};
use tieline_sim::village::chain;
use tieline_sim::world::Universe;

fn run(scenario: Scenario, transitions: u64) -> Exploration {
    let limits = Limits {
        transitions,
        ..Limits::default()
    };
    let universe = Arc::new(Universe::new(&scenario.plan()));
    let found = explore_with(universe.clone(), limits, |_| ());
    if let Some(violation) = &found.violation {
        let story = narrate(&universe, &violation.events).join("\n");
        panic!(
            "{}: {} does not hold:\n{story}",
            scenario.name(),
            violation.property
        );
    }
    found
}

#[test]
fn every_scenario_holds_as_far_as_it_is_looked_at_and_trades_come_to_their_end() {
    for scenario in Scenario::CORRECTED {
        let found = run(scenario, 60_000);
        assert!(found.states > 1_000, "{scenario:?}: {found:?}");
        if found.complete {
            assert!(found.reached, "L2 in {scenario:?}: {found:?}");
        }
    }
}

#[test]
fn the_protocol_as_printed_binds_the_seller_while_the_buyer_has_its_money_back() {
    let found = literal_counterexample().unwrap();
    assert_eq!(found.property, "S1");
    let universe = Universe::new(&Scenario::Literal.plan());
    let story = narrate(&universe, &found.events);
    let last = story.last().unwrap();
    assert!(last.contains("on chain-x REFUNDED"), "{story:#?}");
    assert!(last.contains("on chain-y CONFIRMED"), "{story:#?}");

    let again = replay_corrected(&found.events);
    assert!(again.agree, "{again:#?}");
    let last = again.lines.last().unwrap();
    assert!(last.contains("on chain-x REFUNDED"), "{again:#?}");
    assert!(last.contains("on chain-y VOIDED"), "{again:#?}");
}

#[test]
fn scenarios_reach_what_they_are_about() {
    let after = |scenario: Scenario, transitions| {
        let universe = Arc::new(Universe::new(&scenario.plan()));
        let limits = Limits {
            transitions,
            ..Limits::default()
        };
        explore_with(universe.clone(), limits, |_| ());
        universe
    };
    let over = after(Scenario::RotationX, u64::MAX);
    assert!(over.reached(|ledger| {
        let confirmed = ledger
            .sale(over.orders()[0])
            .is_some_and(|s| s.may_dispatch());
        confirmed && ledger.is_closed(&chain("chain-x"), 0)
    }));
    let frozen = after(Scenario::Forgery, u64::MAX);
    for side in ["chain-x", "chain-y"] {
        let here = |ledger: &State| ledger.rules().chain == chain(side);
        assert!(frozen.reached(|ledger| here(ledger) && ledger.is_frozen(&chain("chain-y"), 0)));
    }
    // Both competitors are accepted at some time, never both at once (S2).
    let two = after(Scenario::Capacity, u64::MAX);
    for order in two.orders() {
        assert!(two.reached(|ledger| ledger.sale(*order).is_some_and(|s| s.may_dispatch())));
    }
}

mod slow {
    use super::{Scenario, run};

    #[test]
    fn three_million_transitions_hold() {
        if std::env::var_os("TIELINE_SLOW").is_none() {
            eprintln!("left out: 1 test, set TIELINE_SLOW=1");
            return;
        }
        let each = Scenario::CORRECTED.map(|scenario| run(scenario, 600_000).transitions);
        assert!(each.iter().sum::<u64>() > 3_000_000, "{each:?}");
    }
}

#[test]
fn one_thread_finds_the_same_every_time() {
    let once = || {
        let limits = Limits {
            threads: 1,
            ..Limits::default()
        };
        let found = explore(Universe::new(&Scenario::One.plan()), limits, |_| ());
        (found.states, found.transitions, found.depth)
    };
    assert_eq!(once(), once());
    assert_eq!(literal_counterexample(), literal_counterexample());
}
