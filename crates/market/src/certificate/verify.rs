//! The checks behind `Certificate::verify`.

use super::{Bid, Certificate, Evidence, SCHEMA, largest};
use crate::clearing::MeritOrder;
use crate::equilibrium::{RESCUE_AFTER, STOP_TOLERANCE, Status, solve};
use crate::game::{Game, GameError, Response};
use crate::report::{Gain, bid_gains};
use thiserror::Error;

/// What a verified certificate proves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verified {
    /// How the game ended.
    pub status: Status,
    /// Rounds played; 0 under `cournot` and `competitive`.
    pub rounds: usize,
    /// Largest gain within the band, currency/h.
    pub exploitability_banded: f64,
    /// Largest gain without a band, currency/h.
    pub exploitability_free: f64,
}

/// Why a certificate does not hold.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Another document or version.
    #[error("schema is {found:?}, must be {SCHEMA:?}")]
    Schema {
        /// What the document says.
        found: String,
    },
    /// The game itself would be refused.
    #[error("the certified game is invalid: {0}")]
    Game(#[from] GameError),
    /// Bids where the rules ask for outputs, or the other way round.
    #[error("evidence does not fit the response rule {response:?}")]
    Evidence {
        /// The rule.
        response: Response,
    },
    /// A list or count is not as long as it must be.
    #[error("{field} is {claimed}, must be {recomputed}")]
    Count {
        /// Which field.
        field: String,
        /// What the certificate has.
        claimed: usize,
        /// What follows from the game.
        recomputed: usize,
    },
    /// A number differs from the recomputed one.
    #[error("{field} is claimed to be {claimed:?}, recomputed {recomputed:?}")]
    Number {
        /// Which field.
        field: String,
        /// What the certificate has.
        claimed: f64,
        /// What follows from the game.
        recomputed: f64,
    },
    /// The game ends otherwise.
    #[error("status is claimed to be {claimed:?}, recomputed {recomputed:?}")]
    Status {
        /// What the certificate has.
        claimed: Status,
        /// What follows from the game.
        recomputed: Status,
    },
    /// The course of the price does not end the way the status says.
    #[error(
        "{status:?} after {rounds} rounds and a last price move of {price_move} breaks the stop rule"
    )]
    Stop {
        /// Claimed status.
        status: Status,
        /// Claimed rounds.
        rounds: usize,
        /// Last move of the recorded price, currency/kWh.
        price_move: f64,
    },
    /// Every result holds, but some byte of the document was changed.
    #[error("digest is {claimed:?}, recomputed {recomputed:?}")]
    Digest {
        /// What the certificate has.
        claimed: String,
        /// What follows from its content.
        recomputed: String,
    },
}

pub(super) fn verify(claim: &Certificate) -> Result<Verified, VerifyError> {
    if claim.schema != SCHEMA {
        return Err(VerifyError::Schema {
            found: claim.schema.clone(),
        });
    }
    let game = Game::new(claim.players.clone(), claim.rules.clone(), claim.demand_kw)?;
    let bidding = matches!(game.rules().response, Response::Lp | Response::Fit);
    let rounds = match &claim.evidence {
        Evidence::Bids {
            rounds,
            price_history,
            cap_price,
            bids,
            ..
        } if bidding => {
            check_bids(claim, &game, *cap_price, bids)?;
            check_stop(claim, *rounds, price_history)?;
            *rounds
        }
        Evidence::Outputs { .. } if !bidding => 0,
        _ => {
            return Err(VerifyError::Evidence {
                response: game.rules().response,
            });
        }
    };
    compare(claim, &Certificate::issue(&game, &solve(&game)))?;
    Ok(Verified {
        status: claim.status,
        rounds,
        exploitability_banded: claim.exploitability_banded,
        exploitability_free: claim.exploitability_free,
    })
}

/// Recomputes from the claimed bids what follows from them: levels, clearing, gains.
fn check_bids(
    claim: &Certificate,
    game: &Game,
    cap_price: f64,
    bids: &[Bid],
) -> Result<(), VerifyError> {
    let n = game.rules().n_levels;
    count("number of bids", bids.len(), game.players().len())?;
    let levels = game.price_levels();
    let mut shares = Vec::with_capacity(levels.len());
    for (i, (bid, levels)) in bids.iter().zip(levels.chunks(n)).enumerate() {
        numbers(|| format!("bids[{i}].levels"), &bid.levels, levels)?;
        count(&format!("number of bids[{i}].shares"), bid.shares.len(), n)?;
        shares.extend_from_slice(&bid.shares);
    }
    let capacity: Vec<f64> = game.players().iter().map(|p| p.capacity_kw).collect();
    let cleared =
        MeritOrder::new(&levels).clear(&capacity, &shares, game.demand_kw(), game.rules());
    for (i, (bid, accepted)) in bids.iter().zip(cleared.accepted_kw.chunks(n)).enumerate() {
        numbers(
            || format!("bids[{i}].accepted_kw"),
            &bid.accepted_kw,
            accepted,
        )?;
    }
    number(
        || "clearing_price".to_owned(),
        claim.clearing_price,
        cleared.price,
    )?;
    check_gains(claim, &bid_gains(game, cap_price, &shares))
}

