//! A node that votes for two things: the chain goes on, and says who it was.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::audit::audit;
use super::ground::Fleet;
use super::life::{carry, founded};

const HONEST: [usize; 3] = [1, 2, 3];
const LIAR: usize = 4;

/// The dishonest program, which is built with the tests.
fn two_faced() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_tieline"));
    let program = program.with_file_name("examples").join("two_faced");
    assert!(
        program.exists(),
        "{} is missing: cargo build -p tieline --examples",
        program.display()
    );
    program
}

/// What a block accuses validators of.
fn accused(fleet: &Fleet, node: usize, height: u64) -> Option<Vec<Value>> {
    let block = fleet.get(node, &format!("/v1/blocks/{height}"))?;
    let block = block.expect(200).json();
    let found = block["double_votes"].as_array().unwrap().clone();
    assert_eq!(block["header"]["double_votes"].is_null(), found.is_empty());
    Some(found)
}

/// Heights and accusations of all blocks up to this one.
fn all(fleet: &Fleet, node: usize, top: u64) -> Option<Vec<(u64, Value)>> {
    let mut found = Vec::new();
    for height in 1..=top {
        let accused = accused(fleet, node, height)?;
        found.extend(accused.into_iter().map(|one| (height, one)));
    }
    Some(found)
}

#[test]
fn a_validator_that_votes_for_two_things_is_named_by_the_chain() {
    let (mut fleet, mut hands) = founded();
    fleet.program(LIAR, &two_faced());
    fleet.start_all();
    for units in 1..4 {
        carry(&mut fleet, (1, &HONEST), &hands.deposit(units));
    }
    let named = fleet.wait("the chain names the liar", 90, |fleet| {
        let found = all(fleet, 1, fleet.height(1))?;
        (!found.is_empty()).then_some(found)
    });
    for units in 4..7 {
        carry(&mut fleet, (2, &HONEST), &hands.deposit(units));
    }
    // Nodes stand in the order of their identities, and so do validators.
    for (_, one) in &named {
        assert_eq!(one["validator"], json!(LIAR - 1), "{one}");
    }
    let top = fleet.height(1);
    let [one, other, third] = HONEST.map(|node| {
        fleet.wait_height(&[node], top);
        all(&fleet, node, top).unwrap()
    });
    assert_eq!(one, other);
    assert_eq!(one, third);
    let epochs: Vec<&Value> = one.iter().map(|(_, one)| &one["agreement"]).collect();
    assert!(epochs.is_sorted_by_key(|epoch| epoch.as_u64()));
    let mut once = epochs.clone();
    once.dedup();
    assert_eq!(once, epochs, "one record of an epoch");
    fleet.kill(LIAR);
    for node in HONEST {
        assert_eq!(fleet.end(node).code(), Some(0));
    }
    let audited = audit(&fleet);
    assert!(audited.double_votes >= one.len() as u64);
}
