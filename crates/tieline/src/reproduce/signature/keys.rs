//! Formula (17), two keys that are to be equal, and formula (16), votes that are to be enough.
//!
//! (17) multiplies a private key by the other's public parameter and calls the multiplication commutative. It does not say
//! how parameter and private key belong together, and that decides everything. Numbers are taken modulo the prime
//! 2^61 - 1: what is shown is who can compute what, not how long a key must be.

use rand_core::Rng as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Purpose, dice};
use crate::reproduce::claim::Attacks;

/// Pairs of keys per reading.
const RUNS: u32 = 200;
/// 2^61 - 1.
const PRIME: u64 = (1 << 61) - 1;
/// G, which everybody knows.
const BASE: u64 = 5;
/// Members of each of two verification node subsets.
const MEMBERS: u32 = 4;

/// How parameter and private key belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// They do not: the paper gives no relation.
    Unrelated,
    /// parm = K · G, numbers.
    Product,
    /// parm = G^K, and "·" is the power: Diffie and Hellman's agreement.
    Power,
}

/// One reading of formula (17).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct KeyReading {
    /// Which.
    pub reading: Reading,
    /// Pairs of keys.
    pub runs: u32,
    /// Pairs that end with equal keys.
    pub agree: u32,
    /// Listeners that end with the key from what is public; none where that takes a discrete logarithm.
    pub overheard: Option<Attacks>,
    /// Strangers in the middle that end with a key of either side.
    pub intercepted: Attacks,
}

/// Formula (16) where all eight nodes of two subsets vote yes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Thresholds {
    /// Settings of t_1, t_2 and t, all of which eight votes ought to satisfy.
    pub settings: u32,
    /// Settings that (16) refuses as printed, with Σ t_d ≥ t.
    pub refused_printed: u32,
    /// Settings that it refuses with Σ t'_d ≥ t.
    pub refused_counted: u32,
}

/// A private key and its public parameter.
#[derive(Clone, Copy)]
struct Pair {
    private: u64,
    public: u64,
}

impl Reading {
    const ALL: [Reading; 3] = [Reading::Unrelated, Reading::Product, Reading::Power];

    fn draw(self, random: &mut rand_chacha::ChaCha20Rng) -> Pair {
        let mut number = || 1 + random.next_u64() % (PRIME - 1);
        let private = number();
        let public = match self {
            Reading::Unrelated => number(),
            Reading::Product => times(private, BASE),
            Reading::Power => power(BASE, private),
        };
        Pair { private, public }
    }

    /// Hash(K · parm).
    fn key(self, private: u64, public: u64) -> [u8; 32] {
        let shared = match self {
            Reading::Unrelated | Reading::Product => times(private, public),
            Reading::Power => power(public, private),
        };
        Sha256::digest(shared.to_be_bytes()).into()
    }

    /// The key from both parameters alone, where a division gives a private key away.
    fn overhear(self, x: u64, y: u64) -> Option<[u8; 32]> {
        match self {
            Reading::Unrelated | Reading::Power => None,
            Reading::Product => Some(self.key(times(x, inverse(BASE)), y)),
        }
    }
}

/// All readings.
pub(super) fn readings() -> Vec<KeyReading> {
    Reading::ALL.into_iter().map(tried).collect()
}

fn tried(reading: Reading) -> KeyReading {
    let (mut agree, mut overheard, mut intercepted) = (0, None, Attacks::default());
    for run in 0..RUNS {
        let mut random = dice(Purpose::Keys, (reading as usize, run));
        let [x, y, stranger] = std::array::from_fn(|_| reading.draw(&mut random));
        let key_x = reading.key(x.private, y.public);
        let key_y = reading.key(y.private, x.public);
        agree += u32::from(key_x == key_y);
        if let Some(key) = reading.overhear(x.public, y.public) {
            overheard
                .get_or_insert_with(Attacks::default)
                .count(key == key_x && key == key_y);
        }
        // both sides take the stranger's parameter for the other's
        let shares = |one: Pair| {
            reading.key(one.private, stranger.public) == reading.key(stranger.private, one.public)
        };
        intercepted.count(shares(x) && shares(y));
    }
    KeyReading {
        reading,
        runs: RUNS,
        agree,
        overheard,
        intercepted,
    }
}

fn times(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(PRIME)) as u64
}

fn power(base: u64, mut exponent: u64) -> u64 {
    let (mut result, mut square) = (1, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = times(result, square);
        }
        square = times(square, square);
        exponent >>= 1;
    }
    result
}

/// By Fermat.
fn inverse(number: u64) -> u64 {
    power(number, PRIME - 2)
}

/// Every setting with 1 ≤ t_d ≤ 4 and t_1, t_2 ≤ t ≤ 8.
pub(super) fn thresholds() -> Thresholds {
    let mut found = Thresholds {
        settings: 0,
        refused_printed: 0,
        refused_counted: 0,
    };
    let votes = [MEMBERS, MEMBERS];
    for one in 1..=MEMBERS {
        for other in 1..=MEMBERS {
            for all in one.max(other)..=2 * MEMBERS {
                let least = [one, other];
                let each = votes
                    .iter()
                    .zip(least)
                    .all(|(votes, least)| MEMBERS >= *votes && *votes >= least);
                let passes = |counted: [u32; 2]| each && counted.iter().sum::<u32>() >= all;
                found.settings += 1;
                found.refused_printed += u32::from(!passes(least));
                found.refused_counted += u32::from(!passes(votes));
            }
        }
    }
    found
}
