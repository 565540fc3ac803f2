//! Carrying certificates between the chains of a run, with the relayer that also runs alone ([`tieline_chain::relay`]).
//!
//! A relayer asks every chain about everything that was ever said. In a run nothing is lost, so what everybody who wants an
//! entry has taken is not shown to it again: what it costs stays the same however long the run is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tieline_chain::relay::{Attested, ChainView, LedgerView, Limits, Relayer, Submission};
use tieline_contract::certificate::Certificate;
use tieline_contract::payload::{Kind, Payload, Subject};
use tieline_contract::threshold::Committee;
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_contract::transaction::Transaction;
use tieline_seal::hybrid::{Remembering, Strict};
use tieline_units::{ChainId, Time};

use super::place::{Happened, Place};
use crate::config::Troubles;

/// An entry of a chain's outbox: chain, kind, subject.
type Entry = (usize, Kind, Subject);

/// Carries until everybody has what it wants.
pub struct Carrier {
    relayer: Relayer,
    /// Of each chain, heights with entries that somebody still wants, and when they became final.
    open: Vec<BTreeMap<u64, Time>>,
    /// Taken certificates of open entries: by whom.
    taken: BTreeMap<Entry, BTreeSet<usize>>,
    verify: Remembering<Strict>,
}

/// A chain as the relayer is shown it.
struct Shown<'a> {
    inner: LedgerView<'a>,
    open: &'a BTreeMap<u64, Time>,
    /// Kinds that are held back, by chain: until when this certificate is.
    held: &'a dyn Fn(&Certificate) -> Option<Time>,
}

impl ChainView for Shown<'_> {
    fn chain(&self) -> &ChainId {
        self.inner.chain()
    }

    fn heights(&self) -> Vec<u64> {
        self.open.keys().copied().collect()
    }

    fn entries(&self, height: u64) -> Vec<Arc<Payload>> {
        self.inner.entries(height)
    }

    fn attested(&self, height: u64) -> Vec<Attested> {
        self.inner.attested(height)
    }

    fn committee(&self, epoch: u64) -> Option<Committee> {
        self.inner.committee(epoch)
    }

    fn kept(&self) -> Vec<Arc<Certificate>> {
        // Every chain of a run is there to speak for itself.
        Vec::new()
    }

    fn takes(&self, unsigned: &Arc<Certificate>) -> bool {
        let held = (self.held)(unsigned);
        held.is_none_or(|until| self.inner.now >= until) && self.inner.takes(unsigned)
    }
}

impl Carrier {
    /// Between so many chains.
    pub fn new(chains: usize) -> Carrier {
        let limits = Limits {
            // Below the time for which nothing has to happen before nothing is on its way.
            pause_max_ms: 1_000,
            ..Limits::default()
        };
        Carrier {
            relayer: Relayer::new(limits),
            open: vec![BTreeMap::new(); chains],
            taken: BTreeMap::new(),
            verify: Remembering::new(Strict),
        }
    }

    /// Takes notice of a block of `places[on]`.
    pub fn note(&mut self, places: &[Place], on: usize, (happened, now): (&Happened, Time)) {
        let height = happened.height;
        if places[on].ledger.state().outbox(height).next().is_some() {
            self.open[on].insert(height, now);
        }
        for transaction in &happened.applied {
            if let Transaction::Certificate(certificate) = transaction {
                let from = places.iter().position(|it| it.chain == certificate.chain);
                let from = from.expect("certificates are of chains of the run");
                let payload = &certificate.payload;
                let entry = (from, payload.kind(), payload.subject());
                self.taken.entry(entry).or_default().insert(on);
            }
        }
    }

    /// Forgets what nobody wants any more; which blocks' signatures can be forgotten too.
    pub fn tidy(&mut self, places: &[Place]) -> Vec<(usize, u64)> {
        let mut done = Vec::new();
        for (on, open) in self.open.iter().enumerate() {
            for height in open.keys() {
                let mut entries = places[on].ledger.state().outbox(*height);
                if entries.all(|entry| self.is_done(places, on, entry)) {
                    done.push((on, *height));
                }
            }
        }
        for (on, height) in &done {
            self.open[*on].remove(height);
            for entry in places[*on].ledger.state().outbox(*height) {
                self.taken.remove(&(*on, entry.kind(), entry.subject()));
            }
        }
        done
    }

