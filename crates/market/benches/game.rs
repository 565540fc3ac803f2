//! Whole games of random microgrids, and one round as the paper has it: one linear program per microgrid.
#![allow(unreachable_pub, missing_docs, reason = "a bench has no callers")]

#[path = "../tests/it/support.rs"]
mod support;

use divan::{Bencher, black_box};
use support::{best_income_by_programs, random_game, rules};
use tieline_market::bid::{Band, margin_floor};
use tieline_market::report::assess;
use tieline_market::response::Situation;
use tieline_market::response::lp::Search;
use tieline_market::{Game, Order, Response, Rules, solve};

/// Demand over capacity: where bids matter.
const LOAD: f64 = 0.7;

fn main() {
    divan::main();
}

#[divan::bench(args = [10, 100, 1_000, 10_000, 100_000], sample_size = 1, sample_count = 5)]
fn lp_gauss_seidel(bencher: Bencher<'_, '_>, players: usize) {
    play(bencher, players, rules());
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_size = 1, sample_count = 5)]
fn lp_jacobi(bencher: Bencher<'_, '_>, players: usize) {
    play(
        bencher,
        players,
        Rules {
            order: Order::Jacobi,
            ..rules()
        },
    );
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_size = 1, sample_count = 5)]
fn fit(bencher: Bencher<'_, '_>, players: usize) {
    play(
        bencher,
        players,
        Rules {
            response: Response::Fit,
            ..rules()
        },
    );
}

#[divan::bench(args = [1_000, 10_000], sample_size = 1, sample_count = 3)]
fn lp_ten_levels(bencher: Bencher<'_, '_>, players: usize) {
    play(
        bencher,
        players,
        Rules {
            n_levels: 10,
            ..rules()
        },
    );
}

/// What a run over a year does every quarter of an hour.
#[divan::bench]
fn ten_players_with_report(bencher: Bencher<'_, '_>) {
    let game = random_game(10, 7, LOAD, rules());
    bencher.bench(|| assess("bench", &game, &solve(black_box(&game))));
}

/// One round of 1000 microgrids by the simplex method.
#[divan::bench(sample_size = 1, sample_count = 3)]
fn one_round_by_linear_programs(bencher: Bencher<'_, '_>) {
    let round = Round::new(1_000);
    bencher.bench(|| round.each(best_income_by_programs));
}

/// The same round by vertices.
#[divan::bench(sample_size = 1, sample_count = 10)]
fn one_round_by_vertices(bencher: Bencher<'_, '_>) {
    let round = Round::new(1_000);
    bencher.bench(|| {
        let mut search = Search::new();
        round.each(|situation, band| search.best_income(situation, band))
    });
}

fn play(bencher: Bencher<'_, '_>, players: usize, rules: Rules) {
    let game = random_game(players, 7, LOAD, rules);
    bencher.bench(|| solve(black_box(&game)));
}

/// Situations of all players when everybody offers everything at the lowest level.
struct Round {
    game: Game,
    levels: Vec<f64>,
    residual_kw: Vec<f64>,
}

impl Round {
    fn new(players: usize) -> Round {
        let game = random_game(players, 7, LOAD, rules());
        let levels = game.price_levels();
        let n = game.rules().n_levels;
        let mut residual_kw = Vec::with_capacity(levels.len());
        for (block, &price) in levels.iter().enumerate() {
            let others = game
                .players()
                .iter()
                .enumerate()
                .filter(|&(j, _)| j != block / n && (levels[j * n], j) < (price, block / n));
            let below: f64 = others.map(|(_, player)| player.capacity_kw).sum();
            residual_kw.push((game.demand_kw() - below).max(0.0));
        }
        Round {
            game,
            levels,
            residual_kw,
        }
    }

    fn each(&self, mut best: impl FnMut(&Situation<'_>, Band) -> f64) -> f64 {
        let (rules, n) = (self.game.rules(), self.game.rules().n_levels);
        let rows = self.levels.chunks(n).zip(self.residual_kw.chunks(n));
        let income = rows
            .zip(self.game.players())
            .map(|((levels, residual_kw), player)| {
                let situation = Situation {
                    levels,
                    residual_kw,
                    capacity_kw: player.capacity_kw,
                    grid_buy: rules.grid_buy,
                };
                best(
                    &situation,
                    Band::new(margin_floor(player, rules), rules.rho0, levels),
                )
            });
        income.sum()
    }
}
