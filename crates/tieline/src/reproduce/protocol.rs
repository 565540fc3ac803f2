//! The six phases of section 3.2: read as printed, one run of them leaves a seller bound and its buyer free; the corrected
//! protocol is put through the same schedule.
//!
//! Nothing here is stored: the model checker looks for the run when [`compute`] is called, over the same ledgers as nodes run.

use anyhow::Context as _;
use serde::Serialize;

use tieline_sim::model::{Exploration, Limits, Scenario, explore};
use tieline_sim::narrate::{literal_counterexample, narrate, replay_corrected};
use tieline_sim::world::Universe;

use super::Figure;
use super::claim::{Claim, Imposed, Subject};
use super::paper;
use super::sections::claims_of;
use super::view::{Block, Cell, Section, Table};

/// How many transitions of the corrected protocol are explored here; the example `model_check` of the crate `sim` explores all.
const TRANSITIONS: u64 = 50_000;

/// Both readings under one schedule.
#[derive(Clone, Debug, Serialize)]
pub struct Protocol {
    /// The property that the printed reading violates.
    pub violated: &'static str,
    /// The run, told in numbered lines.
    pub printed: Vec<String>,
    /// The same schedule under the corrected protocol, and how it ends.
    pub corrected: Vec<String>,
    /// How many steps of the schedule the corrected protocol refused.
    pub refused: usize,
    /// Whether its ledgers end with one outcome.
    pub agree: bool,
    /// Runs of the corrected protocol that were explored here.
    pub explored: Explored,
}

/// What was explored of the corrected protocol.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Explored {
    /// Different worlds.
    pub states: u64,
    /// Edges between them.
    pub transitions: u64,
    /// Steps of the longest run.
    pub depth: u64,
    /// Whether a property was violated.
    pub violated: bool,
}

/// Finds the run, plays it under the corrected protocol, and explores that.
///
/// # Errors
/// When the model checker finds no violation of the printed reading: then the ledgers are not what they were.
pub fn compute() -> anyhow::Result<Protocol> {
    let found = literal_counterexample().context("the printed reading violates nothing")?;
    let printed = narrate(&Universe::new(&Scenario::Literal.plan()), &found.events);
    let replay = replay_corrected(&found.events);
    let limits = Limits {
        transitions: TRANSITIONS,
        threads: 1,
        ..Limits::default()
    };
    let Exploration {
        states,
        transitions,
        depth,
        violation,
        ..
    } = explore(Universe::new(&Scenario::One.plan()), limits, |_| ());
    Ok(Protocol {
        violated: found.property,
        printed,
        corrected: replay.lines,
        refused: replay.refused,
        agree: replay.agree,
        explored: Explored {
            states,
            transitions,
            depth,
            violated: violation.is_some(),
        },
    })
}

/// What the paper says of its phases.
pub(super) fn claims(found: &Protocol) -> Vec<Claim> {
    let consistent = Subject {
        id: "protocol-consistent",
        figure: Figure::Protocol,
        quote: paper::CONSISTENT,
        imposed: Imposed::No,
    };
    let Explored {
        states,
        transitions,
        violated,
        ..
    } = found.explored;
    let sound = found.agree && !violated;
    let corrected = if sound { "agree" } else { "do not agree" };
    vec![consistent.statement(
        false,
        format!(
            "read as printed, a run of {} steps violates {}; under the corrected protocol the ledgers {corrected} in that run and in {states} states with {transitions} transitions",
            found.printed.len().saturating_sub(1),
            found.violated
        ),
        "phase (4) binds the seller while the buyer may still let the deadline pass; no Δt in formula (1) cures that without bounds on the messages".to_owned(),
    )]
}

/// The section.
pub(super) fn section<'a>(document: &'a super::Document, found: &Protocol) -> Section<'a> {
    let lines = |id, caption: &str, lines: &[String]| {
        let mut table = Table::new(id, caption, &["step|what happens"]);
        for line in lines {
            table.row(vec![Cell::text(line.clone())]);
        }
        Block::Table(table)
    };
    Section {
        id: "protocol",
        heading: "Section 3.2: the six phases",
        lead: format!(
            "The shortest run that the model checker finds against the printed reading (Y is final in phase 4), and the corrected protocol under the same schedule, of whose steps it refuses {}; relayers and time do the rest. S1: no refund on X beside a confirmed or paid order on Y, no payment on X without one, equal quantities on both.",
            found.refused
        ),
        blocks: vec![
            claims_of(document, Figure::Protocol, false),
            lines("protocol-printed", "As printed", &found.printed),
            lines(
                "protocol-corrected",
                "As corrected, under the same schedule",
                &found.corrected,
            ),
        ],
    }
}
