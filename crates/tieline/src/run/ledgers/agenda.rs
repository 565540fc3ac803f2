//! What is due at which time.

use std::collections::BTreeMap;

use tieline_units::Time;

use crate::config::Mode;
use crate::input::Scenario;
use crate::run::order::gate;
use crate::run::slot;

/// Before the first gate: chains are founded, everybody registers.
pub const PREPARE_MS: u64 = 3_600_000;

/// Before a day's first gate: money comes in.
const FUND_MS: u64 = 600_000;

/// After the last reading of a day can have come: positions are netted.
const NET_MS: u64 = 600_000;

/// Something that is due. Numbers are indices of market intervals, and of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Money comes in for the intervals from the first to the last.
    Fund(usize, usize),
    /// The gate of these intervals closes: orders are born.
    Gate(usize, usize),
    /// D has passed.
    Deadline(usize),
    /// G has passed.
    Closure(usize),
    /// Delivery begins.
    Delivery(usize),
    /// The interval is over: meters are read.
    Over(usize),
    /// A reading that is late comes.
    Reading(usize, usize),
    /// T_m and the grace have passed.
    Overdue(usize),
    /// A settlement period is over.
    Net,
    /// Something that was held back can go on.
    Wake,
}

/// Sorted by time, and by when it was added.
#[derive(Clone, Debug)]
pub struct Agenda {
    all: BTreeMap<(Time, u64), Due>,
    added: u64,
}

impl Agenda {
    /// With the gates, intervals and days of a scenario.
    pub fn new(scenario: &Scenario) -> Agenda {
        let mut agenda = Agenda {
            all: BTreeMap::new(),
            added: 0,
        };
        let mut from = 0;
        let count = scenario.intervals.len();
        while from < count {
            let day = day_from(scenario, from);
            agenda.add_day(scenario, day);
            from = day.1 + 1;
        }
        agenda
    }

    fn add_day(&mut self, scenario: &Scenario, (first, last): (usize, usize)) {
        let gates = &scenario.config.gates;
        let first_gate = gate(&slot(scenario, first));
        self.add(first_gate.minus_millis(FUND_MS), Due::Fund(first, last));
        match scenario.config.mode {
            Mode::DayAhead => self.add(first_gate, Due::Gate(first, last)),
            Mode::Intraday => {
                for index in first..=last {
                    self.add(gate(&slot(scenario, index)), Due::Gate(index, index));
                }
            }
        }
        for index in first..=last {
            let interval = scenario.intervals[index];
            self.add(interval.start, Due::Delivery(index));
            self.add(interval.end().plus_millis(1_000), Due::Over(index));
        }
        let end = scenario.intervals[last].end();
        let settled = end.plus_millis(gates.metering_after_ms + gates.grace_ms + NET_MS);
        self.add(settled, Due::Net);
    }

    /// Adds something.
    pub fn add(&mut self, time: Time, due: Due) {
        self.added += 1;
        self.all.insert((time, self.added), due);
    }

    /// When something is due next.
    pub fn next(&self) -> Option<Time> {
        self.all.keys().next().map(|(time, _)| *time)
    }

    /// Something that is due by now.
    pub fn take(&mut self, now: Time) -> Option<Due> {
        let first = self.all.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

/// The intervals of the local day that this one begins: first and last.
fn day_from(scenario: &Scenario, first: usize) -> (usize, usize) {
    let day = |index: usize| scenario.zone.day_of(scenario.intervals[index].start);
    let count = scenario.intervals.len();
    let next = (first..count).find(|&index| day(index) != day(first));
    (first, next.unwrap_or(count) - 1)
}

/// Where the clock of a run begins.
pub fn start(scenario: &Scenario) -> Time {
    let first = gate(&slot(scenario, 0));
    first.minus_millis(FUND_MS + PREPARE_MS)
}
