//! The link model as a source of keys: blocks end in virtual time, their bits wait here until the pool has room.
//!
//! Bits wait for [`KEPT`] of real time, or until the next block ends if that takes longer; then they are lost and counted,
//! as a device with a small buffer does. **Simulated**: whoever knows the seed knows the bits.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::link::block::{Block, LinkConfig, LinkError, LinkModel};
use crate::link::conditions::{Conditions, Timeline};
use crate::link::preset::DeviceClass;
use crate::link::verdict::Reason;

use super::source::{Drawn, KeySource, Line, Origin, PAUSE};

/// How long bits wait for room at least.
const KEPT: Duration = Duration::from_secs(1);
/// Longest pause between two questions.
const PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// Settings of the link model as a source: `[peer.ID.link]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSettings {
    /// Device, pulse rate and size of the blocks.
    pub preset: DeviceClass,
    /// Length of the fibre.
    pub distance_km: f64,
    /// The same seed gives the same bits, after a restart too; without it one from the operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Virtual seconds per real second.
    #[serde(default = "one")]
    pub speed: f64,
    /// Share of the pulses that an eavesdropper measures and sends anew.
    #[serde(default)]
    pub intercept_resend: f64,
    /// Share of the single photons that an eavesdropper blocks to listen to pulses of several photons.
    #[serde(default)]
    pub photon_splitting: f64,
    /// Loss that was not there at the calibration.
    #[serde(default)]
    pub extra_loss_db: f64,
}

fn one() -> f64 {
    1.0
}

impl LinkSettings {
    /// A quiet line with a seed from the operating system, in real time.
    pub fn new(preset: DeviceClass, distance_km: f64) -> LinkSettings {
        LinkSettings {
            preset,
            distance_km,
            seed: None,
            speed: 1.0,
            intercept_resend: 0.0,
            photon_splitting: 0.0,
            extra_loss_db: 0.0,
        }
    }

    /// Refuses numbers out of range: the name of the setting and why.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        let ranges: [(&'static str, f64, RangeInclusive<f64>); 5] = [
            ("peer.link.distance_km", self.distance_km, 0.0..=1_000.0),
            ("peer.link.speed", self.speed, 0.001..=10_000.0),
            (
                "peer.link.intercept_resend",
                self.intercept_resend,
                0.0..=1.0,
            ),
            (
                "peer.link.photon_splitting",
                self.photon_splitting,
                0.0..=1.0,
            ),
            ("peer.link.extra_loss_db", self.extra_loss_db, 0.0..=100.0),
        ];
        for (name, value, allowed) in ranges {
            // A NaN is in no range.
            if !allowed.contains(&value) {
                let (least, most) = allowed.into_inner();
                return Err((name, format!("is {value}, must be {least} to {most}")));
            }
        }
        Ok(())
    }
}

/// Why a link cannot be a source.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkSourceError {
    /// A setting out of range.
    #[error("{setting} {why}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// Its value and the range.
        why: String,
    },
    /// Too long, or no model.
    #[error("{0}; a smaller distance_km or another preset may give keys (tieline qkd model shows)")]
    Model(#[from] LinkError),
    /// No seed.
    #[error("the operating system gives no random seed: {0}")]
    Random(getrandom::Error),
}

/// Bits of a block that wait for room.
struct Waiting {
    block: Block,
    /// Its bits, once they are being handed out.
    bytes: Option<Zeroizing<Vec<u8>>>,
    taken: usize,
}

impl Waiting {
    fn left(&self) -> usize {
        (self.block.released_bits / 8) as usize - self.taken
    }
}

/// The link model as a source of keys.
pub struct LinkSource {
    model: LinkModel,
    speed: f64,
    waiting: VecDeque<Waiting>,
    line: Line,
    /// Why the newest aborted block was, until told.
    aborted: Option<String>,
}

impl std::fmt::Debug for LinkSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkSource")
            .field("model", &self.model)
            .field("speed", &self.speed)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

