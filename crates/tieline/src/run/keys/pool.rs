//! One pool of simulated key bits: stock, stream and account.

use std::collections::BTreeMap;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use tieline_qkd::etsi::KeyId;
use tieline_units::decimal::format_short;
use tieline_units::{Encoder, SiteId, Time};
use zeroize::Zeroizing;

use super::record::{LocalRecord, PairRecord, Tally};
use super::{Pair, Purpose, Setup, generator, key_id};

/// Milliseconds of an hour and of a second.
const HOUR_MS: u64 = 3_600_000;
const SECOND_MS: u128 = 1000;

/// A stream of bits, cut into key blocks front to back.
#[derive(Debug)]
struct Stream {
    seed: u64,
    name: String,
    bits: ChaCha20Rng,
    keys: u64,
    used_bits: u64,
    purposes: BTreeMap<Purpose, Tally>,
}

impl Stream {
    fn open(seed: u64, name: String) -> Stream {
        let mut what = Encoder::new("tieline.simulated-key-stream/1");
        what.u64(seed).text(&name);
        Stream {
            seed,
            bits: generator(&what),
            name,
            keys: 0,
            used_bits: 0,
            purposes: BTreeMap::new(),
        }
    }

    /// The next block. The stream only moves forward: no bit leaves twice.
    fn draw(&mut self, purpose: Purpose, bits: u64) -> (KeyId, Zeroizing<Vec<u8>>) {
        let bytes = usize::try_from(bits / 8).expect("key of a signature fits into memory");
        let mut block = Zeroizing::new(vec![0; bytes]);
        self.bits.fill_bytes(&mut block);
        let id = key_id(self.seed, &self.name, self.keys);
        self.keys += 1;
        self.used_bits += bits;
        let tally = self.purposes.entry(purpose).or_default();
        tally.bits += bits;
        tally.keys += 1;
        (id, block)
    }
}

/// Key shared over the fibre between two sites.
#[derive(Debug)]
pub struct Pool {
    stream: Stream,
    fibre_m: u32,
    rate_bits_per_second: u64,
    opening_bits: u64,
    start: Time,
    series: Vec<u64>,
}

impl Pool {
    pub(super) fn open(setup: &Setup, pair: &Pair, fibre_m: u32, rate: u64) -> Pool {
        Pool {
            stream: Stream::open(setup.seed, pair.to_string()),
            fibre_m,
            rate_bits_per_second: rate,
            opening_bits: rate * (HOUR_MS / 1000) * u64::from(setup.opening_hours),
            start: setup.start,
            series: Vec::new(),
        }
    }

    /// Bits that the link has delivered since the start.
    fn delivered_bits(&self, at: Time) -> u64 {
        let elapsed = at.as_millis().saturating_sub(self.start.as_millis());
        let bits = u128::from(self.rate_bits_per_second) * u128::from(elapsed) / SECOND_MS;
        u64::try_from(bits).unwrap_or(u64::MAX)
    }

    /// Bits that are there: opening stock and deliveries, less what was used.
    pub fn stock_bits(&self, at: Time) -> u64 {
        let came = self.opening_bits.saturating_add(self.delivered_bits(at));
        came.saturating_sub(self.stream.used_bits)
    }

    /// When `need` bits are there if nobody draws; `None` without a rate.
    pub(super) fn enough_at(&self, need: u64) -> Option<Time> {
        let (used, opened) = (self.stream.used_bits, self.opening_bits);
        let missing = used.checked_add(need)?.saturating_sub(opened);
        let rate = u128::from(self.rate_bits_per_second);
        let elapsed = (rate > 0).then(|| (u128::from(missing) * SECOND_MS).div_ceil(rate))?;
        let elapsed = u64::try_from(elapsed).ok()?;
        let at = self.start.as_millis().checked_add(elapsed)?;
        Some(Time::from_millis(at))
    }

    pub(super) fn draw(&mut self, purpose: Purpose, bits: u64) -> (KeyId, Zeroizing<Vec<u8>>) {
        self.stream.draw(purpose, bits)
    }

    /// Notes the stock at the end of a market interval.
    pub(super) fn note(&mut self, end: Time) {
        let stock = self.stock_bits(end);
        self.series.push(stock);
    }

    pub(super) fn record(&self, pair: &Pair, now: Time) -> PairRecord {
        PairRecord {
            sites: pair.sites().map(ToString::to_string),
            fibre_km: format_short(i64::from(self.fibre_m), 3, 1),
            rate_bits_per_second: self.rate_bits_per_second,
            opening_bits: self.opening_bits,
            delivered_bits: self.delivered_bits(now),
            used_bits: self.stream.used_bits,
            left_bits: self.stock_bits(now),
            purposes: self.stream.purposes.clone(),
            stock_bits: self.series.clone(),
        }
    }
}

/// Key that nodes of one site share through their key manager: as much as they ask for.
#[derive(Debug)]
pub struct Local(Stream);

impl Local {
    pub(super) fn open(seed: u64, site: &SiteId) -> Local {
        Local(Stream::open(seed, format!("within {site}")))
    }

    pub(super) fn draw(&mut self, purpose: Purpose, bits: u64) -> (KeyId, Zeroizing<Vec<u8>>) {
        self.0.draw(purpose, bits)
    }

    pub(super) fn record(&self, site: &SiteId) -> LocalRecord {
        LocalRecord {
            site: site.to_string(),
            used_bits: self.0.used_bits,
            purposes: self.0.purposes.clone(),
        }
    }
}
