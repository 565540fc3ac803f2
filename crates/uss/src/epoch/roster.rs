//! Who is in.

use std::collections::BTreeSet;

use crate::party::Receiver;

/// The receivers that count, as owners of functions and as voters, for messages put in order from some moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    receivers: u8,
    out: BTreeSet<Receiver>,
}

impl Roster {
    /// Everybody.
    pub fn all(receivers: u8) -> Roster {
        Roster {
            receivers,
            out: BTreeSet::new(),
        }
    }

    /// Takes two receivers out; false, and no change, when one of them is out already.
    pub(crate) fn remove_both(&mut self, one: Receiver, other: Receiver) -> bool {
        let both_in = self.contains(one) && self.contains(other) && one != other;
        if both_in {
            self.out.extend([one, other]);
        }
        both_in
    }

    /// Whether a receiver is in.
    pub fn contains(&self, receiver: Receiver) -> bool {
        receiver.index() < usize::from(self.receivers) && !self.out.contains(&receiver)
    }

    /// n' = n - 2e, how many are in.
    pub fn present(&self) -> usize {
        usize::from(self.receivers) - self.out.len()
    }

    /// e, complaints with effect.
    pub fn complaints(&self) -> u32 {
        self.out.len() as u32 / 2
    }

    /// Those who are in.
    pub fn iter(&self) -> impl Iterator<Item = Receiver> {
        Receiver::first(self.receivers).filter(|receiver| self.contains(*receiver))
    }
}
