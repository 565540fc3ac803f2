//! The claims on Table 1 and on the equilibrium.

use tieline_market::Strategy;
use tieline_market::report::BidReport;

use super::Figure;
use super::case::{Case, DELTA, incomes, outputs, play, share_out};
use super::claim::{Claim, Imposed, ROUNDING, Subject, ranks};
use super::findings::Findings;
use super::paper::{self, Quote, TABLE1};
use super::table1::Table1;
use super::uniqueness::Uniqueness;

const fn subject(id: &'static str, quote: Quote, imposed: Imposed) -> Subject {
    Subject {
        id,
        figure: Figure::Table1,
        quote,
        imposed,
    }
}

/// What the claims are judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence<'a> {
    /// The calibrated case.
    pub(super) case: &'a Case,
    /// Table 1 beside ours.
    pub(super) table1: &'a Table1,
    /// The paper's own numbers.
    pub(super) findings: &'a Findings,
    /// The two markets.
    pub(super) uniqueness: &'a Uniqueness,
}

/// All claims in the order of the text.
///
/// # Errors
/// When a game is refused.
pub(super) fn claims(evidence: Evidence<'_>) -> anyhow::Result<Vec<Claim>> {
    let case = evidence.case;
    let rounds = case
        .demands_kw
        .iter()
        .map(|&demand| case.play(Strategy::Improved, demand))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut claims = vec![demand(evidence.findings), mg1_cost(case, evidence.findings)];
    claims.extend(mg1(&rounds, evidence.table1));
    claims.push(mg1_reduce(&rounds));
    claims.extend(leaders(case, &rounds));
    claims.extend(mg3(case, &rounds));
    claims.push(mg3_increase(case)?);
    claims.push(incomes_rise(&rounds));
    claims.push(optimal(&rounds));
    claims.extend(equilibrium(evidence.uniqueness));
    claims.push(maximises(case, &rounds)?);
    Ok(claims)
}

/// `12.42, 120.94, 130.00`.
pub(super) fn list(values: impl IntoIterator<Item = f64>, decimals: usize) -> String {
    let parts: Vec<String> = values
        .into_iter()
        .map(|value| format!("{value:.decimals$}"))
        .collect();
    parts.join(", ")
}

fn counts(values: &[usize]) -> String {
    list(values.iter().map(|value| *value as f64), 0)
}

fn demand(findings: &Findings) -> Claim {
    subject("table1-demand-220", paper::DEMANDS, Imposed::No).number(
        TABLE1[0].demand_kw,
        findings.output_sums_kw[0],
        "kW",
        "ours is the sum of the row's printed outputs; nobody can sell that to a demand of 220 kW"
            .to_owned(),
    )
}

fn mg1_cost(case: &Case, findings: &Findings) -> Claim {
    let average: Vec<f64> = case
        .players
        .iter()
        .map(|p| p.cost.average(p.capacity_kw))
        .collect();
    let highest = average[1..].iter().all(|other| average[0] > *other);
    let rates = findings.rates[2];
    subject("table1-mg1-cost", paper::MG1_COST, Imposed::No).statement(
        highest,
        format!("average costs at full output {} yuan/kWh, MG1 first", list(average.iter().copied(), 4)),
        format!(
            "{:+.2} % beside the next; at 1000 kW the paper itself pays MG1 {:.3} yuan/kWh, MG3 {:.3}, MG4 {:.3}",
            100.0 * (average[0] / average[1..].iter().copied().fold(f64::NEG_INFINITY, f64::max) - 1.0),
            rates[0],
            rates[2],
            rates[3]
        ),
    )
}

fn mg1(rounds: &[BidReport], table1: &Table1) -> Vec<Claim> {
    let low = &rounds[0];
    let last = ranks(outputs(low))[0] == 3 && ranks(incomes(low))[0] == 3;
    let sold: Vec<f64> = rounds.iter().map(|round| outputs(round)[0]).collect();
    let earned: Vec<f64> = rounds.iter().map(|round| incomes(round)[0]).collect();
    let rise = |values: &[f64]| values.windows(2).all(|pair| pair[1] > pair[0] + ROUNDING);
    let from_grid = &low.microgrids[0];
    vec![
        subject("table1-mg1-no-advantage", paper::MG1_NO_ADVANTAGE, Imposed::Target).statement(
            last,
            format!("at {:.0} kW: {} kW, {} yuan/h", low.demand_kw, list(outputs(low), 1), list(incomes(low), 2)),
            "read as: the least of both; MG1 is named first, the row was fitted".to_owned(),
        ),
        subject("table1-mg1-merely", paper::MG1_MERELY, Imposed::Target).number(
            TABLE1[0].output_kw[0],
            sold[0],
            "kW",
            format!(
                "at the row's sum, {:.0} kW, a fit target; at 220 kW by its word MG1 sells {:.2} kW",
                low.demand_kw, table1.literal[0].output_kw
            ),
        ),
        subject("table1-mg1-income-falls", paper::MG1_INCOME_FALLS, Imposed::Target).statement(
            earned[0] < earned[1] && earned[0] < earned[2],
            format!("{} yuan/h, of the first {:.2} from the grid", list(earned.iter().copied(), 2), from_grid.grid_income),
            format!("what is not sold goes to the grid at {:.4} yuan/kWh", table1.grid_buy),
        ),
        subject("table1-mg1-grows", paper::MG1_GROWS, Imposed::Target).statement(
            rise(&sold) && rise(&earned),
            format!("{} kW, {} yuan/h", list(sold.iter().copied(), 2), list(earned.iter().copied(), 2)),
            "read as: both rise from each demand to the next; fitted".to_owned(),
        ),
    ]
}

