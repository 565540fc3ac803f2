//! Keys and seals of a run: stock, single use, signatures of many messages, transmission keys.

use std::collections::{BTreeMap, BTreeSet};

use tieline::config::Protection;
use tieline::run::keys::{Keys, Pair, Purpose, Setup, Want, rate};
use tieline::run::seals::{Ask, Kind, Seal, SealError, Seals};
use tieline_units::{ChainId, Digest, MicrogridId, SiteId, Time};

mod seals;
mod trade;

const HOUR: u64 = 3_600_000;
const START: Time = Time::from_millis(1_464_000_000_000);

fn site(number: u32) -> SiteId {
    SiteId::parse(&format!("site-{number}")).unwrap()
}

fn microgrid(number: u32) -> MicrogridId {
    MicrogridId::parse(&format!("mg-{number}")).unwrap()
}

fn chain(number: u32) -> ChainId {
    ChainId::parse(&format!("chain-{number}")).unwrap()
}

fn pair(one: u32, other: u32) -> Pair {
    Pair::new(&site(one), &site(other))
}

/// Three microgrids; 1 and 2 are 20 km apart, 3 is joined to 1 by a fibre too long for key, and to 2 by none.
fn setup() -> Setup {
    Setup {
        seed: 1,
        start: START,
        opening_hours: 1,
        protection: Protection::Its,
        level: 64,
        homes: (1..=3)
            .map(|number| (microgrid(number), site(number)))
            .collect(),
        fibres: BTreeMap::from([(pair(1, 2), 20_000), (pair(1, 3), 350_000)]),
        assumed: false,
        ends: (1..=24)
            .map(|hour| START.plus_millis(hour * HOUR))
            .collect(),
    }
}

fn want(pair: Pair, bits: u64) -> BTreeMap<Pair, Want> {
    BTreeMap::from([(pair, Want { bits, links: 1 })])
}

/// Four verification nodes on every chain, all at their microgrid's site.
fn seals() -> Seals {
    Seals::new((1..=3).map(|n| (chain(n), vec![site(n); 4])).collect())
}

struct Request {
    gateway: MicrogridId,
    home: ChainId,
    counterpart: ChainId,
    gate: Time,
    kind: Kind,
    body: Vec<u8>,
    cheat: bool,
}

impl Request {
    fn of(gateway: u32, counterpart: u32) -> Request {
        Request {
            gateway: microgrid(gateway),
            home: chain(gateway),
            counterpart: chain(counterpart),
            gate: START,
            kind: Kind::Requests,
            body: b"order 1, order 2".to_vec(),
            cheat: false,
        }
    }

    fn kind(kind: Kind) -> Request {
        Request {
            kind,
            ..Request::of(1, 2)
        }
    }

    fn sign(&self, seals: &mut Seals, keys: &mut Keys) -> Result<Seal, SealError> {
        let ask = Ask {
            gateway: &self.gateway,
            home: &self.home,
            counterpart: &self.counterpart,
            gate: self.gate,
            kind: self.kind,
            messages: 2,
            body: &self.body,
            cheat: self.cheat,
        };
        seals.sign(keys, START, ask)
    }
}

/// How many of both chains' nodes accept: the home chain's at level 1, the counterpart's at level 0.
fn passed(seals: &Seals, seal: Digest) -> (usize, usize) {
    let verdicts = seals.verdicts();
    let count = |chain: u32, level: i8| {
        let chain = self::chain(chain);
        (0..4)
            .filter(|seat| verdicts.passes(&chain, *seat, seal, level))
            .count()
    };
    (count(1, 1), count(2, 0))
}

#[test]
fn a_fibre_gives_the_rate_of_the_link_model_and_none_beyond_its_reach() {
    let rates = rate::of_fibres(BTreeSet::from([
        0, 9_000, 20_000, 50_000, 350_000, 10_000_000,
    ]));
    // 20 million pulses a second at n_X = 1e6, from the table of the link model: 3.19e-3 at 0 km, 3.05e-4 at 50 km.
    assert!((62_000..=65_000).contains(&rates[&0]), "{rates:?}");
    assert!((6_000..=6_200).contains(&rates[&50_000]), "{rates:?}");
    assert!(rates[&9_000] > rates[&20_000], "{rates:?}");
    assert_eq!((rates[&350_000], rates[&10_000_000]), (0, 0));
    let alone = rate::of_fibres(BTreeSet::from([20_000]));
    assert_eq!(alone[&20_000], rates[&20_000]);
}

#[test]
fn a_pool_opens_with_hours_of_its_rate_and_grows_by_the_rate() {
    let rate = rate::of_fibres(BTreeSet::from([20_000]))[&20_000];
    let mut keys = Keys::open(setup());
    assert_eq!(keys.stock_bits(&pair(1, 2)), Some(rate * 3600));
    keys.advance(START.plus_millis(10_500));
    let grown = rate * 3600 + rate * 10_500 / 1000;
    assert_eq!(keys.stock_bits(&pair(1, 2)), Some(grown));
    keys.advance(START);
    assert_eq!(keys.stock_bits(&pair(1, 2)), Some(grown), "time went back");
    assert_eq!(keys.stock_bits(&pair(1, 3)), Some(0));
    assert_eq!(keys.stock_bits(&pair(2, 3)), None);
}

