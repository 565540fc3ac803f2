//! The chain as the engine's application: it proposes, judges, and takes what is final.
//!
//! **Rules.** A proposer that has nothing to put into a block waits for something, at most a heartbeat long. A block that is
//! ahead of the clock is judged when its time comes. What is final goes to one task, in order: it makes it durable, keeps the
//! certificate, and only then says so to the engine, which would deliver it again otherwise.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use commonware_actor::Feedback;
use commonware_codec::Encode as _;
use commonware_consensus::marshal::Update;
use commonware_consensus::marshal::ancestry::Ancestry;
use commonware_consensus::{Application, Heightable as _, Reporter};
use commonware_cryptography::{Digested, Digestible as _};
use commonware_macros::select;
use commonware_runtime::Clock;
use commonware_utils::acknowledgement::Exact;
use commonware_utils::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use commonware_utils::sync::Mutex;
use futures::StreamExt as _;
use tieline_chain::Home;
use tieline_chain::double_vote::DoubleVote;
use tieline_chain::replica::{Judgement, ProposeError, Replica};
use tieline_chain::validators::{Handover, ValidatorsError};
use tieline_contract::transaction::Transaction;
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Time};
use tokio::sync::Notify;

use crate::block::{Carried, Place, digest};
use crate::scheme::HybridScheme;

/// What a proposer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long a proposer waits for transactions before it proposes an empty block.
    pub heartbeat: Duration,
    /// How long it gathers more, once there is one.
    pub gather: Duration,
    /// Most bytes of transactions in a block.
    pub block_bytes: usize,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            heartbeat: Duration::from_secs(2),
            gather: Duration::from_millis(5),
            block_bytes: 1 << 20,
        }
    }
}

/// First byte of what validators tell each other beside the engine.
const TRANSACTION: u8 = 1;
const HANDOVER: u8 = 2;
const DOUBLE_VOTE: u8 = 3;

/// A final block and how to say that it is durable.
pub(crate) type Delivery = (Digested<Carried>, Exact);

/// A node's copy of the chain, shared between the engine and whoever asks. Clones are the same one.
#[derive(Clone)]
pub struct Machine {
    shared: Arc<Shared>,
}

struct Shared {
    replica: Mutex<Replica>,
    home: Home,
    pace: Pace,
    work: Notify,
    moved: Notify,
    final_blocks: UnboundedSender<Delivery>,
    /// What came from a client of this node, for the others.
    fresh: UnboundedSender<Bytes>,
    /// The block that a proposer waits to follow, while it has nothing to put into the next.
    waits_on: Mutex<Option<Digest>>,
}

/// What the node's tasks take out of a [`Machine`].
pub(crate) struct Outlets {
    pub(crate) final_blocks: UnboundedReceiver<Delivery>,
    pub(crate) fresh: UnboundedReceiver<Bytes>,
}

