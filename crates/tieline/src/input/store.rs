//! Time series on a raster, dense and compact: chunks of steps are allocated when their first row comes.

use tieline_market::position::Sample;
use tieline_units::{IntervalLength, MarketInterval, Power, Time};

/// Steps of one chunk: a day of quarter-hours.
const CHUNK_STEPS: usize = 96;

/// Instants at equal distances, `start + index · length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) start: Time,
    pub(crate) length: IntervalLength,
    pub(crate) count: usize,
}

/// Where an instant stands on a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    At(usize),
    Outside,
    OffGrid,
}

impl Grid {
    /// The grid from `start` to before `end`.
    pub(crate) fn between(start: Time, end: Time, length: IntervalLength) -> Grid {
        let span = end.as_millis().saturating_sub(start.as_millis());
        Grid {
            start,
            length,
            count: usize::try_from(span / length.millis()).unwrap_or(usize::MAX),
        }
    }

    pub(crate) fn slot(&self, time: Time) -> Slot {
        let step = self.length.millis();
        let (time, start) = (time.as_millis(), self.start.as_millis());
        if time % step != start % step {
            return Slot::OffGrid;
        }
        match time.checked_sub(start).map(|distance| distance / step) {
            Some(index) if (index as usize) < self.count => Slot::At(index as usize),
            _ => Slot::Outside,
        }
    }

    pub(crate) fn time(&self, index: usize) -> Time {
        self.start.plus_millis(index as u64 * self.length.millis())
    }

    pub(crate) fn end(&self) -> Time {
        self.time(self.count)
    }

    pub(crate) fn intervals(&self) -> Vec<MarketInterval> {
        let interval = |index| MarketInterval {
            start: self.time(index),
            length: self.length,
        };
        (0..self.count).map(interval).collect()
    }
}

/// Values and the line of each cell while a table is read.
#[derive(Debug)]
pub(crate) struct Store {
    keys: usize,
    width: usize,
    chunks: Vec<Option<Chunk>>,
}

#[derive(Debug)]
struct Chunk {
    values: Box<[i64]>,
    /// 0: no row yet.
    lines: Box<[u32]>,
}

/// What stood at a place where another row wants to stand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Occupied {
    pub(crate) line: u64,
    pub(crate) values: Vec<i64>,
}

impl Store {
    /// `width` values for each of `keys` at `steps` steps.
    pub(crate) fn new(steps: usize, keys: usize, width: usize) -> Store {
        let chunks = std::iter::repeat_with(|| None).take(steps.div_ceil(CHUNK_STEPS));
        Store {
            keys,
            width,
            chunks: chunks.collect(),
        }
    }

    /// Puts a row in its place, unless one stands there.
    pub(crate) fn put(
        &mut self,
        (step, key): (usize, usize),
        line: u64,
        values: &[i64],
    ) -> Result<(), Occupied> {
        let (cells, width) = (CHUNK_STEPS * self.keys, self.width);
        let chunk = self.chunks[step / CHUNK_STEPS].get_or_insert_with(|| Chunk {
            values: vec![0; cells * width].into_boxed_slice(),
            lines: vec![0; cells].into_boxed_slice(),
        });
        let cell = (step % CHUNK_STEPS) * self.keys + key;
        let kept = &mut chunk.values[cell * width..][..width];
        if chunk.lines[cell] != 0 {
            return Err(Occupied {
                line: u64::from(chunk.lines[cell]),
                values: kept.to_vec(),
            });
        }
        kept.copy_from_slice(values);
        chunk.lines[cell] = u32::try_from(line).unwrap_or(u32::MAX);
        Ok(())
    }

    /// The row of a step and key: its line and values.
    pub(crate) fn get(&self, step: usize, key: usize) -> Option<(u64, &[i64])> {
        let chunk = self.chunks[step / CHUNK_STEPS].as_ref()?;
        let cell = (step % CHUNK_STEPS) * self.keys + key;
        let line = u64::from(chunk.lines[cell]);
        (line != 0).then(|| (line, &chunk.values[cell * self.width..][..self.width]))
    }

    /// The values alone, once every place is filled.
    pub(crate) fn into_profiles(self) -> Profiles {
        let values = |chunk: Option<Chunk>| chunk.map_or_else(Box::default, |chunk| chunk.values);
        Profiles {
            microgrids: self.keys,
            chunks: self.chunks.into_iter().map(values).collect(),
        }
    }
}

/// Load and generation of every microgrid at every interval of a scenario.
#[derive(Clone, PartialEq, Eq)]
pub struct Profiles {
    microgrids: usize,
    chunks: Vec<Box<[i64]>>,
}

impl Profiles {
    /// The sample of an interval and a microgrid, by their index in the scenario.
    ///
    /// # Panics
    /// Beyond the scenario's intervals and microgrids.
    pub fn at(&self, interval_index: usize, microgrid_index: usize) -> Sample {
        assert!(microgrid_index < self.microgrids, "no such microgrid");
        let cell = (interval_index % CHUNK_STEPS) * self.microgrids + microgrid_index;
        let values = &self.chunks[interval_index / CHUNK_STEPS][cell * 3..][..3];
        Sample {
            load: Power::from_milliwatts(values[0]),
            pv: Power::from_milliwatts(values[1]),
            wind: Power::from_milliwatts(values[2]),
        }
    }
}

impl std::fmt::Debug for Profiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Profiles of {} microgrids", self.microgrids)
    }
}
