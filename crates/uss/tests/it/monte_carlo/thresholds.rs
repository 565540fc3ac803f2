//! How many dishonest participants are too many: below the thresholds nothing, above them everything.

use tieline_uss::committee::Level;
use tieline_uss::dispute::Vote;
use tieline_uss::family::Family;
use tieline_uss::paper::PaperScheme;
use tieline_uss::parameters::Epoch;
use tieline_uss::party::Receiver;

use crate::support::{World, epoch, p, random, spoil};

/// The signer and the last `friends` receivers: P1 passes exactly the tests that `from` needs, all friends' among them;
/// the others do not get the friends'. Levels of P1 and of the least of the other honest receivers.
fn levels(epoch: &Epoch, from: Level, friends: u8, seed: u64) -> (Option<Level>, Option<Level>) {
    let mut world = World::new(epoch.clone(), &mut random(seed));
    let mut signed = world.sign();
    let committee = epoch.parameters().committee();
    let per_receiver = epoch.parameters().functions_per_receiver();
    let honest = committee.receivers() - friends;
    let given_up = committee.receivers() - committee.tests_needed(from, 0) as u8;
    for index in 1..=given_up {
        spoil(epoch, &mut signed, p(index), 0..per_receiver);
    }
    for friend in Receiver::first(committee.receivers()).skip(honest.into()) {
        let for_first = world.set(friend, p(0));
        let wrong = (0..per_receiver).filter(|index| !for_first.contains(index));
        spoil(epoch, &mut signed, friend, wrong);
    }
    let finalised = world.order(signed);
    let verdicts = world.parties.verify(&finalised).unwrap();
    let others = verdicts[1..honest.into()]
        .iter()
        .map(|verdict| verdict.level());
    (verdicts[0].level(), others.min().unwrap())
}

/// ω friends are one more than the signer may have; with ω - 1 the same attack gains nothing, ever.
#[test]
fn transfer_fails_always_with_the_signer_and_omega_receivers_and_never_with_one_fewer() {
    for committee in [
        (4, 1, 0),
        (5, 2, 0),
        (4, 1, 1),
        (8, 2, 1),
        (9, 3, 0),
        (14, 3, 1),
    ] {
        let budgets: Vec<u16> = (0..u16::from(committee.2) + 2).collect();
        let epoch = epoch(
            committee,
            Family::Gf64,
            (budgets.len() as u16 + 1, &budgets),
            1,
        );
        for from in (0..=committee.2 as i8).map(|level| Level::new(level).unwrap()) {
            let below = Level::new(from.number() - 1);
            for seed in 0..5 {
                let (first, least) = levels(&epoch, from, committee.1, seed);
                assert!(first >= Some(from), "{committee:?}");
                assert!(least < below, "{committee:?} {from:?}: {least:?}");
                let (first, least) = levels(&epoch, from, committee.1 - 1, seed);
                assert!(first >= Some(from), "{committee:?}");
                assert!(least >= below, "{committee:?} {least:?}");
            }
        }
    }
}

/// In the printed scheme, whatever n, the number of dishonest receivers and the friend: always, with 128-bit tags.
#[test]
fn in_the_printed_scheme_repudiation_succeeds_always() {
    let mut random = random(1);
    let mut tried = 0;
    for receivers in 2..=24 {
        for dishonest in 0..receivers {
            let Some(scheme) = PaperScheme::draw(receivers, dishonest, &mut random) else {
                continue;
            };
            for friend in Receiver::first(receivers) {
                let signature = scheme.sign_for_one(b"m", friend).unwrap();
                for j in Receiver::first(receivers) {
                    let verdict = scheme.verify(j, b"m", &signature).unwrap();
                    assert_eq!(verdict.is_accepted(), j == friend);
                    let passed = if j == friend { receivers.into() } else { 0 };
                    assert_eq!(verdict.passed, passed);
                }
                tried += 1;
            }
            let honest = scheme.sign(b"m").unwrap();
            let all = Receiver::first(receivers).map(|j| scheme.verify(j, b"m", &honest).unwrap());
            assert!(all.into_iter().all(|verdict| verdict.is_accepted()));
        }
    }
    assert!(tried > 1_000);
}

/// The same against the secret split: tags right for the set that an index rule would give P1, wrong for all others.
#[test]
fn the_attack_on_the_printed_scheme_convinces_nobody_here() {
    let epoch = epoch((4, 1, 0), Family::Gf64, (8, &[0, 2]), 1);
    for seed in 0..20 {
        let mut world = World::new(epoch.clone(), &mut random(seed));
        let mut signed = world.sign();
        for row in 0..4 {
            spoil(
                &epoch,
                &mut signed,
                p(row),
                (0..32).filter(|index| index % 4 != 0),
            );
        }
        let finalised = world.order(signed);
        let verdicts = world.parties.verify(&finalised).unwrap();
        assert!(verdicts.iter().all(|verdict| !verdict.is_accepted()));
        assert!(
            verdicts
                .iter()
                .filter(|verdict| verdict.vote() == Some(Vote::Reject))
                .count()
                > 2
        );
    }
}
