//! Step 5: the aggregator matches the sellers' blocks to the buyers.
//!
//! Without line limits it matches what the clearing accepted; with them it may take any offered block, because a
//! limited line can keep a cheap one from a buyer.

use tieline_market::aggregator::{self, Deficit, LineLimit, Matching, Offer, Problem, Terms};
use tieline_market::award::{Flow, kilowatts, per_kwh};
use tieline_market::position::Position;

use super::round::{Block, Outcome, Played, Round};
use super::stage::{Slot, Stage};
use crate::config::SettlementPrice;

/// What step 5 hands over.
#[derive(Clone, Debug)]
pub struct Matched {
    /// The round, its outcome refused where the aggregator could not match.
    pub round: Round,
    /// Who delivers to whom; empty unless the round cleared.
    pub flows: Vec<Flow>,
    /// What buyers pay inside, currency per kWh.
    pub tariff: Option<f64>,
}

/// Step 5.
#[derive(Clone, Debug)]
pub struct Aggregating;

impl Stage for Aggregating {
    type Input = Round;
    type Output = Matched;

    fn run(&self, slot: &Slot<'_>, mut round: Round) -> anyhow::Result<Matched> {
        let mut matched = (Vec::new(), None);
        if let (Outcome::Cleared, Some(played)) = (&round.outcome, &round.played) {
            match flows(slot, &round.positions, played) {
                Ok((flows, _)) if flows.is_empty() => round.outcome = no_trade(played),
                Ok((flows, tariff)) => matched = (flows, Some(tariff)),
                Err(why) => round.outcome = Outcome::Refused { why },
            }
        }
        let (flows, tariff) = matched;
        Ok(Matched {
            round,
            flows,
            tariff,
        })
    }
}

/// Why nothing is matched although the round has an equilibrium.
fn no_trade(played: &Played) -> Outcome {
    let accepted = played.blocks.iter().any(|block| block.accepted_kw > 0.0);
    let why = if accepted {
        "no accepted offer can be carried at the buyers' tariff"
    } else {
        "every offer is dearer than the grid"
    };
    Outcome::NoTrade { why }
}

fn flows(
    slot: &Slot<'_>,
    positions: &[Position],
    played: &Played,
) -> Result<(Vec<Flow>, f64), String> {
    let limited = !slot.scenario.config.aggregator.limits.is_empty();
    let offered = |block: &Block| {
        if limited {
            block.offered_kw
        } else {
            block.accepted_kw
        }
    };
    let blocks: Vec<&Block> = played
        .blocks
        .iter()
        .filter(|block| offered(block) > 0.0)
        .collect();
    let buyers: Vec<(usize, f64)> = positions
        .iter()
        .enumerate()
        .filter_map(|(member, position)| match position {
            Position::Buyer(deficit) => Some((member, kilowatts(*deficit))),
            Position::Seller(_) | Position::Balanced => None,
        })
        .collect();
    let id = |member: usize| slot.scenario.microgrids[member].id.to_string();
    let offers = blocks
        .iter()
        .map(|block| Offer {
            id: id(block.member),
            kw: offered(block),
            ask: block.price,
        })
        .collect();
    let deficits = buyers
        .iter()
        .map(|&(member, kw)| Deficit { id: id(member), kw })
        .collect();
    let limits = line_limits(slot, &blocks, &buyers);
    let terms = Terms {
        grid_sell: per_kwh(slot.grid.import),
        grid_buy: per_kwh(slot.grid.export),
        delta: super::round::ratio(slot.scenario.config.aggregator.delta_ppm),
        delta_grid: 1.0,
        price: played.clearing_price,
    };
    let problem =
        Problem::new(terms, offers, deficits, limits).map_err(|error| error.to_string())?;
    let matching = aggregator::solve(&problem).map_err(|error| error.to_string())?;
    let uniform = slot.scenario.config.market.settlement_price == SettlementPrice::Uniform;
    let seller_price = uniform.then_some(played.clearing_price);
    Ok((
        to_flows(&matching, &blocks, &buyers, seller_price),
        matching.tariff_internal,
    ))
}

/// The limits of lines whose two ends are on the two sides of this round.
fn line_limits(slot: &Slot<'_>, blocks: &[&Block], buyers: &[(usize, f64)]) -> Vec<LineLimit> {
    let member = |index: usize| slot.scenario.microgrids[index].id.as_str();
    let sells = |id: &str| blocks.iter().any(|block| member(block.member) == id);
    let buys = |id: &str| buyers.iter().any(|&(index, _)| member(index) == id);
    let limits = &slot.scenario.config.aggregator.limits;
    limits
        .iter()
        .filter(|limit| sells(limit.seller.as_str()) && buys(limit.buyer.as_str()))
        .map(|limit| LineLimit {
            seller: limit.seller.to_string(),
            buyer: limit.buyer.to_string(),
            kw: kilowatts(limit.power),
        })
        .collect()
}

/// `seller_price`: one price for all sellers, or `None` where each is paid its block's.
fn to_flows(
    matching: &Matching,
    blocks: &[&Block],
    buyers: &[(usize, f64)],
    seller_price: Option<f64>,
) -> Vec<Flow> {
    let mut flows = Vec::new();
    for (row, block) in blocks.iter().enumerate() {
        for (column, &(buyer, _)) in buyers.iter().enumerate() {
            let kw = matching.flow(row, column).unwrap_or(0.0);
            if kw > 0.0 {
                flows.push(Flow {
                    seller: block.member,
                    level: block.level,
                    buyer,
                    kw,
                    seller_price: seller_price.unwrap_or(block.price),
                    price: matching.tariff_internal,
                });
            }
        }
    }
    flows
}
