//! The grid's prices as a time-of-use tariff in local wall time.

use tieline_units::{Price, Time, Zone};

use super::build::Reader;
use super::source::{Given, Lined, Node};
use super::value::{self, DAY_MINUTES};
use crate::input::Finding;
use crate::input::finding::{Place, nearest};

/// The grid's prices by local time of day. Each list covers the day without gap or overlap, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// What the grid pays, L−.
    pub export: Vec<Band>,
    /// What the grid charges, L+.
    pub import: Vec<Band>,
}

/// One price for a part of the local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// First minute past midnight.
    pub from_minutes: u16,
    /// First minute after it, up to 1440.
    pub to_minutes: u16,
    /// Per kWh.
    pub price: Price,
}

impl Tariff {
    /// The import and export price at an instant.
    pub fn at(&self, zone: &Zone, time: Time) -> (Price, Price) {
        let minutes = zone.wall_minutes(time);
        let price = |bands: &[Band]| {
            let holds = |band: &&Band| (band.from_minutes..band.to_minutes).contains(&minutes);
            bands
                .iter()
                .find(holds)
                .map(|band| band.price)
                .expect("bands cover the day by construction")
        };
        (price(&self.import), price(&self.export))
    }
}

const HINT: &str = "write bands such as { from = \"00:00\", to = \"06:00\", price = \"0.3200\" } that cover 00:00 to 24:00";

/// Reads `[tariff]`; `None` when there is none or it is refused.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Tariff> {
    let (import, export) = (reader.given("tariff.import"), reader.given("tariff.export"));
    match (import, export) {
        (None, None) => None,
        (Some(import), Some(export)) => {
            let import = bands(reader, "tariff.import", &import);
            let export = bands(reader, "tariff.export", &export);
            Some(Tariff {
                import: import?,
                export: export?,
            })
        }
        (import, _) => {
            let missing = if import.is_none() { "import" } else { "export" };
            let finding = Finding::error(reader.file(), format!("[tariff] has no {missing} price"))
                .hint(format!("add tariff.{missing}, per kWh: export is what the grid pays, import what it charges"));
            reader.refuse(finding);
            None
        }
    }
}

fn bands(reader: &mut Reader<'_>, key: &str, given: &Given) -> Option<Vec<Band>> {
    let line = Reader::place_of(given);
    let list = match &given.node {
        Node::Scalar(text) => {
            let price = price(reader, key, text, line)?;
            return Some(vec![Band {
                from_minutes: 0,
                to_minutes: DAY_MINUTES,
                price,
            }]);
        }
        Node::List(list) if !list.is_empty() => list,
        _ => {
            let finding = Finding::error(reader.file(), "holds no bands")
                .at(line)
                .column(key);
            reader.refuse(finding.expected("a price or a list of bands").hint(HINT));
            return None;
        }
    };
    let mut read: Vec<(Band, u64)> = Vec::new();
    for item in list {
        read.push((band(reader, key, item)?, item.line));
    }
    read.sort_by_key(|(band, _)| band.from_minutes);
    if covers_the_day(reader, key, &read) {
        Some(read.into_iter().map(|(band, _)| band).collect())
    } else {
        None
    }
}

fn band(reader: &mut Reader<'_>, key: &str, item: &Lined) -> Option<Band> {
    let place = Place::Line(item.line);
    let refuse = |reader: &mut Reader<'_>, problem: String| {
        let finding = Finding::error(reader.file(), problem).at(place).column(key);
        reader.refuse(finding.hint(HINT));
    };
    let Node::Table(fields) = &item.node else {
        refuse(reader, "is not a band { from, to, price }".to_owned());
        return None;
    };
    const KEYS: [&str; 3] = ["from", "to", "price"];
    if let Some(unknown) = fields.keys().find(|name| !KEYS.contains(&name.as_str())) {
        let near = nearest(unknown, KEYS.into_iter()).unwrap_or("from, to and price");
        refuse(
            reader,
            format!(
                "unknown key '{}' in a band, did you mean {near}?",
                crate::input::finding::escape(unknown)
            ),
        );
        return None;
    }
    let mut text = |name: &str| match fields.get(name).map(|field| &field.node) {
        Some(Node::Scalar(text)) => Some(text.clone()),
        _ => {
            refuse(reader, format!("a band has no '{name}'"));
            None
        }
    };
    let (from, to, amount) = (text("from")?, text("to")?, text("price")?);
    let price = price(reader, key, &amount, place)?;
    match (value::clock(&from, false), value::clock(&to, true)) {
        (Ok(from_minutes), Ok(to_minutes)) if from_minutes < to_minutes => Some(Band {
            from_minutes,
            to_minutes,
            price,
        }),
        (Ok(_), Ok(_)) => {
            refuse(
                reader,
                format!("band {from} to {to} ends before it begins: split it at 24:00"),
            );
            None
        }
        (Err(wanted), _) => {
            let finding = Finding::error(reader.file(), "begins no band").found(&from);
            reader.refuse(finding.at(place).column(key).expected(wanted));
            None
        }
        (_, Err(wanted)) => {
            let finding = Finding::error(reader.file(), "ends no band").found(&to);
            reader.refuse(finding.at(place).column(key).expected(wanted));
            None
        }
    }
}

fn price(reader: &mut Reader<'_>, key: &str, text: &str, place: Place) -> Option<Price> {
    match Price::parse(text) {
        Ok(price) => Some(price),
        Err(_) => {
            let finding = Finding::error(reader.file(), "is not a price").found(text);
            reader.refuse(
                finding
                    .at(place)
                    .column(key)
                    .expected("a decimal number per kWh with at most 6 decimals"),
            );
            None
        }
    }
}

fn covers_the_day(reader: &mut Reader<'_>, key: &str, bands: &[(Band, u64)]) -> bool {
    let mut covered = 0;
    let end_of_day = (
        DAY_MINUTES,
        bands.last().map_or(1, |(_, line)| *line),
        DAY_MINUTES,
    );
    let starts = bands
        .iter()
        .map(|(band, line)| (band.from_minutes, *line, band.to_minutes))
        .chain([end_of_day]);
    for (from, line, to) in starts {
        if from != covered {
            let (low, high) = (from.min(covered), from.max(covered));
            let what = if from > covered {
                "covered by no band"
            } else {
                "covered by two bands"
            };
            let (low, high) = (value::format_clock(low), value::format_clock(high));
            let finding = Finding::error(reader.file(), format!("{low} to {high} is {what}"));
            reader.refuse(finding.at(Place::Line(line)).column(key).hint(HINT));
            return false;
        }
        covered = to;
    }
    true
}
