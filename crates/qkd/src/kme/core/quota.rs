//! How much an SAE may draw.

use serde::{Deserialize, Serialize};

/// The rules for one SAE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quota {
    /// Bits that it may draw in the long run, each second; 0: no limit.
    pub bits_per_second: u64,
    /// Bits that it may draw at once after a pause.
    pub burst_bits: u64,
    /// Whether it carries control traffic, for which the reserve of the pool is kept.
    pub control: bool,
}

impl Default for Quota {
    /// No limit, no access to the reserve.
    fn default() -> Quota {
        Quota {
            bits_per_second: 0,
            burst_bits: 0,
            control: false,
        }
    }
}

/// A bucket that fills by time: `level` in bit-milliseconds per second, so that nothing is lost to rounding.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    rules: Quota,
    level: u128,
    at: u64,
}

impl Bucket {
    pub(crate) fn new(rules: Quota) -> Bucket {
        let level = u128::from(rules.burst_bits) * 1000;
        Bucket {
            rules,
            level,
            at: 0,
        }
    }

    pub(crate) fn control(&self) -> bool {
        self.rules.control
    }

    fn level(&self, now: u64) -> u128 {
        let gained =
            u128::from(self.rules.bits_per_second) * u128::from(now.saturating_sub(self.at));
        (self.level + gained).min(u128::from(self.rules.burst_bits) * 1000)
    }

    /// `Err((bits left, seconds to wait))` when so many bits are too many now.
    pub(crate) fn check(&self, now: u64, bits: u64) -> Result<(), (u64, u64)> {
        if self.rules.bits_per_second == 0 {
            return Ok(());
        }
        let level = self.level(now);
        let need = u128::from(bits) * 1000;
        if need <= level {
            return Ok(());
        }
        let rate = u128::from(self.rules.bits_per_second) * 1000;
        let wait = (need - level).div_ceil(rate).clamp(1, 3600);
        Err(((level / 1000) as u64, wait as u64))
    }

    /// After a check that said yes.
    pub(crate) fn draw(&mut self, now: u64, bits: u64) {
        if self.rules.bits_per_second > 0 {
            self.level = self.level(now).saturating_sub(u128::from(bits) * 1000);
            self.at = now.max(self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_then_its_rate_and_says_how_long_to_wait() {
        let mut bucket = Bucket::new(Quota {
            bits_per_second: 256,
            burst_bits: 512,
            control: false,
        });
        assert_eq!(bucket.check(0, 512), Ok(()));
        bucket.draw(0, 512);
        assert_eq!(bucket.check(0, 256), Err((0, 1)));
        assert_eq!(bucket.check(500, 256), Err((128, 1)));
        assert_eq!(bucket.check(1000, 256), Ok(()));
        assert_eq!(bucket.check(1_000_000, 513).unwrap_err().0, 512);
    }
}
