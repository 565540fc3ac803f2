//! Carrying what one chain says to the others.
//!
//! **Parties.** Chains, seen through [`ChainView`]; verification nodes, whose signatures the views show; any number of relayers.
//! **Rules.** A relayer reads outboxes and signatures, makes certificates, and submits each where it would be taken now: the
//! target's own state says so, so nothing is submitted twice for long, and nothing has to be remembered. What chains keep
//! of others' certificates is handed on like their own entries, so that a chain that is gone is still heard. **Guarantee.** A
//! relayer can delay, and can neither forge nor lose: everything that it knows is on chains, and what is in
//! [`Relayer`] only spares work. Kill all, start an empty one, and it goes on.
//!
//! Pure: views and time come in, [`Submission`]s go out.

mod aggregate;
mod ledger_view;

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_contract::certificate::{Certificate, Statement};
use tieline_contract::payload::{Kind, Payload, Subject};
use tieline_contract::threshold::Committee;
use tieline_seal::hybrid::{Signature, Verify};
use tieline_units::{ChainId, Time};

pub use aggregate::aggregate;
pub use ledger_view::{Attestations, LedgerView};

/// Signatures of verification nodes on one block, of one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// What they signed.
    pub statement: Statement,
    /// By seat; not checked yet.
    pub signatures: BTreeMap<u8, Signature>,
}

/// A chain as a relayer sees it. Nothing of it is trusted by anybody but for the relayer's own usefulness.
pub trait ChainView {
    /// Which chain.
    fn chain(&self) -> &ChainId;

    /// Heights of final blocks with outbox entries, rising.
    fn heights(&self) -> Vec<u64>;

    /// The entries of such a block, in order.
    fn entries(&self, height: u64) -> Vec<Arc<Payload>>;

    /// Who signed for such a block, per epoch.
    fn attested(&self, height: u64) -> Vec<Attested>;

    /// The chain's own verification nodes.
    fn committee(&self, epoch: u64) -> Option<Committee>;

    /// Others' certificates that it consumed and hands out again.
    fn kept(&self) -> Vec<Arc<Certificate>>;

    /// Whether its next block would take this certificate if it had signatures: here it has none. Cheap, as it is asked
    /// of everything that was ever said.
    fn takes(&self, unsigned: &Arc<Certificate>) -> bool;
}

/// Bounds of a relayer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most submissions on their way to one chain.
    pub in_flight_max: usize,
    /// After how long a submission counts as lost, milliseconds.
    pub lost_after_ms: u64,
    /// Longest pause before a chain that did not want something is asked again, milliseconds.
    pub pause_max_ms: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            in_flight_max: 256,
            lost_after_ms: 60_000,
            pause_max_ms: 60_000,
        }
    }
}

/// What to send where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// To which chain.
    pub to: ChainId,
    /// What: [`tieline_contract::transaction::Transaction::Certificate`].
    pub certificate: Arc<Certificate>,
}

/// What an entry is, whoever attests it.
type Entry = (ChainId, Kind, Subject);

/// Pause after the first no, milliseconds; it doubles with every further one.
const PAUSE_MS: u64 = 1_000;

/// Entries whose pauses are remembered at most; then all are forgotten, and asked again.
const PAUSES_MAX: usize = 1 << 16;

/// When to ask again, and how long the pause before that was.
#[derive(Clone, Copy, Debug)]
struct Pause {
    until: Time,
    length_ms: u64,
}

/// A relayer. All that it holds may be lost at any moment.
#[derive(Clone, Debug)]
pub struct Relayer {
    limits: Limits,
    /// Submitted, and not seen to be taken yet.
    in_flight: BTreeMap<(ChainId, Entry), Time>,
    /// Not wanted by a target for now.
    pauses: BTreeMap<(ChainId, Entry), Pause>,
}

/// An entry with where its certificates come from.
enum Source<'a> {
    /// A view's own outbox: index among the entries of that height.
    Own(&'a dyn ChainView, u64, usize),
    /// Kept by some chain.
    Kept(Arc<Certificate>),
}

impl Relayer {
    /// One that knows nothing.
    pub fn new(limits: Limits) -> Relayer {
        Relayer {
            limits,
            in_flight: BTreeMap::new(),
            pauses: BTreeMap::new(),
        }
    }

