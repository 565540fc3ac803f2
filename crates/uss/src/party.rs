//! Names of participants, epochs and signatures.

use std::fmt;

/// One of the receivers P_1..P_n, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receiver(u8);

impl Receiver {
    /// The receiver at `index`, from 0.
    pub const fn new(index: u8) -> Receiver {
        Receiver(index)
    }

    /// Position among the receivers, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The first `count` receivers.
    pub fn first(count: u8) -> impl Iterator<Item = Receiver> + Clone {
        (0..count).map(Receiver)
    }
}

impl fmt::Display for Receiver {
    /// As in the literature, from 1: `P3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}", u16::from(self.0) + 1)
    }
}

/// The signer or a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// P_0.
    Signer,
    /// One of P_1..P_n.
    Receiver(Receiver),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Signer => f.write_str("the signer"),
            Party::Receiver(receiver) => receiver.fmt(f),
        }
    }
}

impl From<Receiver> for Party {
    fn from(receiver: Receiver) -> Party {
        Party::Receiver(receiver)
    }
}

/// One direction of the secret channel between two participants. Directions never share key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// Who encrypts and authenticates.
    pub from: Party,
    /// Who decrypts and checks.
    pub to: Party,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.to)
    }
}

/// One distribution of functions: the signer, the receivers, the chains and everything spent on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochId(pub u64);

impl fmt::Display for EpochId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Which signature of an epoch, from 0. Each can be made once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counter(pub u32);

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A block of the ledger that orders an epoch's messages and complaints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Height(pub u64);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
