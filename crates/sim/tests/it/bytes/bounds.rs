//! The largest of each thing is read, and one more is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_contract::bounds::{
    CANDIDATES_MAX, CERTIFICATE_BYTES_MAX, LEGAL_NAME_BYTES_MAX, METERS_MAX, REQUEST_BYTES_MAX,
    ROUND_ORDERS_MAX, SEALED_BYTES_MAX, TERMS_BYTES_MAX, TRANSACTION_BYTES_MAX, TRANSFERS_MAX,
    UNCONDITIONAL_BYTES_MAX,
};
use tieline_contract::certificate::Certificate;
use tieline_contract::member::Member;
use tieline_contract::payload::{Acceptance, Commitment, Payload, Rotation, Transfer};
use tieline_contract::terms::{CODE_VERSION, OrderId, Request, Terms, Unconditional};
use tieline_contract::threshold::{Committee, SEATS_MAX, Seat};
use tieline_contract::trade::KeyReturn;
use tieline_contract::transaction::{Act, Contradiction, Evidence, NextEpoch, Signed, Transaction};
use tieline_seal::hybrid::{PublicKey, Signature, Suite};
use tieline_sim::samples::{acceptance, certified, own_line, returned, villager};
use tieline_sim::village::{Village, chain, member};
use tieline_units::{Canonical, DecodeError, Digest, Money};

const SUITE: Suite = Suite::Ed25519MlDsa65;

fn key(number: usize) -> PublicKey {
    let mut bytes = vec![0; SUITE.key_bytes()];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    PublicKey::new(SUITE, &bytes).unwrap()
}

pub(crate) fn signature() -> Signature {
    Signature::new(SUITE, &vec![7; SUITE.signature_bytes()]).unwrap()
}

pub(crate) fn signatures(count: usize) -> BTreeMap<u8, Signature> {
    (0..=255)
        .take(count)
        .map(|seat| (seat, signature()))
        .collect()
}

fn long() -> String {
    "m".repeat(64)
}

fn seats(count: usize) -> Vec<Seat> {
    let owner = member(&long());
    let seat = |number| Seat {
        key: key(number),
        owner: owner.clone(),
    };
    (0..count).map(seat).collect()
}

pub(crate) fn committee(count: usize) -> Arc<Committee> {
    Arc::new(Committee {
        chain: chain(&long()),
        suite: SUITE,
        seats: seats(count),
        ..Village::default().committee("chain-x", 0)
    })
}

fn terms() -> Terms {
    let name = long();
    Terms {
        chain_x: chain(&name),
        chain_y: chain(&name),
        buyer: member(&name),
        seller: member(&name),
        aggregator: member(&name),
        code_version: name,
        ..own_line()
    }
}

fn unconditional(bytes: usize) -> Unconditional {
    Unconditional::Carried {
        bytes: Arc::from(vec![1; bytes]),
    }
}

pub(crate) fn request(bytes: usize) -> Arc<Request> {
    Arc::new(Request {
        terms: Arc::new(terms()),
        nonce: u64::MAX,
        unconditional: unconditional(bytes),
        signature: signature(),
    })
}

/// A certificate with so many signatures and so long a path, and with the largest payload where these are in their bounds.
pub(crate) fn certificate(count: usize, path: usize) -> Arc<Certificate> {
    let fits = count <= SEATS_MAX && path <= 64;
    let commitment = Commitment {
        request: request(if fits { UNCONDITIONAL_BYTES_MAX } else { 1 }),
        trade_hash: Digest::of(b"trade"),
    };
    let ledger = Village::default().ledger("chain-z");
    let payload = Payload::Commit(Arc::new(commitment));
    let mut certificate = Certificate::clone(&certified(&ledger, 1, payload));
    certificate.chain = chain(&long());
    certificate.proof.path = vec![Digest::of(b"sibling"); path];
    certificate.attestations = signatures(count);
    Arc::new(certificate)
}