    /// Submissions on their way to a chain.
    pub fn in_flight(&self, to: &ChainId) -> usize {
        let on_their_way = self.in_flight.keys();
        on_their_way.filter(|(target, _)| target == to).count()
    }

    /// A submission did not reach its chain: it is planned again at once.
    pub fn lost(&mut self, submission: &Submission) {
        let certificate = &submission.certificate;
        let entry = name(&certificate.chain, &certificate.payload);
        self.in_flight.remove(&(submission.to.clone(), entry));
    }

    /// What to submit now, in the order of blocks and entries.
    ///
    /// `verify`: for signatures of verification nodes; wrong ones are left out of certificates.
    pub fn plan(
        &mut self,
        now: Time,
        views: &[&dyn ChainView],
        verify: &dyn Verify,
    ) -> Vec<Submission> {
        let lost_after = self.limits.lost_after_ms;
        self.in_flight
            .retain(|_, since| now < since.plus_millis(lost_after));
        if self.pauses.len() > PAUSES_MAX {
            self.pauses.clear();
        }
        let mut built = aggregate::Built::new(verify);
        let mut submissions = Vec::new();
        for (entry, source) in sources(views) {
            for target in views {
                let own = *target.chain() == entry.0;
                if own && !is_first(&source) {
                    continue;
                }
                let place = (target.chain().clone(), entry.clone());
                if let Some(certificate) = self.ask(now, *target, &place, (&source, &mut built)) {
                    self.in_flight.insert(place, now);
                    self.pauses.remove(&(target.chain().clone(), entry.clone()));
                    let to = target.chain().clone();
                    submissions.push(Submission { to, certificate });
                }
            }
        }
        submissions
    }

    /// The certificate of an entry that the target would take, if it is time to ask.
    fn ask(
        &mut self,
        now: Time,
        target: &dyn ChainView,
        place: &(ChainId, Entry),
        (source, built): (&Source<'_>, &mut aggregate::Built<'_>),
    ) -> Option<Arc<Certificate>> {
        let under_way = self.in_flight.contains_key(place);
        let paused = self.pauses.get(place).is_some_and(|p| now < p.until);
        let full = self.in_flight(&place.0) >= self.limits.in_flight_max;
        if paused || full && !under_way {
            return None;
        }
        let unsigned = match source {
            Source::Own(view, height, index) => aggregate::unsigned(*view, *height, *index),
            Source::Kept(certificate) => vec![aggregate::without_signatures(certificate)],
        };
        if unsigned.is_empty() {
            // Nobody has signed yet.
            return None;
        }
        let wanted = unsigned.into_iter().filter(|one| target.takes(one));
        let wanted: Vec<u64> = wanted.map(|one| one.epoch).collect();
        if wanted.is_empty() {
            self.in_flight.remove(place);
            self.pause(now, place);
            return None;
        }
        if under_way {
            return None;
        }
        let signed = match source {
            Source::Own(view, height, index) => built.certificates(*view, *height, *index),
            Source::Kept(certificate) => vec![certificate.clone()],
        };
        signed.into_iter().find(|one| wanted.contains(&one.epoch))
    }

    fn pause(&mut self, now: Time, place: &(ChainId, Entry)) {
        let last = self.pauses.get(place).map_or(0, |pause| pause.length_ms);
        let length_ms = (last * 2).clamp(PAUSE_MS, self.limits.pause_max_ms.max(PAUSE_MS));
        let until = now.plus_millis(length_ms);
        self.pauses
            .insert(place.clone(), Pause { until, length_ms });
    }
}

/// Of a block's entries one is enough to tell the chain who attested it.
fn is_first(source: &Source<'_>) -> bool {
    matches!(source, Source::Own(_, _, 0))
}

fn name(chain: &ChainId, payload: &Payload) -> Entry {
    (chain.clone(), payload.kind(), payload.subject())
}

/// Everything that anybody could want, own entries first.
fn sources<'a>(views: &[&'a dyn ChainView]) -> Vec<(Entry, Source<'a>)> {
    let mut all = Vec::new();
    for view in views {
        for height in view.heights() {
            for (index, payload) in view.entries(height).iter().enumerate() {
                let source = Source::Own(*view, height, index);
                all.push((name(view.chain(), payload), source));
            }
        }
    }
    for view in views {
        for certificate in view.kept() {
            let entry = name(&certificate.chain, &certificate.payload);
            all.push((entry, Source::Kept(certificate)));
        }
    }
    all
}
