//! Fig. 9: load and day-ahead output of two microgrids. The paper prints curves without numbers.

use anyhow::bail;
use serde::Serialize;

/// Curves of the two microgrids over one day.
#[derive(Clone, Debug)]
pub struct Fig9Data {
    /// Length of an interval, minutes; the first begins at local midnight.
    pub interval_minutes: u32,
    /// Where the data come from, for the caption.
    pub source: String,
    /// The large one, then the small one.
    pub microgrids: [Fig9Microgrid; 2],
}

/// Curves of one microgrid, one number per interval.
#[derive(Clone, Debug)]
pub struct Fig9Microgrid {
    /// Name.
    pub label: String,
    /// Load, kW.
    pub load_kw: Vec<f64>,
    /// Output of sun, kW.
    pub pv_kw: Vec<f64>,
    /// Output of wind, kW.
    pub wind_kw: Vec<f64>,
}

/// Hours counted as business hours, from and to.
pub const BUSINESS_HOURS: (f64, f64) = (9.0, 17.0);
/// Hours counted as evening.
pub const EVENING_HOURS: (f64, f64) = (18.0, 22.0);

/// Curves and their measures.
#[derive(Clone, Debug, Serialize)]
pub struct Fig9 {
    /// Where the data come from.
    pub source: String,
    /// Length of an interval, minutes.
    pub interval_minutes: u32,
    /// The large one, then the small one.
    pub microgrids: [Curves; 2],
}

/// One microgrid.
#[derive(Clone, Debug, Serialize)]
pub struct Curves {
    /// Name.
    pub label: String,
    /// Measures of the load.
    pub load: Measure,
    /// Measures of sun.
    pub pv: Measure,
    /// Measures of wind.
    pub wind: Measure,
    /// Mean load in business hours, kW.
    pub business_kw: f64,
    /// Mean load in the evening, kW.
    pub evening_kw: f64,
    /// Load, kW.
    pub load_kw: Vec<f64>,
    /// Sun, kW.
    pub pv_kw: Vec<f64>,
    /// Wind, kW.
    pub wind_kw: Vec<f64>,
}

/// Measures of a curve.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Measure {
    /// Largest value, kW.
    pub peak_kw: f64,
    /// Hour of the day at which it begins.
    pub peak_hour: f64,
    /// Energy, kWh.
    pub energy_kwh: f64,
}

impl Curves {
    /// Sun and wind together, kWh.
    pub fn generation_kwh(&self) -> f64 {
        self.pv.energy_kwh + self.wind.energy_kwh
    }
}

/// Measures the curves.
///
/// # Errors
/// When curves have different lengths, do not fill a day or hold a number that is negative or not finite.
pub(super) fn compute(data: &Fig9Data) -> anyhow::Result<Fig9> {
    let minutes = data.interval_minutes;
    let [one, other] = &data.microgrids;
    Ok(Fig9 {
        source: data.source.clone(),
        interval_minutes: minutes,
        microgrids: [curves(one, minutes)?, curves(other, minutes)?],
    })
}

fn curves(data: &Fig9Microgrid, minutes: u32) -> anyhow::Result<Curves> {
    for (name, curve) in [
        ("load", &data.load_kw),
        ("pv", &data.pv_kw),
        ("wind", &data.wind_kw),
    ] {
        if minutes == 0 || curve.len() as u64 * u64::from(minutes) != 24 * 60 {
            bail!(
                "{name} of {:?} has {} values of {minutes} min, which is not one day",
                data.label,
                curve.len()
            );
        }
        if let Some(bad) = curve
            .iter()
            .find(|value| !value.is_finite() || **value < 0.0)
        {
            bail!("{name} of {:?} has the value {bad} kW", data.label);
        }
    }
    let hours = f64::from(minutes) / 60.0;
    Ok(Curves {
        label: data.label.clone(),
        load: measure(&data.load_kw, hours),
        pv: measure(&data.pv_kw, hours),
        wind: measure(&data.wind_kw, hours),
        business_kw: mean_between(&data.load_kw, hours, BUSINESS_HOURS),
        evening_kw: mean_between(&data.load_kw, hours, EVENING_HOURS),
        load_kw: data.load_kw.clone(),
        pv_kw: data.pv_kw.clone(),
        wind_kw: data.wind_kw.clone(),
    })
}

fn measure(curve: &[f64], hours: f64) -> Measure {
    let mut peak = (0.0, 0);
    for (index, &value) in curve.iter().enumerate() {
        if value > peak.0 {
            peak = (value, index);
        }
    }
    Measure {
        peak_kw: peak.0,
        peak_hour: peak.1 as f64 * hours,
        energy_kwh: curve.iter().sum::<f64>() * hours,
    }
}

fn mean_between(curve: &[f64], hours: f64, span: (f64, f64)) -> f64 {
    let inside = |index: usize| (span.0..span.1).contains(&(index as f64 * hours));
    let values: Vec<f64> = curve
        .iter()
        .enumerate()
        .filter(|(index, _)| inside(*index))
        .map(|(_, &v)| v)
        .collect();
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
