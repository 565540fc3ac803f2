//! The sections of Figs. 7, 8 and 9.

use tieline_market::Strategy;

use super::Document;
use super::Figure;
use super::fig7::Fig7;
use super::fig8::{DAMPING, Fig8};
use super::fig9::{Curves, Fig9};
use super::paper::FIG8_ITERATIONS;
use super::plots;
use super::robustness::Robustness;
use super::sections::claims_of;
use super::view::{Block, Cell, Section, Table};

/// Fig. 7.
pub(super) fn fig7<'a>(document: &'a Document, found: &Fig7) -> Section<'a> {
    let caption = "MG1. 450 stands for the row printed as 220; 220 is played by its word, for information. The bars were fitted where a dot stands beside them.";
    Section {
        id: "fig7",
        heading: "Figure 7: improved against traditional strategy",
        lead: "What microgrid 1 sells and earns under both, what that does to the others, and who shares the gain.".to_owned(),
        blocks: vec![
            Block::Plots(plots::fig7(found), caption.to_owned()),
            Block::Table(bars(found)),
            Block::Table(changes(found)),
            Block::Table(shares(found)),
            claims_of(document, Figure::Fig7, false),
        ],
    }
}

fn bars(found: &Fig7) -> Table {
    let mut table = Table::new(
        "fig7",
        "MG1: bid-winning volume and income",
        &[
            "#demand_kw|demand, kW",
            "#improved_kw|kW improved",
            "#traditional_kw|traditional",
            "#improved_income|yuan/h improved",
            "#traditional_income|traditional",
            "#improved_price|price improved",
            "#traditional_price|traditional",
        ],
    );
    for p in &found.points {
        table.row(vec![
            Cell::Number(p.demand_kw, 0),
            Cell::Number(p.improved_kw, 2),
            Cell::Number(p.traditional_kw, 2),
            Cell::Number(p.improved_income, 2),
            Cell::Number(p.traditional_income, 2),
            Cell::Number(p.clearing_price[0], 4),
            Cell::Number(p.clearing_price[1], 4),
        ]);
    }
    table
}

fn changes(found: &Fig7) -> Table {
    let mut table = Table::new(
        "fig7-changes",
        "Everybody: improved less traditional",
        &[
            "#demand_kw|demand, kW",
            "quantity|quantity",
            "#mg1|MG1",
            "#mg2|MG2",
            "#mg3|MG3",
            "#mg4|MG4",
            "#all|all",
        ],
    );
    for p in &found.points {
        for (name, values) in [
            ("output, kW", p.output_change_kw),
            ("income, yuan/h", p.income_change),
        ] {
            let mut cells = vec![Cell::Number(p.demand_kw, 0), Cell::text(name)];
            cells.extend(values.iter().map(|value| Cell::Signed(*value, 2)));
            cells.push(Cell::Signed(values.iter().sum(), 2));
            table.row(cells);
        }
    }
    table
}

fn shares(found: &Fig7) -> Table {
    let mut table = Table::new(
        "fig7-shares",
        "Who gets what of (L+ - L-) T, against trading with the grid alone, yuan/h",
        &[
            "#demand_kw|demand, kW",
            "strategy|strategy",
            "#traded_kw|traded, kW",
            "#sellers|sellers",
            "#buyers|buyers",
            "#aggregator|aggregator",
            "#total|together",
            "#constant|(L+ - L-) T",
        ],
    );
    for share in &found.shares {
        for (k, name) in ["improved", "traditional"].into_iter().enumerate() {
            table.row(vec![
                Cell::Number(share.demand_kw, 0),
                Cell::text(name),
                Cell::Number(share.traded_kw[k], 0),
                Cell::Number(share.sellers[k], 2),
                Cell::Number(share.buyers[k], 2),
                Cell::Number(share.aggregator[k], 2),
                Cell::Number(share.total[k], 2),
                Cell::Number(share.constant[k], 2),
            ]);
        }
    }
    table
}

