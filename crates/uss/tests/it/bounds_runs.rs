//! Runs of whole epochs with tiny parameters: a dishonest signer against the bounds, dishonest receivers against liveness.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tieline_uss::bounds::block_differs;
use tieline_uss::committee::{Committee, Level};

/// A committee, its secret splits and who is in. Receivers from `honest` on are dishonest.
struct Epoch {
    committee: Committee,
    honest: usize,
    /// Functions that the receiver of the second index got from that of the first, a bit each.
    split: Vec<Vec<u64>>,
    is_in: Vec<bool>,
    complaints: u32,
}

/// Wrong tags by sender, a bit per function.
type Wrong = Vec<u64>;

impl Epoch {
    fn new(committee: Committee, functions: usize, random: &mut ChaCha20Rng) -> Epoch {
        let receivers = usize::from(committee.receivers());
        let split = (0..receivers)
            .map(|_| deal(receivers, functions, random))
            .collect();
        Epoch {
            committee,
            honest: receivers - committee.tolerated() as usize,
            split,
            is_in: vec![true; receivers],
            complaints: 0,
        }
    }

    fn mismatches(&self, wrong: &Wrong, sender: usize, receiver: usize) -> u32 {
        (self.split[sender][receiver] & wrong[sender]).count_ones()
    }

    /// Whether the receiver accepts; the signer's friends among the senders pass and fail as he likes.
    fn accepts(
        &self,
        wrong: &Wrong,
        receiver: usize,
        (level, budget): (Level, u32),
        friends_pass: bool,
    ) -> bool {
        let passed = |sender: &usize| {
            self.is_in[*sender]
                && if *sender < self.honest {
                    self.mismatches(wrong, *sender, receiver) <= budget
                } else {
                    friends_pass
                }
        };
        let count = (0..self.is_in.len()).filter(passed).count() as u32;
        count >= self.committee.tests_needed(level, self.complaints)
    }

    /// Some honest receiver accepts at level 0 what another rejects in a dispute.
    fn is_repudiated(&self, wrong: &Wrong, budgets: [u32; 2]) -> bool {
        let present = || (0..self.honest).filter(|receiver| self.is_in[*receiver]);
        let level_0 = self.committee.first_hand();
        present().any(|first| {
            self.accepts(wrong, first, (level_0, budgets[0]), true)
                && present()
                    .any(|other| !self.accepts(wrong, other, (Level::DISPUTE, budgets[1]), false))
        })
    }

    /// Honest receivers complain about every mismatch; returns whether the epoch goes on.
    fn complain(&mut self, wrong: &Wrong) -> bool {
        for receiver in 0..self.honest {
            for sender in (0..self.honest).filter(|sender| *sender != receiver) {
                if self.mismatches(wrong, sender, receiver) > 0 {
                    self.take_out(receiver, sender);
                }
            }
        }
        self.complaints < self.committee.dishonest().into()
    }

    /// A complaint that names somebody who is out is void.
    fn take_out(&mut self, by: usize, about: usize) {
        if by != about && self.is_in[by] && self.is_in[about] {
            self.is_in[by] = false;
            self.is_in[about] = false;
            self.complaints += 1;
        }
    }
}

/// A uniform split of one sender's functions.
fn deal(receivers: usize, functions: usize, random: &mut ChaCha20Rng) -> Vec<u64> {
    let mut order: Vec<usize> = (0..receivers * functions).collect();
    for last in (1..order.len()).rev() {
        order.swap(last, below(last + 1, random));
    }
    let set = |indices: &[usize]| indices.iter().fold(0, |set, index| set | 1 << index);
    order.chunks(functions).map(set).collect()
}

fn below(bound: usize, random: &mut ChaCha20Rng) -> usize {
    (random.next_u64() % bound as u64) as usize
}

/// So many of the functions, chosen at random.
fn some(count: usize, of: usize, random: &mut ChaCha20Rng) -> u64 {
    let mut set = 0_u64;
    while (set.count_ones() as usize) < count {
        set |= 1 << below(of, random);
    }
    set
}

/// Two receivers, k = 4, budgets 0 and 3: four wrong tags of one block all fall to one receiver with chance 2/70, and then
/// one accepts and the other votes against. Tolerance: four standard deviations of 20,000 runs.
#[test]
fn a_signers_best_attack_succeeds_as_often_as_the_formula_says() {
    let committee = Committee::new(2, 1, 0).unwrap();
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let runs = 20_000;
    let mut repudiated = 0;
    for _ in 0..runs {
        let epoch = Epoch::new(committee, 4, &mut random);
        let wrong = vec![some(4, 8, &mut random), 0];
        repudiated += u32::from(epoch.is_repudiated(&wrong, [0, 3]));
    }
    let rate = f64::from(repudiated) / f64::from(runs);
    let bound = block_differs(4, 0, 3).exponent().exp2();
    let expected = 2.0 * bound;
    let deviation = (expected * (1.0 - expected) / f64::from(runs)).sqrt();
    assert!(
        (rate - expected).abs() < 4.0 * deviation,
        "{rate} {expected}"
    );
}

