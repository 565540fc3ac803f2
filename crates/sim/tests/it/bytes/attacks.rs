//! Attacks on encodings (31) and on resources (34).

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_contract::apply;
use tieline_contract::certificate::Certificate;
use tieline_contract::guard::Guard;
use tieline_contract::payload::{Payload, Registration};
use tieline_contract::state::{Block, State};
use tieline_contract::terms::{OrderId, Request, Terms};
use tieline_contract::threshold::{Committee, SEATS_MAX};
use tieline_contract::trade::SellerState;
use tieline_contract::transaction::{Act, Transaction};
use tieline_seal::merkle::Proof;
use tieline_sim::forge::signed_again;
use tieline_sim::samples::{EARLY, acts, certified, first_request, transactions};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{Village, member, request, signed};
use tieline_units::{Canonical, DecodeError, Digest, Encoder, Energy, Price};

use super::bounds::{certificate, committee, request as largest_request, signatures, too_long};
use super::domains::SOURCES;
use super::table::samples;

/// `bytes` with the first `find` replaced, and where it stood.
fn replaced(bytes: &[u8], find: &[u8], put: &[u8]) -> (usize, Vec<u8>) {
    let at = bytes.windows(find.len()).position(|w| w == find).unwrap();
    let rest = &bytes[at + find.len()..];
    (at, [&bytes[..at], put, rest].concat())
}

fn text(value: &str) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.text(value);
    encoder.into_bytes()
}

#[test]
fn attack_31_no_float_and_no_text_of_numbers_stands_in_signed_bytes() {
    // -0, NaN and 1e3 cannot occur: the contract has no floating point, no JSON and no reader of numbers.
    for (file, source) in SOURCES {
        let code = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            for word in [
                "f32", "f64", "serde", "json", "parse::<", "HashMap", "HashSet",
            ] {
                assert!(!line.contains(word), "{file}: {line}");
            }
        }
    }
    // The pattern of a float's -0 is the least integer, which no price is; 0 has one form.
    let mut terms = Village::default().terms();
    terms.price = Price::from_millionths(i64::from_be_bytes([0x80, 0, 0, 0, 0, 0, 0, 0]));
    assert_eq!(Terms::decode(&terms.to_bytes()).as_ref(), Ok(&terms));
    let mut x = Village::default().ledger("chain-x");
    let refusal = offered(&mut x, &Transaction::Request(request(terms, 1)));
    assert_eq!(refusal, Err(Guard::WellFormed));
    assert_eq!(Price::ZERO.to_bytes(), [0; 8]);
}

fn offered(ledger: &mut State, transaction: &Transaction) -> Result<(), Guard> {
    let height = ledger.block().height + 1;
    let block = Block {
        height,
        time: EARLY,
    };
    let transaction = signed_again(ledger, transaction);
    let done = apply(ledger, &transaction, block, &Symbolic);
    done.map(|_| ()).map_err(|refusal| refusal.guard)
}

#[test]
fn attack_31_no_id_has_a_twin_in_unicode() {
    let bytes = first_request().terms.to_bytes();
    let twins = [
        "mg\u{2010}x",  // a hyphen that is not '-'
        "mg-\u{445}",   // a Cyrillic letter
        "mg-x\u{301}",  // a combining accent
        "mg-x\u{200b}", // a space of no width
        "\u{ff4d}g-x",  // a wide letter
        "mg-x ",
        "mg-x\0",
        "",
    ];
    for twin in twins {
        let (at, changed) = replaced(&bytes, &text("mg-x"), &text(twin));
        let error = Terms::decode(&changed).unwrap_err();
        let here = matches!(&error, DecodeError::Invalid { at: found, what: "MicrogridId", .. } if *found == at);
        assert!(here, "{twin}: {error}");
    }
    // Another case is another id, not another spelling: the order is another.
    let (_, upper) = replaced(&bytes, &text("mg-x"), &text("MG-X"));
    let upper = Terms::decode(&upper).unwrap();
    assert_ne!(upper.order(7), first_request().order());
}

/// A certificate's bytes with other attestations: each a seat and its signature.
fn attested(seats: &[u8]) -> Vec<u8> {
    let ledger = Village::default().ledger("chain-z");
    let payload = Payload::Reject(OrderId(Digest::of(b"order")));
    let mut certificate = Certificate::clone(&certified(&ledger, 1, payload));
    let signature = certificate.attestations[&0].clone();
    certificate.attestations = BTreeMap::new();
    let mut bytes = certificate.to_bytes();
    bytes.truncate(bytes.len() - 4);
    let mut encoder = Encoder::default();
    encoder.length(seats.len());
    for seat in seats {
        encoder.u8(*seat);
        signature.encode(&mut encoder);
    }
    [bytes, encoder.into_bytes()].concat()
}

