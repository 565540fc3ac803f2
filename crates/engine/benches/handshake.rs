//! What a connection costs: our handshake, with and without a QKD key, beside the engine's own. Both ends in one thread.
//!
//! `cargo bench -p tieline-engine --bench handshake`.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops when something is wrong"
)]

use std::sync::Arc;

use commonware_cryptography::{ChaCha20Poly1305, Signer as _, ed25519};
use commonware_runtime::{Runner as _, Spawner as _, Supervisor as _, deterministic, mocks};
use commonware_stream::Upgrader;
use commonware_stream::cups::{self, Cups};
use commonware_stream::sake::{self, Sake};
use divan::Bencher;
use tieline_engine::transport::{
    ClockBounds, Event, HybridHandshake, Links, NoPsk, NodeKeys, Peer, Psk, PskFuture, PskId,
    PskPolicy, Transport,
};
use tieline_engine::validators::{Identity, SUITE};
use tieline_seal::hybrid::SigningKey;
use tieline_units::{ChainId, Digest};
use zeroize::Zeroizing;

fn main() {
    divan::main();
}

fn identity(seed: u8) -> ed25519::PrivateKey {
    ed25519::PrivateKey::from_seed(u64::from(seed))
}

fn signing(seed: u8) -> SigningKey {
    SigningKey::from_seed(SUITE, &[seed; 32])
}

/// Knows one peer and an endless QKD link to it.
struct Other(Peer);

impl Links for Other {
    fn peer(&self, _: &Identity) -> Option<Peer> {
        Some(self.0.clone())
    }

    fn draw<'a>(&'a self, _: &'a Identity) -> PskFuture<'a> {
        Box::pin(async { key() })
    }

    fn find<'a>(&'a self, _: &'a Identity, _: PskId) -> PskFuture<'a> {
        Box::pin(async { key() })
    }

    fn report(&self, _: &Event<'_>) {}
}

fn key() -> Result<Psk, NoPsk> {
    Psk::new(PskId([7; 16]), Zeroizing::new(vec![3; 32]))
}

fn ours(own: u8, other: u8, psk: PskPolicy) -> Transport {
    let keys = NodeKeys {
        identity: identity(own),
        signing: Arc::new(signing(own)),
    };
    let signing = signing(other).public_key().clone();
    let links = Arc::new(Other(Peer { signing, psk }));
    let chain = ChainId::parse("harbour").unwrap();
    let bounds = ClockBounds::default();
    HybridHandshake::new(chain, Digest::of(b"genesis"), keys, bounds, links).into_transport()
}

fn connect<U: Upgrader<PublicKey = Identity>>(bencher: Bencher<'_, '_>, dialer: U, listener: U) {
    bencher.bench_local(|| {
        let (dialer, listener) = (dialer.clone(), listener.clone());
        deterministic::Runner::default().start(|context| async move {
            let (sink, stream) = mocks::Channel::init();
            let (back, answers) = mocks::Channel::init();
            let listening = context.child("listener").spawn(move |context| async move {
                let admit = |_: Identity| async { true };
                let heard = listener.listen(context, b"bench", 1024, admit, stream, back);
                heard.await.is_ok()
            });
            let wanted = identity(2).public_key();
            let dial = dialer.dial(context, b"bench", 1024, wanted, answers, sink);
            assert!(dial.await.is_ok() && listening.await.unwrap());
        });
    });
}

#[divan::bench(args = [PskPolicy::None, PskPolicy::Required], sample_count = 300, sample_size = 1)]
fn hybrid(bencher: Bencher<'_, '_>, psk: PskPolicy) {
    connect(bencher, ours(1, 2, psk), ours(2, 1, psk));
}

#[divan::bench(sample_count = 300, sample_size = 1)]
fn engine(bencher: Bencher<'_, '_>) {
    let end = |seed| {
        let bounds = ClockBounds::default();
        let sake = Sake {
            signer: identity(seed),
            synchrony_bound: bounds.ahead_max,
            max_handshake_age: bounds.age_max,
            version: sake::Version::V1,
        };
        Cups::<_, ChaCha20Poly1305>::new(sake, cups::Version::V1)
    };
    connect(bencher, end(1), end(2));
}
