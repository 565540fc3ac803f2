//! The claims on Figs. 7, 8 and 9.

use tieline_market::Strategy;

use super::Figure;
use super::claim::{Claim, Imposed, ROUNDING, Subject};
use super::claims_table1::list;
use super::fig7::{Fig7, Point};
use super::fig8::{DAMPING, Fig8, Trace};
use super::fig9::{BUSINESS_HOURS, EVENING_HOURS, Fig9};
use super::paper::{self, Quote};

const fn fig7_subject(id: &'static str, quote: Quote, imposed: Imposed) -> Subject {
    Subject {
        id,
        figure: Figure::Fig7,
        quote,
        imposed,
    }
}

const fn fig8_subject(id: &'static str, quote: Quote, imposed: Imposed) -> Subject {
    Subject {
        id,
        figure: Figure::Fig8,
        quote,
        imposed,
    }
}

const fn fig9_subject(id: &'static str, quote: Quote, imposed: Imposed) -> Subject {
    Subject {
        id,
        figure: Figure::Fig9,
        quote,
        imposed,
    }
}

/// The claims on Fig. 7 and on who gains.
pub(super) fn fig7(found: &Fig7) -> Vec<Claim> {
    let (literal, points) = (&found.points[0], &found.points[1..]);
    let mut claims = vec![
        fig7_subject("fig7-volume", paper::FIG7_VOLUME, Imposed::Target).number(
            paper::FIG7_IMPROVED_KW,
            points[0].improved_kw,
            "kW",
            format!(
                "at the row's sum, {:.0} kW; a cell of Table 1, to which it was fitted",
                points[0].demand_kw
            ),
        ),
        fig7_subject("fig7-volume-at-220", paper::FIG7_VOLUME, Imposed::No).number(
            paper::FIG7_IMPROVED_KW,
            literal.improved_kw,
            "kW",
            "at 220 kW by its word, with the costs fitted to the row's sum".to_owned(),
        ),
        fig7_subject("fig7-zero", paper::FIG7_ZERO, Imposed::Penalty).number(
            paper::FIG7_TRADITIONAL_KW,
            points[0].traditional_kw,
            "kW",
            format!(
                "at {:.0} kW; anything else was penalised in the fit",
                points[0].demand_kw
            ),
        ),
    ];
    claims.extend(surpassed(points));
    claims.push(
        fig7_subject("fig7-adapts", paper::FIG7_ADAPTS, Imposed::No)
            .not_checkable(String::new(), "no measure of it is named".to_owned()),
    );
    claims.push(for_all(points));
    claims.extend(conclusion(found));
    claims
}

fn surpassed(points: &[Point]) -> [Claim; 2] {
    let pairs = |of: fn(&Point) -> (f64, f64), decimals: usize| {
        let parts: Vec<String> = points
            .iter()
            .map(of)
            .map(|(new, old)| format!("{new:.decimals$}/{old:.decimals$}"))
            .collect();
        parts.join(", ")
    };
    let volumes = |p: &Point| (p.improved_kw, p.traditional_kw);
    let incomes = |p: &Point| (p.improved_income, p.traditional_income);
    let both = |p: &Point| [volumes(p), incomes(p)];
    let more = points
        .iter()
        .all(|p| both(p).iter().all(|(new, old)| *new > old + ROUNDING));
    let no_less = points
        .iter()
        .all(|p| both(p).iter().all(|(new, old)| *new >= old - ROUNDING));
    let equal: Vec<String> = points
        .iter()
        .filter(|p| {
            both(p)
                .iter()
                .all(|(new, old)| (new - old).abs() <= ROUNDING)
        })
        .map(|p| format!("{:.0} kW", p.demand_kw))
        .collect();
    let found = format!(
        "MG1, improved/traditional: {} kW, {} yuan/h",
        pairs(volumes, 2),
        pairs(incomes, 2)
    );
    [
        fig7_subject("fig7-always", paper::FIG7_ALWAYS, Imposed::Penalty).statement(
            more,
            found,
            format!(
                "equal at {}, where everything is sold either way",
                equal.join(", ")
            ),
        ),
        fig7_subject("fig7-never-below", paper::FIG7_ALWAYS, Imposed::Penalty).statement(
            no_less,
            "the same, read as \"never less\"".to_owned(),
            "less was penalised in the fit".to_owned(),
        ),
    ]
}

