//! Probing: a signer spoils one tag per message, watches who accepts and who complains, and repudiates with what it learnt.

use rand_chacha::ChaCha20Rng;
use tieline_uss::committee::Level;
use tieline_uss::dispute::Vote;
use tieline_uss::epoch::{EpochError, Grounds};
use tieline_uss::family::Family;
use tieline_uss::parameters::Epoch;
use tieline_uss::party::{Counter, Receiver};

use super::model::bounds;
use super::statistics::{Rate, number, samples};
use crate::support::{BODY, FirstComplaint, World, epoch, p, random, spoil};

/// Messages of an epoch, of which all but the last are probes.
const MESSAGES: u32 = 4;

/// n = 5, P5 is the signer's friend; k = 8.
fn five(messages: u32) -> Epoch {
    epoch((5, 2, 0), Family::Gf64, (8, &[0, 5]), messages)
}

/// What the signer knows of the honest receivers' sets.
struct Signer {
    world: World,
    counter: u32,
    /// Functions of P2's block that must be P2's own: spoilt, and nobody complained.
    own: Vec<usize>,
    /// Functions of P2's block that no honest receiver tests any more, or never did.
    useless: Vec<usize>,
    repudiated: bool,
}

impl Signer {
    fn new(random: &mut ChaCha20Rng) -> Signer {
        let world = World::new(five(MESSAGES), random);
        let useless = world.set(p(1), p(4));
        Signer {
            world,
            counter: 0,
            own: Vec::new(),
            useless,
            repudiated: false,
        }
    }

    /// Signs with these tags of P2's block wrong, all of P3's when that helps, and the friend's right for `target` alone;
    /// honest receivers complain in order. Returns whether anybody complained about P2, or `None` when all is over.
    fn send(&mut self, wrong: &[usize], attack: bool) -> Option<bool> {
        let (counter, epoch) = (Counter(self.counter), self.world.epoch.clone());
        self.counter += 1;
        if counter.0 > 0 {
            self.world.parties.refresh(counter).unwrap();
        }
        let mut signed = self.world.parties.sign(counter, BODY).unwrap();
        spoil(&epoch, &mut signed, p(1), wrong.iter().copied());
        if attack {
            spoil(&epoch, &mut signed, p(2), 0..40);
            let for_first = self.world.set(p(4), p(0));
            let others = (0..40).filter(|index| !for_first.contains(index));
            spoil(&epoch, &mut signed, p(4), others);
        }
        let finalised = match self.world.parties.order(signed) {
            Err(tieline_uss::rehearsal::RehearsalError::Epoch(EpochError::Frozen { .. })) => {
                return None;
            }
            found => found.unwrap(),
        };
        let roster = finalised.roster().clone();
        let mut verdicts = Vec::new();
        for verifier in &mut self.world.parties.verifiers[..4] {
            if roster.contains(verifier.receiver()) {
                verdicts.push((verifier.receiver(), verifier.verify(&finalised).unwrap()));
            }
        }
        let accepted = verdicts
            .iter()
            .any(|(_, verdict)| verdict.level() >= Level::new(0));
        let rejected = verdicts
            .iter()
            .any(|(_, verdict)| verdict.vote() == Some(Vote::Reject));
        self.repudiated |= accepted && rejected;
        let mut complained = false;
        for (by, verdict) in verdicts {
            if let Some(about) = verdict.complaint_about(self.world.parties.record.roster()) {
                complained |= about == p(1);
                self.world.complain(by, about, Grounds::Mismatch(counter));
            }
        }
        Some(complained)
    }

    /// One unknown tag of P2's block.
    fn probe(&mut self) -> Option<()> {
        let is_new = |index: &usize| !self.own.contains(index) && !self.useless.contains(index);
        let index = (0..40).find(is_new).unwrap();
        if self.send(&[index], false)? {
            self.useless.push(index);
        } else {
            self.own.push(index);
        }
        Some(())
    }

    /// Six or more wrong tags, those first that are known to be P2's own.
    fn strike(&mut self) {
        let new =
            (0..40).filter(|index| !self.own.contains(index) && !self.useless.contains(index));
        let wrong: Vec<usize> = self.own.iter().copied().chain(new).take(8).collect();
        self.send(&wrong, true);
    }
}

/// All that complaints tell is about parts that nobody tests any more, or about a sender's own part.
#[test]
fn probing_an_epoch_before_a_repudiation_gains_nothing() {
    let bound = number(bounds(&five(MESSAGES)).repudiation());
    let mut random = random(1);
    let probed = Rate::of(samples(300), |_| {
        let mut signer = Signer::new(&mut random);
        let probes = (1..MESSAGES).try_for_each(|_| signer.probe());
        if probes.is_some() {
            signer.strike();
        }
        signer.repudiated
    });
    let plain = Rate::of(samples(300), |_| {
        let mut signer = Signer::new(&mut random);
        signer.strike();
        signer.repudiated
    });
    let often = Rate::of(samples(300), |_| {
        let mut signer = Signer::new(&mut random);
        (0..MESSAGES).for_each(|_| signer.strike());
        signer.repudiated
    });
    for (what, rate) in [
        ("three probes, one attack", probed),
        ("one attack", plain),
        ("four attacks", often),
    ] {
        rate.is_below(&format!("repudiation after {what}"), bound);
    }
    assert!(probed.at_least() <= plain.at_most(), "{probed:?} {plain:?}");
}

/// A receiver that complains is out before it tests again, so it tells of one message at most, and one complaint about a
/// sender is all that ever comes. n = 9, t = 2: after three complaints the epoch is frozen.
#[test]
fn an_epoch_freezes_after_omega_complaints_however_long_it_is_probed() {
    let mut random = random(2);
    for _ in 0..20 {
        let epoch = epoch((9, 3, 0), Family::Gf64, (3, &[0, 1]), 64);
        let mut world = World::new(epoch.clone(), &mut random);
        let mut complaints = Vec::new();
        let mut messages = 0;
        for counter in (0..64).map(Counter) {
            if counter.0 > 0 {
                world.parties.refresh(counter).unwrap();
            }
            let mut signed = world.parties.sign(counter, BODY).unwrap();
            let row = Receiver::new((counter.0 % 9) as u8);
            spoil(&epoch, &mut signed, row, [counter.0 as usize % 27]);
            let Ok(finalised) = world.parties.order(signed) else {
                break;
            };
            messages += 1;
            for verdict in world
                .parties
                .verify(&finalised)
                .unwrap()
                .iter()
                .zip(finalised.roster().iter())
            {
                let (verdict, by) = verdict;
                assert_eq!(
                    verdict.vote(),
                    Some(Vote::Accept),
                    "one wrong tag repudiates nothing"
                );
                if let Some(about) = verdict.complaint_about(world.parties.record.roster()) {
                    complaints.push((by, about));
                    world.complain(by, about, Grounds::Mismatch(counter));
                }
            }
        }
        assert_eq!(complaints.len(), 3);
        assert!(world.parties.record.frozen().is_some());
        assert!(messages < 64, "nothing is signed after the freeze");
        let mut named: Vec<Receiver> = complaints
            .iter()
            .flat_map(|(by, about)| [*by, *about])
            .collect();
        named.sort();
        named.dedup();
        assert_eq!(named.len(), 6, "nobody is named twice");
    }
}
