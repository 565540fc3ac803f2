//! Steps 7 to 11 through ledgers: keys, unconditional signatures, six phases over the chains of buyer (X), seller (Y) and VPP
//! (Z), meters, settlement.
//!
//! **Parties.** Each microgrid's gateway and meters ([`desk`]), its chain's validators and verification nodes, the VPP's
//! operator, one relayer ([`carry`]). Everybody acts on the final state of ledgers and on nothing else.
//!
//! **Rounds.** Founding and registration (T11, T12; [`founding`]); money for the day, the gate: rounds and tariffs on Z (T13,
//! T17), one unconditional signature per gateway, counterpart chain, gate and kind, requests on X (T1; `gate`); answers,
//! acceptances, commitments, the decision on Y (T2 to T6; `phases`); delivery of what is confirmed, readings (T7), settlement
//! on Z and payment on X (T8 to T10), imbalances (T18), netting between chains (T16; `metering`).
//!
//! **Guarantee.** Results follow from the scenario alone: chains run in virtual time and are led in step ([`lanes`]), whatever
//! is unordered is sorted, results come out in the order of intervals.

pub mod agenda;
pub mod book;
pub mod carry;
pub mod desk;
mod digest;
pub mod founding;
mod gate;
pub mod interval;
pub mod journal;
pub mod lanes;
mod metering;
mod onboard;
pub mod outcome;
mod phases;
pub mod place;
pub mod recorded;
pub mod records;
pub mod trade;
pub mod world;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tieline_units::Time;

use crate::input::Scenario;
use crate::output::folder::write;
use crate::run::keys::Keys;
use crate::run::keys::record::KeysFile;
use crate::run::seals::Seals;
use crate::run::settle::{Settled, Settling};
use crate::run::stage::Stage as _;
use crate::run::{Sink, slot};
use book::Book;
use founding::found;
use interval::Booked;
use journal::Journal;
use lanes::Embedded;
use place::Figures;
use recorded::Recorded;
use records::{ChainEnd, OrdersFile, SCHEMA};
use world::{Parts, World};

/// Folder of the chains' files inside the output folder.
pub const FOLDER: &str = "chains";

/// What a run through ledgers leaves beside its results.
pub struct Joined {
    /// Every order.
    pub orders: OrdersFile,
    /// Keys: stock and use.
    pub keys: KeysFile,
    /// Of each chain, Z first: its name and figures.
    pub chains: Vec<(String, Figures)>,
    /// Hours from the opening of the key pools to the end of each market interval.
    pub stock_hours: Vec<f64>,
}

/// Why a run ended early: it was asked to, and can go on later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Who hears of a run while it goes by, and can end it.
pub trait Watch {
    /// So many intervals are through.
    fn done(&mut self, intervals: usize);

    /// Something worth knowing.
    fn note(&mut self, text: &str);

    /// Whether to end here.
    fn ends(&self) -> bool;
}

/// Runs every interval through the ledgers, its results in order into the sinks. What an earlier call has recorded in `out`
/// is not run again.
///
/// # Errors
/// Names that cannot be founded, a full disk, a chain that fails, [`Interrupted`].
pub fn run(
    scenario: &Scenario,
    out: &Path,
    sinks: &mut [&mut dyn Sink],
    watch: &mut dyn Watch,
) -> anyhow::Result<Joined> {
    let start = agenda::start(scenario);
    let recorded = Journal::open(out, digest::of(scenario))?;
    let founding = found(scenario, start)?;
    let chains = out.join(FOLDER);
    std::fs::create_dir_all(&chains)
        .with_context(|| format!("cannot write {}", chains.display()))?;
    for founded in &founding.chains {
        let name = &founded.genesis.document().chain;
        let file = chains.join(format!("{name}.genesis.toml"));
        write(&file, founded.genesis.to_toml()?.as_bytes())?;
    }
    let keys = Keys::new(scenario, start);
    if keys.assumed() {
        watch.note(&format!(
            "no [[keys.link]]: every two sites are joined by {} km of fibre (keys.fibre_km)",
            f64::from(scenario.config.keys.fibre_m) / 1_000.0
        ));
    }
    let seals = Seals::new(sites(scenario, &founding));
    let book = Arc::new(Book::new(seals.verdicts(), scenario.config.trouble.clone()));
    let lanes = Embedded::new(scenario, &founding, book.clone());
    let lanes = Recorded::start(lanes, recorded, &founding, (&chains, start))?;
    let parts = Parts {
        scenario,
        founding,
        lanes: Box::new(lanes),
        keys,
        seals,
        book,
        start,
    };
    let mut world = World::new(parts, &chains)?;
    world.onboard().context("registration")?;
    let mut next = 0;
    while world.go_on()? {
        next = world.hand_out(next, sinks)?;
        watch.done(next);
        world.checkpoint()?;
        if watch.ends() {
            return Err(Interrupted.into());
        }
    }
    world.settle()?;
    world.close_all();
    next = world.hand_out_all(next, sinks)?;
    watch.done(next);
    let joined = world.end()?;
    let journal = out.join(journal::FILE);
    std::fs::remove_file(&journal)
        .with_context(|| format!("cannot remove {}", journal.display()))?;
    Ok(joined)
}