/// n = 5, one receiver the signer's friend, k = 8, budgets 0 and 5. Another block is wrong throughout, so that a single
/// honest block decides. Four messages: 4 · h²(h-1) p_m = 4 · 48 · C(10, 8) / C(16, 8) = 0.67; guesses at random hit once in
/// 500 runs, knowledge of the split always.
#[test]
fn probes_gain_nothing_where_complaints_come_first_and_everything_where_they_come_late() {
    let committee = Committee::new(5, 2, 0).unwrap();
    let budgets = [0, 5];
    let bound = 4.0 * 48.0 * block_differs(8, 0, 5).exponent().exp2();
    let mut random = ChaCha20Rng::seed_from_u64(2);
    let (mut in_time, mut late) = (0, 0);
    let runs = 500;
    for _ in 0..runs {
        let mut epoch = Epoch::new(committee, 8, &mut random);
        in_time += u32::from(attacked_with_rule(&mut epoch, budgets, &mut random));
        let epoch = Epoch::new(committee, 8, &mut random);
        late += u32::from(attacked_after_probing(&epoch, budgets));
    }
    assert!(
        f64::from(in_time) / f64::from(runs) < bound,
        "{in_time} of {runs}"
    );
    assert_eq!(late, runs);
}

/// Four messages, each a probe of one tag or an attack with six to fourteen.
fn attacked_with_rule(epoch: &mut Epoch, budgets: [u32; 2], random: &mut ChaCha20Rng) -> bool {
    for _ in 0..4 {
        let mut wrong = vec![0; 5];
        let target = below(epoch.honest, random);
        let size = if random.next_u32().is_multiple_of(2) {
            1
        } else {
            6 + below(9, random)
        };
        wrong[target] = some(size, 40, random) & !epoch.split[target][4];
        if size > 1 {
            wrong[(target + 1) % epoch.honest] = u64::MAX;
        }
        if epoch.is_repudiated(&wrong, budgets) {
            return true;
        }
        if !epoch.complain(&wrong) {
            return false;
        }
    }
    false
}

/// One probe per function of sender 0, complaints seen and not in force: then the signer knows the split.
fn attacked_after_probing(epoch: &Epoch, budgets: [u32; 2]) -> bool {
    let mut held_by_2 = 0;
    for function in 0..40 {
        let probe = vec![1 << function, 0, 0, 0, 0];
        if epoch.mismatches(&probe, 0, 2) > 0 {
            held_by_2 |= 1 << function;
        }
    }
    epoch.is_repudiated(&vec![held_by_2, u64::MAX, 0, 0, 0], budgets)
}

/// Honest signer; dishonest receivers forward bad keys at will and complain at will, and honest ones about them. Every
/// honest receiver that is in accepts at every level, for every message.
#[test]
fn dishonest_receivers_never_stop_an_honest_signer_in_a_live_committee() {
    let mut random = ChaCha20Rng::seed_from_u64(3);
    for (receivers, dishonest, transfers) in
        [(5, 2, 0), (8, 2, 1), (14, 3, 1), (16, 4, 0), (13, 3, 1)]
    {
        let committee = Committee::new(receivers, dishonest, transfers).unwrap();
        assert!(committee.is_live());
        for _ in 0..200 {
            let mut epoch = Epoch::new(committee, 2, &mut random);
            let everybody = usize::from(receivers);
            let wrong = vec![0; everybody];
            for _ in 0..6 {
                for receiver in (0..epoch.honest).filter(|receiver| epoch.is_in[*receiver]) {
                    for level in committee.levels() {
                        assert!(
                            epoch.accepts(&wrong, receiver, (level, 0), false),
                            "{committee:?} {level:?}"
                        );
                    }
                }
                let friend = epoch.honest + below(everybody - epoch.honest, &mut random);
                let other = below(everybody, &mut random);
                if random.next_u32().is_multiple_of(2) {
                    epoch.take_out(friend, other);
                } else {
                    epoch.take_out(other, friend);
                }
                assert!(epoch.complaints <= committee.complaints_max());
            }
        }
    }
}
