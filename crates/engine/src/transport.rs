//! Connections between validators that a quantum computer neither reads later nor takes over.
//!
//! **Parties.** D dials L. Each has an identity (Ed25519) and a signing key (Ed25519 and ML-DSA-65), and knows both public
//! ones of the other from the chain. Some pairs are joined by a QKD link.
//!
//! | # | message | from | fields |
//! |---|---|---|---|
//! | 1 | knock | D | magic `TLNK`, version 1, algorithms 1, identity of D |
//! | 2 | hello | D | time, X25519 share, ML-KEM-768 encapsulation key, policy, name of the QKD key if one is offered; both signatures on h1 |
//! | 3 | answer | L | time, X25519 share, ML-KEM-768 ciphertext, policy, whether the QKD key is used; both signatures on h2; confirmation |
//! | 4 | finish | D | confirmation |
//!
//! Every message is one frame of the engine's: a length and the bytes, at most [`KNOCK_BYTES`], [`HELLO_BYTES`],
//! [`ANSWER_BYTES`], [`FINISH_BYTES`]. Integers are big-endian. `schedule.rs` beside this file has the hashes h0 to h3 and
//! the derivation to the byte. After message 4 comes the engine's record layer, [`cups`] in its version 1: ChaCha20-Poly1305
//! with a key for each direction, lengths encrypted, a counter as nonce that is never reused: at 2^96 the connection ends.
//!
//! **Bound.** The signatures and all keys cover the engine's namespace, chain and genesis, version and algorithms, both
//! identities and both signing keys, times, ephemeral keys and ciphertext, both policies, the name of the QKD key and whether
//! it is used; the keys cover the signatures as well. Which end signs is part of what it signs.
//!
//! **Rules.**
//! - One version, one set of algorithms: nothing is negotiated, so nothing can be talked down. Another version, the engine's
//!   own hello, a share of order 1, an encapsulation key that FIPS 203 refuses: the connection is closed.
//! - Both signatures of each end must verify. L checks D's, and D's time, before it touches a QKD key or a private one.
//! - Times: from `age_max` before the own clock to just before `ahead_max` after it, as in the engine's handshake.
//! - QKD keys, for each peer ([`PskPolicy`]): `required` means with one or not at all; `preferred` means with one where both
//!   ends have it; `none` means that a link does not exist, and an offer is refused. D draws the key, before anything is
//!   sent; L fetches it by its name. A connection that goes without although one was preferred is reported with its reason
//!   ([`Links::report`]). A key that was drawn never comes again, whatever becomes of the connection: whoever can cut
//!   connections can use up a link's keys, so `preferred` can be worn down where `required` stops.
//!
//! **Guarantees.** Whoever completes knows that the other holds both private keys of the expected peer and the same session
//! keys. Recorded traffic is secret as long as one of QKD key, ML-KEM-768 and X25519 holds (and no private key of the past is
//! needed to break it: they are ephemeral). To impersonate a validator takes both of its private keys, or breaking Ed25519
//! and ML-DSA-65. The derivation is computational: no unconditional security is claimed, and QKD keys that come in here are
//! spent. A replayed hello gets an answer within `age_max + ahead_max` at most, and never a connection.
//!
//! **Deviations from the engine's handshake** (`commonware_stream::sake`). The first message carries magic and version, to
//! tell ours from others. ML-KEM-768, QKD keys and the second signature are added. Keys are derived by HKDF-SHA-256 rather
//! than by the engine's transcript (BLAKE3), which takes over from the session key on. Length prefix, order of checks, time
//! window, bouncer and record layer are the engine's own.
//!
//! Sources: FIPS 203, FIPS 204, RFC 7748, RFC 8032, RFC 5869, NIST SP 800-56C r2, NIST SP 800-227, ETSI TS 103 744 (CatKDF).

mod error;
mod frame;
mod known;
mod psk;
mod rounds;
mod schedule;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use commonware_cryptography::ChaCha20Poly1305;
use commonware_cryptography::transcript::Transcript;
use commonware_runtime::{Clock, Sink, Stream};
use commonware_stream::Handshake;
use commonware_stream::cups::{self, Cups};
use commonware_stream::utils::codec::{recv_frame, send_frame};
use rand_core::CryptoRng;
use tieline_seal::hybrid::{Domain, Purpose};
use tieline_units::{ChainId, Digest};

