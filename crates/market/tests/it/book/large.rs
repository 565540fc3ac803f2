//! Books large enough for the sampled guess, with prices it cannot guess among them.

use tieline_market::book::{Book, PriceRule, Side, Step, TieRule, clear};

use super::properties::check_consistent;

/// Steps of a book.
const STEPS: u64 = 40_000;
/// Outweighs all other steps together.
const GIANT: u64 = 1 << 60;

type Random = dyn FnMut(u64) -> u64;
/// Whether the step of this place buys, its price and its quantity.
type Rule = fn(u64, &mut Random) -> (bool, u64, u64);

const BOOKS: [(&str, Rule); 13] = [
    ("random", |_, random| any(random)),
    ("few prices", |_, random| {
        (random(2) == 0, random(5), random(50))
    }),
    ("one price", |_, random| (random(2) == 0, 7, random(50))),
    ("sorted", |index, random| {
        (random(2) == 0, index / 4, 1 + random(3))
    }),
    ("many buyers", |_, random| {
        (random(1_000) > 0, random(10_000), random(50))
    }),
    ("many sellers", |_, random| {
        (random(1_000) == 0, random(10_000), random(50))
    }),
    ("no buyer", |_, random| (false, random(10_000), random(50))),
    ("no seller", |_, random| (true, random(10_000), random(50))),
    ("no crossing", |index, random| {
        (
            index % 2 == 0,
            random(1_000) + 2_000 * (index % 2),
            random(50),
        )
    }),
    ("giant buyer first", |index, random| {
        if index == 0 {
            (true, 9_000, GIANT)
        } else {
            any(random)
        }
    }),
    ("giant buyer", |index, random| {
        if index == 12_345 {
            (true, 9_000, GIANT)
        } else {
            any(random)
        }
    }),
    ("giant seller last", |index, random| {
        if index == STEPS - 1 {
            (false, 1_000, GIANT)
        } else {
            any(random)
        }
    }),
    ("mostly empty", |_, random| {
        (
            random(2) == 0,
            random(10_000),
            if random(5_000) == 0 { 9 } else { 0 },
        )
    }),
];

fn any(random: &mut Random) -> (bool, u64, u64) {
    (random(2) == 0, random(10_000), random(50))
}

#[test]
fn large_books_clear_to_the_interval_found_by_sorting() {
    let mut state = 7_u64;
    let mut random = move |bound: u64| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 31)) % bound
    };
    for (name, rule) in BOOKS {
        let mut step = |index| {
            let (buys, price, quantity) = rule(index, &mut random);
            let side = if buys { Side::Buy } else { Side::Sell };
            Step {
                side,
                price: i64::try_from(price).expect("small") - 5_000,
                quantity,
            }
        };
        let steps: Vec<Step> = (0..STEPS).map(&mut step).collect();
        let clearing =
            clear(&Book::new(steps.clone()), PriceRule::Mid, TieRule::ProRata).expect(name);
        assert_eq!(
            (clearing.price.low, clearing.price.high),
            interval_by_sorting(&steps),
            "{name}"
        );
        check_consistent(&steps, &clearing).expect(name);
    }
}

/// The interval by sorting: lowest price with `D-(p) <= S+(p)`, highest with `S-(p) <= D+(p)`, among the prices of the book.
fn interval_by_sorting(steps: &[Step]) -> (Option<i64>, Option<i64>) {
    let mut points: Vec<(i64, u128)> = steps
        .iter()
        .map(|step| (step.price, step.quantity.into()))
        .collect();
    points.retain(|point| point.1 > 0);
    points.sort_unstable();
    let demand: u128 = steps
        .iter()
        .filter(|s| s.side == Side::Buy)
        .map(|s| u128::from(s.quantity))
        .sum();
    let (mut to, mut low, mut high) = (0, None, None);
    for (price, quantity) in points {
        // `to` counts points before this one, some perhaps at the same price: both ends are unaffected.
        if to <= demand {
            high = Some(price);
        }
        to += quantity;
        if low.is_none() && to >= demand {
            low = Some(price);
        }
    }
    (low.filter(|_| demand > 0), high.filter(|_| to > demand))
}
