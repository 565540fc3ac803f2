//! A simulated day of one link: blocks, alarms, and the stock of keys that somebody uses.

use std::collections::BTreeMap;

use serde::Serialize;
use tieline_qkd::link::block::{Block, LinkConfig, LinkError, LinkModel};
use tieline_qkd::link::conditions::{Conditions, Timeline};
use tieline_qkd::link::preset::Preset;

use super::per_second;
use crate::cli::QkdModel;
use crate::printer::Printer;

/// A day, ms.
pub(super) const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;

/// Most points of the series; blocks beyond are put together.
const POINTS_MAX: usize = 720;

/// A day.
#[derive(Serialize)]
pub(super) struct Day {
    pub(super) distance_km: f64,
    pub(super) block_bits: f64,
    pub(super) block_seconds: f64,
    pub(super) calibrated_qber: f64,
    pub(super) tolerated_qber: f64,
    pub(super) alarm_qber: f64,
    pub(super) use_bits_per_second: f64,
    pub(super) blocks: usize,
    pub(super) blocks_thrown_away: usize,
    pub(super) released_bits: u64,
    /// Time without a key in stock, seconds.
    pub(super) dry_seconds: f64,
    /// How many blocks gave each alarm, and when the first one ended.
    pub(super) alarms: Vec<Alarm>,
    pub(super) incidents: Vec<Incident>,
    pub(super) series: Vec<Point>,
}

#[derive(Serialize)]
pub(super) struct Alarm {
    reason: &'static str,
    blocks: usize,
    first_seconds: f64,
    first_text: String,
}

/// Something put into the day.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Incident {
    pub(super) name: &'static str,
    pub(super) start_seconds: f64,
    pub(super) end_seconds: f64,
}

/// Some blocks in a row.
#[derive(Clone, Serialize)]
pub(super) struct Point {
    pub(super) start_seconds: f64,
    pub(super) end_seconds: f64,
    pub(super) rate_bits_per_second: f64,
    /// Error rate of the key's basis; none without clicks.
    pub(super) qber: Option<f64>,
    pub(super) thrown_away: usize,
    pub(super) alarms: Vec<&'static str>,
    pub(super) stock_bits: f64,
}

impl Day {
    /// Runs the link for a day.
    ///
    /// # Errors
    /// [`LinkError`] when the link gives no key.
    pub(super) fn simulate(
        preset: &Preset,
        command: &QkdModel,
        seed: u64,
        printer: Printer,
    ) -> Result<Day, LinkError> {
        let config = LinkConfig::new(*preset, command.day_km);
        let mut seed_bytes = [0; 32];
        seed_bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut model = LinkModel::new(config, seed_bytes)?;
        let calibrated_qber = model.calibration().qber;
        let (timeline, incidents) = if command.incidents {
            incidents(calibrated_qber)
        } else {
            (Timeline::default(), Vec::new())
        };
        model.set_timeline(timeline);
        let block_seconds = model.pulses_per_block() as f64 / preset.pulse_rate_hz as f64;
        let use_bits_per_second = command.use_bps.unwrap_or(model.quiet_rate_bps() / 2.0);
        let blocks = advance(&mut model, printer);
        let (series, dry_seconds) = series(&blocks, use_bits_per_second);
        Ok(Day {
            distance_km: command.day_km,
            block_bits: preset.block_bits,
            block_seconds,
            calibrated_qber,
            tolerated_qber: calibrated_qber + config.policy.qber_margin,
            alarm_qber: config.policy.qber_alarm,
            use_bits_per_second,
            blocks: blocks.len(),
            blocks_thrown_away: blocks.iter().filter(|block| block.is_aborted()).count(),
            released_bits: blocks.iter().map(|block| block.released_bits).sum(),
            dry_seconds,
            alarms: alarms(&blocks),
            incidents,
            series,
        })
    }

    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "simulated day over {} km: {} blocks of {:e} sifted bits, {:.1} s each",
                self.distance_km, self.blocks, self.block_bits, self.block_seconds
            ),
            format!(
                "released {} bits, {} bit/s on average; {} blocks thrown away",
                self.released_bits,
                per_second(self.released_bits as f64 / (DAY_MS as f64 / 1000.0)),
                self.blocks_thrown_away
            ),
            format!(
                "in use {} bit/s: without a key for {:.0} s",
                per_second(self.use_bits_per_second),
                self.dry_seconds
            ),
        ];
        for incident in &self.incidents {
            let (start, end) = (clock(incident.start_seconds), clock(incident.end_seconds));
            lines.push(format!("incident {start} to {end}: {}", incident.name));
        }
        for alarm in &self.alarms {
            let first = clock(alarm.first_seconds);
            lines.push(format!(
                "alarm {} in {} blocks, first at {first}: {}",
                alarm.reason, alarm.blocks, alarm.first_text
            ));
        }
        lines
    }
}

