//! Cournot and price takers.

use crate::support::{Random, random_game, rules};
use proptest::prelude::*;
use tieline_market::{Cost, Game, Player, Response, Rules, Solution, cournot, solve};

fn outputs(game: &Game) -> (f64, Vec<f64>) {
    match solve(game) {
        Solution::Outputs(found) => (found.clearing_price, found.output_kw),
        Solution::Bids(_) => unreachable!("a game of outputs"),
    }
}

fn constant_cost(id: &str, b: f64, capacity_kw: f64) -> Player {
    Player {
        id: id.to_owned(),
        cost: Cost { a: 0.0, b, c: 1.0 },
        capacity_kw,
        levels: None,
    }
}

fn check_price_takers(demand_kw: f64, price: f64, output_kw: [f64; 3]) {
    let players = vec![
        constant_cost("MG1", 0.05, 50.0),
        constant_cost("MG2", 0.3, 60.0),
        constant_cost("MG3", 0.3, 40.0),
    ];
    let rules = Rules {
        response: Response::Competitive,
        ..rules()
    };
    let game = Game::new(players, rules, demand_kw).expect("valid");
    assert_eq!(outputs(&game), (price, output_kw.to_vec()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Best replies in turn, from any start, end at the one equilibrium.
    #[test]
    fn cournot_is_reached_from_every_start(seed: u64, load in 0.1_f64..2.0) {
        let game = random_game(4, seed, load, Rules { response: Response::Cournot, ..rules() });
        let (price, expected) = outputs(&game);
        prop_assert!(cournot::gains(&game, &expected).iter().all(|&gain| gain <= 1e-9));
        let (grid_buy, grid_sell) = (game.rules().grid_buy, game.rules().grid_sell);
        let slope = (grid_sell - grid_buy) / game.demand_kw();
        let mut random = Random(seed);
        let mut q: Vec<f64> = game.players().iter().map(|p| random.between(0.0, p.capacity_kw)).collect();
        for _ in 0..3_000 {
            for (i, player) in game.players().iter().enumerate() {
                let others = q.iter().sum::<f64>() - q[i];
                let reply = (grid_sell - player.cost.b - slope * others) / (2.0 * (slope + player.cost.a));
                q[i] = reply.clamp(0.0, player.capacity_kw);
            }
        }
        for (one, two) in q.iter().zip(&expected) {
            prop_assert!((one - two).abs() <= 1e-6, "{:?} instead of {:?}", expected, q);
        }
        prop_assert!((grid_sell - slope * q.iter().sum::<f64>() - price).abs() <= 1e-9);
    }

    #[test]
    fn price_takers_produce_where_cost_meets_the_price(seed: u64, load in 0.0_f64..1.5) {
        let game = random_game(5, seed, load, Rules { response: Response::Competitive, ..rules() });
        let (price, q) = outputs(&game);
        for (player, &q) in game.players().iter().zip(&q) {
            let marginal = player.cost.marginal(q);
            prop_assert!(q <= 0.0 || marginal <= price + 1e-9);
            prop_assert!(q >= player.capacity_kw || marginal >= price - 1e-9);
        }
        let surplus = q.iter().sum::<f64>() - game.demand_kw();
        prop_assert!(surplus.abs() < 1e-6 || (surplus > 0.0 && price == 0.1) || (surplus < 0.0 && price == 0.8));
    }
}

#[test]
fn price_takers_of_equal_constant_cost_are_filled_in_order() {
    check_price_takers(120.0, 0.3, [50.0, 60.0, 10.0]);
    check_price_takers(100.0, 0.3, [50.0, 50.0, 0.0]);
    check_price_takers(30.0, 0.1, [50.0, 0.0, 0.0]);
    check_price_takers(0.0, 0.1, [50.0, 0.0, 0.0]);
    check_price_takers(150.0, 0.8, [50.0, 60.0, 40.0]);
    check_price_takers(151.0, 0.8, [50.0, 60.0, 40.0]);
}
