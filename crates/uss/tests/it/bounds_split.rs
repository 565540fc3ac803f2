//! What an adversary who signs learns of a secret split from complaints, and what it is worth to him.
//!
//! One honest sender's block of nk functions is split among n receivers, itself among them. The signer, who knows every
//! function, chooses wrong tags counter by counter and sees who complains. All splits, all choices: exact.

use tieline_uss::bounds::block_differs;

/// Functions by receiver, a bit each; receiver 0 is the sender.
type Split = Vec<u32>;

/// When a receiver that complained about the block stops testing it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    /// Before the next counter.
    Ordered,
    /// After the last: complaints are seen, and take effect too late.
    Late,
    /// Before the next counter, and a single mismatch is forgiven in silence.
    Forgiving,
}

/// One receiver accepts with at most `budget` mismatches, another rejects with more than `budget_below`.
#[derive(Clone, Copy, Debug)]
struct Failure {
    accepts: usize,
    rejects: usize,
    budget: u32,
    budget_below: u32,
}

fn splits(receivers: usize, functions: u32) -> Vec<Split> {
    let all = receivers as u32 * functions;
    let mut found = Vec::new();
    deal(&mut vec![0; receivers], all, functions, &mut found);
    found
}

fn deal(split: &mut Split, left: u32, functions: u32, found: &mut Vec<Split>) {
    if left == 0 {
        found.push(split.clone());
        return;
    }
    for receiver in 0..split.len() {
        if split[receiver].count_ones() < functions {
            split[receiver] |= 1 << (left - 1);
            deal(split, left - 1, functions, found);
            split[receiver] &= !(1 << (left - 1));
        }
    }
}

/// In how many of `splits` the best adversary makes the failure happen at the last of `counters` counters.
///
/// He sees after each counter which receivers found a mismatch in this block, the sender in its own set included: that is
/// more than complaints and acceptances tell.
fn best(splits: &[Split], counters: u32, failure: Failure, rule: Rule) -> usize {
    let functions: u32 = splits
        .first()
        .map_or(0, |split| split.iter().fold(0, |all, set| all | set));
    let mut most = 0;
    for wrong in 0..=functions {
        let found = if counters == 1 {
            splits
                .iter()
                .filter(|split| happens(split, wrong, failure))
                .count()
        } else {
            let mut by_view: Vec<Vec<Split>> =
                vec![Vec::new(); 1 << splits.first().map_or(0, Vec::len)];
            for split in splits {
                let view = seen(split, wrong, u32::from(rule == Rule::Forgiving));
                if rule == Rule::Late || still_tests(view, failure) {
                    by_view[view].push(split.clone());
                }
            }
            let further = by_view.iter().filter(|group| !group.is_empty());
            further
                .map(|group| best(group, counters - 1, failure, rule))
                .sum()
        };
        most = most.max(found);
    }
    most
}

fn happens(split: &Split, wrong: u32, failure: Failure) -> bool {
    (split[failure.accepts] & wrong).count_ones() <= failure.budget
        && (split[failure.rejects] & wrong).count_ones() > failure.budget_below
}

/// Who found more mismatches than are forgiven, a bit each.
fn seen(split: &Split, wrong: u32, forgiven: u32) -> usize {
    let found = |(receiver, set): (usize, &u32)| {
        usize::from((set & wrong).count_ones() > forgiven) << receiver
    };
    split.iter().enumerate().map(found).sum()
}

/// The sender does not complain about itself.
fn still_tests(view: usize, failure: Failure) -> bool {
    let complained = |receiver: usize| receiver != 0 && view >> receiver & 1 == 1;
    !complained(failure.accepts) && !complained(failure.rejects)
}

/// Every pair of receivers and every pair of budgets, the best adversary's chance beside p_m.
fn compare(
    receivers: usize,
    functions: u32,
    counters: u32,
    rule: Rule,
) -> Vec<(Failure, f64, f64)> {
    let splits = splits(receivers, functions);
    let mut all = Vec::new();
    // The other receivers are alike.
    for (accepts, rejects) in [(0, 1), (1, 0), (1, 2)] {
        if accepts >= receivers || rejects >= receivers {
            continue;
        }
        for budget in 0..functions {
            for budget_below in budget + 1..functions {
                let failure = Failure {
                    accepts,
                    rejects,
                    budget,
                    budget_below,
                };
                let chance = best(&splits, counters, failure, rule) as f64 / splits.len() as f64;
                let bound = block_differs(functions as u16, budget as u16, budget_below as u16);
                all.push((failure, chance, bound.exponent().exp2()));
            }
        }
    }
    all
}

#[test]
fn two_receivers_are_told_apart_with_exactly_the_hypergeometric_chance() {
    for functions in [2, 3, 4] {
        for (failure, chance, bound) in compare(2, functions, 1, Rule::Ordered) {
            assert!(
                (chance - bound).abs() < 1e-12,
                "{failure:?}: {chance} {bound}"
            );
        }
    }
}

#[test]
fn three_receivers_are_told_apart_with_no_greater_chance() {
    for (functions, counters) in [(2, 1), (3, 1)] {
        for (failure, chance, bound) in compare(3, functions, counters, Rule::Ordered) {
            assert!(chance <= bound + 1e-12, "{failure:?}: {chance} {bound}");
        }
    }
}

/// Probing with earlier counters gains nothing when who complained tests no longer, although a silent counter tells
/// which functions the sender kept.
#[test]
fn earlier_counters_gain_nothing_where_complaints_are_ordered_first() {
    for (receivers, functions, counters) in [(2, 2, 3), (2, 3, 2), (3, 2, 2), (3, 2, 3)] {
        for (failure, chance, bound) in compare(receivers, functions, counters, Rule::Ordered) {
            assert!(chance <= bound + 1e-12, "{failure:?}: {chance} {bound}");
        }
    }
}

/// The rule is needed: where the next message is signed with complaints seen and not yet in force, p_m is no bound.
#[test]
fn complaints_that_come_too_late_give_the_split_away() {
    for (receivers, functions, counters) in [(2, 2, 2), (3, 2, 2), (3, 2, 3)] {
        for (failure, chance, bound) in compare(receivers, functions, counters, Rule::Late) {
            assert!(chance > 1.5 * bound, "{failure:?}: {chance} {bound}");
        }
    }
}

/// The rule is needed for every mismatch, those within a level's budget too.
#[test]
fn complaints_that_forgive_a_mismatch_give_the_split_away() {
    for (failure, chance, bound) in compare(2, 3, 2, Rule::Forgiving) {
        assert!(chance > 1.2 * bound, "{failure:?}: {chance} {bound}");
    }
}
