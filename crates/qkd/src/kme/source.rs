//! Where the bits of a link come from.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What an origin of keys is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// No quantum channel behind it: good for development and tests.
    Simulated,
    /// A QKD device.
    Physical,
}

impl Origin {
    /// The word for extensions, pages and logs.
    pub fn word(self) -> &'static str {
        match self {
            Origin::Simulated => "simulated",
            Origin::Physical => "physical",
        }
    }
}

/// What a source has to offer.
#[derive(Debug)]
pub enum Drawn {
    /// Bits, at most as many as asked, a whole number of bytes.
    Bits(Zeroizing<Vec<u8>>),
    /// Nothing yet.
    Nothing {
        /// When to ask again.
        again_in: Duration,
    },
    /// A block was thrown away, such as for too high an error rate; nothing of it comes out.
    Aborted {
        /// Why, for the operator.
        why: String,
        /// When to ask again.
        again_in: Duration,
    },
}

/// Gives the bits of one link at the end that dials; the other end gets the same bits over the link between the key
/// managers, which is why nothing that comes this way is more than simulated.
pub trait KeySource: Send {
    /// What its bits are worth.
    fn origin(&self) -> Origin;

    /// Bits that became ready up to `now`, counted from the start of the key manager. May take its time: it runs in a
    /// thread of its own.
    fn draw(&mut self, now: Duration, bits_max: u64) -> Drawn;

    /// What its line did up to `now`; `None` when there is no line behind it. Asked each second also while nobody has room
    /// for bits, so that an alarm does not wait for that.
    fn line(&mut self, _now: Duration) -> Option<Line> {
        None
    }
}

/// What a line did since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Line {
    /// Blocks that ended.
    pub blocks: u64,
    /// Of these, thrown away.
    pub aborted_blocks: u64,
    /// Of these, with something wrong; those thrown away among them.
    pub alarmed_blocks: u64,
    /// Bits of blocks that were not thrown away.
    pub released_bits: u64,
    /// Of these, bits that found no room and are lost.
    pub lost_bits: u64,
    /// Error rate of the newest block; none without clicks.
    pub qber: Option<f64>,
    /// Whether something is wrong with the newest block.
    pub alarm_now: bool,
    /// What was wrong the last time.
    pub last_alarm: Option<String>,
}

/// Bits of the operating system's random generator, as fast as asked or at a rate.
#[derive(Debug)]
pub struct DevelopmentSource {
    bits_per_second: Option<u64>,
    given: u64,
}

impl DevelopmentSource {
    /// Without a rate: as fast as asked.
    pub fn new(bits_per_second: Option<u64>) -> DevelopmentSource {
        DevelopmentSource {
            bits_per_second,
            given: 0,
        }
    }
}

/// How long an empty source waits.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

impl KeySource for DevelopmentSource {
    fn origin(&self) -> Origin {
        Origin::Simulated
    }

    fn draw(&mut self, now: Duration, bits_max: u64) -> Drawn {
        let ready = match self.bits_per_second {
            None => bits_max,
            Some(rate) => {
                let made = u128::from(rate) * now.as_millis() / 1000;
                let ready = u64::try_from(made)
                    .unwrap_or(u64::MAX)
                    .saturating_sub(self.given);
                // A second's worth at most: what nobody had room for is lost.
                self.given += ready.saturating_sub(rate);
                ready.min(rate).min(bits_max)
            }
        };
        let bytes = ready / 8;
        if bytes == 0 {
            return Drawn::Nothing { again_in: PAUSE };
        }
        let mut bits = Zeroizing::new(vec![0; bytes as usize]);
        if let Err(error) = getrandom::fill(&mut bits) {
            return Drawn::Aborted {
                why: format!("the operating system gives no random bits: {error}"),
                again_in: PAUSE,
            };
        }
        self.given += bytes * 8;
        Drawn::Bits(bits)
    }
}
