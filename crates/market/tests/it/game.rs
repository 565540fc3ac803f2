//! What the game refuses, once each.

use crate::support::Random;
use tieline_market::game::{MAX_LEVELS, MAX_ROUNDS};
use tieline_market::{
    Certificate, Cost, Game, GameError, Order, Player, Response, Rules, assess, solve,
};

fn player(id: &str) -> Player {
    Player {
        id: id.to_owned(),
        cost: Cost {
            a: 0.001,
            b: 0.1,
            c: 0.2,
        },
        capacity_kw: 100.0,
        levels: None,
    }
}

fn rules() -> Rules {
    Rules::new(0.1, 0.8, 0.35)
}

fn check_rules(change: impl Fn(&mut Rules), message: &str) {
    let mut changed = rules();
    change(&mut changed);
    let error = Game::new(vec![player("MG1")], changed, 50.0).expect_err("refused");
    assert_eq!(error.to_string(), message);
}

fn check_player(change: impl Fn(&mut Player), message: &str) {
    let mut changed = player("MG2");
    change(&mut changed);
    let error = Game::new(vec![player("MG1"), changed], rules(), 50.0).expect_err("refused");
    assert_eq!(error.to_string(), message);
}

fn check_demand(demand_kw: f64, response: Response, message: &str) {
    let error = Game::new(
        vec![player("MG1")],
        Rules {
            response,
            ..rules()
        },
        demand_kw,
    )
    .expect_err("refused");
    assert_eq!(error.to_string(), message);
}

#[test]
fn bad_rules_are_refused_with_their_numbers() {
    let finite = "must be a number of magnitude at most 1e12";
    check_rules(|r| r.rho0 = f64::NAN, &format!("rho0 is NaN, {finite}"));
    check_rules(
        |r| r.grid_buy = f64::NEG_INFINITY,
        &format!("grid_buy is -inf, {finite}"),
    );
    check_rules(
        |r| r.grid_sell = 2e12,
        &format!("grid_sell is 2000000000000, {finite}"),
    );
    let buys = "grid buys at 0.8 and sells at 0.8 per kWh, must buy below its selling price";
    check_rules(|r| r.grid_buy = 0.8, buys);
    let sells = |r: &mut Rules| (r.grid_buy, r.grid_sell) = (-0.1, 0.0);
    check_rules(sells, "grid sells at 0 per kWh, must be above 0");
    check_rules(|r| r.n_levels = 1, "1 price levels, must be 2 to 32");
    check_rules(
        |r| r.n_levels = MAX_LEVELS + 1,
        "33 price levels, must be 2 to 32",
    );
    check_rules(|r| r.max_iter = 0, "at most 0 rounds, must be 1 to 100000");
    check_rules(
        |r| r.max_iter = MAX_ROUNDS + 1,
        "at most 100001 rounds, must be 1 to 100000",
    );
    check_rules(
        |r| r.alpha = 0.0,
        "alpha is 0, must be above 0 and at most 1",
    );
    check_rules(
        |r| r.alpha = 1.5,
        "alpha is 1.5, must be above 0 and at most 1",
    );
    check_rules(|r| r.margin = 0.0, "margin is 0, must be above 0");
}

#[test]
fn a_bad_demand_is_refused_with_its_number() {
    check_demand(
        f64::NAN,
        Response::Lp,
        "demand_kw is NaN, must be a number of magnitude at most 1e12",
    );
    check_demand(-1.0, Response::Lp, "demand is -1 kW, must be at least 0");
    check_demand(
        0.0,
        Response::Cournot,
        "demand is 0 kW, must be at least 1e-9 for the Cournot response",
    );
}

