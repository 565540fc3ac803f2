//! Deliberate bugs: what kills each of them.
//!
//! The sixteen of the specification, every guard of every transition left out, every sort of effect of every transition left
//! out. First the model checker looks for a run that violates a property; then attacks are tried on the chronicle's ledgers:
//! one that the contract refuses and the mutant lets through. `docs/mutants.md` has them all; `TIELINE_BLESS=1` writes it
//! anew.

mod attacks;
mod chronicle;
mod hunt;
mod probe;
mod reasons;
mod setting;
mod table;

use std::collections::BTreeSet;

use tieline_contract::transition::Transition;

use hunt::Killed;
use probe::Bench;
use table::{named, page, rows};

#[test]
fn the_chronicle_makes_every_transition() {
    let all: BTreeSet<Transition> = Transition::ALL.iter().copied().collect();
    assert_eq!(Bench::new().made(), all);
}

#[test]
fn the_sixteen_mutants_of_the_specification_die_but_for_the_forged_acceptance_which_harms_nobody() {
    let named = named();
    assert_eq!(named.len(), 16);
    for row in named {
        let harmless = row.name.contains("forged ACC");
        let outcome = matches!(&row.killed, Killed::Run { property, .. } if *property != "S8");
        assert_eq!(outcome, !harmless, "{}: {:?}", row.name, row.killed);
    }
}

#[test]
fn every_mutant_is_in_the_table_with_what_kills_it_or_why_it_harms_nobody() {
    let rows = rows(&Bench::new());
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mutants.md");
    let page = page(&rows);
    if std::env::var_os("TIELINE_BLESS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    for row in &rows {
        assert!(!matches!(row.killed, Killed::Not), "{} lives", row.name);
    }
    let printed = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        printed, page,
        "docs/mutants.md is old: TIELINE_BLESS=1 writes it anew"
    );
}
