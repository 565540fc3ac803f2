//! One test, of one block, by one receiver: p_t against the best guess, p_m against the best choice of wrong tags.

use rand_core::Rng as _;
use tieline_uss::bits::BitReader;
use tieline_uss::bounds::{Log2, block_differs, test_passed};
use tieline_uss::dispute::Vote;
use tieline_uss::family::{Family, HashKeys, Small, small};

use super::model::{at_least, bounds, deal};
use super::statistics::{Rate, number, samples};
use crate::support::{BODY, FIRST, World, edit_tags, epoch, p, random, spoil};

/// b = 4, s = 2: blocks of 6 bits, three bytes are four of them, so a difference of two messages has at most four roots.
fn tiny() -> Small {
    Small::new(4, 2).unwrap()
}

fn product(a: u64, b: u64) -> u64 {
    let modulus = small::modulus(6).unwrap() as u64;
    let raw = (0..6)
        .filter(|i| b >> i & 1 == 1)
        .fold(0, |sum, i| sum ^ a << i);
    (6..12).rev().fold(raw, |sum, i| {
        if sum >> i & 1 == 1 {
            sum ^ modulus << (i - 6)
        } else {
            sum
        }
    })
}

/// Two messages whose difference, as a polynomial in the hash key, has four roots: 0, 1, x, x + 1.
fn substitution() -> ([u8; 3], [u8; 3]) {
    // Coefficients from the constant term up; the constant one is the length block, equal in both.
    let mut difference = vec![1_u64];
    for root in [0, 1, 2, 3] {
        let mut next = vec![0; difference.len() + 1];
        for (i, c) in difference.iter().enumerate() {
            next[i + 1] ^= c;
            next[i] ^= product(*c, root);
        }
        difference = next;
    }
    assert_eq!(difference[0], 0);
    let blocks = difference[1..]
        .iter()
        .rev()
        .fold(0, |bits, block| bits << 6 | block);
    let [_, .., a, b, c] = blocks.to_be_bytes();
    ([0; 3], [a, b, c])
}

fn same_tag(keys: &HashKeys) -> Vec<bool> {
    let (one, other) = substitution();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    keys.hash(&one, &mut first).unwrap();
    keys.hash(&other, &mut second).unwrap();
    first.iter().zip(&second).map(|(a, b)| a == b).collect()
}

/// All 4096 hash keys: the chance that the old tag fits the new message is ε = 1/16 + 4/64 · 15/16, no more and no less.
#[test]
fn the_best_substitution_attains_epsilon_over_all_hash_keys() {
    let mut writer = tieline_uss::bits::BitWriter::default();
    (0..4096).for_each(|key| writer.write(key, 12));
    let bytes = writer.into_bytes();
    let family = Family::Small(tiny());
    let keys = HashKeys::read(family, &mut BitReader::new(&bytes), 4096).unwrap();
    let fits = same_tag(&keys).into_iter().filter(|same| *same).count();
    assert_eq!(fits as f64 / 4096.0, family.epsilon(3));
}

/// p_t(u) = C(k, u) ε^(k-u): real hash functions, the best substitution, tags as they were.
#[test]
fn a_test_is_passed_by_guessing_no_more_often_than_p_t_and_no_less_than_a_tenth_of_it() {
    let family = Family::Small(tiny());
    let guess = Log2::from_exponent(family.epsilon_log2(3));
    let mut random = random(1);
    for (functions, budget) in [(1, 0), (2, 0), (3, 0), (3, 1), (4, 2), (5, 2), (6, 5)] {
        let rate = Rate::of(samples(20_000), |_| {
            let mut bytes = vec![0; 16];
            random.fill_bytes(&mut bytes);
            let mut reader = BitReader::new(&bytes);
            let keys = HashKeys::read(family, &mut reader, usize::from(functions)).unwrap();
            same_tag(&keys).into_iter().filter(|same| !same).count() <= usize::from(budget)
        });
        let what = format!("test by guessing, k = {functions}, u = {budget}");
        let bound = number(test_passed(functions, budget, guess));
        rate.is_not_above(&what, bound);
        rate.is_above(&format!("{what}, a tenth"), bound / 10.0);
        let needed = u32::from(functions - budget);
        rate.is(
            &format!("{what}, exact"),
            at_least(needed, functions.into(), family.epsilon(3)),
        );
    }
}

