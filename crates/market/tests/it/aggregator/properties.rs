//! Exhaustive search on small problems, properties on larger ones.

use proptest::prelude::*;
use tieline_market::aggregator::{Matching, Problem, Terms, closed_form, profit_by_lp, solve};

use super::{ROUNDING, TERMS, deficit, limit, offer, problem, rows};

/// Integer data in hundredths of the currency per kWh, so that profits compare exactly.
#[derive(Clone, Debug)]
struct Small {
    /// Microgrid, kW, ask.
    sellers: Vec<(u8, u8, i32)>,
    buyers: Vec<u8>,
    /// kW per microgrid and buyer.
    limits: Vec<((u8, u8), u8)>,
    tariff: i32,
}

impl Small {
    fn problem(&self) -> Problem {
        let price = |ticks: i32| f64::from(ticks) / 100.0;
        let terms = Terms {
            grid_sell: 0.8,
            grid_buy: 0.1,
            delta: 1.0,
            delta_grid: 1.0,
            price: price(self.tariff),
        };
        let seller =
            |&(id, kw, ask): &(u8, u8, i32)| offer(&format!("S{id}"), f64::from(kw), price(ask));
        let buyers = self.buyers.iter().enumerate();
        let line = |&((i, j), kw): &((u8, u8), u8)| {
            limit(&format!("S{i}"), &format!("B{j}"), f64::from(kw))
        };
        Problem::new(
            terms,
            self.sellers.iter().map(seller).collect(),
            buyers
                .map(|(j, &kw)| deficit(&format!("B{j}"), f64::from(kw)))
                .collect(),
            self.limits.iter().map(line).collect(),
        )
        .expect("valid")
    }

    fn feasible(&self, flows: &[u8]) -> bool {
        let buyers = self.buyers.len();
        let row = |k: usize| flows[k * buyers..(k + 1) * buyers].iter().sum::<u8>();
        let column = |j: usize| flows.iter().skip(j).step_by(buyers).sum::<u8>();
        let line = |i: u8, j: u8| {
            let blocks = self
                .sellers
                .iter()
                .enumerate()
                .filter(|(_, seller)| seller.0 == i);
            blocks
                .map(|(k, _)| flows[k * buyers + usize::from(j)])
                .sum::<u8>()
        };
        (0..self.sellers.len()).all(|k| row(k) <= self.sellers[k].1)
            && (0..buyers).all(|j| column(j) <= self.buyers[j])
            && self.limits.iter().all(|&((i, j), kw)| line(i, j) <= kw)
    }

    /// Largest profit, then volume, then smallest flows, over all integer flows (the optimum is integral: a transport problem).
    fn exhaustive(&self) -> Vec<u8> {
        let cells = self.sellers.len() * self.buyers.len();
        let most = self
            .sellers
            .iter()
            .map(|seller| seller.1)
            .max()
            .unwrap_or(0);
        let mut flows = vec![0; cells];
        let mut best: Option<((i32, i32), Vec<u8>)> = None;
        loop {
            if self.feasible(&flows) {
                let margin = |cell: usize| self.tariff - self.sellers[cell / self.buyers.len()].2;
                let profit = flows
                    .iter()
                    .enumerate()
                    .map(|(cell, &t)| margin(cell) * i32::from(t))
                    .sum();
                let value = (profit, flows.iter().map(|&t| i32::from(t)).sum());
                // Flows are visited in lexicographic order, so the first of equals is the smallest.
                if best.as_ref().is_none_or(|(found, _)| value > *found) {
                    best = Some((value, flows.clone()));
                }
            }
            let Some(cell) = flows.iter().rposition(|&t| t < most) else {
                break;
            };
            flows[cell] += 1;
            flows[cell + 1..].fill(0);
        }
        best.expect("zero flow is feasible").1
    }
}