#[test]
fn bits_are_handed_out_once_and_the_stock_never_falls_below_zero() {
    let mut keys = Keys::open(setup());
    let (mut blocks, mut names, mut used) = (BTreeSet::new(), BTreeSet::new(), 0);
    for step in 0..2000_u64 {
        let now = START.plus_millis(step * 100);
        let bits = 512 + 8 * (step * 7919 % 9000);
        let before = {
            keys.advance(now);
            keys.stock_bits(&pair(1, 2)).unwrap()
        };
        match keys.draw(now, Purpose::Request, &want(pair(1, 2), bits)) {
            Ok(mut drawn) => {
                let drawn = drawn.remove(&pair(1, 2)).unwrap();
                assert_eq!(drawn.bits.len() as u64 * 8, bits);
                assert!(names.insert(drawn.key.key_id), "a key_ID came twice");
                for block in drawn.bits.chunks_exact(16) {
                    assert!(blocks.insert(block.to_vec()), "128 bits came twice");
                }
                used += bits;
                assert_eq!(keys.stock_bits(&pair(1, 2)), Some(before - bits));
            }
            Err(short) => {
                assert!(before < bits, "{short}");
                assert_eq!((short.have_bits, short.need_bits), (before, bits));
                assert_eq!(keys.stock_bits(&pair(1, 2)), Some(before));
            }
        }
    }
    let file = keys.file();
    let of = &file.pairs[0];
    assert_eq!(of.used_bits, used);
    assert_eq!(
        of.opening_bits + of.delivered_bits,
        of.used_bits + of.left_bits
    );
    assert_eq!(of.purposes[&Purpose::Request].bits, used);
    assert_eq!(of.purposes[&Purpose::Request].keys, names.len() as u64);
}

#[test]
fn a_draw_of_several_pools_takes_from_all_or_none_and_says_when_there_is_enough() {
    let mut setup = setup();
    setup.fibres.insert(pair(2, 3), 20_000);
    setup.opening_hours = 0;
    let mut keys = Keys::open(setup);
    let rate = rate::of_fibres(BTreeSet::from([20_000]))[&20_000];
    let now = START.plus_millis(1000);
    let wants = |more: u64| {
        let both = [(pair(1, 2), 800), (pair(2, 3), rate / 8 * 8 + more)];
        let want = |(pair, bits)| (pair, Want { bits, links: 1 });
        let local = (pair(1, 1), Want { bits: 80, links: 1 });
        both.map(want)
            .into_iter()
            .chain([local])
            .collect::<BTreeMap<_, _>>()
    };
    let short = keys.draw(now, Purpose::Response, &wants(8000)).unwrap_err();
    assert_eq!((&short.pair, short.have_bits), (&pair(2, 3), rate));
    assert_eq!(keys.stock_bits(&pair(1, 2)), Some(rate));
    assert!(
        keys.file().local.is_empty(),
        "the site's own key manager gave key"
    );

    let enough = short.enough_at.unwrap();
    let early = Time::from_millis(enough.as_millis() - 1);
    assert!(keys.draw(early, Purpose::Response, &wants(8000)).is_err());
    assert!(keys.draw(enough, Purpose::Response, &wants(8000)).is_ok());

    let never = keys
        .draw(enough, Purpose::Response, &want(pair(1, 3), 8))
        .unwrap_err();
    assert_eq!(never.enough_at, None);
    let text = never.to_string();
    let wanted = "site-1 to site-3: 8 bits of key are needed, 0 are there; there is no link";
    assert!(text.contains(wanted), "{text}");
    assert!(never.hint().contains("[[keys.link]]"));
    assert!(short.hint().contains("opening_stock_hours"));
}

#[test]
fn the_stock_is_noted_at_the_end_of_every_market_interval() {
    let rate = rate::of_fibres(BTreeSet::from([20_000]))[&20_000];
    let mut keys = Keys::open(setup());
    let at = START.plus_millis(2 * HOUR + 1);
    keys.draw(at, Purpose::KeyReturn, &want(pair(1, 2), 800))
        .unwrap();
    keys.advance(START.plus_millis(24 * HOUR));
    let file = keys.file();
    let series = &file.pairs[0].stock_bits;
    assert_eq!((file.intervals, series.len()), (24, 24));
    for (hour, stock) in (1..).zip(series) {
        let used = if hour > 2 { 800 } else { 0 };
        assert_eq!(*stock, rate * 3600 * (hour + 1) - used, "hour {hour}");
    }
}

#[test]
fn of_several_short_pools_the_one_that_has_enough_last_is_named() {
    let mut setup = setup();
    setup.opening_hours = 0;
    setup.fibres.insert(pair(2, 3), 50_000);
    let mut keys = Keys::open(setup);
    let mut short = |of: &[(u32, u32)]| {
        let one = |(low, high): &(u32, u32)| {
            let want = Want {
                bits: 80_000,
                links: 1,
            };
            (pair(*low, *high), want)
        };
        let wants = of.iter().map(one).collect();
        let refused = keys.draw(START, Purpose::Request, &wants);
        refused.unwrap_err().pair
    };
    assert_eq!(short(&[(1, 2), (2, 3)]), pair(2, 3), "the slower link");
    assert_eq!(short(&[(1, 2), (1, 3), (2, 3)]), pair(1, 3), "no key ever");
}