/// Two receivers, one dishonest: what the honest one accepts of a forged message hangs on one test. Tags of two bits.
#[test]
fn in_whole_runs_one_test_is_forged_as_often_as_p_t_says() {
    let family = Family::Small(Small::new(2, 14).unwrap());
    let epoch = epoch((2, 1, 0), family, (3, &[0, 1]), 1);
    let bounds = bounds(&epoch);
    let mut random = random(2);
    let (mut accepted, mut in_dispute) = (0, 0);
    let samples = samples(2_000);
    for _ in 0..samples {
        let mut world = World::new(epoch.clone(), &mut random);
        let mut signed = world.sign();
        // P1 knows its own row. Of the other it knows what P2 gave it, which P2 does not test; the rest stays as it is.
        let forged = b"41 kWh at 0.27";
        let own = world.functions(p(0)).tags(&epoch, forged);
        edit_tags(&epoch, &mut signed, |tags| {
            tags[..own.len()].copy_from_slice(&own)
        });
        signed.body = forged.to_vec();
        let finalised = world.order(signed);
        let verdict = world.parties.verifiers[1].verify(&finalised).unwrap();
        accepted += u32::from(verdict.is_accepted());
        in_dispute += u32::from(verdict.vote() == Some(Vote::Accept));
    }
    for (what, successes, forging) in [
        ("forged test at level 0", accepted, bounds.forging[0]),
        ("forged test in a dispute", in_dispute, bounds.forging[1]),
    ] {
        let rate = Rate { successes, samples };
        rate.is_not_above(what, number(forging.test_passed));
        rate.is_above(
            &format!("{what}, a tenth"),
            number(forging.test_passed) / 10.0,
        );
    }
}

/// max over T: the model at n = 2 against the exact sum, for all T the worst of which the bound takes.
#[test]
fn a_block_differs_between_two_receivers_exactly_as_often_as_p_m_says_and_less_among_more() {
    let mut random = random(3);
    for (functions, budget, below) in [(3, 0, 1), (4, 0, 3), (6, 1, 3), (8, 0, 4), (8, 2, 5)] {
        let exact = number(block_differs(functions as u16, budget as u16, below as u16));
        let what = format!("differing block, k = {functions}, u = {budget}, {below}");
        for receivers in [2, 4, 8] {
            // Among n receivers the two hold 2/n of the wrong tags: the best T grows with n.
            let worst = (budget + below + 1) * receivers / 2;
            let rate = Rate::of(samples(20_000), |_| {
                let held = deal(receivers, functions, worst, &mut random);
                held[0] <= budget && held[1] > below
            });
            if receivers == 2 {
                rate.is(&format!("{what}, exact"), exact);
                rate.is_above(&format!("{what}, a tenth"), exact / 10.0);
            } else {
                rate.is_not_above(&format!("{what}, n = {receivers}"), exact);
            }
        }
    }
}

/// Whole runs of two receivers: T = u_0 + u_-1 + 1 wrong tags of P1's block; P1 accepts, P2 rejects in the dispute.
#[test]
fn in_whole_runs_a_block_differs_exactly_as_often_as_p_m_says() {
    for (functions, budgets) in [(4, [0, 3]), (4, [0, 1]), (6, [1, 4])] {
        let epoch = epoch((2, 1, 0), Family::Gf64, (functions, &budgets), 1);
        let exact = number(block_differs(functions, budgets[0], budgets[1]));
        let wrong = usize::from(budgets[0] + budgets[1]) + 1;
        let mut random = random(4);
        let rate = Rate::of(samples(2_000), |_| {
            let mut world = World::new(epoch.clone(), &mut random);
            let mut signed = world.sign();
            assert_eq!(signed.body, BODY);
            spoil(&epoch, &mut signed, p(0), 0..wrong);
            let finalised = world.order(signed);
            assert_eq!(finalised.counter(), FIRST);
            let verdicts = world.parties.verify(&finalised).unwrap();
            verdicts[0].is_accepted() && verdicts[1].vote() == Some(Vote::Reject)
        });
        let what = format!("differing block in whole runs, k = {functions}, u = {budgets:?}");
        rate.is(&what, exact);
        rate.is_above(&format!("{what}, a tenth"), exact / 10.0);
    }
}
