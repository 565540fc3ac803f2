//! The state of a game between rounds.

use super::ladder::Ladder;
use crate::bid::{self, Band};
use crate::clearing::MeritOrder;
use crate::game::{Game, Order, Response};
use crate::response::lp::{INCOME_TOLERANCE, Search};
use crate::response::{Situation, fit};

/// Bids of all players, by player and by rank, with the scratch space of a round.
#[derive(Debug)]
pub(super) struct Play<'g> {
    game: &'g Game,
    /// `N × n`, currency/kWh.
    levels: Vec<f64>,
    /// Q by player, kW.
    capacity: Vec<f64>,
    /// m·AC by player, currency/kWh.
    floor: Vec<f64>,
    merit: MeritOrder,
    /// `N × n`.
    shares: Vec<f64>,
    /// Offers by rank, kW.
    offers: Vec<f64>,
    ladder: Ladder,
    /// Jacobi: offers below each rank at the start of the round, kW.
    below: Vec<f64>,
    /// Cap of the round before, currency/kWh.
    last_cap: f64,
    desk: Desk,
}

/// Scratch space of one response.
#[derive(Debug, Default)]
struct Desk {
    search: Search,
    /// Residual demand at each own level, kW.
    residual: Vec<f64>,
    /// The bid being found.
    bid: Vec<f64>,
}

/// What all players of a round have in common.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// Price cap, currency/kWh.
    cap: f64,
    /// Gain that a rescue asks for.
    eps: Option<f64>,
    /// Whether the response depends on the others' bids.
    sees_bids: bool,
    /// Whether it depends on the bids of the same round.
    one_by_one: bool,
}

