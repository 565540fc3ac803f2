//! Clearing a step book beside sorting its keys and beside the linear program; matching blocks and buyers.
//!
//! `cargo bench -p tieline-market --bench clearing`

use std::hint::black_box;

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, SupportedConeT};
use divan::Bencher;
use microlp::{ComparisonOp, OptimizationDirection};
use tieline_market::aggregator::{
    Deficit, LineLimit, Offer, Problem, Terms, by_network, profit_by_lp, solve,
};
use tieline_market::book::{Book, PriceRule, Side, Step, TieRule, clear};

fn main() {
    divan::main();
}

/// Steps of a book.
const STEPS: [usize; 3] = [10_000, 100_000, 1_000_000];
/// Sizes at which a linear program ends in seconds.
const PROGRAM_STEPS: [usize; 2] = [1_000, 10_000];

#[divan::bench(args = STEPS)]
fn clear_pro_rata(bencher: Bencher<'_, '_>, steps: usize) {
    let book = Book::new(book(steps, 1_000_000));
    bencher.bench(|| clear(black_box(&book), PriceRule::Mid, TieRule::ProRata));
}

/// A thousand prices: a thousand steps share the margin at the largest size.
#[divan::bench(args = STEPS)]
fn clear_many_ties(bencher: Bencher<'_, '_>, steps: usize) {
    let book = Book::new(book(steps, 1_000));
    bencher.bench(|| clear(black_box(&book), PriceRule::Mid, TieRule::ProRata));
}

#[divan::bench(args = STEPS)]
fn sort_the_prices_alone(bencher: Bencher<'_, '_>, steps: usize) {
    let prices: Vec<i64> = book(steps, 1_000_000)
        .iter()
        .map(|step| step.price)
        .collect();
    bencher
        .with_inputs(|| prices.clone())
        .bench_local_refs(|prices| prices.sort_unstable());
}

#[divan::bench(args = PROGRAM_STEPS, sample_count = 3, sample_size = 1)]
fn program_by_microlp(bencher: Bencher<'_, '_>, steps: usize) {
    let book = book(steps, 1_000_000);
    bencher.bench(|| {
        let mut program = microlp::Problem::new(OptimizationDirection::Maximize);
        let terms: Vec<_> = book
            .iter()
            .map(|step| {
                (
                    program.add_var(sign(step) * price(step), (0.0, quantity(step))),
                    sign(step),
                )
            })
            .collect();
        program.add_constraint(terms, ComparisonOp::Eq, 0.0);
        program.solve().map(|outcome| outcome.is_optimal())
    });
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 3, sample_size = 1)]
fn program_by_clarabel(bencher: Bencher<'_, '_>, steps: usize) {
    let book = book(steps, 1_000_000);
    bencher.bench(|| interior_point(&book));
}

/// 30 blocks and 15 buyers without line limits: one market interval.
#[divan::bench]
fn match_closed_form(bencher: Bencher<'_, '_>) {
    let problem = matching(30, 15, 0);
    bencher.bench(|| solve(black_box(&problem)));
}

/// 60 blocks and 20 buyers, a third of the lines limited.
#[divan::bench]
fn match_with_line_limits(bencher: Bencher<'_, '_>) {
    let problem = matching(60, 20, 3);
    bencher.bench(|| solve(black_box(&problem)));
}

/// The same without the check by linear program.
#[divan::bench]
fn match_by_network(bencher: Bencher<'_, '_>) {
    let problem = matching(60, 20, 3);
    bencher.bench(|| by_network(black_box(&problem)));
}

/// The linear program that [`match_with_line_limits`] contains as its check.
#[divan::bench]
fn match_program_alone(bencher: Bencher<'_, '_>) {
    let problem = matching(60, 20, 3);
    bencher.bench(|| profit_by_lp(black_box(&problem)));
}

