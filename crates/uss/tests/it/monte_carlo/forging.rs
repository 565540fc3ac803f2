//! Forging in whole runs: ω receivers pool all they know and pass another message off as the signer's.

use tieline_uss::dispute::Vote;
use tieline_uss::family::{Family, Small};
use tieline_uss::parameters::Epoch;
use tieline_uss::party::Receiver;
use tieline_uss::signature::SignedMessage;

use super::model::{at_least, bounds};
use super::statistics::{Rate, number, samples};
use crate::support::{World, edit_tags, epoch, p, random};

const FORGED: &[u8] = b"41 kWh at 0.27";

/// Rows of the first `colluders` receivers are right, what others gave them too; all other tags stay as they were.
pub(crate) fn forge(world: &World, honest: SignedMessage, colluders: u8) -> SignedMessage {
    let mut signed = honest;
    let per_receiver = world.epoch.parameters().functions_per_receiver();
    let receivers = world.epoch.parameters().committee().receivers();
    edit_tags(&world.epoch, &mut signed, |tags| {
        for (row, tags) in Receiver::first(receivers).zip(tags.chunks_mut(per_receiver)) {
            let due = world.functions(row).tags(&world.epoch, FORGED);
            if row.index() < usize::from(colluders) {
                tags.copy_from_slice(&due);
                continue;
            }
            for friend in Receiver::first(colluders) {
                world
                    .set(row, friend)
                    .into_iter()
                    .for_each(|index| tags[index] = due[index]);
            }
        }
    });
    signed.body = FORGED.to_vec();
    signed
}

/// How often some honest receiver accepts first hand, and in a dispute.
fn rates(epoch: &Epoch, seed: u64, quick: u32) -> [Rate; 2] {
    let dishonest = epoch.parameters().committee().dishonest();
    let mut random = random(seed);
    let samples = samples(quick);
    let mut counts = [0, 0];
    for _ in 0..samples {
        let mut world = World::new(epoch.clone(), &mut random);
        let honest = world.sign();
        let forged = forge(&world, honest, dishonest);
        let finalised = world.order(forged);
        let verdicts = world.parties.verify(&finalised).unwrap();
        let honest = &verdicts[usize::from(dishonest)..];
        counts[0] += u32::from(honest.iter().any(|verdict| verdict.is_accepted()));
        counts[1] += u32::from(
            honest
                .iter()
                .any(|verdict| verdict.vote() == Some(Vote::Accept)),
        );
    }
    counts.map(|successes| Rate { successes, samples })
}

/// Tags of two bits, so that guessing succeeds within reach. Exact: each honest receiver's honest blocks pass independently.
#[test]
fn omega_receivers_forge_less_often_than_the_bounds_and_as_often_as_independent_guesses() {
    let family = Family::Small(Small::new(2, 14).unwrap());
    for (committee, functions, budgets, quick) in [
        ((4, 1, 0), 3, vec![0, 1], 300),
        ((4, 1, 0), 5, vec![0, 1], 1_000),
        ((5, 2, 0), 4, vec![0, 1], 300),
        ((4, 1, 1), 4, vec![0, 1, 2], 300),
    ] {
        let epoch = epoch(committee, family, (functions, &budgets), 1);
        let bounds = bounds(&epoch);
        let (n, omega) = (u32::from(committee.0), u32::from(committee.1));
        let [first_hand, in_dispute] = rates(&epoch, 1, quick);
        let measured = [(first_hand, 0), (in_dispute, budgets.len() - 1)];
        for (rate, place) in measured {
            let forging = bounds.forging[place];
            let what = format!(
                "forging at level {}, {committee:?}, k = {functions}",
                forging.level.number()
            );
            if number(forging.simple) < 1.0 {
                rate.is_below(&format!("{what}, simple bound"), number(forging.simple));
            }
            rate.is_not_above(&format!("{what}, tight bound"), number(forging.tight));
            let budget = u32::from(budgets[place]);
            let passes = at_least(u32::from(functions) - budget, functions.into(), 0.25);
            let one = at_least(forging.colluders_needed - omega, n - omega, passes);
            let exact = at_least(1, n - omega, one);
            rate.is(&format!("{what}, exact"), exact);
        }
    }
}

#[test]
fn tags_of_64_bits_are_never_forged() {
    let epoch = epoch((5, 2, 0), Family::Gf64, (2, &[0, 1]), 1);
    for rate in rates(&epoch, 2, 100) {
        assert_eq!(rate.successes, 0);
    }
}

/// From ⌊nδ_l⌋ + 1 colluders on nothing need be forged; one fewer, and every 64-bit tag of a test must be guessed.
#[test]
fn forging_succeeds_always_from_as_many_colluders_as_tests_are_needed_and_never_with_one_fewer() {
    for committee in [(5, 2, 0), (8, 2, 1), (9, 3, 0), (4, 1, 2)] {
        let budgets: Vec<u16> = (0..u16::from(committee.2) + 2).collect();
        let epoch = epoch(
            committee,
            Family::Gf64,
            (budgets.len() as u16 + 1, &budgets),
            1,
        );
        let bounds = bounds(&epoch);
        for forging in bounds.forging {
            let needed = forging.colluders_needed as u8;
            let delta = f64::from(forging.level.number() + 1) * f64::from(committee.1 - 1);
            assert_eq!(
                needed,
                (f64::from(committee.0) / 2.0 + delta).floor() as u8 + 1
            );
            for (colluders, succeeds) in [(needed, true), (needed - 1, false)] {
                let mut world = World::new(epoch.clone(), &mut random(u64::from(colluders)));
                let honest = world.sign();
                let forged = forge(&world, honest, colluders);
                let finalised = world.order(forged);
                for index in colluders..committee.0 {
                    let verdict = world.parties.verifiers[usize::from(index)].verify(&finalised);
                    let level = verdict.unwrap().level();
                    let what = format!("{committee:?} {colluders} {}", p(index));
                    assert_eq!(level >= Some(forging.level), succeeds, "{what}");
                }
            }
        }
    }
}