use crate::validators::Identity;
pub use error::LinkError;
pub use frame::{ANSWER_BYTES, FINISH_BYTES, HELLO_BYTES, KNOCK_BYTES};
pub use known::Known;
use psk::Stock;
pub use psk::{
    Event, Label, Links, NoPsk, PSK_BYTES_MAX, PSK_BYTES_MIN, Peer, Psk, PskFuture, PskId,
    PskPolicy, Role, Why,
};
pub use rounds::NodeKeys;
use rounds::{Arrival, Dialing, Now, Session};
use schedule::{End, Pair};

/// What goes into the engine's network configuration: our handshake under the engine's record layer.
pub type Transport = Cups<HybridHandshake, ChaCha20Poly1305>;

/// Which times of the other end are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockBounds {
    /// How far ahead of the own clock, exclusive: the clocks' largest difference.
    pub ahead_max: Duration,
    /// How old: that difference and the longest way of a message.
    pub age_max: Duration,
}

impl Default for ClockBounds {
    /// 5 s ahead, 10 s old: validators keep their clocks by NTP.
    fn default() -> ClockBounds {
        ClockBounds {
            ahead_max: Duration::from_secs(5),
            age_max: Duration::from_secs(10),
        }
    }
}

impl ClockBounds {
    fn around(&self, at: u64) -> Range<u64> {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        at.saturating_sub(millis(self.age_max))..at.saturating_add(millis(self.ahead_max))
    }

    fn now(&self, clock: &impl Clock) -> Now {
        let since = clock.current().duration_since(UNIX_EPOCH);
        let at = u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX);
        Now {
            at,
            accepts: self.around(at),
        }
    }
}

/// A node's end of all its connections. Clones share everything.
#[derive(Clone)]
pub struct HybridHandshake {
    domain: Domain,
    keys: Arc<NodeKeys>,
    bounds: ClockBounds,
    links: Arc<dyn Links>,
}

impl HybridHandshake {
    /// For a validator of one chain. `chain` and `genesis` say which: ends of two chains do not connect.
    pub fn new(
        chain: ChainId,
        genesis: Digest,
        keys: NodeKeys,
        bounds: ClockBounds,
        links: Arc<dyn Links>,
    ) -> HybridHandshake {
        let domain = Domain {
            chain,
            genesis,
            epoch: 0,
            purpose: Purpose::Handshake,
        };
        HybridHandshake {
            domain,
            keys: Arc::new(keys),
            bounds,
            links,
        }
    }

    /// With the engine's record layer, ready for its network.
    pub fn into_transport(self) -> Transport {
        Cups::new(self, cups::Version::V1)
    }

    fn peer(&self, identity: &Identity) -> Result<(End, PskPolicy), LinkError> {
        if *identity == self.public_key() {
            return Err(LinkError::Oneself {
                peer: identity.into(),
            });
        }
        let peer = self.links.peer(identity);
        let peer = peer.ok_or_else(|| LinkError::UnknownPeer {
            peer: identity.into(),
        })?;
        let end = End {
            identity: identity.clone(),
            signing: peer.signing,
        };
        Ok((end, peer.psk))
    }

    fn pair(&self, namespace: &[u8], dialer: End, listener: End) -> Pair {
        Pair {
            namespace: namespace.to_vec(),
            domain: self.domain.clone(),
            dialer,
            listener,
        }
    }

    async fn dialed<E, I, O>(
        &self,
        mut context: E,
        namespace: &[u8],
        peer: &Identity,
        (stream, sink): (&mut I, &mut O),
    ) -> Result<Session, LinkError>
    where
        E: Clock + CryptoRng,
        I: Stream,
        O: Sink,
    {
        let (end, policy) = self.peer(peer)?;
        let stock = Stock::to_offer(&*self.links, peer, policy).await?;
        let pair = self.pair(namespace, self.keys.end(), end);
        let now = self.bounds.now(&context);
        let knock = frame::knock(&self.public_key());
        send(sink, knock.to_vec(), KNOCK_BYTES).await?;
        let (dialing, hello) = Dialing::start(pair, &self.keys, now, stock, &mut context);
        send(sink, hello, HELLO_BYTES).await?;
        let answer = receive(stream, ANSWER_BYTES).await?;
        let (session, finish) = dialing.finish(&answer)?;
        send(sink, finish.to_vec(), FINISH_BYTES).await?;
        Ok(session)
    }

