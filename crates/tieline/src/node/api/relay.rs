//! What relayers ask, in canonical bytes.

use std::sync::Arc;

use serde::Serialize;
use tieline_chain::relay::{Attestations, ChainView as _, LedgerView};
use tieline_contract::certificate::Certificate;
use tieline_contract::payload::Payload;
use tieline_units::canonical;
use tieline_units::canonical::Canonical;

use super::super::http::Reply;
use super::{Access, disk, look, number};

/// Most blocks or certificates of a page.
pub const PAGE_MAX: usize = 512;

/// After so many bytes a page ends, with what began before.
const PAGE_BYTES: usize = 4 << 20;

/// Most entries of a block that are read.
pub const ENTRIES_MAX: usize = 1 << 16;

/// What a final block says to other chains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its height.
    pub height: u64,
    /// Its outbox, in order.
    pub entries: Vec<Arc<Payload>>,
}

canonical!(Said {
    height,
    entries[ENTRIES_MAX]
});

/// `?from=N`; 0 without it.
fn from(query: &str) -> Result<u64, Reply> {
    let mut parts = query.split('&');
    let found = parts.find_map(|part| part.strip_prefix("from="));
    found.map_or(Ok(0), |text| number("from", text))
}

/// As many as fit into a page.
fn page<T: Canonical>(items: impl Iterator<Item = T>) -> Reply {
    let (mut bytes, mut page) = (0, Vec::new());
    for item in items.take(PAGE_MAX) {
        bytes += item.to_bytes().len();
        page.push(item);
        if bytes >= PAGE_BYTES {
            break;
        }
    }
    Reply::octets(page.to_bytes())
}

pub(super) fn outbox(access: &dyn Access, query: &str) -> Result<Reply, Reply> {
    let from = from(query)?;
    look(access, |replica| {
        let state = replica.ledger().state();
        let mut last = None;
        let heights = state.said().map(|(height, _)| height);
        let heights =
            heights.filter(|height| *height >= from && last.replace(*height) != Some(*height));
        page(heights.map(|height| Said {
            height,
            entries: state.outbox(height).cloned().collect(),
        }))
    })
}

pub(super) fn attestations(access: &dyn Access, part: &str) -> Result<Reply, Reply> {
    let height = number("the height", part)?;
    let signed = look(access, |replica| replica.attestations(height))?;
    Ok(Reply::octets(signed.map_err(disk)?.to_bytes()))
}

pub(super) fn committee(access: &dyn Access, part: &str) -> Result<Reply, Reply> {
    let epoch = number("the epoch", part)?;
    let found = look(access, |replica| {
        let ledger = replica.ledger();
        let committee = ledger.state().committee(&ledger.home().chain, epoch);
        committee.map(Canonical::to_bytes)
    })?;
    found.map(Reply::octets).ok_or_else(|| {
        let error = format!("this chain has no verification nodes of epoch {epoch}");
        Reply::wrong(404, &error, "epochs begin with 0")
    })
}

pub(super) fn kept(access: &dyn Access, query: &str) -> Result<Reply, Reply> {
    let from = usize::try_from(from(query)?).unwrap_or(usize::MAX);
    look(access, |replica| {
        page(replica.ledger().state().kept().skip(from).cloned())
    })
}

#[derive(Serialize)]
struct Takes {
    takes: bool,
}

pub(super) fn takes(access: &dyn Access, body: &[u8]) -> Result<Reply, Reply> {
    let max = <Certificate as Canonical>::SIZE_MAX;
    if body.len() > max {
        let error = format!(
            "a certificate of {} bytes, at most {max} are read",
            body.len()
        );
        return Err(Reply::wrong(413, &error, "send it without signatures"));
    }
    let certificate = Certificate::decode(body).map_err(|error| {
        let error = format!("the body is no certificate: {error}");
        let next = "send the canonical bytes of one, without signatures";
        Reply::wrong(400, &error, next)
    })?;
    let (certificate, now) = (Arc::new(certificate), access.now());
    let takes = look(access, |replica| {
        let view = LedgerView {
            ledger: replica.ledger(),
            attestations: &Attestations::default(),
            now,
        };
        view.takes(&certificate)
    })?;
    Ok(Reply::json(200, &Takes { takes }))
}
