//! Bytes of the contract: samples, and what an input makes of them.
//!
//! Keys and signatures fill most of an encoding, so random bytes rarely are a transaction. An input therefore names a
//! sample and edits it; what is behind its front of keys and signatures is left alone most of the time.

use std::sync::{Arc, LazyLock};

use tieline_contract::apply;
use tieline_contract::certificate::Certificate;
use tieline_contract::state::{Block, State};
use tieline_contract::transaction::Transaction;
use tieline_sim::samples::{EARLY, transactions};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{CHAINS, Village, certificates, deposit};
use tieline_units::{Canonical, Time};

/// How much of an encoding most edits touch.
const FRONT: usize = 700;

/// Numbers that arithmetic is bad at.
const EXTREMES: [i64; 8] = [
    i64::MIN,
    i64::MIN + 1,
    -1,
    0,
    1,
    10_000_000_000_000_000,
    i64::MAX - 1,
    i64::MAX,
];

/// Encodings of all transactions of the samples.
pub static TRANSACTIONS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let all = transactions().into_iter();
    all.map(|(_, transaction)| transaction.to_bytes()).collect()
});

/// Takes an input apart from the front; behind its end are zeros.
pub struct Input<'a>(pub &'a [u8]);

impl Input<'_> {
    /// The next byte.
    pub fn u8(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// The next two.
    pub fn u16(&mut self) -> u16 {
        u16::from(self.u8()) << 8 | u16::from(self.u8())
    }

    /// A number: small, extreme, or any.
    pub fn i64(&mut self) -> i64 {
        match self.u8() {
            choice @ 0..8 => EXTREMES[usize::from(choice)],
            8..64 => i64::from(self.u16()),
            64..128 => i64::from(self.u16()) * 1_000_000,
            _ => i64::from_be_bytes([0; 8].map(|_: u8| self.u8())),
        }
    }

    /// Whether there is more.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One of several.
    pub fn pick<'b, T>(&mut self, from: &'b [T]) -> Option<&'b T> {
        let at = usize::from(self.u8());
        from.get(at % from.len().max(1))
    }

    /// Edits of `bytes`, so many as the next byte says, at most 7.
    pub fn edit(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.u8() % 8 {
            self.edit_once(bytes);
        }
    }

    fn edit_once(&mut self, bytes: &mut Vec<u8>) {
        let (how, at) = (self.u8(), usize::from(self.u16()));
        let reach = if how & 0x80 == 0 { FRONT } else { usize::MAX };
        let reach = bytes.len().min(reach);
        if reach == 0 {
            return;
        }
        let at = at % reach;
        match how % 7 {
            0 => bytes[at] = self.u8(),
            1 => bytes[at] ^= 1 << (self.u8() % 8),
            2 => bytes.insert(at, self.u8()),
            3 => drop(bytes.remove(at)),
            4 => write(bytes, at, &self.i64().to_be_bytes()),
            5 => write(bytes, at, &u32::from(self.u16()).to_be_bytes()),
            _ => bytes.truncate(at),
        }
    }
}

fn write(bytes: &mut [u8], at: usize, what: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + what.len()) {
        place.copy_from_slice(what);
    }
}

/// A value that decodes encodes to the same bytes.
pub fn again<T: Canonical>(bytes: &[u8]) -> Option<T> {
    let value = T::decode(bytes).ok()?;
    assert!(value.to_bytes() == bytes, "a value has one encoding");
    Some(value)
}

/// The ledgers of the village with money on them, and a state each that has seen the samples.
pub static LEDGERS: LazyLock<[State; 3]> = LazyLock::new(|| {
    let village = Village::default();
    let mut ledgers = CHAINS.map(|name| village.ledger(name));
    for (sequence, who) in (0..).zip(["mg-x", "mg-y", "mg-x2", "vpp"]) {
        let home = usize::from(who == "mg-y");
        let said = step(
            &mut ledgers[2],
            EARLY,
            &deposit(sequence, who, village.funds),
        );
        for certificate in said {
            step(
                &mut ledgers[home],
                EARLY,
                &Transaction::Certificate(certificate),
            );
        }
    }
    ledgers
});

/// Applies a transaction in the next block; certificates of what the ledger says then.
pub fn step(ledger: &mut State, time: Time, transaction: &Transaction) -> Vec<Arc<Certificate>> {
    let height = ledger.block().height + 1;
    match apply(ledger, transaction, Block { height, time }, &Symbolic) {
        Ok(_) => certificates(ledger, height, 0, &[0, 1, 2, 3]),
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            Vec::new()
        }
    }
}

/// The books balance, every record stands where it belongs, and the state comes back from its records.
pub fn sound(ledger: &State) {
    let records = ledger.records();
    let back = State::from_records(records.iter().map(|(key, value)| (&key[..], &value[..])));
    match back {
        Ok(back) => assert!(back.digest() == ledger.digest(), "another state"),
        Err(error) => panic!("a ledger's own records are none: {error}"),
    }
}
