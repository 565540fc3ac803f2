//! `tieline qkd model`

mod day;
mod plots;

use std::path::Path;

use serde::Serialize;
use tieline_qkd::link::block::LinkError;
use tieline_qkd::link::channel::Settings;
use tieline_qkd::link::optimum::{Optimiser, Optimum};
use tieline_qkd::link::preset::{DeviceClass, Preset};

use crate::cli::{Device, Global, QkdModel};
use crate::commands::Failure;
use crate::output::folder::write;
use crate::printer::Printer;
use day::Day;

/// Longest link, km, and how many cells a table may have.
const LENGTH_KM_MAX: f64 = 1000.0;
const CELLS_MAX: usize = 1000;

/// Block sizes that mean something, sifted bits.
const BLOCK_BITS: std::ops::RangeInclusive<f64> = 1e3..=1e12;

/// Distance between two points of a curve and its end, km.
const CURVE_STEP_KM: f64 = 2.5;
const CURVE_END_KM: f64 = 200.0;

/// What `qkd model` prints.
#[derive(Serialize)]
struct Model {
    schema: &'static str,
    simulated: bool,
    preset: PresetReport,
    table: Vec<Cell>,
    day: Day,
}

#[derive(Serialize)]
struct PresetReport {
    name: &'static str,
    note: &'static str,
    pulse_rate_hz: u64,
}

/// A cell of the table of rates.
#[derive(Clone, Copy, Serialize)]
struct Cell {
    distance_km: f64,
    block_bits: f64,
    bits_per_pulse: f64,
    bits_per_second: f64,
    basis_x_probability: f64,
    intensity_probability: [f64; 3],
    intensity: [f64; 3],
}

pub(super) fn model(global: &Global, command: &QkdModel, printer: Printer) -> Result<(), Failure> {
    let foreign = [
        ("--config", global.config.is_some()),
        ("--set", !global.settings.is_empty()),
    ];
    if let Some((flag, _)) = foreign.into_iter().find(|(_, given)| *given) {
        return Err(Failure::Broken(format!(
            "{flag} means nothing here: this command reads no scenario\n\nhint: it belongs to run and config show"
        )));
    }
    let (lengths, blocks) = (checked_lengths(command)?, checked_blocks(command)?);
    let preset = match command.preset {
        Device::Lim2014 => DeviceClass::Lim2014,
        Device::Entry => DeviceClass::Entry,
        Device::HighEnd => DeviceClass::HighEnd,
    }
    .preset();
    let all = match command.plot {
        Some(_) => with_curve(&lengths),
        None => lengths.clone(),
    };
    let cells = rates(&preset, &all, &blocks, printer);
    let day =
        Day::simulate(&preset, command, global.seed.unwrap_or(0), printer).map_err(refused)?;
    if let Some(file) = &command.plot {
        draw(file, &preset, &cells, &day)?;
    }
    let chosen = |cell: &&Cell| lengths.contains(&cell.distance_km);
    let table: Vec<Cell> = cells.iter().filter(chosen).copied().collect();
    printer.text(&text(&preset, &table, &day))?;
    printer.document(&Model {
        schema: "tieline.qkd-model/1",
        simulated: true,
        preset: PresetReport {
            name: preset.name,
            note: preset.note,
            pulse_rate_hz: preset.pulse_rate_hz,
        },
        table,
        day,
    })?;
    if let Some(file) = &command.plot {
        printer.note(&format!("plot: {}", file.display()));
    }
    Ok(())
}

fn refused(error: LinkError) -> Failure {
    let hint = match error {
        LinkError::NoKey { .. } => "\n\nhint: lower --day-km",
        _ => "",
    };
    Failure::No(format!("{error}{hint}"))
}

/// The lengths of the table, rising, each once.
fn checked_lengths(command: &QkdModel) -> Result<Vec<f64>, Failure> {
    for length_km in command.distance_km.iter().chain([&command.day_km]) {
        if !(0.0..=LENGTH_KM_MAX).contains(length_km) {
            return Err(Failure::Broken(format!(
                "a length of {length_km} km: must be 0 to {LENGTH_KM_MAX}"
            )));
        }
    }
    let cells = command.distance_km.len() * command.block.len();
    if cells > CELLS_MAX {
        return Err(Failure::Broken(format!(
            "{cells} cells of distance and block, at most {CELLS_MAX}"
        )));
    }
    let mut lengths = command.distance_km.clone();
    lengths.sort_by(f64::total_cmp);
    lengths.dedup();
    Ok(lengths)
}

