//! What a block's parts cost by themselves, on one thread.

use std::sync::Arc;
use std::time::Instant;

use tieline_chain::block::{Body, Proposal};
use tieline_chain::ledger::Ledger;
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::{Domain, Purpose, Remembering, SigningKey, Strict, Verify};
use tieline_units::{Digest, Time};

use crate::ground::Ground;
use crate::load::{Figures, quantile};
use crate::votes::now;

const TIMES: usize = 50;

/// Milliseconds, the median of some runs.
fn median<T>(times: usize, mut run: impl FnMut() -> T) -> f64 {
    let one = |_| {
        let started = Instant::now();
        std::hint::black_box(run());
        started.elapsed().as_secs_f64() * 1_000.0
    };
    let mut all: Vec<f64> = (0..times).map(one).collect();
    all.sort_by(f64::total_cmp);
    quantile(&all, 0.5)
}

/// Votes; and of a block of so many transactions, their signatures and everything else about executing them.
pub fn parts(transactions: usize) -> Figures {
    let ground = Ground::new(4, Vec::new());
    let readings: Vec<Transaction> = (0..transactions as u64)
        .map(|it| ground.reading(it))
        .collect();
    let ledger = Ledger::genesis(&ground.genesis);
    let body = Body {
        transactions: readings,
        ..Body::default()
    };
    let proposal = Proposal {
        time: Time::from_millis(now().as_millis()),
        body,
        context: Vec::new(),
    };
    let block = ledger.propose(proposal).unwrap();
    let execute = |verify: &dyn Verify| {
        let mut ledger = ledger.clone();
        let executed = ledger.execute(&block, verify).unwrap();
        assert_eq!(executed.receipts.len(), transactions);
        assert!(
            executed.changed.len() > transactions.min(20),
            "all are applied"
        );
    };
    let known = Remembering::new(Strict);
    execute(&known);
    let times = if transactions > 100 { 7 } else { TIMES };
    let whole = median(times, || execute(&Strict));
    let executing = median(times, || execute(&known));
    let key = Arc::new(SigningKey::from_seed(
        tieline_engine::validators::SUITE,
        &[7; 32],
    ));
    let domain = Domain {
        chain: ground.genesis.home().chain,
        genesis: Digest::of(b"genesis"),
        epoch: 0,
        purpose: Purpose::Vote,
    };
    let mut number = 0_u64;
    let signing = median(400, || {
        number += 1;
        key.sign(&domain, &number.to_be_bytes())
    });
    let vote = key.sign(&domain, b"vote");
    let verifying = median(400, || {
        assert!(Strict.verify(key.public_key(), &domain, b"vote", &vote))
    });
    Figures::from([
        ("execute", executing),
        ("signatures", whole - executing),
        ("vote signed", signing),
        ("vote verified", verifying),
    ])
}
