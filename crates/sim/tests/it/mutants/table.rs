//! The table of mutants.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tieline_contract::guard::Guard;
use tieline_contract::mutant::{Effect, Mutant};
use tieline_contract::transition::Transition;
use tieline_sim::model::Scenario;

use super::hunt::{Killed, all_stages, hunt, hunt_terms, search, stages};
use super::probe::Bench;
use super::reasons::harmless;

/// A mutant and its end.
pub(crate) struct Row {
    pub(crate) group: &'static str,
    pub(crate) name: String,
    pub(crate) killed: Killed,
}

const NAMED: &str = "Of the specification";
const GUARDS: &str = "Without a guard";
const EFFECTS: &str = "Without an effect";

/// Fifteen of section 10, in its order.
const SIXTEEN_BUT_ONE: [(&str, Mutant); 15] = {
    use Transition as T;
    [
        ("refund after COMMITTED", Mutant::RefundAfterCommitted),
        ("void after CONFIRMED", Mutant::VoidAfterConfirmed),
        ("no tombstone before a late request", Mutant::NoTombstone),
        ("no replay check", Mutant::Replay),
        (
            "no deadline guard (1)",
            Mutant::Unguarded(T::Accept, Guard::InTime),
        ),
        (
            "forged COM",
            Mutant::Unguarded(T::Confirm, Guard::Certified),
        ),
        (
            "forged VOID",
            Mutant::Unguarded(T::Release, Guard::Certified),
        ),
        ("forged ACC", Mutant::Unguarded(T::Commit, Guard::Certified)),
        ("dispatch on ACCEPTED", Mutant::DispatchOnAccepted),
        (
            "no capacity check",
            Mutant::Unguarded(T::Accept, Guard::Capacity),
        ),
        ("pay on COMMITTED", Mutant::PayOnCommitted),
        ("settle twice on Z", Mutant::SettleTwice),
        (
            "default settlement on the buyer's meter alone",
            Mutant::DefaultOnTaken,
        ),
        (
            "confirm after G",
            Mutant::Unguarded(T::Confirm, Guard::BeforeGate),
        ),
        (
            "certificates not kept and re-exported",
            Mutant::Without(T::Confirm, Effect::Keep),
        ),
    ]
};

/// The sixteen of section 10.
pub(crate) fn named() -> Vec<Row> {
    const OUTCOMES: &[&str] = &["S6", "S7", "S8"];
    let one = |&(name, mutant): &(&str, Mutant)| {
        let stages = match mutant {
            Mutant::Unguarded(_, Guard::Certified) => &[Scenario::Forgery],
            _ => all_stages(Transition::Confirm),
        };
        let outcome = hunt(mutant, stages, OUTCOMES);
        let rule = || hunt(mutant, stages, &[]);
        row(name, outcome.or_else(rule))
    };
    let mut all: Vec<Row> = SIXTEEN_BUT_ONE.iter().map(one).collect();
    let literal = Scenario::Literal;
    let found = search(&literal.plan(), None, &[]);
    let found = found.map(|(property, steps)| Killed::Run {
        property,
        scenario: literal.name(),
        steps,
    });
    all.push(row("the literal reading: Y final at phase 4", found));
    all
}

fn row(name: &str, killed: Option<Killed>) -> Row {
    Row {
        group: NAMED,
        name: name.to_owned(),
        killed: killed.unwrap_or(Killed::Not),
    }
}

/// All of them, on two threads.
pub(crate) fn rows(bench: &Bench) -> Vec<Row> {
    let guards = bench.asked().into_iter();
    let effects = bench.effects().into_iter();
    let mutants: Vec<Mutant> = guards
        .map(|(transition, guard)| Mutant::Unguarded(transition, guard))
        .chain(effects.map(|(transition, effect)| Mutant::Without(transition, effect)))
        .collect();
    let mut all = named();
    let half = |which: usize| -> Vec<(usize, Row)> {
        let mine = mutants.iter().enumerate().filter(|(n, _)| n % 2 == which);
        mine.filter_map(|(n, mutant)| Some((n, tried(bench, *mutant)?)))
            .collect()
    };
    let mut tried = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        let mut tried = half(0);
        tried.extend(other.join().unwrap());
        tried
    });
    tried.sort_by_key(|(n, _)| *n);
    all.extend(tried.into_iter().map(|(_, row)| row));
    all
}