fn for_all(points: &[Point]) -> Claim {
    let (mut worse, mut total) = (Vec::new(), Vec::new());
    for p in points {
        let down = p
            .income_change
            .iter()
            .filter(|change| **change < -ROUNDING)
            .count();
        worse.push(down.to_string());
        total.push(p.total_kw[0] - p.total_kw[1]);
    }
    let raised = points.iter().all(|p| {
        let (kw, income) = (
            p.total_kw[0] - p.total_kw[1],
            p.total_income[0] - p.total_income[1],
        );
        kw > ROUNDING && income > ROUNDING
    });
    fig7_subject("fig7-for-all", paper::FIG7_ALL, Imposed::No).statement(
        raised,
        format!(
            "together: {} kW more, income {} yuan/h; {} of four earn less",
            list(total, 0),
            list(points.iter().map(|p| p.total_income[0] - p.total_income[1]), 2),
            worse.join(", ")
        ),
        "read as: more of both for the four together; the demand does not react, so what MG1 gains others lose".to_owned(),
    )
}

fn conclusion(found: &Fig7) -> [Claim; 2] {
    let change = |of: [f64; 2]| of[0] - of[1];
    let aggregator: Vec<f64> = found.shares.iter().map(|s| change(s.aggregator)).collect();
    let sellers: Vec<f64> = found.shares.iter().map(|s| change(s.sellers)).collect();
    let total = found
        .shares
        .iter()
        .map(|s| change(s.total).abs())
        .fold(0.0, f64::max);
    let up = |values: &[f64]| values.iter().all(|value| *value > ROUNDING);
    [
        fig7_subject(
            "conclusion-aggregators",
            paper::INCOME_OF_AGGREGATORS,
            Imposed::No,
        )
        .statement(
            up(&aggregator),
            format!(
                "the aggregator's profit changes by {} yuan/h",
                list(aggregator.iter().copied(), 2)
            ),
            format!(
                "read as: up at every demand; fee coefficient {}",
                found.delta
            ),
        ),
        fig7_subject(
            "conclusion-microgrids",
            paper::INCOME_OF_AGGREGATORS,
            Imposed::No,
        )
        .statement(
            up(&sellers),
            format!(
                "the microgrids' income together changes by {} yuan/h",
                list(sellers, 2)
            ),
            format!("buyers, sellers and aggregator share a constant: it changes by {total:.0}"),
        ),
    ]
}

/// The claims on Fig. 8.
pub(super) fn fig8(found: &Fig8) -> Vec<Claim> {
    let mut claims = vec![rounds(found), efficiency(found), oscillating(found)];
    claims.extend(lower(found));
    claims.push(consumption(found));
    claims.extend(direction(found));
    claims.extend(clusters(found));
    claims
}

fn rounds(found: &Fig8) -> Claim {
    let words = found.rounds.iter().map(|r| {
        format!(
            "{}: {}/{}",
            r.alpha,
            counts(r.improved),
            counts(r.traditional)
        )
    });
    fig8_subject("fig8-rounds", paper::FIG8_ROUNDS, Imposed::No).not_checkable(
        format!(
            "rounds by damping, improved/traditional: {}",
            words.collect::<Vec<_>>().join("; ")
        ),
        "any count can be had: it follows from damping and tolerance, and the paper gives neither"
            .to_owned(),
    )
}

fn counts(rounds: [usize; 3]) -> String {
    rounds.map(|count| count.to_string()).join(" ")
}

fn efficiency(found: &Fig8) -> Claim {
    let pairs = || {
        found
            .rounds
            .iter()
            .flat_map(|r| r.improved.into_iter().zip(r.traditional))
    };
    let fewer = pairs().filter(|(new, old)| new < old).count();
    let more = pairs().filter(|(new, old)| new > old).count();
    let all = pairs().count();
    fig8_subject("fig8-efficiency", paper::FIG8_EFFICIENCY, Imposed::No).statement(
        fewer == all,
        format!("fewer rounds than traditional in {fewer} of {all} games, more in {more}"),
        "read as: fewer rounds at every demand and every damping tried".to_owned(),
    )
}

