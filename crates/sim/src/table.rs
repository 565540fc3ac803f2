//! The contract as a document: the transition table, the state machines and what they rest on, printed from the code that
//! runs. `docs/contract.md` and `docs/contract.svg` are what [`document`] and [`picture`] return; a test compares them.

pub mod asked;
pub mod machine;
mod picture;
mod prose;

use std::fmt::{self, Write as _};

use crate::table::asked::{ALWAYS, CHOOSES, asked, found, remark};
use crate::table::machine::{Machine, after, machines};
use crate::table::picture::{mermaid, svg};
use tieline_contract::guard::Guard;
use tieline_contract::payload::Kind;
use tieline_contract::state::State;
use tieline_contract::terms::Terms;
use tieline_contract::transition::{Ledger, Transition};

/// `docs/contract.md`.
///
/// `ledger`: any, at its genesis; `example`: terms to show in plain language.
pub fn document(ledger: &State, example: &Terms) -> String {
    let machines = machines(ledger);
    let parts = [
        prose::OPENING.to_owned(),
        phases(),
        prose::MACHINES.to_owned(),
        machines.iter().map(machine_section).collect(),
        prose::TRANSITIONS.to_owned(),
        transitions(),
        guards(),
        prose::SIGNATURES.to_owned(),
        certificates(),
        prose::PROPERTIES.to_owned(),
        prose::DEVIATIONS.to_owned(),
        prose::RENDERING.to_owned(),
        format!("```text\n{}```\n", example.rendering()),
    ];
    parts.concat()
}

/// `docs/contract.svg`: the three machines.
pub fn picture(ledger: &State) -> String {
    svg(&machines(ledger))
}

fn line(out: &mut String, content: fmt::Arguments<'_>) {
    writeln!(out, "{content}").expect("a string takes all");
}

fn phases() -> String {
    let mut out = String::from(prose::PHASES);
    for (number, paper, here) in prose::SIX_PHASES {
        let digit = number.to_string();
        let mut numbers: Vec<&str> = Transition::ALL
            .iter()
            .filter(|transition| transition.phase() == digit)
            .map(|transition| transition.number())
            .collect();
        numbers.dedup();
        let numbers = if numbers.is_empty() {
            "T2, on no ledger".to_owned()
        } else {
            numbers.join(", ")
        };
        line(
            &mut out,
            format_args!("| {number} | {paper} | {here} | {numbers} |"),
        );
    }
    out
}

fn machine_section(machine: &Machine) -> String {
    let (title, text) = match machine.ledger {
        Ledger::X => prose::ON_X,
        Ledger::Y => prose::ON_Y,
        Ledger::Z | Ledger::XorY | Ledger::Any => prose::ON_Z,
    };
    let mut out = format!(
        "\n### {title}\n\n{text}\n\n```mermaid\n{}```\n\n",
        mermaid(machine)
    );
    let states: Vec<String> = machine
        .states
        .iter()
        .map(|state| match machine.is_final(state) {
            true => format!("**{state}**"),
            false => (*state).to_owned(),
        })
        .collect();
    line(&mut out, format_args!("| | {} |", states.join(" | ")));
    line(
        &mut out,
        format_args!("|---|{}", "---|".repeat(states.len())),
    );
    for (input, row) in machine.inputs.iter().zip(&machine.cells) {
        let cells = machine
            .states
            .iter()
            .zip(row)
            .map(|(state, cell)| match cell {
                None => "·".to_owned(),
                Some(transition) => {
                    let to = after(*transition).filter(|to| to != state);
                    let to = to.map_or(String::new(), |to| format!(" → {to}"));
                    format!("{}{to}", transition.number())
                }
            });
        let cells: Vec<String> = cells.collect();
        line(
            &mut out,
            format_args!("| {input} | {} |", cells.join(" | ")),
        );
    }
    out
}

const fn ledger_name(ledger: Ledger) -> &'static str {
    match ledger {
        Ledger::X => "X",
        Ledger::Y => "Y",
        Ledger::XorY => "X, Y",
        Ledger::Z => "Z",
        Ledger::Any => "X, Y, Z",
    }
}

