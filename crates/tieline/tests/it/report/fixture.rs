//! Made-up runs for the report: four members, any local days, any interval.

use tieline::report::data::{
    BlockData, DayData, FlowData, MemberData, MoneyText, Party, ProfileData, ReportData, RoundData,
    SlotData, TimeLabel, TotalsData,
};
use tieline_units::{IntervalLength, LocalDay, Zone};

const MEMBERS: usize = 4;
const NAMES: [&str; MEMBERS] = [
    "Harbour works",
    "Riverside school",
    "Old mill",
    "Dairy cooperative",
];

/// A run over local days of a zone, with rounds of every cleared interval when there are few.
pub(crate) fn run(zone: &str, days: &[&str], length: IntervalLength) -> ReportData {
    let zone = Zone::parse(zone).unwrap();
    let mut data = ReportData {
        scenario: "Four microgrids, one day".to_owned(),
        currency: "CNY".to_owned(),
        zone: zone.name().to_owned(),
        interval_minutes: length.minutes(),
        mode: "day-ahead".to_owned(),
        seed: 42,
        rules: pairs(&[
            ("market.strategy", "improved"),
            ("market.response", "lp"),
            ("market.max_rounds", "24"),
        ]),
        warnings: vec!["profiles.csv, row 214: wind_kw of mg-3 was empty, read as 0".to_owned()],
        left_out: Vec::new(),
        ledgers: None,
        notices: vec!["Load profiles: made up, CC0-1.0".to_owned()],
        ..ReportData::default()
    };
    for day in days {
        add_day(&mut data, &zone, day, length);
    }
    data.rounds = data
        .slots
        .iter()
        .filter(|slot| slot.outcome == "cleared")
        .take(120)
        .map(round)
        .collect();
    let shown = data.slots.len().min(700);
    data.profile_times = data.slots[..shown]
        .iter()
        .map(|slot| slot.at.clone())
        .collect();
    data.profiles = (0..MEMBERS)
        .map(|member| profile(member, &data.profile_times))
        .collect();
    data.members = (0..MEMBERS).map(member).collect();
    data.flows = flows();
    data.totals = totals(&data);
    data
}

/// The same run with that many members: the four of it again and again under new names.
pub(crate) fn with_members(mut data: ReportData, count: usize) -> ReportData {
    let (members, profiles) = (data.members.clone(), data.profiles.clone());
    data.members = (0..count)
        .map(|index| MemberData {
            id: format!("c{:02}", index + 1),
            ..members[index % MEMBERS].clone()
        })
        .collect();
    data.profiles = (0..count)
        .map(|member| ProfileData {
            member,
            ..profiles[member % MEMBERS].clone()
        })
        .collect();
    data.flows = (0..count)
        .flat_map(|from| (0..count).map(move |to| (from, to)))
        .filter(|(from, to)| from != to)
        .map(|(from, to)| FlowData {
            from: Party::Member(from),
            to: Party::Member(to),
            kwh: 10.0 * (from + 1) as f64,
            paid: money(1_000_000),
            received: money(900_000),
        })
        .collect();
    data
}

/// The same run with every round failed: searched, not cleared.
pub(crate) fn with_failed_rounds(mut data: ReportData) -> ReportData {
    for slot in data
        .slots
        .iter_mut()
        .filter(|slot| slot.outcome == "cleared")
    {
        slot.outcome = "failed".to_owned();
        slot.reason = "no equilibrium in 24 rounds".to_owned();
        (slot.clearing_price, slot.tariff) = (None, None);
        (slot.ordered_kwh, slot.delivered_kwh, slot.short_kwh) = (0.0, 0.0, 0.0);
    }
    for round in &mut data.rounds {
        round.status = "failed".to_owned();
    }
    data.totals = totals(&data);
    data
}