fn small() -> impl Strategy<Value = Small> {
    let shape = prop_oneof![Just((1, 3)), Just((2, 2)), Just((2, 3)), Just((3, 2))];
    shape.prop_flat_map(|(blocks, buyers)| {
        let sellers = prop::collection::vec((0_u8..2, 0_u8..4, 40..44_i32), blocks);
        let deficits = prop::collection::vec(0_u8..5, buyers);
        let limits = prop::collection::btree_map(
            (0_u8..2, 0..u8::try_from(buyers).expect("3")),
            0_u8..4,
            0..4,
        );
        (sellers, deficits, limits, 41..45_i32).prop_map(|(sellers, buyers, mut limits, tariff)| {
            limits.retain(|(i, _), _| sellers.iter().any(|seller| seller.0 == *i));
            Small {
                sellers,
                buyers,
                limits: limits.into_iter().collect(),
                tariff,
            }
        })
    })
}

/// kW, ask, in steps coarse enough for ties.
fn sellers(most: usize) -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((0..200_i32, 20..80_i32), 0..most).prop_map(|v| {
        v.into_iter()
            .map(|(kw, ask)| (f64::from(kw) / 2.0, f64::from(ask) / 100.0))
            .collect()
    })
}

fn buyers(most: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0..200_i32, 0..most)
        .prop_map(|v| v.into_iter().map(|kw| f64::from(kw) / 2.0).collect())
}

fn terms() -> impl Strategy<Value = Terms> {
    (
        60..90_i32,
        -20..30_i32,
        80..130_i32,
        30..60_i32,
        95..105_i32,
    )
        .prop_map(|(sell, buy, delta, price, grid)| Terms {
            grid_sell: f64::from(sell) / 100.0,
            grid_buy: f64::from(buy) / 100.0,
            delta: f64::from(delta) / 100.0,
            delta_grid: f64::from(grid) / 100.0,
            price: f64::from(price) / 100.0,
        })
}

/// A problem in which blocks share microgrids and some lines are limited.
fn limited() -> impl Strategy<Value = Problem> {
    let lines = prop::collection::btree_map((0..4_usize, 0..5_usize), 0..60_i32, 1..12);
    (terms(), sellers(9), buyers(6), lines).prop_map(|(terms, sellers, buyers, lines)| {
        let name = |k: usize| format!("S{}", k % 4);
        let (blocks, columns) = (sellers.len(), buyers.len());
        let sellers = sellers
            .into_iter()
            .enumerate()
            .map(|(k, (kw, ask))| offer(&name(k), kw, ask))
            .collect();
        let buyers = buyers
            .into_iter()
            .enumerate()
            .map(|(j, kw)| deficit(&format!("B{j}"), kw))
            .collect();
        let known = lines
            .into_iter()
            .filter(|((i, j), _)| *i < blocks && *j < columns);
        let limits = known
            .map(|((i, j), kw)| limit(&name(i), &format!("B{j}"), f64::from(kw)))
            .collect();
        Problem::new(terms, sellers, buyers, limits).expect("valid")
    })
}

fn close(found: f64, expected: f64) -> Result<(), TestCaseError> {
    prop_assert!(
        (found - expected).abs() <= ROUNDING * expected.abs().max(100.0),
        "{found}, expected {expected}"
    );
    Ok(())
}

/// Balances, limits and the identity of gains.
fn check_sound(problem: &Problem, matching: &Matching) -> Result<(), TestCaseError> {
    for (k, offer) in problem.sellers().iter().enumerate() {
        prop_assert!(
            matching.row(k).iter().all(|&flow| flow >= 0.0) && matching.exported[k] >= 0.0
        );
        close(
            matching.row(k).iter().sum::<f64>() + matching.exported[k],
            offer.kw,
        )?;
    }
    for (j, deficit) in problem.buyers().iter().enumerate() {
        let bought: f64 = (0..problem.sellers().len())
            .filter_map(|k| matching.flow(k, j))
            .sum();
        prop_assert!(matching.imported[j] >= 0.0);
        close(bought + matching.imported[j], deficit.kw)?;
    }
    for limit in problem.limits() {
        let column = problem
            .buyers()
            .iter()
            .position(|buyer| buyer.id == limit.buyer)
            .expect("known");
        let blocks = problem
            .sellers()
            .iter()
            .enumerate()
            .filter(|(_, offer)| offer.id == limit.seller);
        let flow: f64 = blocks.filter_map(|(k, _)| matching.flow(k, column)).sum();
        prop_assert!(flow <= limit.kw + ROUNDING);
    }
    close(matching.gains.total, matching.gains.identity)?;
    close(
        matching.gains.sellers + matching.gains.buyers + matching.profit.total,
        matching.gains.total,
    )
}