#[test]
fn bad_players_are_refused_by_name_with_their_numbers() {
    let none = Game::new(vec![], rules(), 50.0).expect_err("refused");
    assert_eq!(none, GameError::PlayerCount { players: 0 });
    check_player(
        |p| p.id.clear(),
        "player 1 (counted from 0) has an empty id",
    );
    let twice = "players 0 and 1 (counted from 0) are both called \"MG1\"";
    check_player(|p| p.id = "MG1".to_owned(), twice);
    check_player(
        |p| p.cost.a = -0.5,
        "cost coefficient a of \"MG2\" is -0.5, must be 0 to 1e12",
    );
    check_player(
        |p| p.cost.c = f64::INFINITY,
        "cost coefficient c of \"MG2\" is inf, must be 0 to 1e12",
    );
    check_player(
        |p| p.capacity_kw = 0.0,
        "capacity of \"MG2\" is 0 kW, must be 1e-9 to 1e12",
    );
    check_player(
        |p| p.capacity_kw = f64::NAN,
        "capacity of \"MG2\" is NaN kW, must be 1e-9 to 1e12",
    );
    let few = "\"MG2\" gives 2 price levels, the rules say 3";
    check_player(|p| p.levels = Some(vec![0.1, 0.2]), few);
    let nan = "price level 2 (counted from 1) of \"MG2\" is NaN, must be a number of magnitude at most 1e12";
    check_player(|p| p.levels = Some(vec![0.1, f64::NAN, 0.3]), nan);
    let falls = "price level 3 (counted from 1) of \"MG2\" is 0.15, below the level before it, 0.2";
    check_player(|p| p.levels = Some(vec![0.1, 0.2, 0.15]), falls);
}

#[test]
fn a_computed_level_that_overflows_the_range_is_refused() {
    let large = |p: &mut Player| (p.cost.c, p.capacity_kw) = (1e6, 1e-9);
    check_player(
        large,
        "price level 3 (counted from 1) of \"MG2\" is 1000000000000000, must be a number of magnitude at most 1e12",
    );
}

/// Numbers at both ends of every range.
fn extreme_game(seed: u64) -> Option<Game> {
    let mut random = Random(seed);
    let mut pick = |values: &[f64]| values[random.between(0.0, values.len() as f64) as usize];
    let response = [
        Response::Lp,
        Response::Fit,
        Response::Cournot,
        Response::Competitive,
    ];
    let mut rules = Rules::new(
        pick(&[-1e12, -0.1, 0.0, 0.1]),
        pick(&[1e-12, 0.8, 1e12]),
        pick(&[-1e12, 0.35, 1e12]),
    );
    rules.response = response[pick(&[0.0, 1.0, 2.0, 3.0]) as usize];
    rules.order = if pick(&[0.0, 1.0]) == 0.0 {
        Order::Jacobi
    } else {
        Order::GaussSeidel
    };
    rules.n_levels = pick(&[2.0, 3.0, 6.0]) as usize;
    rules.margin = pick(&[1e-300, 1.05, 1e12]);
    rules.alpha = pick(&[1e-300, 0.5, 1.0]);
    rules.max_iter = pick(&[1.0, 65.0, 120.0]) as usize;
    let count = pick(&[1.0, 2.0, 5.0]) as usize;
    let mut players = Vec::new();
    for i in 0..count {
        let cost = Cost {
            a: pick(&[0.0, 1e-300, 0.001, 1e12]),
            b: pick(&[0.0, 1e-300, 0.1, 1e12]),
            c: pick(&[0.0, 1e-300, 0.2, 1e12]),
        };
        let capacity_kw = pick(&[1e-9, 1.0, 100.0, 1e12]);
        players.push(Player {
            id: format!("MG{i}"),
            cost,
            capacity_kw,
            levels: None,
        });
    }
    Game::new(players, rules, pick(&[0.0, 1e-300, 1e-9, 150.0, 1e12])).ok()
}

#[test]
fn extreme_games_are_refused_or_give_finite_reports_and_valid_certificates() {
    let mut solved = 0;
    for seed in 0..20_000 {
        let Some(game) = extreme_game(seed) else {
            continue;
        };
        let solution = solve(&game);
        let certificate = Certificate::issue(&game, &solution);
        certificate
            .verify()
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let report =
            serde_json::to_value(assess("extreme", &game, &solution)).expect("serialisable");
        // a number that is none becomes null
        assert!(
            !report.to_string().contains("null"),
            "seed {seed}: {report}"
        );
        solved += 1;
    }
    assert!(solved > 2_000, "{solved} games were not refused");
}
