//! Bills: `settlement.csv`, every line of it, from what Z settled, what meters signed, and the grid's prices on Z.

use std::collections::BTreeMap;

use tieline_contract::settlement::{GridPrices, MemberEntry, Order, Settlement, book_interval};
use tieline_contract::state::Tariff;
use tieline_units::{Currency, MicrogridId, Time};

use super::settled::{flows, traded};
use super::{Check, Evidence, Stop, Wrong};
use crate::output::tables::{AGGREGATOR, CSV_HEADER, GRID};

/// The file.
const BILLS: &str = "settlement.csv";

/// Columns that follow from the chains, behind start and party; what would have been without a market does not.
const COLUMNS: usize = 10;

fn wrong(line: usize, reason: String) -> Wrong {
    Wrong {
        check: "bills",
        file: BILLS.to_owned(),
        line: Some(line as u64 + 1),
        reason,
        ..Wrong::default()
    }
}

/// The lines of one market interval: their numbers and cells.
type Lines<'a> = Vec<(usize, Vec<&'a str>)>;

pub(super) fn check(evidence: &Evidence) -> Result<Vec<Check>, Stop> {
    let text = evidence.text(BILLS)?;
    let mut lines = text.lines().enumerate();
    if lines.next().map(|(_, head)| head) != Some(CSV_HEADER.trim_end()) {
        return Err(wrong(0, "it has other columns than bills have".to_owned()).into());
    }
    let mut intervals: BTreeMap<&str, Lines<'_>> = BTreeMap::new();
    let mut found = 0;
    for (number, line) in lines {
        let cells: Vec<&str> = line.split(',').collect();
        if cells.len() != COLUMNS + 4 {
            return Err(wrong(number, format!("it has {} cells", cells.len())).into());
        }
        intervals.entry(cells[0]).or_default().push((number, cells));
        found += 1;
    }
    let books = Books::of(evidence);
    let mut seen = 0;
    for lines in intervals.values() {
        books.interval(lines)?;
        seen += 1;
    }
    if let Some(start) = books.missing(&intervals) {
        let reason = format!("the interval from {start} on is on Z and has no bills");
        return Err(wrong(found, reason).into());
    }
    let check = |name, found| Check { name, found };
    Ok(vec![
        check("market intervals billed", seen),
        check("lines of bills", found as u64),
    ])
}

/// What bills follow from.
struct Books<'a> {
    evidence: &'a Evidence,
    currency: Currency,
    flows: BTreeMap<(Time, MicrogridId), tieline_units::Energy>,
    traded: super::settled::Traded,
    /// By interval.
    settled: BTreeMap<Time, Vec<(MicrogridId, MicrogridId, Settled)>>,
    tariffs: BTreeMap<Time, Tariff>,
}

/// Terms and what they came to.
type Settled = (tieline_contract::settlement::OrderTerms, Settlement);

