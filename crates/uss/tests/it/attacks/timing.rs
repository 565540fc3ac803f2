//! 18: what the time of a test tells.
//!
//! After Reparaz, Balasch, Verbauwhede 2017 ("Dude, is my code constant time?"): runs of two classes, in random order, and
//! Welch's t of their times after the slowest are cut off. No absolute time is compared. A comparison that ends early is
//! measured in the same way and must be found out.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "measures time, which is what it is for, and prints what it finds or leaves out"
)]

use std::hint::black_box;
use std::time::Instant;

use rand_core::Rng as _;
use tieline_uss::epoch::Finalised;
use tieline_uss::family::Family;
use tieline_uss::signature::Signature;
use tieline_uss::verify::Verifier;

use crate::support::{FIRST, World, edit_tags, epoch, p, random};

/// |t| from which on two classes are told apart.
const LIMIT: f64 = 10.0;
/// Share of the times that is kept.
const KEPT: f64 = 0.8;

/// What is wrong in a signature, seen by P1.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Class {
    Nothing,
    FirstTag,
    LastTag,
    Everything,
}

/// A fresh epoch of four receivers and a signature of the class; P1 and what it will test.
fn prepare(
    class: Class,
    random: &mut rand_chacha::ChaCha20Rng,
) -> (Verifier, Finalised, Vec<u128>) {
    let epoch = epoch((4, 1, 0), Family::Gf64, (32, &[0, 16]), 1);
    let mut world = World::new(epoch.clone(), random);
    let mut signed = world.sign();
    let first = world.set(p(0), p(0))[0];
    let last = 3 * 128 + world.set(p(3), p(0))[31];
    let due = Signature::decode(&epoch, &signed.signature)
        .unwrap()
        .tags()
        .to_vec();
    edit_tags(&epoch, &mut signed, |tags| match class {
        Class::Nothing => {}
        Class::FirstTag => tags[first] ^= 1,
        Class::LastTag => tags[last] ^= 1,
        Class::Everything => tags.iter_mut().for_each(|tag| *tag ^= 1),
    });
    let finalised = world.order(signed);
    assert_eq!(finalised.counter(), FIRST);
    (world.parties.verifiers.remove(0), finalised, due)
}

/// Welch's t of the times of `measured` in two classes.
fn welch(
    classes: [Class; 2],
    samples: u32,
    measured: impl Fn(&mut Verifier, &Finalised, &[u128]),
) -> f64 {
    let mut random = random(1);
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..samples {
        let class = (random.next_u32() & 1) as usize;
        let (mut verifier, finalised, due) = prepare(classes[class], &mut random);
        let start = Instant::now();
        measured(&mut verifier, &finalised, &due);
        times[class].push(start.elapsed().as_nanos() as f64);
    }
    let mut all: Vec<f64> = times.concat();
    all.sort_by(f64::total_cmp);
    let limit = all[(all.len() as f64 * KEPT) as usize];
    let [one, other] = times.map(|times| {
        let kept: Vec<f64> = times.into_iter().filter(|time| *time <= limit).collect();
        let count = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let variance = kept.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    (one.0 - other.0) / (one.1 + other.1).sqrt()
}

/// A comparison that ends at the first wrong tag: what must not be in the library.
fn leaky(finalised: &Finalised, due: &[u128]) -> bool {
    let tags = finalised.message().signature[19..].chunks(8);
    let mut same = true;
    for (tag, due) in tags.zip(due) {
        same &= tag == (*due as u64).to_be_bytes();
        if !black_box(same) {
            break;
        }
    }
    same
}

#[test]
fn attack_18_the_harness_computes_welchs_t() {
    // No verifier is touched: equal work in both classes gives a t that is finite.
    let t = welch([Class::Nothing, Class::Nothing], 200, |_, _, due| {
        black_box(due.iter().fold(0, |sum, tag| sum ^ tag));
    });
    assert!(t.is_finite());
}

mod slow {
    use super::*;

    fn is_left_out() -> bool {
        let left_out = !crate::monte_carlo::is_slow();
        if left_out {
            println!("skipped: measures times; set TIELINE_SLOW=1");
        }
        left_out
    }

    /// 18: a comparison that ends early [found out by the same harness].
    #[test]
    fn attack_18_a_comparison_that_ends_early_is_found_out() {
        if is_left_out() {
            return;
        }
        let t = welch(
            [Class::FirstTag, Class::LastTag],
            20_000,
            |_, finalised, due| {
                black_box(leaky(finalised, due));
            },
        );
        println!("time of a leaky comparison: t = {t:.1}");
        assert!(t.abs() > LIMIT, "t = {t}");
    }

    /// 18: first tag wrong, last tag wrong, all wrong (rejected at every level), none wrong (accepted) [no difference].
    #[test]
    fn attack_18_a_test_takes_the_same_time_whatever_is_wrong() {
        if is_left_out() {
            return;
        }
        for classes in [
            [Class::FirstTag, Class::LastTag],
            [Class::Nothing, Class::FirstTag],
            [Class::Nothing, Class::LastTag],
            [Class::Nothing, Class::Everything],
        ] {
            let t = welch(classes, 20_000, |verifier, finalised, _| {
                black_box(verifier.verify(finalised).is_ok());
            });
            println!("time of a test, {classes:?}: t = {t:.1}");
            assert!(t.abs() < LIMIT, "{classes:?}: t = {t}");
        }
    }
}
