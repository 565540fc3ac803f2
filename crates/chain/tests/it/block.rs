//! Blocks: their bytes, their bounds, their time.

use std::sync::Arc;

use tieline_chain::block::{
    Block, BlockError, Body, CONTEXT_BYTES_MAX, ClockError, LAG_MAX_MS, Proposal, SKEW_MAX_MS,
    TRANSACTIONS_MAX, transaction_hash,
};
use tieline_contract::terms::OrderId;
use tieline_contract::transaction::Transaction;
use tieline_sim::village::Village;
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Time};

use crate::world::{block, block_with, handover, home, ledger};

const NOON: Time = Time::from_millis(800_000_000);

fn timeout(number: u32) -> Transaction {
    Transaction::Timeout(OrderId(Digest::of(&number.to_be_bytes())))
}

fn some_block() -> Block {
    let z = ledger(&Village::default(), "chain-z");
    let proposal = Proposal {
        time: NOON,
        body: Body {
            transactions: vec![timeout(1), timeout(2)],
            handover: Some(Arc::new(handover("chain-z", 0))),
            ..Body::default()
        },
        context: b"view 7".to_vec(),
    };
    z.propose(proposal).unwrap()
}

#[test]
fn names_and_bytes_are_pinned() {
    let block = some_block();
    let pinned = [
        (
            transaction_hash(&timeout(1)),
            "8325e7389c49b8f64e84142d11f44473d9e39f1c3193a5f6e4b6388ff6536cd5",
        ),
        (
            Digest::of(&block.to_bytes()),
            "21a7a980d660ad60c61342e9a4aa7f9245a8c8c56fa6b7c7fd6bcaad7c4d89e7",
        ),
        (
            block.digest(&home("chain-z")),
            "51c5d9a727eeb602a2b0124f29b267a1712fc4d3b40f997013e9efc27a790835",
        ),
        (
            block.digest(&home("chain-y")),
            "a4319cab692760f4e3bb526a36cc4c12577e52884ecfd9e6631b7fce5db3f4d0",
        ),
    ];
    let found = pinned.map(|(digest, _)| digest.to_string());
    assert_eq!(found, pinned.map(|(_, text)| text.to_owned()));
}

#[test]
fn a_block_is_read_back_and_every_cut_or_longer_one_is_not() {
    let bytes = some_block().to_bytes();
    assert_eq!(Block::decode(&bytes).unwrap(), some_block());
    for cut in (0..bytes.len()).step_by(97) {
        assert!(Block::decode(&bytes[..cut]).is_err(), "{cut}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(Block::decode(&longer).is_err());
}

#[test]
fn whatever_is_changed_in_a_block_changes_its_name_or_is_found() {
    let good = some_block();
    let z = ledger(&Village::default(), "chain-z");
    let (name, parent) = (good.digest(z.home()), *z.tip());
    good.check(&parent).unwrap();
    let bytes = good.to_bytes();
    let mut found = 0;
    for at in (0..bytes.len()).step_by(13).chain(0..400) {
        let mut bent = bytes.clone();
        bent[at] ^= 1;
        let Ok(bent) = Block::decode(&bent) else {
            continue;
        };
        found += 1;
        let other_name = bent.digest(z.home()) != name;
        assert!(other_name || bent.check(&parent).is_err(), "byte {at}");
    }
    assert!(found > 100, "{found}");
}

type Edit = (&'static str, fn(&mut Block));

const EDITS: [Edit; 15] = [
    ("version", |block| block.header.version = 2),
    ("height", |block| block.header.height = 3),
    ("follows", |block| {
        block.header.parent = Digest::of(b"other")
    }),
    ("its parent of", |block| {
        block.header.time = Time::from_millis(5)
    }),
    ("epoch", |block| block.header.epoch = 1),
    ("validators", |block| {
        block.header.validators = Digest::of(b"x")
    }),
    ("hand over", |block| block.header.handover = None),
    ("hand over", |block| {
        block.header.next_validators = Digest::of(b"x")
    }),
    ("hand over", |block| block.body.handover = None),
    ("hand over", |block| {
        block.body.handover = Some(Arc::new(handover("chain-z", 1)));
    }),
    ("context", |block| {
        block.header.context = vec![0; CONTEXT_BYTES_MAX + 1].into();
    }),
    ("header says", |block| block.header.transactions = 3),
    ("header says", |block| drop(block.body.transactions.pop())),
    ("not those", |block| block.body.transactions.swap(0, 1)),
    ("not those", |block| {
        block.header.transactions_root = Digest::of(b"x");
    }),
];

#[test]
fn each_rule_of_a_block_refuses_with_its_own_words() {
    let mut z = ledger(&Village::default(), "chain-z");
    let beat = z.heartbeat(Time::from_millis(1_000)).unwrap();
    z.execute(&beat, &tieline_sim::symbol::Symbolic).unwrap();
    let body = some_block().body;
    let good = block_with(&z, NOON, body);
    good.check(z.tip()).unwrap();
    let edits = EDITS;
    for (index, (words, edit)) in edits.into_iter().enumerate() {
        let mut bad = good.clone();
        edit(&mut bad);
        let error = bad.check(z.tip()).unwrap_err().to_string();
        assert!(error.contains(words), "edit {index}: {error}");
    }
}

#[test]
fn blocks_are_bounded() {
    let z = ledger(&Village::default(), "chain-z");
    let many = |count: usize| (0..count as u32).map(timeout).collect::<Vec<_>>();
    block(&z, NOON, many(TRANSACTIONS_MAX));
    let propose = |transactions| {
        z.propose(Proposal {
            time: NOON,
            body: Body {
                transactions,
                handover: None,
                ..Body::default()
            },
            context: Vec::new(),
        })
    };
    let error = propose(many(TRANSACTIONS_MAX + 1)).unwrap_err();
    assert!(matches!(error, BlockError::Count { .. }), "{error}");
    let error = propose(vec![timeout(1), timeout(1)]).unwrap_err();
    assert!(matches!(error, BlockError::Twice { .. }), "{error}");
    let large = |number: u8| {
        let mut terms = Village::default().terms();
        terms.aggregator = tieline_sim::village::member("aggregator");
        let mut request = (*tieline_sim::village::request(terms, number.into())).clone();
        request.unconditional = tieline_contract::terms::Unconditional::Carried {
            bytes: vec![0; 1 << 20].into(),
        };
        Transaction::Request(Arc::new(request))
    };
    let error = propose((0..9).map(large).collect()).unwrap_err();
    assert!(matches!(error, BlockError::Bytes { .. }), "{error}");
}

#[test]
fn a_voter_waits_for_blocks_from_the_future_and_refuses_old_ones() {
    let header = some_block().header;
    let (skew, lag) = (SKEW_MAX_MS, LAG_MAX_MS);
    for now in [NOON, NOON.minus_millis(skew), NOON.plus_millis(lag)] {
        header.check_clock(now).unwrap();
    }
    let ahead = header.check_clock(NOON.minus_millis(skew + 1)).unwrap_err();
    assert!(matches!(ahead, ClockError::Ahead { .. }));
    let behind = header.check_clock(NOON.plus_millis(lag + 1)).unwrap_err();
    assert!(matches!(behind, ClockError::Behind { .. }));
}