fn act(act: Act) -> Transaction {
    Transaction::Signed(Arc::new(Signed {
        by: member(&long()),
        act,
        signature: signature(),
    }))
}

fn accept(sealed: usize, bytes: usize) -> Act {
    Act::Accept {
        order: OrderId(Digest::of(b"order")),
        response_commitment: Digest::of(b"response"),
        sealed_response: Arc::from(vec![2; sealed]),
        unconditional: unconditional(bytes),
    }
}

fn reads<T: Canonical + PartialEq + std::fmt::Debug>(value: &T, bound: usize) {
    let bytes = value.to_bytes();
    assert!(bytes.len() <= bound, "{} of {bound}", bytes.len());
    assert!(T::decode(&bytes).as_ref() == Ok(value));
}

#[test]
fn the_largest_of_each_thing_fits() {
    reads(&terms(), TERMS_BYTES_MAX);
    reads(&*request(UNCONDITIONAL_BYTES_MAX), REQUEST_BYTES_MAX);
    reads(&*certificate(SEATS_MAX, 64), CERTIFICATE_BYTES_MAX);
    let evidence = Evidence {
        one: certificate(SEATS_MAX, 64),
        other: Contradiction::Certificate(certificate(SEATS_MAX, 64)),
    };
    let Transaction::Signed(answer) = act(accept(SEALED_BYTES_MAX, UNCONDITIONAL_BYTES_MAX)) else {
        unreachable!("an act")
    };
    let next = NextEpoch {
        committee: committee(SEATS_MAX),
        candidates: seats(CANDIDATES_MAX),
        approvals: signatures(SEATS_MAX),
    };
    let member = Member {
        legal_name: "n".repeat(LEGAL_NAME_BYTES_MAX),
        meters: (0..METERS_MAX).map(key).collect(),
        key: key(0),
        ..villager("mg-x")
    };
    let registered = Act::RegisterChain {
        committee: committee(SEATS_MAX),
        possession: signatures(SEATS_MAX),
    };
    let returned = KeyReturn {
        sealed_key: Arc::from(vec![3; SEALED_BYTES_MAX]),
        unconditional: unconditional(UNCONDITIONAL_BYTES_MAX),
        ..returned()
    };
    let order = OrderId(Digest::of(b"order"));
    let id = |n: usize| OrderId(Digest::of(&n.to_be_bytes()));
    let transactions = [
        Transaction::Evidence(Arc::new(evidence)),
        Transaction::Local {
            request: request(UNCONDITIONAL_BYTES_MAX),
            answer,
        },
        Transaction::Epoch(Arc::new(next)),
        act(Act::Register(Arc::new(member))),
        act(registered),
        act(Act::KeyReturn {
            order,
            key: Arc::new(returned),
        }),
        act(Act::Round {
            hash: Digest::of(b"round"),
            orders: (0..ROUND_ORDERS_MAX).map(id).collect(),
        }),
        Transaction::Certificate(certificate(SEATS_MAX, 64)),
    ];
    for transaction in transactions {
        reads(&transaction, TRANSACTION_BYTES_MAX);
    }
    for payload in [net(TRANSFERS_MAX), opened(SEATS_MAX)] {
        let certificate = Certificate {
            payload,
            ..Certificate::clone(&certificate(SEATS_MAX, 64))
        };
        reads(&certificate, CERTIFICATE_BYTES_MAX);
    }
}

fn net(count: usize) -> Payload {
    let name = long();
    let transfer = Transfer {
        party: member(&name),
        from: chain(&name),
        to: chain(&name),
        amount: Money::from_millionths(1),
    };
    Payload::Net {
        sequence: 0,
        transfers: vec![transfer; count],
    }
}

fn opened(count: usize) -> Payload {
    Payload::Rotate {
        sequence: 0,
        rotation: Rotation::Opened(committee(count)),
    }
}

