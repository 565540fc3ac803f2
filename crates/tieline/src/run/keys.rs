//! Step 7: the key bits that sites share, filled at the rate of their fibres and used once.
//!
//! **Parties.** One key manager per site (every microgrid's, and the VPP's), trusted by the nodes of that site; between two
//! sites a QKD link, whose key serves all node pairs across it.
//!
//! **Rules.**
//! * A pool opens with `keys.opening_stock_hours` of its link's rate and grows by that rate in virtual time. The rate is what
//!   the link model gives for the fibre's length ([`rate`]); a length without key has rate 0.
//! * Bits are handed out in key blocks, each with a key_ID, front to back: none twice. A draw takes from all its pools or, if
//!   one of them is [`Short`], from none.
//! * Nodes of one site share key through their key manager. It is counted beside the fibres' and never runs dry.
//! * What was drawn, by which key_ID and for what, is recorded ([`KeysFile`]); the bits are not.
//!
//! **Guarantees.** The same settings and the same draws in the same order give the same bits: they are **simulated**, a
//! ChaCha20 stream per pool from the scenario's seed. So a run shows what signatures cost in key, and when key runs out; it
//! keeps no secret from whoever has the seed.

pub mod pool;
pub mod rate;
pub mod record;
pub mod trade;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tieline_qkd::etsi::KeyId;
use tieline_qkd::hybrid::Reason;
use tieline_units::{Encoder, MicrogridId, SiteId, Time};
use zeroize::Zeroizing;

use crate::config::Protection;
use crate::input::Scenario;
use pool::{Local, Pool};
pub use record::{KeyUse, KeysFile, Subject, UseRecord};

/// The VPP's site.
pub const VPP_SITE: &str = "vpp";

/// Two sites, in the order of their names; the same twice is one site's key manager.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    low: SiteId,
    high: SiteId,
}

impl Pair {
    /// Of two sites in any order.
    pub fn new(one: &SiteId, other: &SiteId) -> Pair {
        Pair {
            low: one.min(other).clone(),
            high: one.max(other).clone(),
        }
    }

    /// The two ends.
    pub fn sites(&self) -> [&SiteId; 2] {
        [&self.low, &self.high]
    }

    /// Whether both ends are one site: its key manager serves, no fibre.
    pub fn is_local(&self) -> bool {
        self.low == self.high
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.low, self.high)
    }
}

/// What key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purpose {
    /// Unconditional signatures of requests.
    #[serde(rename = "request")]
    Request,
    /// Of responses.
    #[serde(rename = "response")]
    Response,
    /// Of key returns.
    #[serde(rename = "key return")]
    KeyReturn,
    /// Transmission keys of trades, equation (17).
    #[serde(rename = "trade key")]
    TradeKey,
}

/// A pool that cannot serve a draw. Nothing was drawn from any pool.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.text())]
pub struct Short {
    /// Between which sites; of several short pools the one that has enough last.
    pub pair: Pair,
    /// Bits that the draw takes of it.
    pub need_bits: u64,
    /// Bits in it.
    pub have_bits: u64,
    /// When its link has delivered enough, if nobody else draws; `None` without a link that gives key.
    pub enough_at: Option<Time>,
}

impl Short {
    fn text(&self) -> String {
        let Short {
            pair,
            need_bits,
            have_bits,
            ..
        } = self;
        let when = match self.enough_at {
            Some(time) => format!("enough at {time}"),
            None => "there is no link between them that gives key".to_owned(),
        };
        format!("{pair}: {need_bits} bits of key are needed, {have_bits} are there; {when}")
    }

    /// The next step.
    pub fn hint(&self) -> &'static str {
        match self.enough_at {
            Some(_) => {
                "raise keys.opening_stock_hours, lower keys.level, or join the sites by a shorter fibre"
            }
            None => {
                "join the sites by a [[keys.link]] of some 150 km at most, or set keys.protection = \"hybrid\""
            }
        }
    }

    /// The same as the reason of a weaker key.
    pub fn reason(&self) -> Reason {
        match self.enough_at {
            None => Reason::NoLink,
            Some(_) => Reason::Short {
                have: usize::try_from(self.have_bits).unwrap_or(usize::MAX),
                need: usize::try_from(self.need_bits).unwrap_or(usize::MAX),
            },
        }
    }
}

