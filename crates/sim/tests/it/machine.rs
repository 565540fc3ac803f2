//! Random worlds: three ledgers, six orders, unsynchronised clocks, lost and repeated certificates, crashes.

mod action;
mod safety;
mod world;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::Config;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::town::slow;
use action::Action;
use world::World;

/// What is generated follows the world as it is: mostly what somebody would do next.
struct Life;

impl ReferenceStateMachine for Life {
    type State = World;
    type Transition = Action;

    fn init_state() -> BoxedStrategy<World> {
        Just(World::new()).boxed()
    }

    fn transitions(world: &World) -> BoxedStrategy<Action> {
        let all = world.catalogue();
        let taken: Vec<Action> = all.iter().filter(|a| world.takes(a)).cloned().collect();
        let seals = select(Action::seals());
        let taken = if taken.is_empty() {
            world.clocks()
        } else {
            taken
        };
        prop_oneof![
            20 => select(taken),
            3 => select(all),
            8 => seals,
            2 => select(world.clocks()),
            2 => select(Action::crashes()),
        ]
        .boxed()
    }

    fn apply(mut world: World, action: &Action) -> World {
        world.act(action);
        world
    }
}

/// The same world again, with every property looked at after every step.
struct Watched;

impl StateMachineTest for Watched {
    type SystemUnderTest = World;
    type Reference = Life;

    fn init_test(_: &World) -> World {
        World::new()
    }

    fn apply(mut world: World, _: &World, action: Action) -> World {
        let before = world.clone();
        world.act(&action);
        safety::s3_terminal_states_never_change(&before, &world);
        safety::s10_redelivery_changes_nothing(&world, &action);
        safety::refusals_leave_no_trace(&before, &world);
        world
    }

    fn check_invariants(world: &World, _: &World) {
        safety::s1_terminal_outcomes_agree(world);
        safety::s2_money_and_capacity_are_conserved(world);
        safety::s3_at_most_one_accept_and_one_settlement(world);
        safety::s4_paid_at_most_what_was_metered(world);
        safety::s5_dispatched_means_escrow_is_held_or_settled(world);
        safety::s6_accepted_in_time(world);
        safety::s7_confirmed_before_the_gate_closed(world);
        safety::s8_certificates_have_enough_registered_signers(world);
        safety::s9_no_two_certificates_contradict_each_other(world);
    }

    fn teardown(mut world: World, _: World) {
        safety::s10_deliveries_commute(&world);
        world.end();
        Watched::check_invariants(&world, &World::new());
        safety::l1_every_order_is_terminal(&world);
    }
}

fn config() -> Config {
    Config {
        cases: if slow() { 4_000 } else { 80 },
        max_shrink_iters: 4_000,
        failure_persistence: None,
        ..Config::default()
    }
}

prop_state_machine! {
    #![proptest_config(config())]

    #[test]
    fn every_property_holds_after_every_step_of_a_random_world(sequential 1..150 => Watched);
}

#[test]
fn a_step_reads_as_one_short_line() {
    let lines: Vec<String> = World::new()
        .catalogue()
        .iter()
        .map(|a| format!("{a:?}"))
        .collect();
    assert!(
        lines
            .iter()
            .all(|line| line.len() < 60 && !line.contains('\n'))
    );
    assert!(
        lines.contains(&"time out order 1 on X".to_owned()),
        "{lines:#?}"
    );
}
