//! The step of a table, from all its timestamps in a first, cheap pass.

use tieline_units::Time;

/// Five minutes, the shortest market interval and the raster of the detection.
const RASTER_MS: u64 = 300_000;

/// Five-minute marks of a day.
const MARKS: usize = 288;

/// Percent of the rows that a step's raster must hold: a few misplaced rows must not change the step of a table.
const SHARE: u64 = 90;

#[derive(Clone, Copy, Debug)]
struct Mark {
    count: u64,
    first: Time,
    last: Time,
}

/// Timestamps by their five-minute mark in the UTC day.
#[derive(Debug)]
pub(crate) struct Steps {
    marks: Vec<Mark>,
    rows: u64,
}

/// What the timestamps of a table say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detected {
    /// The step in milliseconds; `None` when there is a single instant.
    pub(crate) step_ms: Option<u64>,
    /// First instant on the step's raster.
    pub(crate) first: Time,
    /// Last instant on the step's raster.
    pub(crate) last: Time,
}

impl Steps {
    pub(crate) fn new() -> Steps {
        let empty = Mark {
            count: 0,
            first: Time::from_millis(u64::MAX),
            last: Time::from_millis(0),
        };
        Steps {
            marks: vec![empty; MARKS],
            rows: 0,
        }
    }

    pub(crate) fn add(&mut self, time: Time) {
        self.rows += 1;
        if !time.as_millis().is_multiple_of(RASTER_MS) {
            return;
        }
        let mark = &mut self.marks[((time.as_millis() / RASTER_MS) % MARKS as u64) as usize];
        mark.count += 1;
        mark.first = mark.first.min(time);
        mark.last = mark.last.max(time);
    }

    /// Rows with a readable timestamp.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The step: the largest one whose raster, at its best phase, holds nearly all rows.
    pub(crate) fn detect(&self) -> Option<Detected> {
        let total: u64 = self.marks.iter().map(|mark| mark.count).sum();
        let on = |step: usize, phase: usize| self.marks.iter().skip(phase).step_by(step);
        let holds =
            |step: usize, phase: usize| -> u64 { on(step, phase).map(|mark| mark.count).sum() };
        let (step, phase) = (1..=MARKS)
            .rev()
            .filter(|step| MARKS.is_multiple_of(*step))
            .filter_map(|step| Some((step, (0..step).max_by_key(|phase| holds(step, *phase))?)))
            .find(|(step, phase)| total > 0 && holds(*step, *phase) * 100 >= total * SHARE)?;
        let used = on(step, phase).filter(|mark| mark.count > 0);
        let first = used.clone().map(|mark| mark.first).min()?;
        let last = used.map(|mark| mark.last).max()?;
        Some(Detected {
            step_ms: (first != last).then_some(step as u64 * RASTER_MS),
            first,
            last,
        })
    }
}

/// A step for messages: `15min`, `24h`.
pub(crate) fn format_step(step_ms: u64) -> String {
    let minutes = step_ms / 60_000;
    if minutes > 60 && minutes.is_multiple_of(60) {
        format!("{}h", minutes / 60)
    } else {
        format!("{minutes}min")
    }
}