/// A time of ours from the engine's clock, milliseconds since 1970.
pub fn time(clock: SystemTime) -> Time {
    let since = clock.duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl Machine {
    pub(crate) fn new(replica: Replica, pace: Pace) -> (Machine, Outlets) {
        let (final_blocks, blocks) = unbounded_channel();
        let (fresh, transactions) = unbounded_channel();
        let shared = Arc::new(Shared {
            home: replica.ledger().home().clone(),
            replica: Mutex::new(replica),
            pace,
            work: Notify::new(),
            moved: Notify::new(),
            final_blocks,
            fresh,
            waits_on: Mutex::new(None),
        });
        let outlets = Outlets {
            final_blocks: blocks,
            fresh: transactions,
        };
        (Machine { shared }, outlets)
    }

    /// Looks at the replica; nothing goes on meanwhile.
    pub fn with<T>(&self, look: impl FnOnce(&mut Replica) -> T) -> T {
        look(&mut self.shared.replica.lock())
    }

    /// Takes a client's transaction, and tells the other validators.
    ///
    /// # Errors
    /// Why it does not wait.
    pub fn submit(
        &self,
        transaction: Transaction,
        now: Time,
    ) -> Result<Digest, tieline_chain::mempool::AddError> {
        let bytes = transaction.to_bytes();
        let name = self.with(|replica| replica.submit(transaction, now))?;
        self.shared.work.notify_waiters();
        self.tell(TRANSACTION, &bytes);
        Ok(name)
    }

    /// Takes an approved change of validators for the end of the epoch, and tells the other validators.
    ///
    /// # Errors
    /// Why it is none.
    pub fn hand_over(&self, handover: Handover) -> Result<(), ValidatorsError> {
        let bytes = handover.to_bytes();
        self.with(|replica| replica.hand_over(handover))?;
        self.shared.work.notify_waiters();
        self.tell(HANDOVER, &bytes);
        Ok(())
    }

    /// Takes what may be the proof that a validator voted for two things, and tells the other validators.
    pub(crate) fn accuse(&self, double: DoubleVote) {
        let bytes = double.to_bytes();
        if let Ok(true) = self.with(|replica| replica.accuse(double)) {
            self.shared.work.notify_waiters();
            self.tell(DOUBLE_VOTE, &bytes);
        }
    }

    fn tell(&self, kind: u8, bytes: &[u8]) {
        let message = [&[kind], bytes].concat();
        // A node that is stopping has nobody to tell.
        let _ = self.shared.fresh.send(Bytes::from(message));
    }

    /// Takes what another validator passed on; what is not wanted is forgotten.
    pub(crate) fn hear(&self, message: &[u8], now: Time) {
        let taken = match message.split_first() {
            Some((&TRANSACTION, bytes)) => Transaction::decode(bytes)
                .is_ok_and(|found| self.with(|replica| replica.submit(found, now)).is_ok()),
            Some((&HANDOVER, bytes)) => Handover::decode(bytes)
                .is_ok_and(|found| self.with(|replica| replica.hand_over(found)).is_ok()),
            Some((&DOUBLE_VOTE, bytes)) => DoubleVote::decode(bytes)
                .is_ok_and(|found| matches!(self.with(|it| it.accuse(found)), Ok(true))),
            _ => false,
        };
        if taken {
            self.shared.work.notify_waiters();
        }
    }

    /// Whether this node is to propose what follows the last final block, in the view right after it, and has nothing to
    /// propose: then nobody has voted beyond that block.
    pub fn rests(&self) -> bool {
        let waits_on = *self.shared.waits_on.lock();
        waits_on == Some(self.with(|replica| replica.ledger().tip().digest))
    }

    /// Returns after the next final block.
    pub async fn moved(&self) {
        self.shared.moved.notified().await;
    }

    pub(crate) fn say_moved(&self) {
        self.shared.moved.notify_waiters();
    }

    /// Executes what is between the final blocks and this one, the oldest first.
    async fn execute_ancestors(&self, mut ancestry: impl Ancestry<Carried>) -> Judgement {
        let mut missing = Vec::new();
        while let Some(block) = ancestry.next().await {
            let known = self.with(|replica| {
                let height = replica.ledger().tip().height;
                block.height().get() <= height || replica.knows(digest(&block.digest()))
            });
            if known {
                break;
            }
            missing.push(block);
        }
        for block in missing.iter().rev() {
            let Some(block) = block.inner().block() else {
                continue;
            };
            match self.with(|replica| replica.execute(block)) {
                Judgement::Valid => {}
                other => return other,
            }
        }
        Judgement::Valid
    }

    /// Waits until there is something to put into a block, at most a heartbeat long.
    async fn gather(&self, clock: &impl Clock, parent: Digest) {
        let Pace {
            heartbeat, gather, ..
        } = self.shared.pace;
        let until = clock.current() + heartbeat;
        loop {
            let woken = self.shared.work.notified();
            if self.with(|replica| replica.has_work(parent)) {
                clock.sleep(gather).await;
                return;
            }
            select! {
                _ = woken => {},
                _ = clock.sleep_until(until) => return,
            }
        }
    }
}

impl<E: Clock> Application<E> for Machine {
    type SigningScheme = HybridScheme;
    type Context = Place;
    type Block = Carried;
    type Input = ();

    async fn propose(
        &mut self,
        (clock, place): (E, Place),
        ancestry: impl Ancestry<Carried>,
        (): (),
    ) -> Option<Digested<Carried>> {
        let parent = digest(&ancestry.peek()?.digest());
        if self.execute_ancestors(ancestry).await != Judgement::Valid {
            return None;
        }
        let follows = place.parent.0.next() == place.round.view();
        *self.shared.waits_on.lock() = follows.then_some(parent);
        self.gather(&clock, parent).await;
        *self.shared.waits_on.lock() = None;
        let now = time(clock.current());
        let context = place.encode().to_vec();
        let bytes = self.shared.pace.block_bytes;
        let block: Result<_, ProposeError> =
            self.with(|replica| replica.propose((parent, now), bytes, context));
        let carried = Carried::new(block.ok()?, &self.shared.home).ok()?;
        let name = carried.digest();
        Some(Digested::precomputed(carried, name))
    }

    async fn verify(
        &mut self,
        (clock, _): (E, Place),
        mut ancestry: impl Ancestry<Carried>,
    ) -> bool {
        let Some(block) = ancestry.next().await else {
            return false;
        };
        let Some(block) = block.inner().block() else {
            return false;
        };
        loop {
            let before = self.execute_ancestors(ancestry.clone()).await;
            let judgement = match before {
                Judgement::Valid => {
                    let now = time(clock.current());
                    self.with(|replica| replica.judge(block, now))
                }
                other => other,
            };
            match judgement {
                Judgement::Valid => return true,
                Judgement::Invalid(_) => return false,
                Judgement::Parent(_) => clock.sleep(Duration::from_millis(100)).await,
                Judgement::Later(wait) => clock.sleep(Duration::from_millis(wait)).await,
            }
        }
    }
}

impl Reporter for Machine {
    type Activity = Update<Carried, Exact>;

    fn report(&mut self, update: Self::Activity) -> Feedback {
        if let Update::Block(block, durable) = update {
            // Without the task that takes it nothing more becomes durable, and the engine hears of nothing.
            let _ = self.shared.final_blocks.send((block, durable));
        }
        Feedback::Ok
    }
}
