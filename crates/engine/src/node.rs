//! One validator: the engine's parts put together, once, for any runtime and network.
//!
//! ```text
//! channel  0 votes  1 certificates  2 resolver      simplex: agrees on names of blocks
//!          3 backfill  4 blocks                     marshal: brings the blocks, in order, durable
//!          5 transactions                           ours: what clients sent to one validator
//!
//! simplex <- Deferred(Machine) -> marshal -> Machine -> deliver: replica, certificate, acknowledgement
//! ```

use std::sync::Arc;
use std::time::Duration;

use commonware_broadcast::buffered;
use commonware_consensus::marshal::core::Actor;
use commonware_consensus::marshal::resolver::p2p as backfill;
use commonware_consensus::marshal::standard::{Deferred, Standard};
use commonware_consensus::marshal::{self, Start};
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_consensus::simplex::{self, Engine, ForwardPolicy, SkipBudget, SkipPolicy};
use commonware_consensus::types::{Epoch, FixedEpocher, Height, ViewDelta};
use commonware_consensus::{Epochable as _, Heightable as _, Reporters};
use commonware_cryptography::certificate::Verifier as _;
use commonware_cryptography::sha256::Digest as Name;
use commonware_cryptography::{Digested, Digestible as _, Sha256, Signer as _};
use commonware_macros::select;
use commonware_p2p::utils::mux::{SubReceiver, SubSender};
use commonware_p2p::{Blocker, Provider, Receiver, Recipients, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Clock, Handle, Metrics, Quota, Spawner, Storage};
use commonware_storage::archive::{Archive as _, immutable};
use commonware_utils::Acknowledgement as _;
use commonware_utils::channel::mpsc::{UnboundedSender, unbounded_channel};
use commonware_utils::{NZDuration, NZU16, NZU32, NZU64, NZUsize};
use rand_core::CryptoRng;
use tieline_chain::Home;
use tieline_chain::block::BLOCK_BYTES_MAX;
use tieline_chain::store::StoreError;
use tracing::{info, warn};

use crate::application::{Machine, Outlets, time};
use crate::block::Carried;
use crate::epochs::{Enter, Schemes, agree, floor};
use crate::finality::Finalized;
use crate::floor::Floor;
use crate::scheme::HybridScheme;
use crate::transport::NodeKeys;
use crate::validators::{Identity, VALIDATORS_MAX, Validators};
use crate::watch::Watch;

/// Channels of the network, as in the picture above.
pub(crate) const CHANNELS: u64 = 6;

/// Messages a second and peer. Each channel reserves room for a second's worth of every peer at start.
pub(crate) const QUOTA: Quota = Quota::per_second(NZU32!(256));

/// The marshal, as everything asks it.
pub(crate) type Mailbox = marshal::core::Mailbox<HybridScheme, Standard<Carried>>;

/// How long a validator waits for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// For a leader's proposal, beyond its heartbeat.
    pub leader: Duration,
    /// For a view to end.
    pub certification: Duration,
    /// Until it says again that a view should be skipped.
    pub retry: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            leader: Duration::from_millis(1_500),
            certification: Duration::from_secs(3),
            retry: Duration::from_secs(3),
        }
    }
}

/// Tells the network whom to connect with: the validators of an epoch.
pub(crate) type Track = Box<dyn FnMut(Epoch, &Validators) + Send + Sync>;

/// Which validator of which chain.
pub(crate) struct Seat {
    pub(crate) keys: Arc<NodeKeys>,
    pub(crate) heartbeat: Duration,
    pub(crate) patience: Patience,
    /// Where its files begin.
    pub(crate) prefix: String,
    /// What it goes on from, where that is not the genesis.
    pub(crate) floor: Option<Floor>,
    pub(crate) track: Track,
}

/// Most bytes of a message between validators.
pub(crate) fn message_bytes() -> u32 {
    let participants = u32::try_from(VALIDATORS_MAX).expect("a small number");
    commonware_p2p::max_message_size(&[
        simplex::max_payload_size::<HybridScheme, Name>(participants),
        BLOCK_BYTES_MAX + (64 << 10),
    ])
}