fn tried(bench: &Bench, mutant: Mutant) -> Option<Row> {
    Some(match mutant {
        Mutant::Unguarded(transition, guard) => Row {
            group: GUARDS,
            name: format!("{transition:?} ({}): {}", transition.number(), guard.text()),
            killed: without_guard(bench, mutant, (transition, guard)),
        },
        Mutant::Without(transition, effect) => {
            let run = hunt(mutant, all_stages(transition), &[]);
            let reason = || harmless(mutant).map(Killed::Harmless);
            Row {
                group: EFFECTS,
                name: format!("{transition:?} ({}): {effect:?}", transition.number()),
                killed: run.or_else(reason).unwrap_or(Killed::Records),
            }
        }
        _ => return None,
    })
}

fn without_guard(
    bench: &Bench,
    mutant: Mutant,
    (transition, guard): (Transition, Guard),
) -> Killed {
    let stages = stages(transition, guard);
    // What is forged is always against S8; better to know what comes of it.
    let ignored: &'static [&'static str] = match guard {
        Guard::Certified => &["S8"],
        _ => &[],
    };
    let terms = || match transition {
        Transition::Request => hunt_terms(mutant, guard),
        _ => None,
    };
    let rule = || match guard {
        Guard::Certified => hunt(mutant, stages, &[]),
        _ => None,
    };
    let attack = || bench.probe(transition, guard).map(|_| Killed::Attack);
    let reason = || harmless(mutant).map(Killed::Harmless);
    hunt(mutant, stages, ignored)
        .or_else(terms)
        .or_else(rule)
        .or_else(attack)
        .or_else(reason)
        .unwrap_or(Killed::Not)
}

/// The page of the documentation.
pub(crate) fn page(rows: &[Row]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(verdict(&row.killed)).or_default() += 1;
    }
    let mut out = String::from(HEAD);
    let _ = writeln!(out, "| end | mutants |\n|---|---|");
    for (end, count) in counts {
        let _ = writeln!(out, "| {end} | {count} |");
    }
    for group in [NAMED, GUARDS, EFFECTS] {
        let _ = writeln!(
            out,
            "\n## {group}\n\n| mutant | killed by | in | steps |\n|---|---|---|---|"
        );
        for row in rows.iter().filter(|row| row.group == group) {
            let name = row.name.replace('|', "\\|");
            let _ = match &row.killed {
                Killed::Run {
                    property,
                    scenario,
                    steps,
                } => writeln!(out, "| {name} | {property} | {scenario} | {steps} |"),
                Killed::Attack => {
                    writeln!(out, "| {name} | the attack goes through | chronicle | 1 |")
                }
                Killed::Records => writeln!(out, "| {name} | records differ | chronicle | 1 |"),
                Killed::Harmless(why) => writeln!(out, "| {name} | harmless: {why} | | |"),
                Killed::Not => writeln!(out, "| {name} | LIVES | | |"),
            };
        }
    }
    out
}

fn verdict(killed: &Killed) -> &'static str {
    match killed {
        Killed::Run { .. } => "a property of section 8",
        Killed::Attack => "an attack that it lets through",
        Killed::Records => "records that differ",
        Killed::Harmless(_) => "harmless",
        Killed::Not => "LIVES",
    }
}

const HEAD: &str = "# Mutants of the contract

Printed by `TIELINE_BLESS=1 cargo test -p tieline-sim mutants`; a test compares.

A property that no bug can violate says nothing. So every guard of every transition is left out once, every sort of effect
once, and the specification's sixteen bugs are tried. A mutant is killed by a **property** of the specification's section 8,
in the shortest run that the model checker finds, or by L2, which no run reaches any more (scenarios are those of `crates/sim/src/model/scenario.rs`; for forged
certificates S8 itself is left out first, to see what comes of them); or by an **attack** on a ledger of the chronicle
(`crates/sim/tests/it/mutants`), which the contract refuses for this guard alone and the mutant lets through; or by
**records** that differ after a step of the chronicle, where no property of worlds speaks of them. The rest is **harmless**,
with the reason.

";