/// Refused where the count stands, with the bound.
pub(crate) fn too_long<T: Canonical + std::fmt::Debug>(value: &T, bound: usize) {
    let bytes = value.to_bytes();
    match T::decode(&bytes).unwrap_err() {
        DecodeError::TooLong { at, length, max } => {
            assert_eq!((length > bound, max), (true, bound));
            let count = u32::try_from(length).unwrap().to_be_bytes();
            assert!(length == bytes.len() || bytes[at..at + 4] == count);
        }
        error => unreachable!("{error}"),
    }
}

#[test]
fn one_more_is_refused() {
    let order = OrderId(Digest::of(b"order"));
    too_long(&*certificate(SEATS_MAX + 1, 64), SEATS_MAX);
    too_long(&*certificate(256, 64), SEATS_MAX);
    too_long(&*certificate(SEATS_MAX, 65), 64);
    too_long(&*committee(SEATS_MAX + 1), SEATS_MAX);
    too_long(&net(TRANSFERS_MAX + 1), TRANSFERS_MAX);
    too_long(&opened(255), SEATS_MAX);
    too_long(
        &unconditional(UNCONDITIONAL_BYTES_MAX + 1),
        UNCONDITIONAL_BYTES_MAX,
    );
    too_long(&accept(SEALED_BYTES_MAX + 1, 1), SEALED_BYTES_MAX);
    let acceptance = Acceptance {
        sealed_response: Arc::from(vec![0; SEALED_BYTES_MAX + 1]),
        ..acceptance()
    };
    too_long(&acceptance, SEALED_BYTES_MAX);
    let returned = KeyReturn {
        sealed_key: Arc::from(vec![0; SEALED_BYTES_MAX + 1]),
        ..returned()
    };
    too_long(&returned, SEALED_BYTES_MAX);
    let next = |candidates, approvals| NextEpoch {
        committee: committee(4),
        candidates: seats(candidates),
        approvals: signatures(approvals),
    };
    too_long(&next(CANDIDATES_MAX + 1, 1), CANDIDATES_MAX);
    too_long(&next(1, SEATS_MAX + 1), SEATS_MAX);
    let registered = Act::RegisterChain {
        committee: committee(4),
        possession: signatures(SEATS_MAX + 1),
    };
    too_long(&registered, SEATS_MAX);
    let name = Member {
        legal_name: "n".repeat(LEGAL_NAME_BYTES_MAX + 1),
        ..villager("mg-x")
    };
    too_long(&name, LEGAL_NAME_BYTES_MAX);
    let meters = Member {
        meters: (0..=METERS_MAX).map(key).collect(),
        ..villager("mg-x")
    };
    too_long(&meters, METERS_MAX);
    let id = |n: usize| OrderId(Digest::of(&n.to_be_bytes()));
    let round = Act::Round {
        hash: order.0,
        orders: (0..=ROUND_ORDERS_MAX).map(id).collect(),
    };
    too_long(&round, ROUND_ORDERS_MAX);
    let code = Terms {
        code_version: CODE_VERSION.repeat(4),
        ..own_line()
    };
    too_long(&code, 64);
    let last = Contradiction::Final {
        statement: super::table::statement(),
        signatures: signatures(SEATS_MAX + 1),
    };
    too_long(&last, SEATS_MAX);
}

#[test]
fn a_whole_above_its_bound_is_refused_before_it_is_read() {
    fn refused<T: Canonical + std::fmt::Debug>(bound: usize) {
        let (at, length, max) = (0, bound + 1, bound);
        let error = T::decode(&vec![1; length]).unwrap_err();
        assert_eq!(error, DecodeError::TooLong { at, length, max });
    }
    refused::<Transaction>(TRANSACTION_BYTES_MAX);
    refused::<Certificate>(CERTIFICATE_BYTES_MAX);
    refused::<Arc<Certificate>>(CERTIFICATE_BYTES_MAX);
    refused::<Request>(REQUEST_BYTES_MAX);
    refused::<Terms>(TERMS_BYTES_MAX);
    refused::<Committee>(64 << 20);
}
