//! From values to pixels, with ticks at round numbers.

use super::number::fixed;

/// A place on an axis and its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Where.
    pub value: f64,
    /// What it says.
    pub label: String,
}

/// A linear map from a domain to pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    domain: (f64, f64),
    range: (f64, f64),
}

impl Scale {
    /// A linear scale; an empty or broken domain is widened to something that can be drawn.
    pub fn linear(domain: (f64, f64), range: (f64, f64)) -> Scale {
        let (mut low, mut high) = domain;
        if !low.is_finite() || !high.is_finite() {
            (low, high) = (0.0, 1.0);
        }
        if low > high {
            (low, high) = (high, low);
        }
        if high - low <= low.abs().max(high.abs()) * 1e-12 {
            let pad = if high == 0.0 { 1.0 } else { high.abs() * 0.5 };
            (low, high) = (low - pad, high + pad);
        }
        Scale {
            domain: (low, high),
            range,
        }
    }

    /// Widens a linear domain to round numbers, about `count` steps apart.
    pub fn nice(mut self, count: usize) -> Scale {
        let step = self.step(count);
        let (low, high) = self.domain;
        self.domain = (
            (low / step + 1e-9).floor() * step,
            (high / step - 1e-9).ceil() * step,
        );
        self
    }

    /// Lower and upper end of the domain.
    pub fn domain(&self) -> (f64, f64) {
        self.domain
    }

    /// The pixel of a value, held within the ends of the scale.
    pub fn at(&self, value: f64) -> f64 {
        let (low, high) = self.domain;
        let value = if value.is_finite() {
            value.clamp(low, high)
        } else {
            low
        };
        self.range.0 + (value - low) / (high - low) * (self.range.1 - self.range.0)
    }

    /// About `count` ticks at round numbers within the domain.
    pub fn ticks(&self, count: usize) -> Vec<Tick> {
        let step = self.step(count);
        let decimals = (-(step * 1.000_001).log10().floor()).clamp(0.0, 9.0) as usize;
        let first = (self.domain.0 / step - 1e-9).ceil() as i64;
        let last = (self.domain.1 / step + 1e-9).floor() as i64;
        let tick = |index: i64| {
            let value = index as f64 * step;
            Tick {
                value,
                label: fixed(value, decimals),
            }
        };
        (first..=last.min(first.saturating_add(200)))
            .map(tick)
            .collect()
    }

    /// 1, 2 or 5 times a power of ten, so that about `count` steps fill the domain.
    fn step(&self, count: usize) -> f64 {
        let rough = (self.domain.1 - self.domain.0) / count.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let ratio = rough / power;
        let nice = [1.0, 2.0, 5.0]
            .into_iter()
            .find(|nice| ratio <= nice * 1.000_001)
            .unwrap_or(10.0);
        nice * power
    }
}