#[test]
fn attack_31_nobody_signs_twice_and_signers_stand_in_order() {
    assert!(Certificate::decode(&attested(&[0, 1, 3])).is_ok());
    for seats in [[0, 0, 1], [1, 0, 3], [0, 3, 3], [3, 2, 1]] {
        let error = Certificate::decode(&attested(&seats)).unwrap_err();
        assert!(matches!(error, DecodeError::Order { .. }), "{error}");
    }
}

#[test]
fn attack_31_members_of_sets_stand_in_order() {
    let round = acts().into_iter().find(|(name, _)| *name == "Act::Round");
    let (_, (_, _, act)) = round.unwrap();
    let bytes = act.to_bytes();
    let (start, orders) = bytes.split_at(bytes.len() - 64);
    let (one, two) = orders.split_at(32);
    assert_eq!(Act::decode(&[start, one, two].concat()), Ok(act));
    let at = start.len() + 32;
    for other in [[two, one], [one, one]] {
        let changed = [start, other[0], other[1]].concat();
        assert_eq!(Act::decode(&changed), Err(DecodeError::Order { at }));
    }
}

#[test]
fn attack_31_a_code_in_lower_case_an_answer_of_2_and_an_unknown_variant_are_refused() {
    let rules = Village::default().ledger("chain-x").rules().to_bytes();
    let (at, lower) = replaced(&rules, b"EUR", b"eur");
    let error = tieline_contract::state::Rules::decode(&lower).unwrap_err();
    assert!(
        matches!(error, DecodeError::Invalid { at: found, what: "currency", .. } if found == at)
    );
    let member = tieline_sim::samples::villager("mg-x").to_bytes();
    let mut revoked = member.clone();
    *revoked.last_mut().unwrap() = 2;
    assert!(tieline_contract::member::Member::decode(&revoked).is_err());
    let known: Vec<u8> = (0..=255)
        .filter(|&tag| {
            let found = Transaction::decode(&[tag]);
            !matches!(found, Err(DecodeError::Invalid { at: 0, .. }))
        })
        .collect();
    assert_eq!(known, (1..=13).collect::<Vec<u8>>());
}

#[test]
fn attack_34_a_message_of_a_hundred_megabytes_is_refused_unread() {
    let huge = vec![1; 100 << 20];
    let (at, length) = (0, 100 << 20);
    let refused = |max| DecodeError::TooLong { at, length, max };
    assert_eq!(Transaction::decode(&huge), Err(refused(2 << 20)));
    assert_eq!(Certificate::decode(&huge), Err(refused(1 << 20)));
    assert_eq!(Request::decode(&huge), Err(refused(520 << 10)));
    assert_eq!(Terms::decode(&huge), Err(refused(1 << 10)));
    // Whatever has no bound of its own.
    assert_eq!(Committee::decode(&huge), Err(refused(64 << 20)));
    let records = [(&[0][..], &huge[..])];
    assert!(State::from_records(records).is_err());
}

#[test]
fn attack_34_a_committee_of_255_and_certificates_of_256_are_refused() {
    too_long(&*committee(255), SEATS_MAX);
    too_long(&*certificate(255, 0), SEATS_MAX);
    too_long(&*certificate(256, 0), SEATS_MAX);
    // In memory, where no bytes were read, the ledger counts as well.
    let village = Village::default();
    let mut x = village.ledger("chain-x");
    let mut many = Certificate::clone(&certified(&x, 1, Payload::Reject(OrderId(Digest::of(b"")))));
    many.attestations = signatures(256);
    let transaction = Transaction::Certificate(Arc::new(many));
    let height = 1;
    let block = Block {
        height,
        time: EARLY,
    };
    assert!(apply(&mut x, &transaction, block, &Symbolic).is_err());
}

/// A chain with these numbers, registered by the operator and by certificate.
fn registered(faults: u8, threshold: u8, seats: usize) -> [Result<(), Guard>; 2] {
    let village = Village::default();
    let mut committee = village.committee("chain-w", 0);
    committee.faults = faults;
    committee.threshold = threshold;
    let seat = |number| tieline_sim::village::seat_key("chain-w", 0, number);
    committee.seats = (0..seats)
        .map(|number| tieline_contract::threshold::Seat {
            key: seat(number),
            owner: member("vpp"),
        })
        .collect();
    let committee = Arc::new(committee);
    let payload = Payload::Register {
        sequence: 0,
        registration: Registration::Chain(committee.clone()),
    };
    let act = Act::RegisterChain {
        committee,
        possession: BTreeMap::new(),
    };
    let (mut x, mut z) = (village.ledger("chain-x"), village.ledger("chain-z"));
    let payload = Transaction::Certificate(certified(&x, 1, payload));
    [
        offered(&mut z, &Transaction::Signed(signed("chain-z", "vpp", act))),
        offered(&mut x, &payload),
    ]
}