/// Fig. 8.
pub(super) fn fig8<'a>(document: &'a Document, found: &Fig8) -> Section<'a> {
    let undamped = || {
        found
            .traces
            .iter()
            .filter(|trace| trace.alpha == 1.0)
            .map(|trace| trace.rounds)
    };
    let (fewest, most) = (undamped().min().unwrap_or(0), undamped().max().unwrap_or(0));
    let caption = format!(
        "Dots: undamped. Lines: damping {DAMPING}. A price that has come to rest is drawn on to iteration {FIG8_ITERATIONS}, which is as far as the paper shows."
    );
    Section {
        id: "fig8",
        heading: "Figure 8: clearing price by iteration",
        lead: format!(
            "Undamped the price rests after {fewest} to {most} rounds. How many it takes otherwise is set by the damping, which the paper does not give."
        ),
        blocks: vec![
            Block::Plots(plots::fig8(found), caption),
            Block::Table(prices(found)),
            Block::Table(rounds(found)),
            Block::Table(from(found)),
            Block::Table(starts(found)),
            claims_of(document, Figure::Fig8, false),
        ],
    }
}

fn word(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Improved => "improved",
        Strategy::Traditional => "traditional",
    }
}

fn prices(found: &Fig8) -> Table {
    let mut table = Table::new(
        "fig8",
        "Price by iteration",
        &[
            "strategy|strategy",
            "#demand_kw|demand, kW",
            "#damping|damping",
            "#iteration|iteration",
            "#price|price",
        ],
    );
    table.file_only = true;
    for trace in &found.traces {
        for (k, price) in trace.prices.iter().enumerate() {
            table.row(vec![
                Cell::text(word(trace.strategy)),
                Cell::Number(trace.demand_kw, 0),
                Cell::Number(trace.alpha, 1),
                Cell::Number(k as f64, 0),
                Cell::Number(*price, 6),
            ]);
        }
    }
    table
}

fn rounds(found: &Fig8) -> Table {
    let mut table = Table::new(
        "fig8-rounds",
        "Rounds until nothing moves by more than 1e-7, by damping (1 is none) and demand",
        &[
            "#damping|damping",
            "#improved_450|improved 450",
            "#improved_550|550",
            "#improved_1000|1000",
            "#traditional_450|traditional 450",
            "#traditional_550|550",
            "#traditional_1000|1000",
        ],
    );
    for r in &found.rounds {
        let mut cells = vec![Cell::Number(r.alpha, 1)];
        cells.extend(
            r.improved
                .iter()
                .chain(&r.traditional)
                .map(|count| Cell::Number(*count as f64, 0)),
        );
        table.row(cells);
    }
    table
}

fn from(found: &Fig8) -> Table {
    let mut table = Table::new(
        "fig8-from",
        "Price at the end from three first prices, yuan/kWh",
        &[
            "start|first price",
            "#rho0|rho0",
            "#demand_kw|demand, kW",
            "#improved|improved",
            "#traditional|traditional",
            "order|improved is",
        ],
    );
    for f in &found.from {
        let order = match f.improved - f.traditional {
            gap if gap.abs() <= super::claim::ROUNDING => "equal",
            gap if gap < 0.0 => "lower",
            _ => "higher",
        };
        table.row(vec![
            Cell::text(f.name),
            Cell::Number(f.rho0, 4),
            Cell::Number(f.demand_kw, 0),
            Cell::Number(f.improved, 4),
            Cell::Number(f.traditional, 4),
            Cell::text(order),
        ]);
    }
    table
}

fn starts(found: &Fig8) -> Table {
    let mut table = Table::new(
        "fig8-starts",
        "From evenly spaced first prices between the grid's two: the improved price at the end is",
        &[
            "#demand_kw|demand, kW",
            "#tried|tried",
            "#lower|lower",
            "#equal|equal",
            "#higher|higher",
        ],
    );
    for s in &found.starts {
        table.row(vec![
            Cell::Number(s.demand_kw, 0),
            Cell::Number(s.tried as f64, 0),
            Cell::Number(s.lower as f64, 0),
            Cell::Number(s.equal as f64, 0),
            Cell::Number(s.higher as f64, 0),
        ]);
    }
    table
}