fn archive<C>(prefix: &str, name: &str, cache: CacheRef, codec_config: C) -> immutable::Config<C> {
    let part = |of: &str| format!("{prefix}-{name}-{of}");
    immutable::Config {
        metadata_partition: part("meta"),
        freezer_table_partition: part("table"),
        freezer_table_initial_size: 1024,
        freezer_table_resize_frequency: 4,
        freezer_table_resize_chunk_size: 1024,
        freezer_key_partition: part("key"),
        freezer_key_page_cache: cache,
        freezer_value_partition: part("value"),
        freezer_value_target_size: 64 << 20,
        freezer_value_compression: Some(3),
        ordinal_partition: part("ordinal"),
        items_per_section: NZU64!(4096),
        freezer_key_write_buffer: NZUsize!(65_536),
        freezer_value_write_buffer: NZUsize!(65_536),
        ordinal_write_buffer: NZUsize!(65_536),
        replay_buffer: NZUsize!(1 << 20),
        codec_config,
    }
}

/// Everything that a validator's runtime has to be.
pub(crate) trait Runtime: Clock + CryptoRng + Spawner + Storage + Metrics {}

impl<E: Clock + CryptoRng + Spawner + Storage + Metrics> Runtime for E {}

/// Starts a validator; it runs until the handle is aborted or the disk fails, which the handle's value says.
pub(crate) async fn start<E, P, B, Tx, Rx>(
    context: E,
    seat: Seat,
    (machine, outlets): (Machine, Outlets),
    (peers, blocker): (P, B),
    channels: Vec<(Tx, Rx)>,
) -> Handle<Result<(), StoreError>>
where
    E: Runtime,
    P: Provider<PublicKey = Identity>,
    B: Blocker<PublicKey = Identity>,
    Tx: Sender<PublicKey = Identity>,
    Rx: Receiver<PublicKey = Identity>,
{
    let [votes, certificates, resolver, fetches, blocks, transactions] =
        <[(Tx, Rx); CHANNELS as usize]>::try_from(channels)
            .unwrap_or_else(|_| unreachable!("one channel for each of CHANNELS"));
    let Outlets {
        final_blocks,
        fresh,
    } = outlets;
    let cache = CacheRef::new(NZU16!(4096), NZUsize!(1024));
    let identity = seat.keys.identity.public_key();
    let home = machine.with(|replica| replica.ledger().home().clone());
    let schemes = Schemes::new(machine.clone(), seat.keys.clone());

    let (broadcast, buffer) = buffered::Engine::new(
        context.child("broadcast"),
        buffered::Config {
            public_key: identity.clone(),
            mailbox_size: NZUsize!(1024),
            deque_size: 16,
            priority: true,
            codec_config: home.clone(),
            peer_provider: peers.clone(),
            strategy: Sequential,
        },
    );
    broadcast.start(blocks);
    let fetcher = backfill::init(
        context.child("backfill"),
        backfill::Config {
            public_key: identity.clone(),
            peer_provider: peers,
            blocker: blocker.clone(),
            mailbox_size: NZUsize!(1024),
            fetch_timeout: NZDuration!(Duration::from_secs(1)),
            fetch_retry_delay: Duration::from_millis(100),
            priority_requests: false,
            priority_responses: false,
        },
        fetches,
    );
    let parts = (home, schemes.clone());
    let (actor, mailbox) = marshal(&context, &seat, parts, cache.clone()).await;
    let automaton = Deferred::new(
        context.child("application"),
        machine.clone(),
        mailbox.clone(),
        schemes.epocher(),
    );
    actor.start(machine.clone(), buffer, fetcher);
    let (turn, turns) = unbounded_channel();
    let agreements = Agreements {
        context: context.child("agreement"),
        seat,
        schemes: schemes.clone(),
        blocker,
        automaton,
        watch: Watch(machine.clone()),
        cache,
    };
    let ends = [votes, certificates, resolver];
    let parts = (schemes.clone(), mailbox.clone());
    let agreeing = context
        .child("agree")
        .spawn(async move |context| agree(context, parts, ends, agreements, turns).await);

    gossip(&context, &machine, fresh, transactions);
    context.child("deliver").spawn(async move |context| {
        let delivering = deliver(context, (machine, schemes), mailbox, final_blocks, turn);
        live(delivering, agreeing).await
    })
}

type Actors<E> = Actor<
    E,
    Standard<Carried>,
    Schemes,
    immutable::Archive<E, Name, simplex::types::Finalization<HybridScheme, Name>>,
    immutable::Archive<E, Name, Arc<Carried>>,
    FixedEpocher,
    Sequential,