/// What the pools are made from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Seed of the scenario.
    pub seed: u64,
    /// When the pools open.
    pub start: Time,
    /// `keys.opening_stock_hours`
    pub opening_hours: u32,
    /// `keys.protection`
    pub protection: Protection,
    /// `keys.level`, bits.
    pub level: u16,
    /// Where every microgrid is.
    pub homes: BTreeMap<MicrogridId, SiteId>,
    /// Fibres, metres.
    pub fibres: BTreeMap<Pair, u32>,
    /// Whether the fibres are assumed: the scenario names none.
    pub assumed: bool,
    /// Ends of the market intervals, ascending: the stock is noted at each.
    pub ends: Vec<Time>,
}

impl Setup {
    /// As the scenario says, with pools that open at `start`.
    pub fn of(scenario: &Scenario, start: Time) -> Setup {
        let settings = &scenario.config.keys;
        let microgrids = scenario.microgrids.iter();
        let homes: BTreeMap<MicrogridId, SiteId> = microgrids
            .map(|one| (one.id.clone(), one.site.clone()))
            .collect();
        let assumed = settings.links.is_empty();
        let fibres = match assumed {
            true => between_all(&homes, settings.fibre_m),
            false => (settings.links.iter())
                .map(|link| (Pair::new(&link.sites[0], &link.sites[1]), link.fibre_m))
                .collect(),
        };
        Setup {
            seed: scenario.config.seed,
            start,
            opening_hours: settings.opening_stock_hours,
            protection: settings.protection,
            level: u16::try_from(settings.level).expect("settings stop at 256"),
            homes,
            fibres,
            assumed,
            ends: (scenario.intervals.iter())
                .map(|interval| interval.end())
                .collect(),
        }
    }
}

/// One length of fibre between every two sites, the VPP's among them.
fn between_all(homes: &BTreeMap<MicrogridId, SiteId>, fibre_m: u32) -> BTreeMap<Pair, u32> {
    let vpp = SiteId::parse(VPP_SITE).expect("letters");
    let sites: BTreeSet<&SiteId> = homes.values().chain([&vpp]).collect();
    let pairs = sites.iter().enumerate().flat_map(|(place, one)| {
        let others = sites.iter().skip(place + 1);
        others.map(move |other| (Pair::new(one, other), fibre_m))
    });
    pairs.collect()
}

/// Bits drawn from one pool: one key block.
pub struct Drawn {
    /// Which key, from which pool.
    pub key: KeyUse,
    /// The bits, whole bytes; wiped when dropped.
    pub bits: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Drawn({}, <redacted>)", self.key.key_id)
    }
}

/// What a draw takes of one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// Bits, a multiple of 8: key managers hand out whole bytes.
    pub bits: u64,
    /// How many node-to-node links they serve.
    pub links: u32,
}

/// All pools of a run.
#[derive(Debug)]
pub struct Keys {
    setup: Setup,
    now: Time,
    pools: BTreeMap<Pair, Pool>,
    local: BTreeMap<SiteId, Local>,
    uses: Vec<UseRecord>,
    closed: usize,
}

impl Keys {
    /// Opens the pools of a scenario at `start`, the genesis of the run.
    pub fn new(scenario: &Scenario, start: Time) -> Keys {
        Keys::open(Setup::of(scenario, start))
    }

    /// Opens the pools.
    pub fn open(setup: Setup) -> Keys {
        let rates = rate::of_fibres(setup.fibres.values().copied().collect());
        let pool = |(pair, fibre_m): (&Pair, &u32)| {
            let rate = rates.get(fibre_m).copied().unwrap_or(0);
            (pair.clone(), Pool::open(&setup, pair, *fibre_m, rate))
        };
        Keys {
            now: setup.start,
            pools: setup.fibres.iter().map(pool).collect(),
            local: BTreeMap::new(),
            uses: Vec::new(),
            closed: 0,
            setup,
        }
    }

    /// Whether every fibre is assumed to be `keys.fibre_km` long, because the scenario names none.
    pub fn assumed(&self) -> bool {
        self.setup.assumed
    }

    /// `keys.protection`
    pub fn protection(&self) -> Protection {
        self.setup.protection
    }

    /// `keys.level`, bits.
    pub fn level(&self) -> u16 {
        self.setup.level
    }

    /// Seed of the scenario.
    pub fn seed(&self) -> u64 {
        self.setup.seed
    }

    /// Where a microgrid's gateway is.
    pub fn site_of(&self, microgrid: &MicrogridId) -> Option<&SiteId> {
        self.setup.homes.get(microgrid)
    }

