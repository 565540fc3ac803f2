//! One agreement after the other: as many blocks as the genesis says, then the next, by whoever is in charge then.
//!
//! **Rules.** Epoch e of the engine has the heights e·L to (e+1)·L - 1, L being the genesis' number of blocks of an epoch.
//! Its last block may hand over to other validators; then they agree on the next epoch, and otherwise the same. Votes
//! count in one epoch only. An epoch's agreement starts when its predecessor's last block is durable here, and the
//! predecessor's ends then. Who hears of an epoch that is ahead of his own asks for the last block of his.
//! **Guarantee.** What shows that a block is final is checked with the validators that the chain itself names for its height.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use commonware_consensus::types::{Epoch, Epocher as _, FixedEpocher};
use commonware_cryptography::Signer as _;
use commonware_cryptography::certificate::{Provider, Scoped};
use commonware_cryptography::sha256::Digest as Name;
use commonware_macros::select;
use commonware_p2p::utils::mux::{Builder as _, MuxHandle, Muxer, SubReceiver, SubSender};
use commonware_p2p::{Message, Receiver, Sender};
use commonware_runtime::Handle;
use commonware_utils::channel::mpsc;
use commonware_utils::sync::Mutex;
use commonware_utils::vec::NonEmptyVec;
use tieline_chain::Home;
use tieline_chain::validators::ValidatorSet;
use tracing::{error, info};

use crate::application::Machine;
use crate::node::{Mailbox, Runtime};
use crate::scheme::{Election, HybridScheme, SchemeError};
use crate::transport::NodeKeys;
use crate::validators::{Identity, Validators};

/// Who votes in which epoch, read from the chain that is here.
#[derive(Clone)]
pub(crate) struct Schemes {
    machine: Machine,
    home: Home,
    keys: Arc<NodeKeys>,
    blocks: u64,
    made: Arc<Mutex<BTreeMap<Epoch, Arc<HybridScheme>>>>,
}

/// Schemes that are remembered at most; then all are forgotten, and made again.
const MADE_MAX: usize = 64;

impl Schemes {
    pub(crate) fn new(machine: Machine, keys: Arc<NodeKeys>) -> Schemes {
        let (home, blocks) = machine.with(|replica| {
            let home = replica.ledger().home().clone();
            (home, replica.epoch_blocks())
        });
        Schemes {
            machine,
            home,
            keys,
            blocks,
            made: Arc::default(),
        }
    }

    /// Which heights belong to which epoch.
    pub(crate) fn epocher(&self) -> FixedEpocher {
        FixedEpocher::new(NonZeroU64::new(self.blocks.max(2)).expect("two at least"))
    }

    /// The epoch of the next block.
    pub(crate) fn present(&self) -> Epoch {
        Epoch::new(self.machine.with(|replica| replica.epoch()))
    }

    /// The validators of an epoch; `None` of one that begins above the next block.
    pub(crate) fn validators(&self, epoch: Epoch) -> Option<ValidatorSet> {
        if epoch > self.present() {
            return None;
        }
        if epoch == self.present() {
            // Also where the beginning of the epoch is not on this disk ([`crate::floor`]).
            let set = self.machine.with(|it| it.ledger().validators().clone());
            return Some(set.as_ref().clone());
        }
        let first = epoch.get().checked_mul(self.blocks)?;
        let set = self
            .machine
            .with(|replica| replica.store().validators_at(first));
        set.unwrap_or_else(|error| {
            error!(%error, "the validators of an epoch cannot be read");
            None
        })
    }

    /// The scheme of an epoch: it signs where this node is a validator of it.
    pub(crate) fn of(&self, epoch: Epoch) -> Option<Arc<HybridScheme>> {
        if let Some(made) = self.made.lock().get(&epoch) {
            return Some(made.clone());
        }
        let scheme = Arc::new(self.make(epoch)?);
        let mut made = self.made.lock();
        if made.len() >= MADE_MAX {
            made.clear();
        }
        made.insert(epoch, scheme.clone());
        Some(scheme)
    }

    fn make(&self, epoch: Epoch) -> Option<HybridScheme> {
        let validators = Arc::new(Validators::of(&self.validators(epoch)?).ok()?);
        let election = Election {
            chain: self.home.chain.clone(),
            genesis: self.home.genesis,
            epoch,
        };
        match self.machine.with(|replica| replica.may_vote(epoch.get())) {
            Ok(true) => {}
            Ok(false) => return Some(HybridScheme::verifier(&election, validators)),
            Err(error) => {
                error!(%error, "the beginning of an epoch cannot be read");
                return None;
            }
        }
        let identity = self.keys.identity.public_key();
        let signing = self.keys.signing.clone();
        let signer = HybridScheme::signer(&election, validators.clone(), &identity, signing);
        Some(signer.unwrap_or_else(|error| {
            if !matches!(error, SchemeError::NotAValidator { .. }) {
                error!(%error, "this node cannot vote");
            }
            HybridScheme::verifier(&election, validators)
        }))
    }
}