impl<'g> Play<'g> {
    /// Everybody bids the mix whose mean is the cap of its band under `start` (currency/kWh).
    pub(super) fn new(game: &'g Game, start: f64) -> Play<'g> {
        let levels = game.price_levels();
        let n = game.rules().n_levels;
        let floor: Vec<f64> = game
            .players()
            .iter()
            .map(|p| bid::margin_floor(p, game.rules()))
            .collect();
        let mut shares = vec![0.0; levels.len()];
        for ((row, own), &floor) in levels.chunks(n).zip(shares.chunks_mut(n)).zip(&floor) {
            fit::respond(row, Band::new(floor, start, row), own);
        }
        let capacity: Vec<f64> = game.players().iter().map(|p| p.capacity_kw).collect();
        let merit = MeritOrder::new(&levels);
        let mut offers = vec![0.0; levels.len()];
        for ((shares, ranks), &capacity) in
            shares.chunks(n).zip(merit.ranks().chunks(n)).zip(&capacity)
        {
            for (&share, &rank) in shares.iter().zip(ranks) {
                offers[rank as usize] = capacity * share;
            }
        }
        Play {
            game,
            merit,
            offers,
            levels,
            capacity,
            floor,
            shares,
            ladder: Ladder::default(),
            below: Vec::new(),
            last_cap: start,
            desk: Desk {
                search: Search::new(),
                residual: vec![0.0; n],
                bid: vec![0.0; n],
            },
        }
    }

    /// One response of every player under `cap` (currency/kWh); returns the largest move of a share.
    ///
    /// `eps`: gain, relative and at least in currency/h, that a rescue asks for before anybody moves.
    pub(super) fn round(&mut self, cap: f64, eps: Option<f64>) -> f64 {
        let sees_bids = self.game.rules().response == Response::Lp || eps.is_some();
        let one_by_one = sees_bids && self.game.rules().order == Order::GaussSeidel;
        if one_by_one {
            self.ladder.rebuild(&self.offers);
        } else if sees_bids {
            self.sum_below();
        }
        let turn = Turn {
            cap,
            eps,
            sees_bids,
            one_by_one,
        };
        let mut desk = std::mem::take(&mut self.desk);
        let mut moved = 0.0_f64;
        for player in 0..self.game.players().len() {
            moved = moved.max(self.turn(player, turn, &mut desk));
        }
        self.desk = desk;
        self.last_cap = cap;
        moved
    }

    /// Clears the current bids; returns the price, currency/kWh.
    pub(super) fn clear(&self) -> f64 {
        self.merit.clear_ranks(
            &self.offers,
            self.game.demand_kw(),
            self.game.rules(),
            |_, _| (),
        )
    }

    /// Shares and accepted power (kW) by player, `N × n`.
    pub(super) fn finish(self) -> (Vec<f64>, Vec<f64>) {
        let mut accepted = vec![0.0; self.shares.len()];
        let demand = self.game.demand_kw();
        self.merit
            .clear_ranks(&self.offers, demand, self.game.rules(), |block, kw| {
                accepted[block] = kw
            });
        (self.shares, accepted)
    }

    /// Response of one player; returns the largest move of its shares.
    fn turn(&mut self, player: usize, turn: Turn, desk: &mut Desk) -> f64 {
        let rules = self.game.rules();
        let n = rules.n_levels;
        let row = player * n..(player + 1) * n;
        let levels = &self.levels[row.clone()];
        let band = Band::new(self.floor[player], turn.cap, levels);
        if turn.sees_bids {
            self.residual(player, &mut desk.residual);
        }
        let bid = desk.bid.as_mut_slice();
        bid.copy_from_slice(&self.shares[row]);
        let situation = Situation {
            levels,
            residual_kw: &desk.residual,
            capacity_kw: self.capacity[player],
            grid_buy: rules.grid_buy,
        };
        match (rules.response, turn.eps) {
            (Response::Fit, None) => {
                // the bid is already the mix of this mean
                if Band::new(self.floor[player], self.last_cap, levels).high == band.high {
                    return 0.0;
                }
                fit::respond(levels, band, bid);
            }
            (Response::Fit, Some(eps)) => {
                if !desk.search.may_stay(&situation, band, bid, eps) {
                    fit::respond(levels, band, bid);
                }
            }
            (_, eps) => {
                if !desk
                    .search
                    .respond(&situation, band, bid, eps.unwrap_or(INCOME_TOLERANCE))
                {
                    return 0.0;
                }
            }
        }
        self.adopt(player, bid, turn.one_by_one)
    }

    /// What the others' blocks ahead of each own block leave of the demand, kW; 0 above the grid's selling price.
    fn residual(&self, player: usize, out: &mut [f64]) {
        let rules = self.game.rules();
        let n = rules.n_levels;
        let capacity = self.capacity[player];
        let mut own_below = 0.0;
        for (s, residual) in out.iter_mut().enumerate() {
            let block = player * n + s;
            if self.levels[block] > rules.grid_sell {
                *residual = 0.0;
                continue;
            }
            let rank = self.merit.ranks()[block];
            let all_below = match rules.order {
                Order::GaussSeidel => self.ladder.below(rank),
                Order::Jacobi => self.below[rank as usize],
            };
            *residual = (self.game.demand_kw() - (all_below - own_below)).max(0.0);
            own_below += capacity * self.shares[block];
        }
    }

    /// Stores a bid; `in_ladder`: the others of this round see it.
    fn adopt(&mut self, player: usize, bid: &[f64], in_ladder: bool) -> f64 {
        let capacity = self.capacity[player];
        let mut moved = 0.0_f64;
        for (s, &share) in bid.iter().enumerate() {
            let block = player * bid.len() + s;
            moved = moved.max((share - self.shares[block]).abs());
            if share == self.shares[block] {
                continue;
            }
            let rank = self.merit.ranks()[block];
            let offer = capacity * share;
            if in_ladder {
                self.ladder.add(rank, offer - self.offers[rank as usize]);
            }
            self.offers[rank as usize] = offer;
            self.shares[block] = share;
        }
        moved
    }

    fn sum_below(&mut self) {
        self.below.clear();
        let mut sum = 0.0;
        self.below.extend(self.offers.iter().map(|&offer| {
            let below = sum;
            sum += offer;
            below
        }));
    }
}
