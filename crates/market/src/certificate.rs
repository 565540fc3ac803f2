//! A round of bidding as a document that anybody can recompute.
//!
//! A [`Certificate`] holds the whole game and its outcome: rules, costs, demand, final bids, clearing, the course of the
//! price, and what every microgrid could still gain. [`Certificate::verify`] first recomputes from the claimed bids what
//! follows from them (levels, clearing, gains, the stop condition), then replays the game from its inputs. Numbers must
//! agree in every bit: the game is deterministic, single-threaded and free of functions that round differently elsewhere.
//!
//! A failed round has a certificate too. The digest catches a changed input that changes no result (one round more
//! allowed, say); whoever forges it as well has made a true certificate of another game. It is no signature.
//!
//! JSON readers must parse numbers exactly (`serde_json` with its feature `float_roundtrip`).
//!
//! **Deviations.** The paper has no certificate; it asserts a unique Nash equilibrium, which does not hold in general. Its
//! condition, eq. (7), has the same arguments on both sides; here it is: nobody gains by another feasible bid.
//!
//! Source: Hu et al. 2022, eq. (7).

mod canonical;
mod verify;

use crate::equilibrium::{Solution, Status};
use crate::game::{Game, Player, Rules};
use crate::report::{self, Gain};
use serde::{Deserialize, Serialize};
pub use verify::{Verified, VerifyError};

/// Name and version of the document.
pub const SCHEMA: &str = "tieline.certificate/1";

/// The certificate of one game.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// [`SCHEMA`].
    pub schema: String,
    /// Which round of which market, where the game was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<RoundRef>,
    /// Rules of the game.
    pub rules: Rules,
    /// Demand D, kW.
    pub demand_kw: f64,
    /// The microgrids with their costs.
    pub players: Vec<Player>,
    /// How the game ended.
    pub status: Status,
    /// Price of the last clearing, currency/kWh.
    pub clearing_price: f64,
    /// Bids or outputs.
    pub evidence: Evidence,
    /// Gain left to every player, currency/h, in their order.
    pub gains: Vec<Gain>,
    /// Largest gain within the band, currency/h.
    pub exploitability_banded: f64,
    /// Largest gain without a band, currency/h.
    pub exploitability_free: f64,
    /// SHA-256 of [`Certificate::canonical_bytes`], 64 hexadecimal digits.
    pub digest: String,
}

/// The round that a certificate belongs to, so that two of one market cannot be exchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundRef {
    /// Start of the market interval, ISO-8601 in UTC.
    pub interval_start_utc: String,
    /// Its length, minutes.
    pub interval_minutes: u64,
    /// Three-letter code of the currency of all prices.
    pub currency: String,
}

/// What the players did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Evidence {
    /// Under `lp` and `fit`.
    Bids {
        /// Rounds played k.
        rounds: usize,
        /// Recorded prices ρ⁰ to ρ^k, currency/kWh.
        price_history: Vec<f64>,
        /// Cap of the final band, currency/kWh.
        cap_price: f64,
        /// Gain that no longer moved anybody, relative; 0 without rescue.
        eps_final: f64,
        /// Final bid of every player, in their order.
        bids: Vec<Bid>,
    },
    /// Under `cournot` and `competitive`.
    Outputs {
        /// Output by player, kW.
        output_kw: Vec<f64>,
        /// Profit by player, currency/h.
        profit: Vec<f64>,
    },
}

/// Final bid of one player; every list has one entry per level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bid {
    /// Price levels b, currency/kWh.
    pub levels: Vec<f64>,
    /// Shares x of the capacity.
    pub shares: Vec<f64>,
    /// Accepted power, kW.
    pub accepted_kw: Vec<f64>,
}

impl Certificate {
    /// The certificate of a solved game.
    #[must_use]
    pub fn issue(game: &Game, solution: &Solution) -> Certificate {
        let gains = report::gains(game, solution);
        let (exploitability_banded, exploitability_free) = largest(&gains);
        let mut certificate = Certificate {
            schema: SCHEMA.to_owned(),
            round: None,
            rules: game.rules().clone(),
            demand_kw: game.demand_kw(),
            players: game.players().to_vec(),
            status: solution.status(),
            clearing_price: solution.clearing_price(),
            evidence: evidence(game, solution),
            gains,
            exploitability_banded,
            exploitability_free,
            digest: String::new(),
        };
        certificate.digest = certificate.recomputed_digest();
        certificate
    }

    /// The same certificate, bound to a round.
    #[must_use]
    pub fn of_round(mut self, round: RoundRef) -> Certificate {
        self.round = Some(round);
        self.digest = self.recomputed_digest();
        self
    }

    /// Recomputes everything the certificate claims.
    ///
    /// Costs as much as the game itself: at most `max_iter` rounds.
    ///
    /// # Errors
    /// A [`VerifyError`] for the first claim that does not hold.
    pub fn verify(&self) -> Result<Verified, VerifyError> {
        verify::verify(self)
    }

    /// All fields but the digest in the order of the document, in the canonical form of [`tieline_units::bytes`]: f64 as
    /// the u64 of their bits, counts of rounds, levels and minutes as u64, choices as one byte.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        canonical::encode(self).as_bytes().to_vec()
    }

    /// SHA-256 of [`Certificate::canonical_bytes`], 64 hexadecimal digits.
    #[must_use]
    pub fn recomputed_digest(&self) -> String {
        canonical::encode(self).digest().to_string()
    }
}

fn evidence(game: &Game, solution: &Solution) -> Evidence {
    let bids = match solution {
        Solution::Bids(bids) => bids,
        Solution::Outputs(outputs) => {
            let profit = report::output_profits(game, outputs);
            return Evidence::Outputs {
                output_kw: outputs.output_kw.clone(),
                profit,
            };
        }
    };
    let n = game.rules().n_levels;
    let levels = game.price_levels();
    let rows = levels
        .chunks(n)
        .zip(bids.shares.chunks(n))
        .zip(bids.accepted_kw.chunks(n));
    let bid = |((levels, shares), accepted): ((&[f64], &[f64]), &[f64])| Bid {
        levels: levels.to_vec(),
        shares: shares.to_vec(),
        accepted_kw: accepted.to_vec(),
    };
    Evidence::Bids {
        rounds: bids.rounds,
        price_history: bids.price_history.clone(),
        cap_price: bids.cap_price,
        eps_final: bids.eps_final,
        bids: rows.map(bid).collect(),
    }
}

/// Largest gain within and without the band.
fn largest(gains: &[Gain]) -> (f64, f64) {
    let max = |value: fn(&Gain) -> f64| gains.iter().map(value).fold(0.0, f64::max);
    (max(|g| g.banded), max(|g| g.free))
}