impl Provider for Schemes {
    type Scope = Epoch;
    type Scheme = HybridScheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<HybridScheme>> {
        self.of(epoch).map(Scoped::scheme)
    }
}

/// The block that the first one of an epoch follows.
pub(crate) fn floor(schemes: &Schemes, epoch: Epoch) -> Option<Name> {
    let first = epoch.get().checked_mul(schemes.blocks)?;
    if first == 0 {
        return Some(crate::block::name(schemes.home.genesis));
    }
    let block = schemes
        .machine
        .with(|replica| replica.store().block(first - 1));
    let block = block.ok().flatten()?;
    Some(crate::block::name(block.digest(&schemes.home)))
}

/// The first so many channels are those of the agreements, and each message begins with its epoch.
pub(crate) const LANES: u64 = 3;

/// Channels of the agreements: votes, certificates, resolver.
pub(crate) type Ends<S, R> = [(S, R); 3];

/// The same, by epoch, and what comes for epochs that nobody here is in.
struct Lanes<S: Sender> {
    votes: MuxHandle<S>,
    ahead: mpsc::Receiver<(u64, Message<S::PublicKey>)>,
    certificates: MuxHandle<S>,
    also_ahead: mpsc::Receiver<(u64, Message<S::PublicKey>)>,
    resolver: MuxHandle<S>,
}

fn lanes<E, S, R>(context: &E, ends: Ends<S, R>) -> Lanes<S>
where
    E: Runtime,
    S: Sender<PublicKey = Identity>,
    R: Receiver<PublicKey = Identity>,
{
    let [votes, certificates, resolver] = ends;
    let mux = Muxer::builder(context.child("votes"), votes.0, votes.1);
    let (mux, votes, ahead) = mux.with_backup().build();
    mux.start();
    let mux = Muxer::builder(
        context.child("certificates"),
        certificates.0,
        certificates.1,
    );
    let (mux, certificates, also_ahead) = mux.with_backup().build();
    mux.start();
    let (mux, resolver) = Muxer::new(context.child("resolver"), resolver.0, resolver.1);
    mux.start();
    Lanes {
        votes,
        ahead,
        certificates,
        also_ahead,
        resolver,
    }
}

/// Starts the agreement of one epoch on channels of its own.
pub(crate) trait Enter<S: Sender> {
    /// Over votes, certificates and resolver.
    fn enter(
        &mut self,
        epoch: Epoch,
        lanes: [(SubSender<S>, SubReceiver<Identity>); 3],
    ) -> Option<Handle<()>>;
}

/// Runs one agreement after the other, until the network ends.
///
/// `turns`: says that a block became durable which is the last one of an epoch.
pub(crate) async fn agree<E, S, R>(
    context: E,
    (schemes, mailbox): (Schemes, Mailbox),
    ends: Ends<S, R>,
    mut enter: impl Enter<S>,
    mut turns: mpsc::UnboundedReceiver<()>,
) where
    E: Runtime,
    S: Sender<PublicKey = Identity>,
    R: Receiver<PublicKey = Identity>,
{
    let mut lanes = lanes(&context, ends);
    let mut epoch = schemes.present();
    let mut running = lanes.enter(epoch, &mut enter).await;
    while running.is_some() {
        let theirs = select! {
            ahead = lanes.ahead.recv() => ahead,
            ahead = lanes.also_ahead.recv() => ahead,
            turn = turns.recv() => {
                let next = schemes.present();
                if turn.is_some() && next > epoch {
                    if let Some(past) = running.take() {
                        past.abort();
                    }
                    epoch = next;
                    running = lanes.enter(epoch, &mut enter).await;
                    info!(%epoch, "agreeing on");
                }
                if turn.is_none() {
                    return;
                }
                continue;
            },
        };
        let Some((theirs, (from, _))) = theirs else {
            return;
        };
        if theirs > epoch.get()
            && let Some(last) = schemes.epocher().last(epoch)
        {
            mailbox.hint_finalized(last, NonEmptyVec::new(from));
        }
    }
}

impl<S: Sender<PublicKey = Identity>> Lanes<S> {
    /// `None` where the network has ended, or the epoch cannot begin here.
    async fn enter(&mut self, epoch: Epoch, enter: &mut impl Enter<S>) -> Option<Handle<()>> {
        let number = epoch.get();
        let votes = self.votes.register(number).await.ok()?;
        let certificates = self.certificates.register(number).await.ok()?;
        let resolver = self.resolver.register(number).await.ok()?;
        enter.enter(epoch, [votes, certificates, resolver])
    }
}