/// The same problem with a line limit that binds nothing, so that it takes the network's way.
fn with_loose_limit(problem: &Problem) -> Option<Problem> {
    let (seller, buyer) = (problem.sellers().first()?, problem.buyers().first()?);
    let loose = vec![limit(&seller.id, &buyer.id, 1e6)];
    Problem::new(
        *problem.terms(),
        problem.sellers().to_vec(),
        problem.buyers().to_vec(),
        loose,
    )
    .ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn exhaustive_search_finds_the_same_flows(small in small()) {
        let problem = small.problem();
        let matching = solve(&problem).unwrap();
        let expected: Vec<f64> = small.exhaustive().into_iter().map(f64::from).collect();
        let found = rows(&matching, small.sellers.len()).concat();
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert!((found - expected).abs() <= ROUNDING, "{matching:?}, expected {expected:?}");
        }
    }

    #[test]
    fn the_closed_form_is_the_linear_program_and_the_network(
        (terms, sellers, buyers) in (terms(), sellers(12), buyers(8))
    ) {
        let problem = problem(terms, &sellers, &buyers);
        let closed = closed_form(&problem).expect("no limits");
        check_sound(&problem, &closed)?;
        if let Some(loose) = with_loose_limit(&problem) {
            close(closed.profit.total, profit_by_lp(&problem).unwrap())?;
            let network = solve(&loose).unwrap();
            for (found, expected) in rows(&network, sellers.len()).concat().iter().zip(rows(&closed, sellers.len()).concat()) {
                close(*found, expected)?;
            }
            prop_assert_eq!(&network.demand_prices, &closed.demand_prices);
        }
    }

    #[test]
    fn line_limits_keep_the_matching_sound_and_the_linear_program_agrees(problem in limited()) {
        let matching = solve(&problem).unwrap();
        check_sound(&problem, &matching)?;
    }

    #[test]
    fn watts_and_gigawatts_are_matched_alike(problem in limited(), exponent in -6..=6_i32) {
        let scale = 10_f64.powi(exponent);
        let sellers = problem.sellers().iter().map(|entry| offer(&entry.id, entry.kw * scale, entry.ask)).collect();
        let buyers = problem.buyers().iter().map(|entry| deficit(&entry.id, entry.kw * scale)).collect();
        let limits = problem.limits().iter().map(|entry| limit(&entry.seller, &entry.buyer, entry.kw * scale)).collect();
        let scaled = solve(&Problem::new(*problem.terms(), sellers, buyers, limits).unwrap()).unwrap();
        let matching = solve(&problem).unwrap();
        close(scaled.profit.total / scale, matching.profit.total)?;
        let blocks = problem.sellers().len();
        for (found, expected) in rows(&scaled, blocks).concat().iter().zip(rows(&matching, blocks).concat()) {
            close(found / scale, expected)?;
        }
    }

    #[test]
    fn a_dual_is_what_the_last_kilowatt_of_demand_earns(problem in limited()) {
        // Half kilowatts: the profit is linear on the quarter below any demand.
        let step = 0.25;
        let matching = solve(&problem).unwrap();
        for (buyer, dual) in matching.demand_duals.iter().enumerate() {
            prop_assert_eq!(dual.is_some(), problem.buyers()[buyer].kw > 0.0);
            let Some(dual) = dual else { continue };
            let mut buyers = problem.buyers().to_vec();
            buyers[buyer].kw -= step;
            let (sellers, limits) = (problem.sellers().to_vec(), problem.limits().to_vec());
            let less = Problem::new(*problem.terms(), sellers, buyers, limits).unwrap();
            let lost = matching.profit.total - solve(&less).unwrap().profit.total;
            close(lost / step, *dual)?;
        }
    }

    #[test]
    fn no_feasible_flow_earns_more(problem in limited(), shares in prop::collection::vec(0.0..1.0_f64, 54)) {
        let matching = solve(&problem).unwrap();
        let margin = |ask: f64| problem.tariff_internal() - ask - problem.tariff_grid() + problem.terms().grid_sell;
        let mut sold: Vec<f64> = problem.sellers().iter().map(|offer| offer.kw).collect();
        let mut open: Vec<f64> = problem.buyers().iter().map(|deficit| deficit.kw).collect();
        let mut lines: Vec<f64> = problem.limits().iter().map(|limit| limit.kw).collect();
        let mut earned: f64 = open.iter().map(|kw| kw * (problem.tariff_grid() - problem.terms().grid_sell)).sum();
        let cells = (0..sold.len()).flat_map(|k| (0..open.len()).map(move |j| (k, j))).collect::<Vec<_>>();
        for ((k, j), share) in cells.into_iter().zip(shares) {
            let (seller, buyer) = (&problem.sellers()[k], &problem.buyers()[j]);
            let line = problem.limits().iter().position(|limit| limit.seller == seller.id && limit.buyer == buyer.id);
            let room = line.map_or(f64::INFINITY, |line| lines[line]);
            let flow = share * sold[k].min(open[j]).min(room);
            (sold[k], open[j]) = (sold[k] - flow, open[j] - flow);
            if let Some(line) = line {
                lines[line] -= flow;
            }
            earned += margin(seller.ask) * flow;
        }
        prop_assert!(earned <= matching.profit.total + ROUNDING * 100.0);
    }

    #[test]
    fn between_the_clearing_price_and_the_import_price_the_optimum_is_the_merit_order(
        (sellers, buyers, up) in (sellers(12), buyers(6), 0.0..1.0_f64)
    ) {
        let demand: f64 = buyers.iter().sum();
        let (accepted, price) = merit_order(&sellers, demand);
        let delta = 1.0 + up * (TERMS.grid_sell / price - 1.0);
        let matching = solve(&problem(Terms { price, delta, ..TERMS }, &sellers, &buyers)).unwrap();
        prop_assert_eq!(matching.clearing_price, price);
        // Equal asks may share differently, so compare the sum per ask.
        for &(_, ask) in &sellers {
            let of = |amounts: &[f64]| -> f64 {
                amounts.iter().zip(&sellers).filter(|(_, seller)| seller.1 == ask).map(|(amount, _)| amount).sum()
            };
            close(of(&matching.traded), of(&accepted))?;
        }
    }

    #[test]
    fn a_mark_up_below_one_destroys_the_trade_of_dearer_blocks(
        (sellers, buyers, delta) in (sellers(12), buyers(6), 0.85..1.0_f64)
    ) {
        let (_, price) = merit_order(&sellers, buyers.iter().sum());
        let matching = solve(&problem(Terms { price, delta, ..TERMS }, &sellers, &buyers)).unwrap();
        for (&(_, ask), &traded) in sellers.iter().zip(&matching.traded) {
            prop_assert!(traded == 0.0 || ask <= delta * price);
        }
    }
}

/// Section 3 of the specification: accepted kW per block and the clearing price.
fn merit_order(sellers: &[(f64, f64)], demand: f64) -> (Vec<f64>, f64) {
    let mut order: Vec<usize> = (0..sellers.len()).collect();
    order.sort_by(|&a, &b| sellers[a].1.total_cmp(&sellers[b].1));
    let (mut accepted, mut remaining, mut last) =
        (vec![0.0; sellers.len()], demand, TERMS.grid_buy);
    for block in order {
        let (kw, ask) = sellers[block];
        if remaining <= 1e-9 || ask > TERMS.grid_sell {
            break;
        }
        if kw > 1e-9 {
            accepted[block] = kw.min(remaining);
            remaining -= accepted[block];
            last = ask;
        }
    }
    let price = if remaining > 1e-9 {
        TERMS.grid_sell
    } else {
        last
    };
    (accepted, price.clamp(TERMS.grid_buy, TERMS.grid_sell))
}