    /// Whether everybody who wanted an entry has it, or can never take it.
    fn is_done(&self, places: &[Place], on: usize, payload: &Payload) -> bool {
        let entry = (on, payload.kind(), payload.subject());
        let taken = self.taken.get(&entry);
        let has = |target: usize| taken.is_some_and(|by| by.contains(&target));
        let all = 0..places.len();
        match payload {
            Payload::Register { .. } => all.filter(|it| *it != on).all(has),
            Payload::Deposit { deposit, .. } => {
                let home = places.iter().position(|it| it.chain == deposit.home);
                home.is_none_or(|home| home == on || has(home))
            }
            Payload::Net { transfers, .. } => {
                let touched = |it: &usize| {
                    let chain = &places[*it].chain;
                    *it != on && transfers.iter().any(|t| t.from == *chain || t.to == *chain)
                };
                all.filter(touched).all(has)
            }
            Payload::Rotate { .. } | Payload::Freeze { .. } => all.filter(|it| *it != on).all(has),
            about_an_order => places.iter().all(|place| !wants(place, about_an_order)),
        }
    }

    /// What to submit now: to which chain, what.
    pub fn plan(
        &mut self,
        places: &[Place],
        now: Time,
        troubles: &Troubles,
    ) -> Vec<(usize, Transaction)> {
        let open = &self.open;
        let held = |certificate: &Certificate| {
            let hold = troubles.holds(&certificate.chain, certificate.payload.kind())?;
            let on = places.iter().position(|it| it.chain == certificate.chain)?;
            let since = open[on].get(&certificate.height)?;
            Some(since.plus_millis(hold))
        };
        let shown: Vec<Shown<'_>> = places
            .iter()
            .zip(open)
            .map(|(place, open)| Shown {
                inner: LedgerView {
                    ledger: &place.ledger,
                    attestations: &place.attestations,
                    now,
                },
                open,
                held: &held,
            })
            .collect();
        let views: Vec<&dyn ChainView> = shown.iter().map(|view| view as &dyn ChainView).collect();
        let submissions = self.relayer.plan(now, &views, &self.verify);
        let place = |submission: Submission| {
            let to = places.iter().position(|it| it.chain == submission.to);
            let certificate = Transaction::Certificate(submission.certificate);
            (to.expect("a chain of the run"), certificate)
        };
        submissions.into_iter().map(place).collect()
    }

    /// Whether anything is not with everybody yet.
    pub fn is_open(&self) -> bool {
        self.open.iter().any(|open| !open.is_empty())
    }
}

/// Whether a chain may still take a certificate on what was said about an order.
fn wants(place: &Place, payload: &Payload) -> bool {
    let Subject::Order(order) = payload.subject() else {
        return false;
    };
    let state = place.ledger.state();
    let buyer = state.purchase(order).map(|it| it.state);
    let seller = state.sale(order).map(|it| it.state);
    let settling = state.settling(order);
    let unsettled = settling.is_none_or(|it| it.state == VppState::Open);
    let on_z = state.is_vpp() && unsettled;
    let bound = matches!(buyer, Some(BuyerState::Locked | BuyerState::Committed));
    match payload {
        Payload::Request(request) => place.chain == request.terms.chain_y && seller.is_none(),
        Payload::Accept(_) => buyer == Some(BuyerState::Locked),
        Payload::Reject(_) | Payload::Void(_) => bound,
        Payload::Refund(_) => seller == Some(SellerState::Accepted),
        Payload::Commit(_) => {
            let unknown = settling.is_none_or(|it| !it.committed);
            seller == Some(SellerState::Accepted) || on_z && unknown
        }
        Payload::Taken(_) => on_z && settling.is_none_or(|it| it.taken.is_none()),
        Payload::Delivered(_) => on_z && settling.is_none_or(|it| it.delivered.is_none()),
        Payload::Settle(_) => {
            let accepted = Some(SellerState::Accepted);
            bound || seller == accepted || seller == Some(SellerState::Confirmed)
        }
        _ => false,
    }
}