fn oscillating(found: &Fig8) -> Claim {
    let turning = found.traces.iter().filter(|trace| trace.turns > 0).count();
    fig8_subject("fig8-oscillating", paper::FIG8_OSCILLATING, Imposed::No).statement(
        turning == found.traces.len(),
        format!(
            "{turning} of {} recorded price series turn at all",
            found.traces.len()
        ),
        format!("read as: every price turns at least once, undamped and with damping {DAMPING}"),
    )
}

fn lower(found: &Fig8) -> [Claim; 3] {
    let last = |strategy| {
        found
            .of(strategy, 1.0)
            .map(Trace::last)
            .collect::<Vec<f64>>()
    };
    let (new, old) = (last(Strategy::Improved), last(Strategy::Traditional));
    let pairs = || new.iter().zip(&old);
    let flips: Vec<String> = found
        .starts
        .iter()
        .filter(|start| start.higher > 0)
        .map(|start| {
            format!(
                "higher from {} of {} at {:.0} kW",
                start.higher, start.tried, start.demand_kw
            )
        })
        .collect();
    let equal: Vec<String> = pairs()
        .zip(&found.starts)
        .filter(|((new, old), _)| (*new - *old).abs() <= ROUNDING)
        .map(|(_, start)| format!("{:.0} kW", start.demand_kw))
        .collect();
    let words = format!(
        "{} against {} yuan/kWh",
        list(new.iter().copied(), 4),
        list(old.iter().copied(), 4)
    );
    [
        fig8_subject("fig8-lower", paper::FIG8_LOWER, Imposed::Penalty).statement(
            pairs().all(|(new, old)| *new < old - ROUNDING),
            words,
            format!("equal at {}, where the grid sets the price", equal.join(", ")),
        ),
        fig8_subject("fig8-not-higher", paper::FIG8_LOWER, Imposed::Penalty).statement(
            pairs().all(|(new, old)| *new <= old + ROUNDING),
            "the same, read as \"not higher\"".to_owned(),
            "higher was penalised in the fit".to_owned(),
        ),
        fig8_subject("fig8-lower-from-any-start", paper::FIG8_LOWER, Imposed::No).statement(
            flips.is_empty(),
            if flips.is_empty() { "never higher".to_owned() } else { flips.join("; ") },
            "the same market from other first prices between the grid's two: the order follows from rho0, which the paper does not give".to_owned(),
        ),
    ]
}

fn consumption(found: &Fig8) -> Claim {
    let served = found.clusters.iter().map(|cluster| cluster.sold_kw);
    let before = found
        .clusters
        .iter()
        .map(|cluster| cluster.sold_traditional_kw);
    let more = found
        .clusters
        .iter()
        .all(|c| c.sold_kw > c.sold_traditional_kw + ROUNDING);
    fig8_subject("fig8-consumption", paper::FIG8_CONSUMPTION, Imposed::No).statement(
        more,
        format!(
            "sold inside {} kW, traditional {}",
            list(served, 0),
            list(before, 0)
        ),
        "read as: more is sold inside; a demand that does not react takes no more at a lower price"
            .to_owned(),
    )
}