>;

/// The marshal with its archives.
async fn marshal<E: Runtime>(
    context: &E,
    seat: &Seat,
    (home, schemes): (Home, Schemes),
    cache: CacheRef,
) -> (Actors<E>, Mailbox) {
    let finalizations = immutable::Archive::init(
        context.child("finalizations"),
        archive(
            &seat.prefix,
            "finalizations",
            cache.clone(),
            HybridScheme::certificate_codec_config_unbounded(),
        ),
    );
    let finalizations = finalizations
        .await
        .expect("an archive that cannot be opened stops the node");
    let blocks = immutable::Archive::init(
        context.child("blocks"),
        archive(&seat.prefix, "blocks", cache.clone(), home.clone()),
    );
    let mut blocks = blocks
        .await
        .expect("an archive that cannot be opened stops the node");
    let start = match &seat.floor {
        None => {
            let genesis = genesis(&home, &schemes);
            let name = genesis.digest();
            Start::Genesis(Digested::precomputed(genesis, name))
        }
        Some(floor) => {
            let (height, name) = (floor.block.height(), floor.block.digest());
            let put = blocks.put_sync(height.get(), name, &floor.block);
            blocks = put
                .await
                .expect("a disk that cannot be written stops the node");
            Start::Floor(floor.finalization.clone())
        }
    };
    let config = marshal::Config {
        epocher: schemes.epocher(),
        provider: schemes,
        start,
        partition_prefix: format!("{}-marshal", seat.prefix),
        mailbox_size: NZUsize!(1024),
        view_retention: ViewDelta::new(256),
        prunable_items_per_section: NZU64!(1024),
        page_cache: cache,
        replay_buffer: NZUsize!(1 << 20),
        key_write_buffer: NZUsize!(65_536),
        value_write_buffer: NZUsize!(65_536),
        block_codec_config: home,
        max_repair: NZUsize!(32),
        max_pending_acks: NZUsize!(16),
        strategy: Sequential,
    };
    let context = context.child("marshal");
    let (actor, mailbox, _) = Actor::init(context, finalizations, blocks, config).await;
    (actor, mailbox)
}

/// What the first block follows. Its leader is no one's choice: the first validator.
fn genesis(home: &Home, schemes: &Schemes) -> Carried {
    let first = schemes
        .of(Epoch::zero())
        .map(|scheme| scheme.first().clone());
    let first = first.expect("the validators of the genesis are there from the beginning");
    Carried::genesis(home.genesis, first)
}

type Automaton<E> = Deferred<E, HybridScheme, Machine, Carried, FixedEpocher>;

/// What agrees on names of blocks is told.
type Agreement<E, B> = simplex::Config<
    HybridScheme,
    RoundRobin<Sha256>,
    B,
    Name,
    Automaton<E>,
    Automaton<E>,
    Reporters<Automaton<E>, Watch>,
    Sequential,
>;

/// What every epoch's agreement is made of.
struct Agreements<E: Runtime, B> {
    context: E,
    seat: Seat,
    schemes: Schemes,
    blocker: B,
    automaton: Automaton<E>,
    watch: Watch,
    cache: CacheRef,
}

impl<E, B, S> Enter<S> for Agreements<E, B>
where
    E: Runtime,
    B: Blocker<PublicKey = Identity>,
    S: Sender<PublicKey = Identity>,
{
    fn enter(
        &mut self,
        epoch: Epoch,
        [votes, certificates, resolver]: [(SubSender<S>, SubReceiver<Identity>); 3],
    ) -> Option<Handle<()>> {
        let scheme = self.schemes.of(epoch)?;
        let floor = self.floor(epoch)?;
        (self.seat.track)(epoch, scheme.validators());
        match scheme.votes() {
            true => info!(%epoch, "this node votes"),
            false => warn!(%epoch, "this node votes on nothing: it follows"),
        }
        let context = self
            .context
            .child("simplex")
            .with_attribute("epoch", epoch.get());
        let config = self.config(epoch, scheme.as_ref().clone(), floor);
        Some(Engine::new(context, config).start(votes, certificates, resolver))
    }
}