    /// After the knock: `caller` is who the other end says it is.
    async fn listened<E, I, O>(
        &self,
        mut context: E,
        namespace: &[u8],
        caller: &Identity,
        (stream, sink): (&mut I, &mut O),
    ) -> Result<Session, LinkError>
    where
        E: Clock + CryptoRng,
        I: Stream,
        O: Sink,
    {
        let (end, policy) = self.peer(caller)?;
        let hello = receive(stream, HELLO_BYTES).await?;
        // The clock is read only now, so that the window is around the moment in which the hello is checked.
        let now = self.bounds.now(&context);
        let pair = self.pair(namespace, end, self.keys.end());
        let arrival = Arrival::read(pair, now, &hello)?;
        let stock = Stock::to_answer(&*self.links, caller, policy, arrival.offer()).await?;
        let (answered, answer) = arrival.answer(&self.keys, stock, &mut context)?;
        send(sink, answer, ANSWER_BYTES).await?;
        let finish = receive(stream, FINISH_BYTES).await?;
        answered.complete(&finish)
    }

    /// Reports how it ended, and hands the session to the engine.
    fn ended(
        &self,
        role: Role,
        peer: &Identity,
        result: Result<Session, LinkError>,
    ) -> Result<Transcript, LinkError> {
        match &result {
            Ok(session) => self.links.report(&Event::Established {
                peer,
                role,
                label: session.label,
                because: session.because.as_ref(),
            }),
            Err(error) => self.refused(role, Some(peer), error),
        }
        result.map(|session| session.transcript())
    }

    fn refused(&self, role: Role, peer: Option<&Identity>, error: &LinkError) {
        self.links.report(&Event::Refused { peer, role, error });
    }
}

impl Handshake for HybridHandshake {
    type PublicKey = Identity;
    type Error = LinkError;

    fn public_key(&self) -> Identity {
        self.keys.end().identity
    }

    async fn dial<E, I, O>(
        self,
        context: E,
        namespace: &[u8],
        peer: Identity,
        stream: &mut I,
        sink: &mut O,
    ) -> Result<Transcript, LinkError>
    where
        E: Clock + CryptoRng,
        I: Stream,
        O: Sink,
    {
        let result = self.dialed(context, namespace, &peer, (stream, sink)).await;
        self.ended(Role::Dialer, &peer, result)
    }

    async fn listen<E, I, O, B, F>(
        self,
        context: E,
        namespace: &[u8],
        bouncer: B,
        stream: &mut I,
        sink: &mut O,
    ) -> Result<(Identity, Transcript), LinkError>
    where
        E: Clock + CryptoRng,
        I: Stream,
        O: Sink,
        B: FnOnce(Identity) -> F + Send,
        F: Future<Output = bool> + Send,
    {
        let knock = receive(stream, KNOCK_BYTES).await;
        let caller = match knock.and_then(|knock| frame::read_knock(&knock)) {
            Ok(caller) => caller,
            Err(error) => {
                self.refused(Role::Listener, None, &error);
                return Err(error);
            }
        };
        let result = match bouncer(caller.clone()).await {
            true => {
                self.listened(context, namespace, &caller, (stream, sink))
                    .await
            }
            false => Err(LinkError::NotAdmitted {
                peer: (&caller).into(),
            }),
        };
        let transcript = self.ended(Role::Listener, &caller, result)?;
        Ok((caller, transcript))
    }
}

async fn send(sink: &mut impl Sink, message: Vec<u8>, bytes_max: u32) -> Result<(), LinkError> {
    Ok(send_frame(sink, message, bytes_max).await?)
}

async fn receive(stream: &mut impl Stream, bytes_max: u32) -> Result<Vec<u8>, LinkError> {
    let frame = recv_frame(stream, bytes_max).await?;
    Ok(frame.coalesce().as_ref().to_vec())
}