fn mg1_reduce(rounds: &[BidReport]) -> Claim {
    let one = &rounds[0].microgrids[0];
    subject("table1-reduce-at-low-demand", paper::REDUCE, Imposed::No).statement(
        one.profit_dispatch > one.profit,
        format!(
            "MG1's profit {:.2} yuan/h at full output, {:.2} with what the grid does not repay left out",
            one.profit, one.profit_dispatch
        ),
        format!("its marginal cost {:.4} is above what the grid pays", one.mc),
    )
}

fn leaders(case: &Case, rounds: &[BidReport]) -> Vec<Claim> {
    let average: Vec<f64> = case
        .players
        .iter()
        .map(|p| p.cost.average(p.capacity_kw))
        .collect();
    let cheapest = (0..4).all(|i| i == 1 || average[1] < average[i]);
    let of = |i: usize| {
        let places = |of: fn(&BidReport) -> [f64; 4]| {
            rounds
                .iter()
                .map(|round| ranks(of(round))[i] + 1)
                .collect::<Vec<usize>>()
        };
        (places(outputs), places(incomes))
    };
    let (second, fourth) = (of(1), of(3));
    let all = |places: &(Vec<usize>, Vec<usize>), at_most: usize| {
        places
            .0
            .iter()
            .chain(&places.1)
            .all(|place| *place <= at_most)
    };
    let words = |places: &(Vec<usize>, Vec<usize>)| {
        format!(
            "place in output {}, in income {}",
            counts(&places.0),
            counts(&places.1)
        )
    };
    vec![
        subject("table1-mg2-cost", paper::MG2_COST, Imposed::Target).statement(
            cheapest && second.0.iter().all(|place| *place == 1),
            format!("average cost {:.4} yuan/kWh, {} kW", average[1], list(rounds.iter().map(|r| outputs(r)[1]), 1)),
            "read as: lowest average cost and largest output at every demand; its capacity was put in".to_owned(),
        ),
        subject("table1-mg2-advantage", paper::MG2_ADVANTAGE, Imposed::Target).statement(
            all(&second, 1),
            words(&second),
            "read as: first of four in both at every demand; fitted".to_owned(),
        ),
        subject("table1-mg4-same", paper::MG4_SAME, Imposed::Target).statement(
            all(&fourth, 2),
            words(&fourth),
            format!(
                "read as: behind MG2 only; Table 1 itself has MG4 in place {} in output at 550 kW",
                ranks(TABLE1[1].output_kw)[3] + 1
            ),
        ),
    ]
}

fn mg3(case: &Case, rounds: &[BidReport]) -> Vec<Claim> {
    let smallest = case
        .players
        .iter()
        .all(|p| p.capacity_kw >= case.players[2].capacity_kw);
    let places: Vec<usize> = rounds
        .iter()
        .map(|round| ranks(incomes(round))[2] + 1)
        .collect();
    let rate = |round: &BidReport| incomes(round)[2] / outputs(round)[2];
    let mean = |round: &BidReport| round.totals.income / round.totals.accepted_kw;
    let above = rounds
        .iter()
        .filter(|round| rate(round) > mean(round))
        .count();
    vec![
        subject("table1-mg3-limited", paper::MG3_LIMITED, Imposed::Target).statement(
            smallest && places.iter().all(|place| *place >= 3),
            format!(
                "smallest capacity, {:.0} kW; place in income {}",
                case.players[2].capacity_kw,
                counts(&places)
            ),
            "read as: the smallest capacity, and never among the first two in income; fitted"
                .to_owned(),
        ),
        subject(
            "table1-mg3-considerable",
            paper::MG3_CONSIDERABLE,
            Imposed::No,
        )
        .statement(
            above == rounds.len(),
            format!(
                "income per kWh sold {} yuan, mean of the four {}",
                list(rounds.iter().map(rate), 3),
                list(rounds.iter().map(mean), 3)
            ),
            format!(
                "read as: more per kWh sold than the mean; so at {above} of {} demands",
                rounds.len()
            ),
        ),
    ]
}