/// Every local day from the first of January of a year, that many.
pub(crate) fn days_from_new_year(year: u16, count: usize) -> Vec<String> {
    let leap = year.is_multiple_of(4);
    let months = [
        31,
        if leap { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let all = months.iter().enumerate().flat_map(|(month, &days)| {
        (1..=days).map(move |day| format!("{year}-{:02}-{day:02}", month + 1))
    });
    all.take(count).collect()
}

/// The same run with no round cleared.
pub(crate) fn without_rounds(mut data: ReportData) -> ReportData {
    for slot in &mut data.slots {
        slot.outcome = "no-sellers".to_owned();
        (slot.clearing_price, slot.tariff) = (None, None);
        (slot.ordered_kwh, slot.delivered_kwh, slot.short_kwh) = (0.0, 0.0, 0.0);
        slot.reason.clear();
    }
    for day in &mut data.days {
        (day.cleared, day.traded_kwh, day.gain) = (0, 0.0, 0.0);
    }
    data.rounds.clear();
    data.flows.clear();
    data.totals = totals(&data);
    data
}

fn add_day(data: &mut ReportData, zone: &Zone, day: &str, length: IntervalLength) {
    let intervals = zone.intervals_of(LocalDay::parse(day).unwrap(), length);
    let mut summary = DayData {
        day: day.to_owned(),
        intervals: intervals.len(),
        ..DayData::default()
    };
    for interval in intervals {
        let minutes = zone.wall_minutes(interval.start);
        let clock = format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let at = TimeLabel {
            start: interval.start,
            day: day.to_owned(),
            clock,
        };
        let slot = slot(at, f64::from(minutes) / 60.0, data.slots.len());
        if slot.outcome == "cleared" {
            summary.cleared += 1;
            summary.traded_kwh += slot.delivered_kwh;
            summary.gain += slot.delivered_kwh * 0.18;
        }
        data.slots.push(slot);
    }
    data.days.push(summary);
}

fn slot(at: TimeLabel, hour: f64, index: usize) -> SlotData {
    let import_price = match hour as u32 {
        0..=7 | 23 => 0.32,
        8..=9 | 12..=16 | 21..=22 => 0.68,
        _ => 1.05,
    };
    let (outcome, reason) = match hour {
        hour if (1.5..5.25).contains(&hour) => ("no-buyers", ""),
        hour if hour >= 23.75 => ("no-sellers", ""),
        hour if (19.0..19.5).contains(&hour) => ("failed", "no equilibrium within 24 rounds"),
        _ => ("cleared", ""),
    };
    let cleared = outcome == "cleared";
    let share = 0.45 + 0.3 * ((hour - 14.0) / 5.0).sin() + 0.12 * wobble(index);
    let price = 0.25 + (import_price - 0.25) * share.clamp(0.1, 0.95);
    let kwh = 6.0 + 5.0 * ((hour - 6.0) / 24.0 * std::f64::consts::TAU).sin().abs() + wobble(index);
    SlotData {
        at,
        outcome: outcome.to_owned(),
        reason: reason.to_owned(),
        status: if cleared { "equilibrium" } else { "" }.to_owned(),
        import_price,
        export_price: 0.25,
        clearing_price: cleared.then_some(price),
        tariff: cleared.then_some((price * 1.05).min(import_price)),
        sellers: if outcome == "no-sellers" { 0 } else { 2 },
        buyers: if outcome == "no-buyers" { 0 } else { 2 },
        offered_kw: 60.0,
        demand_kw: 40.0,
        ordered_kwh: if cleared { kwh } else { 0.0 },
        delivered_kwh: if cleared { kwh * 0.98 } else { 0.0 },
        short_kwh: if cleared { kwh * 0.02 } else { 0.0 },
        rounds: if cleared { 9 + index % 6 } else { 0 },
        exploitability_banded: cleared.then(|| 4e-6 * (1.5 + wobble(index))),
        exploitability_free: cleared.then(|| 3e-4 * (1.5 + wobble(index))),
    }
}

fn round(slot: &SlotData) -> RoundData {
    let price = slot.clearing_price.unwrap();
    let demand_kw = slot.ordered_kwh * 4.0;
    let mut blocks = Vec::new();
    for level in 0..4usize {
        for member in [0, 2, 3] {
            let offset = [0.0, 0.0, 0.018, 0.031][member];
            let height = price - 0.16 + level as f64 * 0.058 + offset;
            let offered_kw = [7.0, 0.0, 4.5, 2.5][member] + 1.5 * level as f64;
            blocks.push(BlockData {
                member,
                level: level + 1,
                price: height,
                offered_kw,
                accepted_kw: 0.0,
            });
        }
    }
    blocks.sort_by(|one, other| one.price.total_cmp(&other.price));
    let mut left = demand_kw;
    for block in &mut blocks {
        block.accepted_kw = block.offered_kw.min(left);
        left -= block.accepted_kw;
    }
    let marginal = blocks
        .iter()
        .rev()
        .find(|block| block.accepted_kw > 0.0)
        .unwrap()
        .price;
    let iterations = slot.rounds.max(3);
    let history =
        |index: usize| marginal + 0.11 * (-0.55 * index as f64).exp() * (index as f64 * 2.1).cos();
    RoundData {
        at: slot.at.clone(),
        demand_kw,
        clearing_price: marginal,
        band: (slot.export_price, slot.import_price),
        status: "epsilon_equilibrium".to_owned(),
        blocks,
        price_history: (0..=iterations).map(history).collect(),
        exploitability: (1..=iterations)
            .map(|index| {
                (
                    0.4 * (-1.1 * index as f64).exp(),
                    0.9 * (-0.7 * index as f64).exp(),
                )
            })
            .collect(),
        certificate: format!(
            "rounds/{}T{}.json",
            slot.at.day,
            slot.at.clock.replace(':', "")
        ),
    }
}

fn profile(member: usize, times: &[TimeLabel]) -> ProfileData {
    let mut data = ProfileData {
        member,
        ..ProfileData::default()
    };
    for (index, time) in times.iter().enumerate() {
        let (hour, minute) = time.clock.split_once(':').unwrap();
        let hour = hour.parse::<f64>().unwrap() + minute.parse::<f64>().unwrap() / 60.0;
        let sun = ((hour - 6.0) / 13.0 * std::f64::consts::PI).sin().max(0.0);
        let load = [34.0, 48.0, 22.0, 40.0][member]
            * (0.6
                + 0.25 * ((hour - 9.0) / 24.0 * std::f64::consts::TAU).sin()
                + 0.25 * (-(hour - 19.0).powi(2) / 6.0).exp())
            + 1.5 * wobble(index + member);
        let pv =
            [38.0, 12.0, 20.0, 30.0][member] * sun * (0.92 + 0.08 * wobble(index * 3 + member));
        let wind =
            [6.0, 0.0, 18.0, 5.0][member] * (0.8 + 0.3 * ((hour + member as f64) / 4.0).sin());
        let dispatch = if member == 0 && (17.0..21.0).contains(&hour) {
            14.0
        } else {
            0.0
        };
        data.load_kw.push(load);
        data.pv_kw.push(pv);
        data.wind_kw.push(wind);
        data.dispatch_kw.push(dispatch);
        data.forecast_net_kw
            .push(pv + wind + dispatch - load + 1.2 * wobble(index * 7 + member));
    }
    data
}

fn member(index: usize) -> MemberData {
    let pick = |values: [f64; MEMBERS]| values[index];
    let money = |values: [i64; MEMBERS]| money(values[index]);
    MemberData {
        id: format!("mg-{}", index + 1),
        name: NAMES[index].to_owned(),
        load_kwh: pick([612.0, 861.0, 402.0, 733.0]),
        renewable_kwh: pick([480.0, 101.0, 590.0, 342.0]),
        dispatched_kwh: pick([56.0, 0.0, 0.0, 0.0]),
        sold_kwh: pick([231.4, 0.0, 322.2, 61.7]),
        bought_kwh: pick([20.1, 402.6, 5.4, 187.2]),
        exported_kwh: pick([31.2, 0.0, 44.9, 0.0]),
        imported_kwh: pick([74.5, 322.0, 12.0, 240.1]),
        sales: money([124_311_204, 0, 171_402_118, 33_120_441]),
        purchases: money([-11_204_330, -221_430_118, -3_004_010, -101_311_201]),
        grid_export: money([7_800_000, 0, 11_225_000, 0]),
        grid_import: money([-48_220_000, -214_004_500, -7_680_000, -158_466_000]),
        penalties: money([-1_204_118, 640_210, -310_400, 220_112]),
        balance: money([71_482_756, -434_794_408, 171_632_708, -226_436_648]),
        balance_alone: money([21_004_200, -512_300_404, 104_220_310, -281_004_118]),
        gain: money([48_120_556, 77_505_996, 67_412_398, 54_567_470]),
    }
}

fn flows() -> Vec<FlowData> {
    let rows: [(Party, Party, f64); 13] = [
        (Party::Member(0), Party::Member(1), 150.2),
        (Party::Member(0), Party::Member(3), 81.2),
        (Party::Member(2), Party::Member(0), 14.7),
        (Party::Member(2), Party::Member(1), 207.1),
        (Party::Member(2), Party::Member(3), 100.4),
        (Party::Member(3), Party::Member(0), 5.4),
        (Party::Member(3), Party::Member(1), 45.3),
        (Party::Member(0), Party::Grid, 31.2),
        (Party::Member(2), Party::Grid, 44.9),
        (Party::Grid, Party::Member(0), 74.5),
        (Party::Grid, Party::Member(1), 322.0),
        (Party::Grid, Party::Member(2), 12.0),
        (Party::Grid, Party::Member(3), 240.1),
    ];
    let flow = |&(from, to, kwh): &(Party, Party, f64)| {
        let paid = (kwh * 550_000.0) as i64;
        let received = if from == Party::Grid || to == Party::Grid {
            paid
        } else {
            paid / 105 * 100
        };
        FlowData {
            from,
            to,
            kwh,
            paid: money(paid),
            received: money(received),
        }
    };
    rows.iter().map(flow).collect()
}

fn totals(data: &ReportData) -> TotalsData {
    let cleared = data
        .slots
        .iter()
        .filter(|slot| slot.outcome == "cleared")
        .count();
    let failed = data
        .slots
        .iter()
        .filter(|slot| slot.outcome == "failed")
        .count();
    TotalsData {
        members_gain_perfect_forecast: None,
        intervals: data.slots.len(),
        two_sided: cleared + failed,
        cleared,
        failed,
        orders: cleared * 4,
        ordered_kwh: data.slots.iter().map(|slot| slot.ordered_kwh).sum(),
        delivered_kwh: data.slots.iter().map(|slot| slot.delivered_kwh).sum(),
        members_balance: money(-418_115_592),
        aggregator_balance: money(16_441_592),
        grid_balance: money(401_674_000),
        zero_sum: money(0),
        members_gain: money(247_606_420),
        renewable_rate: Some(0.942),
        renewable_rate_alone: Some(0.713),
    }
}

/// Millionths as exact text and as a number.
fn money(millionths: i64) -> MoneyText {
    let sign = if millionths < 0 { "-" } else { "" };
    let size = millionths.unsigned_abs();
    let text = format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000);
    MoneyText {
        text,
        value: millionths as f64 / 1e6,
    }
}

/// A number in `-1..=1` that looks like noise and is the same every time.
fn wobble(index: usize) -> f64 {
    let mixed = (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d;
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed >> 40) as f64 / (1u64 << 24) as f64) * 2.0 - 1.0
}

fn pairs(texts: &[(&str, &str)]) -> Vec<(String, String)> {
    texts
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