fn direction(found: &Fig8) -> Vec<Claim> {
    let moves = |strategy| {
        found
            .of(strategy, 1.0)
            .map(|t| (t.first(), t.last()))
            .collect::<Vec<(f64, f64)>>()
    };
    let (new, old) = (moves(Strategy::Improved), moves(Strategy::Traditional));
    let words = |moves: &[(f64, f64)]| {
        moves
            .iter()
            .map(|(first, last)| format!("{first:.4} to {last:.4}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let falls = |moves: &[(f64, f64)]| moves[0].1 < moves[0].0 - ROUNDING;
    let rises = |moves: &[(f64, f64)]| {
        moves[1..]
            .iter()
            .all(|(first, last)| *last > first + ROUNDING)
    };
    vec![
        fig8_subject("fig8-falls-improved", paper::FIG8_FALLS, Imposed::Penalty).statement(
            falls(&new),
            format!("improved: {} yuan/kWh", words(&new[..1])),
            "at the row's sum; a rise was penalised in the fit, which also chose the first price"
                .to_owned(),
        ),
        fig8_subject("fig8-falls-traditional", paper::FIG8_FALLS, Imposed::No).statement(
            falls(&old),
            format!("traditional: {} yuan/kWh", words(&old[..1])),
            "the sentence names no strategy, and both start from one first price".to_owned(),
        ),
        fig8_subject("fig8-rises", paper::FIG8_RISES, Imposed::Penalty).statement(
            rises(&new) && rises(&old),
            format!(
                "improved {}; traditional {} yuan/kWh",
                words(&new[1..]),
                words(&old[1..])
            ),
            "at 550 and 1000 kW; a fall was penalised in the fit".to_owned(),
        ),
    ]
}

fn clusters(found: &Fig8) -> [Claim; 2] {
    let percent = |demand: usize| list(found.clusters[demand].levels.map(|share| 100.0 * share), 0);
    [
        fig8_subject("fig8-low-cluster", paper::FIG8_LOW_CLUSTER, Imposed::No).statement(
            found.clusters[0].levels[0] > 0.5,
            format!("sold at low, medium, high level: {} %", percent(0)),
            format!(
                "at {:.0} kW, read as: more than half at the low level",
                found.clusters[0].demand_kw
            ),
        ),
        fig8_subject("fig8-high-cluster", paper::FIG8_HIGH_CLUSTER, Imposed::No).statement(
            found.clusters[2].levels[2] > 0.5,
            format!("sold at low, medium, high level: {} %", percent(2)),
            format!(
                "at {:.0} kW, read as: more than half at the high level",
                found.clusters[2].demand_kw
            ),
        ),
    ]
}

/// The claims on Fig. 9; without data none can be checked.
pub(super) fn fig9(found: Option<&Fig9>) -> Vec<Claim> {
    let curves = fig9_subject("fig9-curves", paper::FIG9_CURVES, Imposed::No).not_checkable(
        String::new(),
        "curves are drawn, no number is printed".to_owned(),
    );
    let Some(found) = found else {
        return vec![curves];
    };
    let [one, other] = &found.microgrids;
    let share = |index: usize| {
        let curves = &found.microgrids[index];
        let hours = BUSINESS_HOURS.1 - BUSINESS_HOURS.0;
        curves.business_kw * hours / curves.load.energy_kwh
    };
    let load = |index: usize| {
        let curves = &found.microgrids[index];
        (
            format!(
                "{:.0} % of the load's energy falls between {:.0}:00 and {:.0}:00",
                100.0 * share(index),
                BUSINESS_HOURS.0,
                BUSINESS_HOURS.1
            ),
            format!(
                "mean load {:.0} kW then, {:.0} kW from {:.0}:00 to {:.0}:00",
                curves.business_kw, curves.evening_kw, EVENING_HOURS.0, EVENING_HOURS.1
            ),
        )
    };
    let (residents, businesses) = (load(0), load(1));
    vec![
        curves,
        fig9_subject("fig9-first", paper::FIG9_FIRST, Imposed::Chosen).statement(
            one.pv.energy_kwh > 0.0
                && one.wind.energy_kwh > 0.0
                && one.generation_kwh() > other.generation_kwh(),
            format!(
                "{}: sun {:.0} kWh, wind {:.0} kWh",
                one.label, one.pv.energy_kwh, one.wind.energy_kwh
            ),
            format!(
                "both, and {:.1} times the other's energy",
                one.generation_kwh() / other.generation_kwh()
            ),
        ),
        fig9_subject("fig9-residents", paper::FIG9_RESIDENTS, Imposed::Chosen).statement(
            share(0) < 0.5,
            residents.0,
            format!("read as: less than half; {}", residents.1),
        ),
        fig9_subject("fig9-second", paper::FIG9_SECOND, Imposed::Chosen).statement(
            other.pv.energy_kwh > 0.0
                && other.wind.energy_kwh == 0.0
                && other.pv.energy_kwh < one.pv.energy_kwh,
            format!(
                "{}: sun {:.0} kWh, wind {:.0} kWh",
                other.label, other.pv.energy_kwh, other.wind.energy_kwh
            ),
            format!(
                "sun only, {:.0} % of the other's",
                100.0 * other.pv.energy_kwh / one.pv.energy_kwh
            ),
        ),
        fig9_subject("fig9-businesses", paper::FIG9_BUSINESSES, Imposed::Chosen).statement(
            share(1) > 0.5,
            businesses.0,
            format!("read as: more than half; {}", businesses.1),
        ),
    ]
}