fn mg3_increase(case: &Case) -> anyhow::Result<Claim> {
    let mut larger = case.players.clone();
    larger[2].capacity_kw *= 1.1;
    let (mut before, mut after, mut profits) = (Vec::new(), Vec::new(), Vec::new());
    for demand in case.demands_kw {
        let rules = case.rules(Strategy::Improved);
        let (old, new) = (
            play(&case.players, &rules, demand)?,
            play(&larger, &rules, demand)?,
        );
        before.push(incomes(&old)[2]);
        after.push(incomes(&new)[2]);
        profits.push(new.microgrids[2].profit - old.microgrids[2].profit);
    }
    let boosted = before
        .iter()
        .zip(&after)
        .all(|(old, new)| *new > old + ROUNDING);
    Ok(subject("table1-mg3-increase", paper::MG3_INCREASE, Imposed::No).statement(
        boosted,
        format!("income {} with {:.0} kW, {} yuan/h with 10 % more", list(before, 2), case.players[2].capacity_kw, list(after, 2)),
        format!(
            "read as: 10 % more capacity on the same cost curve, at every demand; it raises its price levels too. Profit changes by {} yuan/h",
            list(profits, 2)
        ),
    ))
}

fn incomes_rise(rounds: &[BidReport]) -> Claim {
    let mut flat = Vec::new();
    for pair in rounds.windows(2) {
        for (i, name) in paper::MICROGRIDS.iter().enumerate() {
            if incomes(&pair[1])[i] <= incomes(&pair[0])[i] + ROUNDING {
                flat.push(format!(
                    "{name} from {:.0} to {:.0} kW",
                    pair[0].demand_kw, pair[1].demand_kw
                ));
            }
        }
    }
    subject("table1-incomes-rise", paper::INCOMES_RISE, Imposed::Target).statement(
        flat.is_empty(),
        rounds.iter().map(|round| list(incomes(round), 2)).collect::<Vec<_>>().join("; "),
        if flat.is_empty() {
            "read as: all four columns rise; fitted".to_owned()
        } else {
            format!("read as: all four columns rise; ours stand still for {}, although the fit was given all twelve", flat.join(" and "))
        },
    )
}

fn optimal(rounds: &[BidReport]) -> Claim {
    let banded = rounds
        .iter()
        .map(|round| round.exploitability_banded)
        .fold(0.0, f64::max);
    subject("equilibrium-optimal", paper::OPTIMAL, Imposed::No).statement(
        banded <= ROUNDING,
        format!(
            "gain left within the band {banded:.0} yuan/h, without it {}",
            list(rounds.iter().map(|round| round.exploitability_free), 2)
        ),
        format!(
            "an equilibrium of the game with its price band only: over all bids somebody could still gain up to {:.1} % of its income",
            100.0 * rounds.iter().map(|round| round.rel_exploitability_free).fold(0.0, f64::max)
        ),
    )
}

fn equilibrium(found: &Uniqueness) -> Vec<Claim> {
    let prices = list(found.ends.iter().map(|end| end.clearing_price), 2);
    let starts = list(found.ends.iter().map(|end| end.rho0), 1);
    vec![
        subject("equilibrium-unique", paper::UNIQUE, Imposed::No).statement(
            !found.several(),
            format!("one market, first prices {starts}, ends at {prices} yuan/kWh"),
            format!("the same three microgrids and demand; gain left inside the band {} yuan/h", list(found.ends.iter().map(|end| end.gain_banded), 0)),
        ),
        subject("equilibrium-exists", paper::EXISTS, Imposed::No).statement(
            !found.none(),
            format!(
                "two microgrids: at {} of {} pairs of pure bids somebody gains by another",
                found.pure_pairs_left, found.pure_pairs
            ),
            format!(
                "finitely many pure bids guarantee an equilibrium in lotteries only; sharing the volume is none: over {} pairs of shares in tenths the larger gain is never below {:.2} yuan/h",
                found.grid_pairs, found.grid_smallest_gain
            ),
        ),
    ]
}

fn maximises(case: &Case, rounds: &[BidReport]) -> anyhow::Result<Claim> {
    let mut traded = Vec::new();
    let mut most = Vec::new();
    for round in rounds {
        traded.push(share_out(&case.rules, round, DELTA)?.traded_kw());
        most.push(round.demand_kw.min(round.totals.offered_kw));
    }
    let all = traded
        .iter()
        .zip(&most)
        .all(|(traded, most)| (traded - most).abs() <= ROUNDING);
    Ok(subject("equilibrium-maximises", paper::MAXIMISES, Imposed::No).statement(
        all,
        format!("traded {} kW, no more than {} possible", list(traded, 0), list(most, 0)),
        format!("with a fee coefficient of {DELTA}; below 1 it fails (see the fee), and the traditional strategy trades as much"),
    ))
}