fn check_gains(claim: &Certificate, gains: &[Gain]) -> Result<(), VerifyError> {
    count("number of gains", claim.gains.len(), gains.len())?;
    for (i, (claimed, gain)) in claim.gains.iter().zip(gains).enumerate() {
        number(|| format!("gains[{i}].banded"), claimed.banded, gain.banded)?;
        number(|| format!("gains[{i}].free"), claimed.free, gain.free)?;
    }
    let (banded, free) = largest(gains);
    number(
        || "exploitability_banded".to_owned(),
        claim.exploitability_banded,
        banded,
    )?;
    number(
        || "exploitability_free".to_owned(),
        claim.exploitability_free,
        free,
    )
}

/// Eq. (9) on the recorded prices; the moves of the shares are left to the replay.
fn check_stop(claim: &Certificate, rounds: usize, history: &[f64]) -> Result<(), VerifyError> {
    count(
        "length of price_history",
        history.len(),
        rounds.saturating_add(1),
    )?;
    let price_move = match history {
        [.., before, last] => (last - before).abs(),
        _ => f64::INFINITY,
    };
    let holds = match claim.status {
        Status::Equilibrium => rounds <= RESCUE_AFTER && price_move <= STOP_TOLERANCE,
        Status::EpsilonEquilibrium => rounds > RESCUE_AFTER,
        Status::Failed => rounds == claim.rules.max_iter,
    };
    if holds && rounds <= claim.rules.max_iter {
        return Ok(());
    }
    Err(VerifyError::Stop {
        status: claim.status,
        rounds,
        price_move,
    })
}

/// Compares with the certificate of the replayed game, in the order of the fields.
fn compare(claim: &Certificate, replay: &Certificate) -> Result<(), VerifyError> {
    if claim.status != replay.status {
        return Err(VerifyError::Status {
            claimed: claim.status,
            recomputed: replay.status,
        });
    }
    number(
        || "clearing_price".to_owned(),
        claim.clearing_price,
        replay.clearing_price,
    )?;
    compare_evidence(claim, replay)?;
    check_gains(claim, &replay.gains)?;
    let recomputed = claim.recomputed_digest();
    if claim.digest != recomputed {
        return Err(VerifyError::Digest {
            claimed: claim.digest.clone(),
            recomputed,
        });
    }
    Ok(())
}

fn compare_evidence(claim: &Certificate, replay: &Certificate) -> Result<(), VerifyError> {
    match (&claim.evidence, &replay.evidence) {
        (
            Evidence::Bids {
                rounds,
                price_history,
                cap_price,
                eps_final,
                bids,
            },
            Evidence::Bids {
                rounds: rounds_again,
                price_history: history_again,
                cap_price: cap_again,
                eps_final: eps_again,
                bids: bids_again,
            },
        ) => {
            count("rounds", *rounds, *rounds_again)?;
            numbers(|| "price_history".to_owned(), price_history, history_again)?;
            number(|| "cap_price".to_owned(), *cap_price, *cap_again)?;
            number(|| "eps_final".to_owned(), *eps_final, *eps_again)?;
            for (i, (bid, again)) in bids.iter().zip(bids_again).enumerate() {
                numbers(|| format!("bids[{i}].shares"), &bid.shares, &again.shares)?;
                numbers(
                    || format!("bids[{i}].accepted_kw"),
                    &bid.accepted_kw,
                    &again.accepted_kw,
                )?;
            }
            Ok(())
        }
        (
            Evidence::Outputs { output_kw, profit },
            Evidence::Outputs {
                output_kw: output_again,
                profit: profit_again,
            },
        ) => {
            numbers(|| "output_kw".to_owned(), output_kw, output_again)?;
            numbers(|| "profit".to_owned(), profit, profit_again)
        }
        _ => Err(VerifyError::Evidence {
            response: claim.rules.response,
        }),
    }
}

fn count(field: &str, claimed: usize, recomputed: usize) -> Result<(), VerifyError> {
    if claimed == recomputed {
        return Ok(());
    }
    Err(VerifyError::Count {
        field: field.to_owned(),
        claimed,
        recomputed,
    })
}

/// Equal means equal bits.
fn number(field: impl Fn() -> String, claimed: f64, recomputed: f64) -> Result<(), VerifyError> {
    if claimed.to_bits() == recomputed.to_bits() {
        return Ok(());
    }
    Err(VerifyError::Number {
        field: field(),
        claimed,
        recomputed,
    })
}

fn numbers(
    field: impl Fn() -> String,
    claimed: &[f64],
    recomputed: &[f64],
) -> Result<(), VerifyError> {
    count(
        &format!("length of {}", field()),
        claimed.len(),
        recomputed.len(),
    )?;
    for (s, (&one, &two)) in claimed.iter().zip(recomputed).enumerate() {
        number(|| format!("{}[{s}]", field()), one, two)?;
    }
    Ok(())
}