impl<'a> Books<'a> {
    fn of(evidence: &'a Evidence) -> Books<'a> {
        let state = evidence.z().ledger.state();
        let mut settled: BTreeMap<Time, Vec<_>> = BTreeMap::new();
        for order in state.orders() {
            let Some(settling) = state.settling(order) else {
                continue;
            };
            let terms = &settling.request.terms;
            if let Some(settlement) = settling.settlement {
                let it = (terms.settlement(), settlement);
                let of = (terms.seller.clone(), terms.buyer.clone(), it);
                settled.entry(terms.start).or_default().push(of);
            }
        }
        let tariffs = evidence.z().applied().filter_map(|done| {
            use tieline_contract::transaction::{Act, Transaction};
            match &done.transaction {
                Transaction::Signed(signed) => match signed.act {
                    Act::Tariff { start, tariff } => Some((start, tariff)),
                    _ => None,
                },
                _ => None,
            }
        });
        Books {
            currency: evidence.z().genesis.document().currency,
            flows: flows(evidence),
            traded: traded(evidence),
            settled,
            tariffs: tariffs.collect(),
            evidence,
        }
    }

    /// An interval of Z's tariff that has no lines.
    fn missing(&self, intervals: &BTreeMap<&str, Lines<'_>>) -> Option<Time> {
        let starts = self.tariffs.keys();
        let mut starts = starts.filter(|start| !intervals.contains_key(start.to_string().as_str()));
        starts.next().copied()
    }

    fn interval(&self, lines: &Lines<'_>) -> Result<(), Stop> {
        let (first, cells) = &lines[0];
        let start = Time::parse(cells[0]).map_err(|error| wrong(*first, error.to_string()))?;
        let no_tariff = || wrong(*first, "Z has no tariff of this interval".to_owned());
        let tariff = self.tariffs.get(&start).ok_or_else(no_tariff)?;
        let grid = GridPrices {
            import: tariff.import,
            export: tariff.export,
            currency: self.currency,
        };
        let members: Vec<MicrogridId> = lines
            .iter()
            .filter_map(|(_, cells)| MicrogridId::parse(cells[1]).ok())
            .collect();
        self.all_members(*first, &members)?;
        self.each_once(lines)?;
        let place = |id: &MicrogridId| members.iter().position(|it| it == id);
        let mut settled = Vec::new();
        for (seller, buyer, (terms, settlement)) in self.settled.get(&start).into_iter().flatten() {
            let unknown = || wrong(*first, format!("no lines of {seller} or {buyer}"));
            let order = Order {
                seller: place(seller).ok_or_else(unknown)?,
                buyer: place(buyer).ok_or_else(unknown)?,
                terms: *terms,
                currency: self.currency,
            };
            settled.push((order, *settlement));
        }
        let nets = members.iter().map(|member| {
            let of = (start, member.clone());
            let traded = self.traded.get(&of).copied().unwrap_or_default();
            self.flows.get(&of).copied().unwrap_or(traded.0 - traded.1)
        });
        let nets: Vec<_> = nets.collect();
        let booked = book_interval(&nets, &settled, grid);
        let booked = booked.map_err(|error| wrong(*first, error.to_string()))?;
        for (number, cells) in lines {
            let (entry, balance) = match cells[1] {
                AGGREGATOR => (MemberEntry::default(), booked.aggregator),
                GRID => (MemberEntry::default(), booked.grid),
                other => {
                    let member = members.iter().position(|it| it.as_str() == other);
                    let unknown = || wrong(*number, format!("'{other}' is no party"));
                    let entry = booked.members[member.ok_or_else(unknown)?];
                    (entry, entry.balance())
                }
            };
            compare(*number, cells, &texts(&entry, balance))?;
        }
        Ok(())
    }

    /// Every party has one line, in the chains' currency.
    fn each_once(&self, lines: &Lines<'_>) -> Result<(), Stop> {
        let mut seen = BTreeMap::new();
        for (number, cells) in lines {
            if seen.insert(cells[1], *number).is_some() {
                let reason = format!("{} has two lines of this interval", cells[1]);
                return Err(wrong(*number, reason).into());
            }
            if cells[COLUMNS + 3] != self.currency.to_string() {
                let reason = format!("currency '{}', not {}", cells[COLUMNS + 3], self.currency);
                return Err(wrong(*number, reason).into());
            }
        }
        match [AGGREGATOR, GRID]
            .iter()
            .find(|party| !seen.contains_key(**party))
        {
            Some(missing) => Err(wrong(lines[0].0, format!("no line of {missing}")).into()),
            None => Ok(()),
        }
    }

    /// Every microgrid has a line.
    fn all_members(&self, line: usize, members: &[MicrogridId]) -> Result<(), Stop> {
        use tieline_contract::member::Role;
        let chains = self.evidence.chains.iter();
        let all = chains.flat_map(|chain| &chain.genesis.document().members);
        let mut all = all.filter(|member| member.role == Role::Microgrid);
        match all.find(|member| !members.contains(&member.id)) {
            Some(missing) => Err(wrong(line, format!("no line of {}", missing.id)).into()),
            None => Ok(()),
        }
    }
}

/// The cells behind start and party.
fn texts(entry: &MemberEntry, balance: tieline_units::Money) -> [String; COLUMNS] {
    [
        entry.sold.to_kilowatt_hours(),
        entry.bought.to_kilowatt_hours(),
        entry.exported.to_kilowatt_hours(),
        entry.imported.to_kilowatt_hours(),
        entry.sales.to_string(),
        entry.purchases.to_string(),
        entry.grid_export.to_string(),
        entry.grid_import.to_string(),
        entry.penalties.to_string(),
        balance.to_string(),
    ]
}

fn compare(number: usize, cells: &[&str], expected: &[String; COLUMNS]) -> Result<(), Stop> {
    let heads: Vec<&str> = CSV_HEADER.trim_end().split(',').collect();
    for (index, expected) in expected.iter().enumerate() {
        let (found, head) = (cells[index + 2], heads[index + 2]);
        if found != expected {
            let reason = format!(
                "{head} of {} is {found}, the chains say {expected}",
                cells[1]
            );
            let mut at = wrong(number, reason);
            at.place = Some(head.to_owned());
            return Err(at.into());
        }
    }
    Ok(())
}