fn transitions() -> String {
    let mut out = String::new();
    line(
        &mut out,
        format_args!("| # | phase | on | what brings it about, and who may | guards | effect |"),
    );
    line(&mut out, format_args!("|---|---|---|---|---|---|"));
    for &transition in Transition::ALL {
        let named = |guard: &Guard| format!("{guard:?}{}", remark(transition, *guard));
        let asked = asked(transition).iter().map(named);
        let found = found(transition).iter().map(|guard| format!("*{guard:?}*"));
        let guards: Vec<String> = found.chain(asked).collect();
        let (number, phase) = (transition.number(), transition.phase());
        let (on, trigger) = (ledger_name(transition.ledger()), transition.trigger());
        let effect = transition.effect();
        line(
            &mut out,
            format_args!(
                "| {number} | {phase} | {on} | {trigger} | {} | {effect} |",
                guards.join(", ")
            ),
        );
    }
    out
}

fn guards() -> String {
    let mut out = String::from(prose::GUARDS);
    for &guard in Guard::ALL {
        let mut numbers: Vec<&str> = Transition::ALL
            .iter()
            .filter(|&&t| asked(t).contains(&guard) || found(t).contains(&guard))
            .map(|transition| transition.number())
            .collect();
        numbers.dedup();
        let chooses = CHOOSES.iter().find(|(chooser, _)| *chooser == guard);
        let numbers = match chooses {
            Some((_, what)) => (*what).to_owned(),
            None if ALWAYS.contains(&guard) => "every one".to_owned(),
            None => numbers.join(", "),
        };
        line(
            &mut out,
            format_args!("| {guard:?} | {} | {numbers} |", guard.text()),
        );
    }
    out
}

/// Every kind of entry with its name in the tables.
pub const KINDS: [(Kind, &str, &str); 14] = [
    (Kind::Request, "REQ", "a request is locked"),
    (Kind::Accept, "ACC", "tentatively accepted"),
    (Kind::Reject, "REJ", "will never be accepted"),
    (Kind::Commit, "COM", "the buyer is bound"),
    (Kind::Refund, "REF", "the buyer has its money back"),
    (Kind::Void, "VOID", "will never be confirmed"),
    (Kind::Taken, "MET_x", "what the buyer took"),
    (Kind::Delivered, "MET_y", "what the seller delivered"),
    (Kind::Settle, "SET", "what the order comes to"),
    (Kind::Rotate, "ROT", "an epoch opens, is known, is closed"),
    (Kind::Deposit, "DEP", "money came in"),
    (Kind::Net, "NET", "money goes home between chains"),
    (Kind::Register, "REG", "a member or a chain, new or changed"),
    (Kind::Freeze, "FRZ", "no new orders under an epoch"),
];

fn certificates() -> String {
    let mut out = String::from(prose::CERTIFICATES);
    for (_, name, what) in KINDS {
        let writes = |t: &Transition| says(t.effect(), &format!("outbox {name}"));
        let short = name.split('_').next().unwrap_or(name);
        let reads =
            |t: &Transition| says(t.trigger(), short) && t.trigger().contains("certificate");
        line(
            &mut out,
            format_args!(
                "| {name} | {what} | {} | {} |",
                numbers(writes),
                numbers(reads)
            ),
        );
    }
    out
}

fn numbers(wanted: impl Fn(&Transition) -> bool) -> String {
    let chosen = Transition::ALL.iter().filter(|t| wanted(t));
    let mut numbers: Vec<String> = chosen
        .map(|t| format!("{} on {}", t.number(), ledger_name(t.ledger())))
        .collect();
    numbers.dedup();
    numbers.join(", ")
}

/// Whether a text has a phrase as whole words.
fn says(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(at, _)| {
        let next = text[at + phrase.len()..].chars().next();
        next.is_none_or(|next| !next.is_alphanumeric() && next != '_')
    })
}