impl LinkSource {
    /// A link that begins its first block when the key manager starts.
    ///
    /// # Errors
    /// A setting out of range, a link too long for any key, no random seed.
    pub fn new(settings: &LinkSettings) -> Result<LinkSource, LinkSourceError> {
        settings
            .check()
            .map_err(|(setting, why)| LinkSourceError::Setting { setting, why })?;
        let mut seed = [0; 32];
        match settings.seed {
            Some(number) => seed[..8].copy_from_slice(&number.to_le_bytes()),
            None => getrandom::fill(&mut seed).map_err(LinkSourceError::Random)?,
        }
        let config = LinkConfig::new(settings.preset.preset(), settings.distance_km);
        let mut model = LinkModel::new(config, seed)?;
        model.set_timeline(Timeline::steady(Conditions {
            intercept_resend_share: settings.intercept_resend,
            photon_splitting_share: settings.photon_splitting,
            extra_loss_db: settings.extra_loss_db,
            ..Conditions::QUIET
        }));
        Ok(LinkSource {
            model,
            speed: settings.speed,
            waiting: VecDeque::new(),
            line: Line::default(),
            aborted: None,
        })
    }

    /// The model behind it.
    pub fn model(&self) -> &LinkModel {
        &self.model
    }

    /// Virtual milliseconds at a real time.
    fn virtual_ms(&self, now: Duration) -> u64 {
        (now.as_secs_f64() * 1000.0 * self.speed) as u64
    }

    /// Runs the blocks that ended by now; bits that waited too long are lost.
    fn run(&mut self, now: Duration) {
        for block in self.model.advance(self.virtual_ms(now)) {
            self.count(&block);
            if block.released_bits > 0 {
                self.waiting.push_back(Waiting {
                    block,
                    bytes: None,
                    taken: 0,
                });
            }
        }
        let kept_from = self.virtual_ms(now.saturating_sub(KEPT));
        while self.waiting.len() > 1 {
            let Some(old) = self
                .waiting
                .pop_front_if(|old| old.block.end_ms < kept_from)
            else {
                break;
            };
            self.line.lost_bits += old.left() as u64 * 8;
        }
    }

    fn count(&mut self, block: &Block) {
        let line = &mut self.line;
        line.blocks += 1;
        line.released_bits += block.released_bits;
        line.qber = block.qber();
        line.alarm_now = !block.reasons.is_empty();
        if block.reasons.is_empty() {
            return;
        }
        line.alarmed_blocks += 1;
        let reasons: Vec<String> = block.reasons.iter().map(Reason::to_string).collect();
        let fate = if block.is_aborted() {
            line.aborted_blocks += 1;
            "aborted"
        } else {
            "used all the same"
        };
        let seconds = block.end_ms as f64 / 1000.0;
        let what = format!(
            "block {} at {seconds:.1} s, {fate}: {}",
            block.number,
            reasons.join("; ")
        );
        if block.is_aborted() {
            self.aborted = Some(what.clone());
        }
        line.last_alarm = Some(what);
    }

    /// At most so many bytes of those that wait, in order.
    fn take(&mut self, bytes_max: usize) -> Zeroizing<Vec<u8>> {
        let ready: usize = self.waiting.iter().map(Waiting::left).sum();
        let mut out = Zeroizing::new(Vec::with_capacity(ready.min(bytes_max)));
        while out.len() < bytes_max {
            let Some(first) = self.waiting.front_mut() else {
                break;
            };
            let bytes = first
                .bytes
                .get_or_insert_with(|| self.model.released_bytes(&first.block));
            let end = bytes.len().min(first.taken + bytes_max - out.len());
            out.extend_from_slice(&bytes[first.taken..end]);
            first.taken = end;
            if first.left() == 0 {
                self.waiting.pop_front();
            }
        }
        out
    }

    /// Real time from `now` to the end of the next block.
    fn until_next(&self, now: Duration) -> Duration {
        let at = self.model.next_end_ms() as f64 / 1000.0 / self.speed;
        // A millisecond more, that rounding does not ask too early.
        let left = (at - now.as_secs_f64() + 0.001).max(0.001);
        Duration::try_from_secs_f64(left).map_or(PAUSE_MAX, |left| left.min(PAUSE_MAX))
    }
}

impl KeySource for LinkSource {
    fn origin(&self) -> Origin {
        Origin::Simulated
    }

    fn draw(&mut self, now: Duration, bits_max: u64) -> Drawn {
        self.run(now);
        let bits = self.take(usize::try_from(bits_max / 8).unwrap_or(usize::MAX));
        if !bits.is_empty() {
            return Drawn::Bits(bits);
        }
        let again_in = if self.waiting.is_empty() {
            self.until_next(now)
        } else {
            PAUSE
        };
        match self.aborted.take() {
            Some(why) => Drawn::Aborted { why, again_in },
            None => Drawn::Nothing { again_in },
        }
    }

    fn line(&mut self, now: Duration) -> Option<Line> {
        self.run(now);
        Some(self.line.clone())
    }
}