    /// Lets the links deliver until `now`, and notes the stock at every end of a market interval on the way. An earlier time
    /// changes nothing.
    pub fn advance(&mut self, now: Time) {
        self.now = self.now.max(now);
        while let Some(&end) = self.setup.ends.get(self.closed) {
            if end > self.now {
                break;
            }
            self.pools.values_mut().for_each(|pool| pool.note(end));
            self.closed += 1;
        }
    }

    /// Bits in the pool of two sites now; `None` where there is no link, or no fibre is needed.
    pub fn stock_bits(&self, pair: &Pair) -> Option<u64> {
        self.pools.get(pair).map(|pool| pool.stock_bits(self.now))
    }

    /// Takes one key block from every pool of `wants`, or none at all.
    ///
    /// # Errors
    /// [`Short`].
    ///
    /// # Panics
    /// When bits are not whole bytes.
    pub fn draw(
        &mut self,
        now: Time,
        purpose: Purpose,
        wants: &BTreeMap<Pair, Want>,
    ) -> Result<BTreeMap<Pair, Drawn>, Short> {
        self.advance(now);
        self.check(wants)?;
        let draw = |(pair, want): (&Pair, &Want)| {
            assert_eq!(want.bits % 8, 0, "key managers hand out whole bytes");
            let (key_id, bits) = match pair.is_local() {
                true => self.local_of(&pair.low).draw(purpose, want.bits),
                false => {
                    let pool = self.pools.get_mut(pair).expect("a pool that was checked");
                    pool.draw(purpose, want.bits)
                }
            };
            let key = KeyUse {
                key_id,
                sites: pair.sites().map(ToString::to_string),
                links: want.links,
                bits: want.bits,
            };
            (pair.clone(), Drawn { key, bits })
        };
        Ok(wants.iter().map(draw).collect())
    }

    fn local_of(&mut self, site: &SiteId) -> &mut Local {
        let seed = self.setup.seed;
        (self.local.entry(site.clone())).or_insert_with(|| Local::open(seed, site))
    }

    /// Every pool has what is wanted of it.
    fn check(&self, wants: &BTreeMap<Pair, Want>) -> Result<(), Short> {
        let short = |(pair, want): (&Pair, &Want)| {
            let pool = self.pools.get(pair);
            let have_bits = pool.map_or(0, |pool| pool.stock_bits(self.now));
            (have_bits < want.bits).then(|| Short {
                pair: pair.clone(),
                need_bits: want.bits,
                have_bits,
                enough_at: pool.and_then(|pool| pool.enough_at(want.bits)),
            })
        };
        let fibres = wants.iter().filter(|(pair, _)| !pair.is_local());
        let last = |short: &Short| (short.enough_at.is_none(), short.enough_at);
        match fibres.filter_map(short).max_by_key(last) {
            Some(short) => Err(short),
            None => Ok(()),
        }
    }

    /// Puts on record what keys were used for, or why none were.
    pub fn record(&mut self, used: UseRecord) {
        self.uses.push(used);
    }

    /// All that is on record so far, in the order of the draws.
    pub fn uses(&self) -> &[UseRecord] {
        &self.uses
    }

    /// The content of `keys.json`, as of the last [`Keys::advance`].
    pub fn file(&self) -> KeysFile {
        let pool = |(pair, pool): (&Pair, &Pool)| pool.record(pair, self.now);
        KeysFile {
            schema: record::SCHEMA.to_owned(),
            simulated: true,
            source: record::SOURCE.to_owned(),
            preset: rate::PRESET.preset().name.to_owned(),
            protection: record::word(self.setup.protection).to_owned(),
            level_bits: self.setup.level,
            fibres_assumed: self.setup.assumed,
            opened_at: self.setup.start.to_string(),
            until: self.now.to_string(),
            intervals: self.closed,
            pairs: self.pools.iter().map(pool).collect(),
            local: (self.local.iter())
                .map(|(site, local)| local.record(site))
                .collect(),
            uses: self.uses.clone(),
        }
    }
}

/// A generator of simulated secrets, as good as its seed: `what` names its one use.
pub(crate) fn generator(what: &Encoder) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(*what.digest().as_bytes())
}

/// The name of the key block `number` of a pool: a UUID of version 8.
pub(crate) fn key_id(seed: u64, pool: &str, number: u64) -> KeyId {
    let mut name = Encoder::new("tieline.simulated-key-id/1");
    name.u64(seed).text(pool).u64(number);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&name.digest().as_bytes()[..16]);
    KeyId::version_8(bytes)
}
