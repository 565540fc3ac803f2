//! Random damage to a clean table: no panic, and what still loads without a warning is what the file says.

use proptest::prelude::*;
use tieline::input::Scenario;

use crate::folder::{Folder, IDS, profiles, time};

#[derive(Clone, Debug)]
enum Damage {
    Replace(u8),
    Insert(u8),
    Delete,
    CutFrom,
    DoubleLine,
    DropLine,
    SwapLines,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<u8>().prop_map(Damage::Replace),
        prop::sample::select(&b"0123456789.,;-+eE\"\n\r :TZN\0\xff"[..]).prop_map(Damage::Replace),
        prop::sample::select(&b"0123456789.,;-+eE\"\n\r :TZN\0\xff"[..]).prop_map(Damage::Insert),
        Just(Damage::Delete),
        Just(Damage::CutFrom),
        Just(Damage::DoubleLine),
        Just(Damage::DropLine),
        Just(Damage::SwapLines),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage, at: usize) {
    let at = at % bytes.len();
    let line_of = |bytes: &[u8], at: usize| {
        let start = bytes[..at]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        let end = bytes[at..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(bytes.len(), |length| at + length + 1);
        start..end
    };
    match damage {
        Damage::Replace(byte) => bytes[at] = *byte,
        Damage::Insert(byte) => bytes.insert(at, *byte),
        Damage::Delete => {
            bytes.remove(at);
        }
        Damage::CutFrom => bytes.truncate(at.max(1)),
        Damage::DoubleLine => {
            let line = bytes[line_of(bytes, at)].to_vec();
            let end = line_of(bytes, at).end;
            bytes.splice(end..end, line);
        }
        Damage::DropLine => {
            let line = line_of(bytes, at);
            bytes.drain(line);
        }
        Damage::SwapLines => {
            let line = line_of(bytes, at);
            let moved: Vec<u8> = bytes.drain(line).collect();
            bytes.extend(moved);
        }
    }
}

/// What the file says, read in the plainest way: (step, microgrid) and three numbers of each row.
fn plainly(bytes: &[u8]) -> Vec<(u64, usize, [f64; 3])> {
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let header = reader.headers().unwrap().clone();
    let index = |name: &str| header.iter().position(|one| one.trim() == name).unwrap();
    let (stamp, id) = (index("timestamp_utc"), index("microgrid_id"));
    let values = ["load_kw", "pv_kw", "wind_kw"].map(index);
    let row = |record: csv::StringRecord| {
        let start = tieline_units::Time::parse(record[stamp].trim()).unwrap();
        let step = (start.as_millis() - time(0).as_millis()) / 900_000;
        let microgrid = IDS.iter().position(|one| *one == &record[id]).unwrap();
        (
            step,
            microgrid,
            values.map(|column| record[column].trim().parse().unwrap()),
        )
    };
    reader
        .records()
        .map(|record| row(record.unwrap()))
        .collect()
}

fn agrees(scenario: &Scenario, bytes: &[u8]) {
    let rows = plainly(bytes);
    assert_eq!(
        rows.len(),
        scenario.intervals.len() * scenario.microgrids.len()
    );
    let first = scenario.intervals[0].start.as_millis() - time(0).as_millis();
    for (step, microgrid, values) in rows {
        let sample = scenario
            .actual
            .at((step - first / 900_000) as usize, microgrid);
        for (power, value) in [sample.load, sample.pv, sample.wind]
            .into_iter()
            .zip(values)
        {
            // Exact to the milliwatt; the float is right to 1e-9 at these sizes.
            assert!(
                (power.as_milliwatts() as f64 / 1e6 - value).abs() < 1e-6,
                "{step} {microgrid}: {value}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_table_is_refused_warned_of_or_read_as_it_stands(
        damages in prop::collection::vec((damage(), any::<usize>()), 1..4),
    ) {
        let mut bytes = profiles().into_bytes();
        for (damage, at) in &damages {
            apply(&mut bytes, damage, *at);
        }
        let folder = Folder::clean();
        folder.put("profiles.csv", &bytes);
        match folder.load() {
            Err(errors) => prop_assert!(errors.to_string().contains("\n\nhint: ")),
            Ok(scenario) if scenario.warnings.is_empty() => agrees(&scenario, &bytes),
            Ok(_) => {}
        }
    }

    #[test]
    fn any_bytes_at_all_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let folder = Folder::clean();
        for name in ["profiles.csv", "microgrids.csv", "prices.csv", "scenario.toml"] {
            folder.put(name, &bytes);
            let _ = folder.load();
        }
        folder.remove("profiles.csv").put("profiles.parquet", [b"PAR1", &bytes[..], b"PAR1"].concat());
        prop_assert!(folder.load().is_err());
    }
}
