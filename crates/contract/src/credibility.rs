//! Credibility of verification nodes, and who is selected by it.
//!
//! An integer moving average over the certificates of a chain: an eighth of the old score gives way to what the last
//! certificate shows. Contradicting oneself sets it to zero, and zero is never selected. Up to [`ALL_MAX`] candidates all
//! serve; above, seats are drawn without replacement, weighted by score, from a seed that everybody can recompute; no owner
//! has more than its share where there are owners enough.

use std::collections::BTreeMap;

use tieline_units::canonical::Canonical;
use tieline_units::{Encoder, MicrogridId};

use crate::threshold::{Committee, Seat};
use tieline_seal::hybrid::KeyId;

/// The best score.
pub const MAX: u32 = 1000;

/// The score of somebody new.
pub const START: u32 = 500;

/// Up to this many candidates, all are verification nodes.
pub const ALL_MAX: usize = 10;

/// The score after a certificate that one signed or not; a late one counts half.
///
/// Zero is for who contradicted itself, and for good: signing does not lead back from it, and silence not to it. Else a
/// relayer that leaves a member's signatures out of its certificates could make it look like a liar.
pub fn updated(score: u32, signed: bool, late: bool) -> u32 {
    if score == 0 {
        return 0;
    }
    let gain = match (signed, late) {
        (true, false) => MAX / 8,
        (true, true) => MAX / 16,
        (false, _) => 0,
    };
    (score - score.div_ceil(8) + gain).clamp(1, MAX)
}

/// The seats that credibility and the seed give to the committee's chain and epoch, in the candidates' order.
///
/// `committee`: names chain, genesis and epoch, which are the seed, and how many seats there are. Fewer come back where too
/// few candidates have a standing.
pub fn select(
    committee: &Committee,
    candidates: &[Seat],
    score: impl Fn(KeyId) -> u32,
) -> Vec<Seat> {
    let weights = candidates
        .iter()
        .map(|seat| u64::from(score(seat.key.id())));
    let mut weights: Vec<u64> = weights.collect();
    if candidates.len() <= ALL_MAX {
        let standing = candidates.iter().zip(weights);
        return standing
            .filter(|(_, w)| *w > 0)
            .map(|(seat, _)| seat.clone())
            .collect();
    }
    let cap = owner_cap(committee, candidates);
    let mut owned: BTreeMap<&MicrogridId, usize> = BTreeMap::new();
    let mut chosen = vec![false; candidates.len()];
    for draw in 0..committee.size() as u64 {
        let Some(index) = drawn(committee, draw, &weights) else {
            break;
        };
        let owner = &candidates[index].owner;
        chosen[index] = true;
        weights[index] = 0;
        let seats = owned.entry(owner).or_default();
        *seats += 1;
        if *seats >= cap {
            let rest = weights.iter_mut().zip(candidates);
            rest.filter(|(_, seat)| seat.owner == *owner)
                .for_each(|(weight, _)| *weight = 0);
        }
    }
    let taken = candidates.iter().zip(chosen).filter(|(_, chosen)| *chosen);
    taken.map(|(seat, _)| seat.clone()).collect()
}

/// f_k per owner where the owners are enough to fill the seats so, else no cap.
fn owner_cap(committee: &Committee, candidates: &[Seat]) -> usize {
    let mut owned: BTreeMap<&MicrogridId, usize> = BTreeMap::new();
    for seat in candidates {
        *owned.entry(&seat.owner).or_default() += 1;
    }
    let cap = usize::from(committee.faults).max(1);
    let filled: usize = owned.values().map(|&seats| seats.min(cap)).sum();
    if filled >= committee.size() {
        cap
    } else {
        usize::MAX
    }
}

/// The candidate on whose weight the draw falls.
fn drawn(committee: &Committee, draw: u64, weights: &[u64]) -> Option<usize> {
    let sum: u64 = weights.iter().sum();
    if sum == 0 {
        return None;
    }
    let mut encoder = Encoder::new("tieline.selection/1");
    committee.chain.encode(&mut encoder);
    committee.genesis.encode(&mut encoder);
    committee.epoch.encode(&mut encoder);
    draw.encode(&mut encoder);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&encoder.digest().as_bytes()[..16]);
    let mut left = (u128::from_be_bytes(bytes) % u128::from(sum)) as u64;
    weights.iter().position(|&weight| {
        let here = left < weight;
        left = left.saturating_sub(weight);
        here
    })
}