/// Hours and minutes.
fn clock(seconds: f64) -> String {
    let minutes = (seconds / 60.0).floor() as u64;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// All blocks of the day, hour by hour.
fn advance(model: &mut LinkModel, printer: Printer) -> Vec<Block> {
    let mut progress = printer.progress("hours simulated", DAY_MS / HOUR_MS);
    let mut blocks = Vec::new();
    for hour in 1..=DAY_MS / HOUR_MS {
        loop {
            let more = model.advance(hour * HOUR_MS);
            if more.is_empty() {
                break;
            }
            blocks.extend(more);
        }
        progress.at(hour);
    }
    progress.finish();
    blocks
}

/// The incidents of `--incidents`.
fn incidents(calibrated_qber: f64) -> (Timeline, Vec<Incident>) {
    let quiet = Conditions::QUIET;
    let error = |qber: f64| Conditions {
        extra_error: qber - calibrated_qber,
        ..quiet
    };
    let listener = Conditions {
        intercept_resend_share: 0.1,
        ..quiet
    };
    let splitter = Conditions {
        photon_splitting_share: 0.5,
        ..quiet
    };
    let cut = Conditions {
        extra_loss_db: 60.0,
        ..quiet
    };
    let planned = [
        ("10 % intercept-resend", 4, 5, listener, listener),
        ("error rate from 3 to 12 %", 9, 12, error(0.03), error(0.12)),
        (
            "photon splitting, half of the singles blocked",
            15,
            16,
            splitter,
            splitter,
        ),
        ("60 dB of loss", 19, 21, cut, cut),
    ];
    let mut points = vec![(0, quiet)];
    let mut incidents = Vec::new();
    for (name, start, end, first, last) in planned {
        let (start, end) = (start * HOUR_MS, end * HOUR_MS);
        points.extend([(start, quiet), (start, first), (end, last), (end, quiet)]);
        incidents.push(Incident {
            name,
            start_seconds: start as f64 / 1000.0,
            end_seconds: end as f64 / 1000.0,
        });
    }
    (Timeline::through(points), incidents)
}

/// Points of the series, and how long the stock was dry, seconds.
fn series(blocks: &[Block], use_bits_per_second: f64) -> (Vec<Point>, f64) {
    let together = blocks.len().div_ceil(POINTS_MAX).max(1);
    let (mut stock, mut dry) = (0.0, 0.0);
    let mut points = Vec::new();
    for group in blocks.chunks(together) {
        let (start, end) = (group[0].start_ms, group[group.len() - 1].end_ms);
        let seconds = (end - start) as f64 / 1000.0;
        for block in group {
            // The keys of a block are there when it ends.
            let wanted = use_bits_per_second * (block.end_ms - block.start_ms) as f64 / 1000.0;
            if use_bits_per_second > 0.0 {
                dry += (wanted - stock).max(0.0) / use_bits_per_second;
            }
            stock = (stock - wanted).max(0.0) + block.released_bits as f64;
        }
        let qbers: Vec<f64> = group.iter().filter_map(Block::qber).collect();
        let released: u64 = group.iter().map(|block| block.released_bits).sum();
        let mut alarms: Vec<&'static str> = group
            .iter()
            .flat_map(|block| block.reasons.iter().map(|reason| reason.word()))
            .collect();
        alarms.sort_unstable();
        alarms.dedup();
        points.push(Point {
            start_seconds: start as f64 / 1000.0,
            end_seconds: end as f64 / 1000.0,
            rate_bits_per_second: released as f64 / seconds.max(1e-3),
            qber: (!qbers.is_empty()).then(|| qbers.iter().sum::<f64>() / qbers.len() as f64),
            thrown_away: group.iter().filter(|block| block.is_aborted()).count(),
            alarms,
            stock_bits: stock,
        });
    }
    (points, dry)
}

fn alarms(blocks: &[Block]) -> Vec<Alarm> {
    let mut found: BTreeMap<&'static str, Alarm> = BTreeMap::new();
    for block in blocks {
        for reason in &block.reasons {
            let alarm = found.entry(reason.word()).or_insert_with(|| Alarm {
                reason: reason.word(),
                blocks: 0,
                first_seconds: block.end_ms as f64 / 1000.0,
                first_text: reason.to_string(),
            });
            alarm.blocks += 1;
        }
    }
    let mut alarms: Vec<Alarm> = found.into_values().collect();
    alarms.sort_by(|a, b| a.first_seconds.total_cmp(&b.first_seconds));
    alarms
}
