//! The certificates of a universe, each once, by number.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tieline_contract::certificate::{Certificate, VERSION};
use tieline_contract::payload::{Kind, Payload, Rotation, Subject};
use tieline_contract::terms::OrderId;
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::{Purpose, Signature};
use tieline_seal::merkle::Proof;
use tieline_units::canonical::Canonical;
use tieline_units::{Digest, Encoder};

use super::{Label, Side};
use crate::symbol::sign;
use crate::village::{chain, genesis, seat_key};

/// Most certificates of a universe: one bit each.
pub(crate) const CERTIFICATES: usize = 128;

/// A certificate, ready to be delivered.
pub(crate) struct Held {
    pub(crate) certificate: Arc<Certificate>,
    pub(crate) delivery: Transaction,
    pub(crate) label: Label,
    pub(crate) to: [bool; 3],
}

/// All certificates that came up.
pub(crate) struct Deck {
    held: Box<[OnceLock<Held>]>,
    numbers: Mutex<BTreeMap<Digest, usize>>,
    orders: Vec<OrderId>,
}

/// What a certificate is, but for the block that it was in.
pub(crate) fn content(certificate: &Certificate) -> Digest {
    key(
        certificate.chain.as_str(),
        certificate.epoch,
        certificate.payload.hash(),
        certificate.attestations.len(),
    )
}

pub(crate) fn key(chain: &str, epoch: u64, payload: Digest, signers: usize) -> Digest {
    let mut encoder = Encoder::new("tieline.world-certificate/1");
    encoder.text(chain).u64(epoch);
    payload.encode(&mut encoder);
    encoder.u64(signers as u64);
    encoder.digest()
}

impl Deck {
    pub(crate) fn new(orders: Vec<OrderId>) -> Deck {
        Deck {
            held: (0..CERTIFICATES).map(|_| OnceLock::new()).collect(),
            numbers: Mutex::default(),
            orders,
        }
    }

    /// The number of a certificate; `make` is called for a new one. `None` for what no chain here can use.
    pub(crate) fn number(
        &self,
        key: Digest,
        forged: bool,
        make: impl FnOnce() -> Arc<Certificate>,
    ) -> Option<usize> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&number) = numbers.get(&key) {
            return Some(number);
        }
        let certificate = make();
        let to = users(&certificate);
        if to == [false; 3] {
            return None;
        }
        let number = numbers.len();
        assert!(
            number < CERTIFICATES,
            "more certificates than a universe holds"
        );
        let label = self.label(&certificate, forged);
        self.held[number].get_or_init(|| Held {
            delivery: Transaction::Certificate(certificate.clone()),
            certificate,
            label,
            to,
        });
        numbers.insert(key, number);
        Some(number)
    }

    pub(crate) fn get(&self, number: usize) -> &Held {
        let held = self.held.get(number).and_then(OnceLock::get);
        held.expect("numbers are given to certificates that are there")
    }

    fn label(&self, certificate: &Certificate, forged: bool) -> Label {
        let subject = match certificate.payload.subject() {
            Subject::Order(id) => {
                let place = self.orders.iter().position(|order| *order == id);
                place.unwrap_or(self.orders.len()) as u64
            }
            Subject::Sequence(number) => number,
        };
        let own = certificate.chain.as_str();
        Label {
            from: Side::ALL.into_iter().find(|side| own == side.chain()),
            kind: certificate.payload.kind(),
            subject,
            epoch: certificate.epoch,
            signers: certificate.attestations.len() as u8,
            forged,
            entry: certificate
                .payload
                .hash()
                .as_bytes()
                .first_chunk()
                .copied()
                .unwrap_or_default(),
        }
    }
}

/// Which ledgers can use a certificate: not the one that it is of, but for a hand-over, which is kept at home.
fn users(certificate: &Certificate) -> [bool; 3] {
    let may = match certificate.payload.kind() {
        Kind::Request | Kind::Refund => [false, true, false],
        Kind::Accept | Kind::Reject | Kind::Void => [true, false, false],
        Kind::Commit => [false, true, true],
        Kind::Taken | Kind::Delivered => [false, false, true],
        Kind::Settle | Kind::Freeze => [true, true, false],
        Kind::Rotate => [true; 3],
        Kind::Deposit | Kind::Net | Kind::Register => [false; 3],
    };
    let home = match &certificate.payload {
        Payload::Rotate { rotation, .. } => matches!(rotation, Rotation::Opened(_)),
        _ => false,
    };
    let own = certificate.chain.as_str();
    Side::ALL.map(|side| may[side.index()] && (own != side.chain() || home))
}

/// A certificate of an entry alone in its block, with the signatures of these seats: true or not, as the seats are.
///
/// # Panics
/// Never: a block with one entry has a first.
pub fn attest(
    name: &str,
    (epoch, height): (u64, u64),
    payload: Payload,
    seats: &[u8],
) -> Arc<Certificate> {
    let proof = Proof::of(&[payload.hash()], 0).expect("a block with one entry has a first");
    let mut certificate = Certificate {
        version: VERSION,
        chain: chain(name),
        genesis: genesis(name),
        epoch,
        height,
        state_root: Digest::of(b"state root"),
        payload,
        proof,
        attestations: BTreeMap::new(),
    };
    let statement = certificate.statement();
    let statement = statement.expect("the proof is of this block");
    let (domain, message) = (statement.domain(Purpose::Attestation), statement.message());
    let one = |&seat: &u8| -> (u8, Signature) {
        let key = seat_key(name, epoch, usize::from(seat));
        (seat, sign(&key, &domain, &message))
    };
    certificate.attestations = seats.iter().map(one).collect();
    Arc::new(certificate)
}