/// Noise on the costs.
pub(super) fn robustness(found: &Robustness) -> Section<'static> {
    let mut table = Table::new(
        "robustness",
        "Draws in which all claims survive",
        &[
            "#noise|noise of costs",
            "#draws|draws",
            "#all|average and marginal cost shaken",
            "#all_coefficients|a and b shaken",
            "#earlier|earlier study",
        ],
    );
    let mut each = Table::new(
        "robustness-claims",
        "Claim by claim, average and marginal cost shaken",
        &[
            "claim|claim",
            "#at_0_01|0.01 %",
            "#at_0_03|0.03 %",
            "#at_0_1|0.1 %",
            "#at_0_3|0.3 %",
        ],
    );
    for size in &found.sizes {
        table.row(vec![
            Cell::text(format!("{} %", 100.0 * size.noise)),
            Cell::Number(found.draws as f64, 0),
            Cell::Number(size.all as f64, 0),
            Cell::Number(size.all_coefficients as f64, 0),
            Cell::Number(size.earlier as f64, 0),
        ]);
    }
    for (index, claim) in found.claims.iter().enumerate() {
        let mut cells = vec![Cell::text(*claim)];
        cells.extend(
            found
                .sizes
                .iter()
                .map(|size| Cell::Number(size.each[index] as f64, 0)),
        );
        each.row(cells);
    }
    Section {
        id: "robustness",
        heading: "How robust the agreement is",
        lead: format!(
            "Costs shaken at random, {} draws per size, seed {}: in how many do all claims on Figs. 7 and 8 that hold, read mildly, still hold? The earlier study drew other numbers. MG1, MG3 and MG4 cost almost the same, so \"12.38 kW against 0\" is a near-tie in this case.",
            found.draws, found.seed
        ),
        blocks: vec![Block::Table(table), Block::Table(each)],
    }
}

/// Fig. 9.
pub(super) fn fig9<'a>(document: &'a Document, found: Option<&Fig9>) -> Section<'a> {
    let mut blocks = Vec::new();
    let mut lead =
        "The paper draws curves and prints no number; only their character can be checked"
            .to_owned();
    if let Some(found) = found {
        lead.push_str(", on data chosen to have it.");
        blocks.push(Block::Plots(plots::fig9(found), found.source.clone()));
        blocks.push(Block::Table(measures(found)));
        blocks.push(Block::Table(curves(found)));
    } else {
        lead.push_str(", and no data were given.");
    }
    blocks.push(claims_of(document, Figure::Fig9, false));
    Section {
        id: "fig9",
        heading: "Figure 9: two microgrids",
        lead,
        blocks,
    }
}

fn measures(found: &Fig9) -> Table {
    let mut table = Table::new(
        "fig9-measures",
        "Peak, its time, and energy of the day",
        &[
            "microgrid|microgrid",
            "curve|curve",
            "#peak_kw|peak, kW",
            "peak_time|at",
            "#energy_kwh|energy, kWh",
        ],
    );
    for one in &found.microgrids {
        for (name, measure) in [("load", one.load), ("sun", one.pv), ("wind", one.wind)] {
            let minutes = (measure.peak_hour * 60.0).round() as u32;
            let time = format!("{:02}:{:02}", minutes / 60, minutes % 60);
            table.row(vec![
                Cell::text(one.label.clone()),
                Cell::text(name),
                Cell::Number(measure.peak_kw, 1),
                if measure.peak_kw > 0.0 {
                    Cell::Text(time)
                } else {
                    Cell::Empty
                },
                Cell::Number(measure.energy_kwh, 0),
            ]);
        }
    }
    table
}

fn curves(found: &Fig9) -> Table {
    let mut table = Table::new(
        "fig9",
        "Curves",
        &[
            "microgrid|microgrid",
            "#minute|minute",
            "#load_kw|load, kW",
            "#pv_kw|sun, kW",
            "#wind_kw|wind, kW",
        ],
    );
    table.file_only = true;
    let row = |one: &Curves, index: usize| {
        vec![
            Cell::text(one.label.clone()),
            Cell::Number(index as f64 * f64::from(found.interval_minutes), 0),
            Cell::Number(one.load_kw[index], 3),
            Cell::Number(one.pv_kw[index], 3),
            Cell::Number(one.wind_kw[index], 3),
        ]
    };
    for one in &found.microgrids {
        (0..one.load_kw.len()).for_each(|index| table.row(row(one, index)));
    }
    table
}