/// The block sizes, falling, each once.
fn checked_blocks(command: &QkdModel) -> Result<Vec<f64>, Failure> {
    if let Some(block) = command
        .block
        .iter()
        .find(|block| !BLOCK_BITS.contains(block))
    {
        return Err(Failure::Broken(format!(
            "a block of {block} sifted bits: must be 1e3 to 1e12"
        )));
    }
    if let Some(rate) = command
        .use_bps
        .filter(|rate| !(*rate >= 0.0 && rate.is_finite()))
    {
        return Err(Failure::Broken(format!(
            "--use-bps {rate}: must be 0 or more"
        )));
    }
    let mut blocks = command.block.clone();
    blocks.sort_by(|a, b| b.total_cmp(a));
    blocks.dedup();
    Ok(blocks)
}

/// The lengths and those of a smooth curve.
fn with_curve(lengths: &[f64]) -> Vec<f64> {
    let steps = (CURVE_END_KM / CURVE_STEP_KM) as u32;
    let mut all: Vec<f64> = (0..=steps)
        .map(|step| f64::from(step) * CURVE_STEP_KM)
        .collect();
    all.extend(lengths);
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

fn rates(preset: &Preset, lengths_km: &[f64], blocks_bits: &[f64], printer: Printer) -> Vec<Cell> {
    let optimiser = Optimiser {
        device: preset.device,
        security: preset.security,
    };
    let losses_db: Vec<f64> = lengths_km
        .iter()
        .map(|&length_km| preset.device.loss_db(length_km))
        .collect();
    let mut progress = printer.progress("distances", lengths_km.len() as u64);
    let table = optimiser.table(&losses_db, blocks_bits, &mut |done| {
        progress.at(done as u64)
    });
    progress.finish();
    let rows = lengths_km.iter().zip(&table);
    let cell = |distance_km: f64, block_bits: f64, optimum: &Optimum| {
        let Settings {
            basis_x_probability,
            intensity_probability,
            intensity,
        } = optimum.settings;
        Cell {
            distance_km,
            block_bits,
            bits_per_pulse: optimum.bits_per_pulse(),
            bits_per_second: optimum.bits_per_pulse() * preset.pulse_rate_hz as f64,
            basis_x_probability,
            intensity_probability,
            intensity,
        }
    };
    rows.flat_map(|(&length_km, row)| {
        let cells = blocks_bits.iter().zip(row);
        cells.map(move |(&block_bits, optimum)| cell(length_km, block_bits, optimum))
    })
    .collect()
}

fn draw(file: &Path, preset: &Preset, cells: &[Cell], day: &Day) -> Result<(), Failure> {
    let svg = plots::draw(preset, cells, day).standalone();
    Ok(write(file, svg.as_bytes())?)
}

/// The table for people: lengths downwards, block sizes across.
fn text(preset: &Preset, table: &[Cell], day: &Day) -> String {
    let mut lines = vec![
        format!("preset {}: {}", preset.name, preset.note),
        format!(
            "simulated key rate, bits per pulse and bit/s at {} million pulses per second",
            preset.pulse_rate_hz as f64 / 1e6
        ),
        String::new(),
    ];
    let first_km = table.first().map(|cell| cell.distance_km);
    let head = table
        .iter()
        .take_while(|cell| Some(cell.distance_km) == first_km)
        .map(|cell| format!("{:>20}", format!("{:e}", cell.block_bits)));
    lines.push(format!("{:>6}{}", "km", head.collect::<String>()));
    for row in table.chunk_by(|a, b| a.distance_km == b.distance_km) {
        let cells = row.iter().map(|cell| match cell.bits_per_pulse {
            0.0 => format!("{:>20}", "no key"),
            rate => format!(
                "{:>20}",
                format!("{rate:.2e} {:>8}", per_second(cell.bits_per_second))
            ),
        });
        let length = row.first().map_or(0.0, |cell| cell.distance_km);
        lines.push(format!("{length:>6}{}", cells.collect::<String>()));
    }
    lines.push(String::new());
    lines.extend(day.lines());
    lines.push(String::new());
    lines.join("\n")
}

/// A rate with its unit, three digits.
fn per_second(bits: f64) -> String {
    let (value, unit) = match bits {
        0.0..1e3 => (bits, ""),
        1e3..1e6 => (bits / 1e3, "k"),
        _ => (bits / 1e6, "M"),
    };
    let decimals = (2.0 - value.max(0.01).log10().floor()).clamp(0.0, 2.0) as usize;
    format!("{value:.decimals$}{unit}")
}