/// Of each chain, where its verification nodes are: at their owners' sites.
fn sites(
    scenario: &Scenario,
    founding: &founding::Founding,
) -> std::collections::BTreeMap<tieline_units::ChainId, Vec<tieline_units::SiteId>> {
    let site = |owner: &tieline_units::MicrogridId| {
        let own = scenario.microgrids.iter().find(|it| it.id == *owner);
        own.map_or_else(
            || tieline_units::SiteId::parse(founding::VPP).expect("a constant name"),
            |it| it.site.clone(),
        )
    };
    let chains = founding.chains.iter().map(|founded| {
        let document = founded.genesis.document();
        let seats = document.verifiers.seats.iter();
        let sites = seats.map(|seat| site(&seat.owner)).collect();
        (document.chain.clone(), sites)
    });
    chains.collect()
}

impl World<'_> {
    /// Results of intervals that are over, in order, from this one on; the next that is not.
    fn hand_out(&mut self, mut next: usize, sinks: &mut [&mut dyn Sink]) -> anyhow::Result<usize> {
        while let Some(open) = self.open.get(&next) {
            if !(open.is_over() && open.is_metered() && open.booked == Booked::Done) {
                break;
            }
            self.hand_out_one(next, sinks)?;
            next += 1;
        }
        Ok(next)
    }

    fn hand_out_all(
        &mut self,
        mut next: usize,
        sinks: &mut [&mut dyn Sink],
    ) -> anyhow::Result<usize> {
        while self.open.contains_key(&next) {
            self.hand_out_one(next, sinks)?;
            next += 1;
        }
        Ok(next)
    }

    fn hand_out_one(&mut self, index: usize, sinks: &mut [&mut dyn Sink]) -> anyhow::Result<()> {
        let open = self
            .open
            .remove(&index)
            .context("an interval that is open")?;
        let slot = slot(self.scenario, index);
        let settled: Settled = Settling
            .run(&slot, open.concluded())
            .with_context(|| format!("interval {}", slot.interval))?;
        for sink in sinks.iter_mut() {
            sink.take(&slot, &settled)?;
        }
        Ok(())
    }

    fn end(mut self) -> anyhow::Result<Joined> {
        for place in &mut self.places {
            place.sync()?;
            place.figures.finality_ms.sort_unstable();
        }
        let opened = agenda::start(self.scenario).as_millis();
        let hours = |end: Time| end.as_millis().saturating_sub(opened) as f64 / 3_600_000.0;
        let intervals = self.scenario.intervals.iter();
        let stock_hours = intervals.map(|it| hours(it.end())).collect();
        let ends = self.places.iter().map(|place| ChainEnd {
            chain: place.chain.to_string(),
            height: place.ledger.tip().height,
            tip: place.ledger.tip().digest.to_string(),
        });
        let ends = ends.collect();
        let places = self.places.into_iter();
        let chains = places.map(|place| (place.chain.to_string(), place.figures));
        Ok(Joined {
            orders: OrdersFile {
                schema: SCHEMA,
                chains: ends,
                orders: self.records.into_values().collect(),
            },
            keys: self.keys.file(),
            stock_hours,
            chains: chains.collect(),
        })
    }
}