impl<E: Runtime, B: Blocker<PublicKey = Identity>> Agreements<E, B> {
    /// What the first block that is agreed on follows.
    fn floor(&self, epoch: Epoch) -> Option<simplex::Floor<HybridScheme, Name>> {
        let own = self.seat.floor.as_ref().map(|floor| &floor.finalization);
        match own.filter(|own| own.epoch() == epoch) {
            Some(own) => Some(simplex::Floor::Finalized(own.clone())),
            None => Some(simplex::Floor::Genesis(floor(&self.schemes, epoch)?)),
        }
    }

    fn config(
        &self,
        epoch: Epoch,
        scheme: HybridScheme,
        floor: simplex::Floor<HybridScheme, Name>,
    ) -> Agreement<E, B> {
        let (seat, automaton) = (&self.seat, &self.automaton);
        let patience = seat.patience;
        simplex::Config {
            scheme,
            elector: RoundRobin::default(),
            blocker: self.blocker.clone(),
            automaton: automaton.clone(),
            relay: automaton.clone(),
            reporter: Reporters::from((Some(automaton.clone()), Some(self.watch.clone()))),
            track_historical_votes: true,
            strategy: Sequential,
            partition: format!("{}-simplex-{}", seat.prefix, epoch.get()),
            mailbox_size: NZUsize!(1024),
            epoch,
            floor,
            replay_buffer: NZUsize!(1 << 20),
            write_buffer: NZUsize!(65_536),
            page_cache: self.cache.clone(),
            leader_timeout: patience.leader + seat.heartbeat,
            certification_timeout: patience.certification + seat.heartbeat,
            timeout_retry: patience.retry,
            view_retention: ViewDelta::new(256),
            skip: skip(seat),
            fetch_timeout: NZDuration!(Duration::from_secs(1)),
            fetch_retry_delay: Duration::from_millis(100),
            forward: ForwardPolicy::SilentVoters,
        }
    }
}

/// When the views of a leader that has not been heard of are given up early. Who begins at a floor has heard of nobody yet,
/// and would take everybody for gone.
fn skip(seat: &Seat) -> SkipPolicy {
    match seat.floor {
        Some(_) => SkipPolicy::Disabled,
        None => SkipPolicy::Enabled {
            timeout: (seat.patience.certification + seat.heartbeat) * 4,
            budget: SkipBudget::Participants,
        },
    }
}

/// Passes clients' transactions to the other validators, and takes theirs. Nothing is passed on twice.
fn gossip<E, Tx, Rx>(
    context: &E,
    machine: &Machine,
    mut fresh: commonware_utils::channel::mpsc::UnboundedReceiver<bytes::Bytes>,
    (mut out, mut from): (Tx, Rx),
) where
    E: Runtime,
    Tx: Sender<PublicKey = Identity>,
    Rx: Receiver<PublicKey = Identity>,
{
    context.child("tell").spawn(async move |_| {
        while let Some(bytes) = fresh.recv().await {
            out.send(Recipients::All, bytes, false);
        }
    });
    let machine = machine.clone();
    context.child("hear").spawn(async move |context| {
        while let Ok((_, bytes)) = from.recv().await {
            machine.hear(bytes.as_ref(), time(context.current()));
        }
    });
}

/// Until nothing is delivered, or nothing agreed on any more: then this is no node.
async fn live(
    delivering: impl Future<Output = Result<(), StoreError>>,
    agreeing: Handle<()>,
) -> Result<(), StoreError> {
    select! {
        delivered = delivering => delivered,
        _ = agreeing => Ok(()),
    }
}

/// Makes every final block durable, in order, and then says so.
async fn deliver<E: Runtime>(
    context: E,
    (machine, schemes): (Machine, Schemes),
    mailbox: Mailbox,
    mut blocks: commonware_utils::channel::mpsc::UnboundedReceiver<crate::application::Delivery>,
    turn: UnboundedSender<()>,
) -> Result<(), StoreError> {
    while let Some((carried, durable)) = blocks.recv().await {
        let height = carried.height().get();
        if let Some(block) = carried.inner().block() {
            let now = time(context.current());
            let before = schemes.present();
            machine.with(|replica| replica.finalise(block, now))?;
            if schemes.present() > before {
                // Nobody agrees on anything after the network has ended.
                let _ = turn.send(());
            }
            if let Some(finalization) = mailbox.get_finalization(Height::new(height)).await {
                let certificate = Finalized::of(&finalization);
                machine.with(|replica| replica.certify(height, &certificate.0))?;
            }
        }
        durable.acknowledge();
        machine.say_moved();
    }
    Ok(())
}
