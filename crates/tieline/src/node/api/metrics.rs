//! Figures for a monitor.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use super::super::http::Reply;
use super::validators::votes;
use super::{Access, disk, look};

/// Requests by the code of their answer.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<BTreeMap<u16, u64>>);

impl Counts {
    pub(super) fn add(&self, code: u16) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(code).or_default() += 1;
    }
}

pub(super) fn page(access: &dyn Access, counts: &Counts) -> Result<Reply, Reply> {
    let now = access.now();
    let own = access.identity();
    let (chain, figures, tip, votes) = look(access, |replica| {
        let ledger = replica.ledger();
        let chain = ledger.home().chain.clone();
        let votes = votes(replica, own);
        (chain, replica.figures(), *ledger.tip(), votes)
    })?;
    let votes = votes.map_err(disk)?;
    let since_ms = now.as_millis().saturating_sub(tip.time.as_millis());
    let since = format!("{}.{:03}", since_ms / 1000, since_ms % 1000);
    let rows = [
        ("height", "last final block", figures.height.to_string()),
        (
            "waiting",
            "transactions that wait",
            figures.waiting.to_string(),
        ),
        (
            "waiting_bytes",
            "their bytes",
            figures.waiting_bytes.to_string(),
        ),
        ("forks", "executed and not final", figures.forks.to_string()),
        ("epoch", "sets of validators so far", tip.epoch.to_string()),
        (
            "votes",
            "1 where this node votes, 0 where it follows",
            u8::from(votes).to_string(),
        ),
        ("since_final_seconds", "age of the last final block", since),
    ];
    let mut text = String::new();
    for (name, help, value) in rows {
        let _ = write!(
            text,
            "# HELP tieline_chain_{name} {help}\n# TYPE tieline_chain_{name} gauge\n\
             tieline_chain_{name}{{chain=\"{chain}\"}} {value}\n"
        );
    }
    text.push_str("# HELP tieline_api_requests_total requests answered\n");
    text.push_str("# TYPE tieline_api_requests_total counter\n");
    let counts = counts.0.lock().unwrap_or_else(PoisonError::into_inner);
    for (code, count) in counts.iter() {
        let _ = writeln!(
            text,
            "tieline_api_requests_total{{chain=\"{chain}\",code=\"{code}\"}} {count}"
        );
    }
    Ok(Reply::of(200, "text/plain; version=0.0.4", text.into()))
}