#[test]
fn attack_34_numbers_of_zero_and_of_255_make_no_committee() {
    let none = [Err(Guard::Committee), Err(Guard::Committee)];
    for (faults, threshold, seats) in [
        (0, 0, 0),
        (0, 1, 0),
        (0, 0, 2),
        (0, 0, 1),
        (1, 0, 4),
        (1, 1, 4),
        (1, 4, 4),
        (255, 255, 64),
        (255, 0, 4),
        (0, 255, 64),
        (31, 32, 65),
    ] {
        assert_eq!(
            registered(faults, threshold, seats),
            none,
            "{faults} {threshold} {seats}"
        );
    }
    // As it should be: only the stakes are missing on Z.
    assert_eq!(registered(1, 2, 4), [Err(Guard::Funds), Ok(())]);
}

#[test]
fn attack_34_a_tree_without_leaves_proves_nothing() {
    let leaf = Digest::of(b"leaf");
    let proof = |index, count, path| Proof {
        index,
        count,
        path: vec![leaf; path],
    };
    for (index, count, path) in [
        (0, 0, 0),
        (0, 0, 64),
        (u64::MAX, 0, 0),
        (1, 1, 0),
        (u64::MAX, u64::MAX, 64),
        (0, u64::MAX, 63),
        (0, 1, 1),
    ] {
        assert_eq!(
            proof(index, count, path).root(leaf),
            None,
            "{index} {count} {path}"
        );
    }
    assert!(proof(0, u64::MAX, 64).root(leaf).is_some());
}

#[test]
fn attack_34_terms_of_extreme_numbers_are_refused_without_a_panic() {
    let extremes = [i64::MIN, -1, 0, 1, i64::MAX];
    let energy = Energy::from_millijoules;
    for price in extremes {
        for quantity in extremes {
            for time in [0, 1, u64::MAX - 1, u64::MAX] {
                let mut terms = Village::default().terms();
                terms.price = Price::from_millionths(price);
                terms.seller_price = terms.price;
                terms.imbalance = terms.price;
                terms.quantity = energy(quantity);
                terms.escrow = tieline_units::Money::from_millionths(quantity);
                terms.bond = terms.escrow;
                terms.start = tieline_units::Time::from_millis(time);
                terms.deadline = terms.start;
                terms.gate_closure = terms.start;
                terms.metering_deadline = terms.start;
                terms.delta_t = time;
                everywhere(&terms);
            }
        }
    }
}

/// Every ledger gets the terms in every way, and refuses them or writes them off.
fn everywhere(terms: &Terms) {
    let village = Village::default();
    let wanted = request(terms.clone(), 1);
    let offer = Payload::Request(wanted.clone());
    let [mut x, mut y] = ["chain-x", "chain-y"].map(|name| village.ledger(name));
    let offer = Transaction::Certificate(certified(&y, 1, offer));
    // Where the deadline is past, the request is refused for good, and the chain says so.
    let order = wanted.order();
    let refusals = [
        offered(&mut x, &Transaction::Request(wanted.clone())),
        offered(&mut y, &offer),
    ];
    assert!(refusals[0].is_err(), "{terms:?}");
    let state = y.sale(order).map(|sale| sale.state);
    assert!(
        matches!(state, None | Some(SellerState::Rejected)),
        "{terms:?}"
    );
    let late = tieline_sim::village::timeout_request(&wanted.terms, 1);
    let block = Block {
        height: 1,
        time: EARLY,
    };
    if let Err(refusal) = apply(&mut y, &late, block, &Symbolic) {
        assert!(!refusal.to_string().is_empty());
    }
}

#[test]
fn attack_34_malformed_lengths_are_refused_anywhere() {
    for sample in samples() {
        let end = sample.bytes.len().min(700);
        for at in 0..end.saturating_sub(3) {
            for length in [u32::MAX, i32::MAX as u32, 1 << 20, 1025, 0] {
                let mut changed = sample.bytes.clone();
                changed[at..at + 4].copy_from_slice(&length.to_be_bytes());
                if let Ok(again) = (sample.again)(&changed) {
                    assert!(again == changed, "{}: two encodings", sample.name);
                }
            }
        }
    }
    // The largest that is read is no larger in memory than a few times its bytes: everything is a list of what came.
    let most = Transaction::Request(largest_request(512 << 10)).to_bytes();
    assert!(most.len() < 520 << 10);
    for end in (0..most.len()).step_by(4_096) {
        assert!(Transaction::decode(&most[..end]).is_err());
    }
    assert!(
        transactions()
            .iter()
            .all(|(_, t)| t.to_bytes().len() < 64 << 10)
    );
}