/// Maximises welfare over accepted quantities `x`, `0 <= x <= q`, bought = sold.
fn interior_point(book: &[Step]) -> f64 {
    let n = book.len();
    let objective: Vec<f64> = book.iter().map(|step| -sign(step) * price(step)).collect();
    // Column by column: balance, x <= q, -x <= 0.
    let rows = (0..n).flat_map(|i| [0, 1 + i, 1 + n + i]).collect();
    let values = book
        .iter()
        .flat_map(|step| [sign(step), 1.0, -1.0])
        .collect();
    let matrix = CscMatrix::new(1 + 2 * n, n, (0..=n).map(|i| 3 * i).collect(), rows, values);
    let bounds: Vec<f64> = std::iter::once(0.0)
        .chain(book.iter().map(quantity))
        .chain(std::iter::repeat_n(0.0, n))
        .collect();
    let cones = [
        SupportedConeT::ZeroConeT(1),
        SupportedConeT::NonnegativeConeT(2 * n),
    ];
    let settings = DefaultSettings {
        verbose: false,
        ..DefaultSettings::default()
    };
    let zero = CscMatrix::zeros((n, n));
    let mut solver = DefaultSolver::new(&zero, &objective, &matrix, &bounds, &cones, settings)
        .expect("shapes agree");
    solver.solve();
    solver.solution.obj_val
}

fn sign(step: &Step) -> f64 {
    match step.side {
        Side::Buy => 1.0,
        Side::Sell => -1.0,
    }
}

#[allow(clippy::cast_precision_loss, reason = "below 2^53")]
fn price(step: &Step) -> f64 {
    step.price as f64
}

#[allow(clippy::cast_precision_loss, reason = "below 2^53")]
fn quantity(step: &Step) -> f64 {
    step.quantity as f64
}

/// Half buys, half sells, prices below `prices`, quantities 1 to 1000.
fn book(steps: usize, prices: u64) -> Vec<Step> {
    let mut random = SplitMix64(1);
    let side = |i: usize| {
        if i.is_multiple_of(2) {
            Side::Buy
        } else {
            Side::Sell
        }
    };
    let step = |i: usize| Step {
        side: side(i),
        price: i64::try_from(random.below(prices)).unwrap_or(i64::MAX),
        quantity: 1 + random.below(1_000),
    };
    (0..steps).map(step).collect()
}

/// A matching problem in which three blocks share a microgrid; every `every`-th line is limited, none for 0.
fn matching(blocks: usize, buyers: usize, every: usize) -> Problem {
    let mut random = SplitMix64(2);
    let mut uniform = |low: f64, high: f64| {
        let share = f64::from(u32::try_from(random.below(1 << 32)).unwrap_or(u32::MAX))
            / f64::from(u32::MAX);
        low + share * (high - low)
    };
    let seller = |block: usize| format!("S{}", block / 3);
    let terms = Terms {
        grid_sell: 0.8,
        grid_buy: 0.1,
        delta: 1.05,
        delta_grid: 1.0,
        price: 0.5,
    };
    let offers: Vec<Offer> = (0..blocks)
        .map(|block| Offer {
            id: seller(block),
            kw: uniform(10.0, 100.0),
            ask: uniform(0.2, 0.6),
        })
        .collect();
    let deficits: Vec<Deficit> = (0..buyers)
        .map(|buyer| Deficit {
            id: format!("B{buyer}"),
            kw: uniform(20.0, 150.0),
        })
        .collect();
    let lines = (0..blocks.div_ceil(3)).flat_map(|i| (0..buyers).map(move |j| (i, j)));
    let limited = lines.filter(|(i, j)| every > 0 && (i + j).is_multiple_of(every));
    let limits = limited
        .map(|(i, j)| LineLimit {
            seller: format!("S{i}"),
            buyer: format!("B{j}"),
            kw: uniform(0.0, 40.0),
        })
        .collect();
    Problem::new(terms, offers, deficits, limits).expect("valid")
}

/// Generator of Steele, Lea and Flood 2014: reproducible books without a dependency.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
