//! Series against the sizes in the table of microgrids: W for kW, MW for kW, the wrong microgrid.

use tieline_units::{MarketInterval, Power};

use super::columns::POWERS;
use super::files::TableFile;
use super::finding::{Finding, Findings};
use super::microgrids::Microgrid;
use super::series::{Peak, place};

/// A value beyond this multiple of a microgrid's size is refused.
const TIMES_MAX: i64 = 10;

/// A value beyond this multiple of the capacity is refused where the table gives no size of its own.
const TIMES_OF_CAPACITY_MAX: i64 = 100;

/// Microgrids that are listed one by one.
const SHOWN: u64 = 8;

/// Multiples that a wrong prefix explains.
const PREFIX: std::ops::RangeInclusive<i64> = 300..=3000;

/// Compares the peak of each series with what the microgrid can be.
pub(crate) fn check(
    file: &TableFile,
    microgrids: &[Microgrid],
    peaks: &[Vec<Peak>],
    findings: &mut Findings,
) {
    for (microgrid, own) in microgrids.iter().zip(peaks) {
        let sizes = [
            ("load_peak_kw", microgrid.load_peak),
            ("pv_kwp", microgrid.pv_peak),
            ("wind_kw", microgrid.wind_peak),
        ];
        for ((column, (name, size)), peak) in POWERS.into_iter().zip(sizes).zip(own) {
            let positive = |power: &Power| *power > Power::ZERO;
            let reference = match (size.filter(positive), microgrid.capacity.filter(positive)) {
                (Some(size), _) => (name, size, TIMES_MAX),
                (None, Some(capacity)) => ("capacity_kw", capacity, TIMES_OF_CAPACITY_MAX),
                (None, None) => continue,
            };
            if let Some(finding) = judge(file, microgrid, reference, (column, *peak)) {
                findings.group(&format!("{column} {:?}", finding.severity), SHOWN, finding);
            }
        }
    }
}

/// Refuses a run whose sums of energy could leave 64 bits: all peaks, all the time, four times over.
pub(crate) fn check_size(
    microgrids: &[Microgrid],
    peaks: &[Vec<Peak>],
    intervals: &[MarketInterval],
    findings: &mut Findings,
) {
    let seconds: u64 = intervals
        .iter()
        .map(|interval| interval.length.seconds())
        .sum();
    let of_peaks: i128 = peaks
        .iter()
        .flatten()
        .map(|peak| i128::from(peak.value))
        .sum();
    let own = |microgrid: &Microgrid| i128::from(microgrid.dispatchable.as_milliwatts());
    let power = of_peaks + microgrids.iter().map(own).sum::<i128>();
    if power * i128::from(seconds) > i128::from(i64::MAX / 4) {
        let problem = "holds more energy than can be summed in 64-bit millijoules";
        let finding = Finding::error("profiles", problem);
        findings.push(finding.hint("run a shorter span: set from and to, or day"));
    }
}

fn judge(
    file: &TableFile,
    microgrid: &Microgrid,
    (name, size, times_max): (&str, Power, i64),
    (column, peak): (&str, Peak),
) -> Option<Finding> {
    let (value, size_mw) = (peak.value, size.as_milliwatts());
    let (found, size) = (
        Power::from_milliwatts(value).to_kilowatts(),
        size.to_kilowatts(),
    );
    if value / size_mw >= times_max && value > size_mw * times_max {
        let times = value / size_mw;
        let looks = if PREFIX.contains(&times) {
            ": looks like W, expected kW"
        } else {
            ""
        };
        let problem = format!(
            "of {} is {times} times its {name} of {size}{looks}",
            microgrid.id
        );
        let finding = Finding::error(&file.name, problem)
            .at(place(file, peak.number))
            .column(column)
            .found(&found);
        return Some(finding.hint(format!(
            "divide the series by 1000 if it is in W, or correct {name} of {} in the table of microgrids",
            microgrid.id
        )));
    }
    let times = size_mw.checked_div(value)?;
    if PREFIX.contains(&times) && name != "capacity_kw" {
        let problem = format!(
            "is the largest value of {}, {times} times below its {name} of {size}: looks like MW, expected kW",
            microgrid.id
        );
        let finding = Finding::warning(&file.name, problem)
            .at(place(file, peak.number))
            .column(column)
            .found(&found);
        return Some(finding.hint(format!(
            "multiply the series by 1000 if it is in MW, or correct {name} if that is in W"
        )));
    }
    None
}
