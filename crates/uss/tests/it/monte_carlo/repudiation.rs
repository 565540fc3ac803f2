//! Failed transfer and repudiation in whole runs: the signer and its t = ω - 1 friends against the other receivers.

use rand_chacha::ChaCha20Rng;
use tieline_uss::committee::Level;
use tieline_uss::dispute::{Outcome, Vote};
use tieline_uss::family::Family;
use tieline_uss::parameters::Epoch;
use tieline_uss::party::{Party, Receiver};

use super::model::{bounds, deal};
use super::statistics::{Rate, number, samples};
use crate::support::{FIRST, World, epoch, p, random, spoil};

/// The signer's best known attack at one step of the levels. P1 is to accept at `from`, somebody else to reject at one less.
///
/// P1 needs p tests and gets exactly p: so many honest blocks are wrong throughout that it cannot miss one. Its friends'
/// blocks, whose split the friends tell, are right for P1 and wrong for the others, who so come to p - t tests: just
/// enough. Of the block of P2 `wrong` tags are wrong that no friend holds: if P1 misses at most u_l of them and another
/// one more than u_(l-1), transfer fails.
#[derive(Clone, Copy)]
struct Attack {
    from: Level,
    wrong: usize,
}

struct Setting {
    epoch: Epoch,
    receivers: u8,
    honest: u8,
}

impl Setting {
    fn new(committee: (u8, u8, u8), functions: u16, budgets: &[u16]) -> Setting {
        Setting {
            epoch: epoch(committee, Family::Gf64, (functions, budgets), 1),
            receivers: committee.0,
            honest: committee.0 - committee.1 + 1,
        }
    }

    fn budgets(&self, from: Level) -> [usize; 2] {
        let below = Level::new(from.number() - 1).unwrap();
        [from, below].map(|level| usize::from(self.epoch.parameters().budget(level)))
    }

    /// The attack as whole parties see it: whether transfer failed, and how a dispute ends that the signer wants lost.
    fn run(&self, attack: Attack, random: &mut ChaCha20Rng) -> (bool, Option<Outcome>) {
        let mut world = World::new(self.epoch.clone(), random);
        let mut signed = world.sign();
        let committee = self.epoch.parameters().committee();
        let per_receiver = self.epoch.parameters().functions_per_receiver();
        let given_up = self.receivers - committee.tests_needed(attack.from, 0) as u8;
        let friends = || Receiver::first(self.receivers).skip(self.honest.into());
        for index in 2..2 + given_up {
            spoil(&self.epoch, &mut signed, p(index), 0..per_receiver);
        }
        for friend in friends() {
            let for_first = world.set(friend, p(0));
            let wrong = (0..per_receiver).filter(|index| !for_first.contains(index));
            spoil(&self.epoch, &mut signed, friend, wrong);
        }
        let known: Vec<usize> = friends()
            .flat_map(|friend| world.set(p(1), friend))
            .collect();
        let unknown = (0..per_receiver).filter(|index| !known.contains(index));
        spoil(&self.epoch, &mut signed, p(1), unknown.take(attack.wrong));
        let finalised = world.order(signed);
        let verdicts = world.parties.verify(&finalised).unwrap();
        let honest = &verdicts[..self.honest.into()];
        let below = Level::new(attack.from.number() - 1);
        let fails = honest
            .iter()
            .any(|verdict| verdict.level() >= Some(attack.from))
            && honest.iter().any(|verdict| verdict.level() < below);
        world.call(Party::Signer, FIRST, Vote::Reject);
        let mut outcome = None;
        for friend in friends() {
            outcome = world.vote(friend, FIRST, Vote::Reject).unwrap();
        }
        for (index, verdict) in (0..).zip(honest) {
            outcome = world
                .vote(p(index), FIRST, verdict.vote().unwrap())
                .unwrap_or(outcome);
        }
        let accepted = honest
            .iter()
            .any(|verdict| verdict.level() >= Level::new(0));
        (fails, outcome.filter(|_| accepted))
    }

    /// The attack on counts of wrong tags alone.
    fn model(&self, attack: Attack, random: &mut ChaCha20Rng) -> bool {
        let [budget, below] = self.budgets(attack.from);
        let functions = self.epoch.parameters().functions();
        let held = deal(self.honest.into(), functions, attack.wrong, random);
        // Friends' tests are P1's alone; without friends all receivers are alike.
        let tolerated = self.epoch.parameters().committee().tolerated();
        let may_accept = if tolerated == 0 {
            &held[..]
        } else {
            &held[..1]
        };
        may_accept.iter().any(|wrong| *wrong <= budget) && held.iter().any(|wrong| *wrong > below)
    }

    /// The number of wrong tags that the model likes best.
    fn best(&self, from: Level) -> Attack {
        let [budget, below] = self.budgets(from);
        let most = usize::from(self.honest) * self.epoch.parameters().functions();
        let attacks = (budget + below..most.min(4 * (budget + below) + 4))
            .map(|wrong| Attack { from, wrong });
        let successes = |attack: &Attack| {
            let mut random = random(9);
            Rate::of(2_000, |_| self.model(*attack, &mut random)).successes
        };
        attacks.max_by_key(successes).unwrap()
    }

    fn check(&self, quick: u32) {
        let committee = self.epoch.parameters().committee();
        for transfer in bounds(&self.epoch).transfers {
            let attack = self.best(transfer.from);
            let what = format!(
                "transfer {} to {}, n = {}, t = {}, k = {}, {} wrong tags",
                transfer.from.number(),
                transfer.to.number(),
                self.receivers,
                committee.tolerated(),
                self.epoch.parameters().functions(),
                attack.wrong
            );
            let bound = number(transfer.bound);
            assert!(bound < 1.0, "{what}: a bound of {bound} says nothing");
            let mut random = random(5);
            let mut repudiated = 0;
            let whole = Rate::of(samples(quick), |_| {
                let (fails, outcome) = self.run(attack, &mut random);
                repudiated += u32::from(outcome == Some(Outcome::Invalid));
                fails
            });
            whole.is_below(&format!("{what}, whole runs"), bound);
            let modelled = Rate::of(samples(40_000), |_| self.model(attack, &mut random));
            modelled.is_below(&format!("{what}, model"), bound);
            assert!(
                whole.at_least() <= modelled.at_most() && modelled.at_least() <= whole.at_most()
            );
            let lost = Rate {
                successes: repudiated,
                samples: whole.samples,
            };
            if transfer.to == Level::DISPUTE {
                lost.is_below(&format!("{what}, dispute lost"), bound);
                assert!(lost.successes <= whole.successes);
            }
            // The attack is no straw man: the bound's sum over pairs and senders is all that it loses.
            let factor = bound / number(transfer.block_differs);
            modelled.is_above(&format!("{what}, a tenth of p_m"), bound / factor / 10.0);
        }
    }
}

#[test]
fn a_signer_alone_repudiates_less_often_than_the_bound() {
    Setting::new((2, 1, 0), 4, &[0, 3]).check(1_000);
    Setting::new((3, 1, 0), 6, &[0, 4]).check(1_000);
    Setting::new((4, 1, 0), 8, &[0, 5]).check(400);
}

#[test]
fn a_signer_with_a_friend_repudiates_less_often_than_the_bound() {
    Setting::new((5, 2, 0), 8, &[0, 5]).check(400);
}

#[test]
fn transfers_fail_less_often_than_the_bounds_at_every_level() {
    Setting::new((2, 1, 1), 8, &[0, 3, 7]).check(600);
    Setting::new((8, 2, 1), 16, &[0, 8, 15]).check(100);
}
