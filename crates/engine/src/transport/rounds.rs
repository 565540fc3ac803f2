//! The rounds as functions from message to message: no connection, no clock, no waiting.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use commonware_codec::DecodeExt as _;
use commonware_cryptography::transcript::{Transcript, Version};
use commonware_cryptography::{Signer as _, Verifier as _, ed25519};
use ml_kem::kem::Decapsulate as _;
use ml_kem::ml_kem_768::{Ciphertext, DecapsulationKey, EncapsulationKey};
use ml_kem::{B32, KeyExport as _, Seed};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use tieline_seal::hybrid::{SigningKey, Strict, Verify as _};
use tieline_units::Digest;
use tieline_units::canonical::Canonical as _;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize as _, Zeroizing};

use super::error::LinkError;
use super::frame::{Answer, CONFIRMATION, Hello, KEM_KEY, KEM_TEXT, Proof, SHARE, read};
use super::psk::{Label, Psk, PskId, PskPolicy, Stock, Why};
use super::schedule::{End, Keys, Pair, Secrets, answered, random, step, take};
use crate::validators::Identity;

/// The engine's name of our identity signatures.
const LINK: &[u8] = b"tieline.link/1";

/// The private keys of a node.
#[derive(Clone)]
pub struct NodeKeys {
    /// Its identity.
    pub identity: ed25519::PrivateKey,
    /// Its signing key; the voting scheme has the same.
    pub signing: Arc<SigningKey>,
}

impl NodeKeys {
    /// From the seed of an identity and a signing key.
    pub fn new(identity: &[u8; 32], signing: Arc<SigningKey>) -> NodeKeys {
        let identity = ed25519::PrivateKey::decode(Bytes::copy_from_slice(identity));
        NodeKeys {
            identity: identity.expect("all of 2^256 seeds are keys"),
            signing,
        }
    }

    /// Its public half.
    pub(super) fn end(&self) -> End {
        End {
            identity: self.identity.public_key(),
            signing: self.signing.public_key().clone(),
        }
    }

    /// Signs a hash with both keys.
    pub(super) fn prove(&self, pair: &Pair, hash: Digest) -> Proof {
        let mut identity = [0; 64];
        identity.copy_from_slice(&self.identity.sign(LINK, hash.as_bytes()));
        let signing = self.signing.sign(&pair.domain, hash.as_bytes());
        Proof { identity, signing }
    }
}

/// Checks both signatures of `end` on a hash, the cheaper first.
fn check(pair: &Pair, end: &End, hash: Digest, proof: &Proof) -> Result<(), LinkError> {
    let peer = (&end.identity).into();
    let signature = proof.of_identity();
    if !signature.is_some_and(|it| end.identity.verify(LINK, hash.as_bytes(), &it)) {
        return Err(LinkError::IdentityProof { peer });
    }
    match Strict.verify(&end.signing, &pair.domain, hash.as_bytes(), &proof.signing) {
        true => Ok(()),
        false => Err(LinkError::SigningProof { peer }),
    }
}

/// An end's clock, and which times it accepts, all in ms since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Now {
    /// Its own time.
    pub(super) at: u64,
    /// Acceptable times of the other end.
    pub(super) accepts: Range<u64>,
}

impl Now {
    fn check(&self, peer: &Identity, theirs: u64) -> Result<(), LinkError> {
        match self.accepts.contains(&theirs) {
            true => Ok(()),
            false => Err(LinkError::Time {
                peer: peer.into(),
                theirs,
                earliest: self.accepts.start,
                latest: self.accepts.end,
            }),
        }
    }
}

/// What both ends have when all is proved.
pub(super) struct Session {
    secret: Zeroizing<[u8; 32]>,
    hash: Digest,
    pub(super) label: Label,
    pub(super) because: Option<Why>,
}

impl Session {
    fn new(keys: &Keys, hash: Digest, psk: Option<&Psk>, because: Option<Why>) -> Session {
        Session {
            secret: keys.session.clone(),
            hash,
            label: match psk {
                Some(_) => Label::Hybrid,
                None => Label::PqOnly,
            },
            because,
        }
    }

    /// What the engine's record layer derives its ciphers from.
    pub(super) fn transcript(&self) -> Transcript {
        let mut transcript = Transcript::new(b"tieline.link.session/1", Version::V1);
        transcript.commit(&self.secret[..]);
        transcript.commit(&self.hash.as_bytes()[..]);
        transcript
    }
}

/// The dialer between its hello and the answer.
pub(super) struct Dialing {
    pair: Pair,
    now: Now,
    stock: Stock,
    share: StaticSecret,
    kem: DecapsulationKey,
    /// h1.
    hash: Digest,
    proof: Vec<u8>,
}

impl Dialing {
    /// Begins: what to keep, and the hello.
    pub(super) fn start(
        pair: Pair,
        keys: &NodeKeys,
        now: Now,
        stock: Stock,
        rng: &mut impl CryptoRng,
    ) -> (Dialing, Vec<u8>) {
        let share = StaticSecret::from(*random::<SHARE>(rng));
        let mut seed = Seed::default();
        rng.fill_bytes(seed.as_mut_slice());
        let kem = DecapsulationKey::from_seed(seed);
        seed.as_mut_slice().zeroize();
        let mut encapsulation = [0; KEM_KEY];
        encapsulation.copy_from_slice(&kem.encapsulation_key().to_bytes());
        let hello = Hello {
            time: now.at,
            share: PublicKey::from(&share).to_bytes(),
            kem: encapsulation,
            policy: stock.policy,
            psk: stock.psk.as_ref().map(Psk::id),
        };
        let body = hello.to_bytes();
        let hash = step("tieline.link.hello/1", pair.hash(), &body);
        let proof = keys.prove(&pair, hash).to_bytes();
        let message = [body.as_slice(), &proof].concat();
        let dialing = Dialing {
            pair,
            now,
            stock,
            share,
            kem,
            hash,
            proof,
        };
        (dialing, message)
    }

    /// Takes the answer: the session, and the finish to send.
    pub(super) fn finish(
        &self,
        message: &[u8],
    ) -> Result<(Session, [u8; CONFIRMATION]), LinkError> {
        let listener = &self.pair.listener;
        let peer = &listener.identity;
        let (answer, (proof, confirmation)): (Answer, (Proof, [u8; CONFIRMATION])) =
            read("answer", message)?;
        let hash = answered(self.hash, &self.proof, &answer.to_bytes());
        check(&self.pair, listener, hash, &proof)?;
        self.now.check(peer, answer.time)?;
        let (psk, because) = self.stock.settle(peer, (answer.policy, answer.psk))?;
        let dh = exchange(&self.share, answer.share, peer)?;
        let text = Ciphertext::from(answer.kem);
        let hash = step("tieline.link.keys/1", hash, &proof.to_bytes());
        let keys = Keys::derive(
            &Secrets {
                psk: psk.map_or(&[], Psk::bytes),
                kem: &take(self.kem.decapsulate(&text)),
                dh: dh.as_bytes(),
            },
            hash,
        );
        confirm(&keys.listener, &confirmation, peer)?;
        Ok((Session::new(&keys, hash, psk, because), *keys.dialer))
    }
}

/// A hello that its sender has proved to be its own.
pub(super) struct Arrival {
    pair: Pair,
    now: Now,
    hello: Hello,
    kem: EncapsulationKey,
    /// h1.
    hash: Digest,
    proof: Vec<u8>,
}

impl Arrival {
    /// Reads and checks the hello of the dialer of `pair`.
    pub(super) fn read(pair: Pair, now: Now, message: &[u8]) -> Result<Arrival, LinkError> {
        let dialer = &pair.dialer;
        let peer = &dialer.identity;
        let (hello, proof): (Hello, Proof) = read("hello", message)?;
        // The time first: what is replayed late costs nothing.
        now.check(peer, hello.time)?;
        let hash = step("tieline.link.hello/1", pair.hash(), &hello.to_bytes());
        check(&pair, dialer, hash, &proof)?;
        let honest = match hello.policy {
            PskPolicy::None => hello.psk.is_none(),
            PskPolicy::Preferred => true,
            PskPolicy::Required => hello.psk.is_some(),
        };
        if !honest {
            return Err(LinkError::PskContradiction { peer: peer.into() });
        }
        let kem = EncapsulationKey::new(&hello.kem.into()).map_err(|_| LinkError::Share {
            peer: peer.into(),
            what: "ML-KEM-768 encapsulation key",
        })?;
        Ok(Arrival {
            proof: proof.to_bytes(),
            pair,
            now,
            hello,
            kem,
            hash,
        })
    }

    /// Lies about the time.
    #[cfg(test)]
    pub(super) fn set_time(&mut self, at: u64) {
        self.now.at = at;
    }

    /// The dialer's policy, and the key it offers.
    pub(super) fn offer(&self) -> (PskPolicy, Option<PskId>) {
        (self.hello.policy, self.hello.psk)
    }

    /// Answers: what to keep until the finish, and the message.
    pub(super) fn answer(
        self,
        keys: &NodeKeys,
        stock: Stock,
        rng: &mut impl CryptoRng,
    ) -> Result<(Answered, Vec<u8>), LinkError> {
        let peer = self.pair.dialer.identity.clone();
        let share = StaticSecret::from(*random::<SHARE>(rng));
        let dh = exchange(&share, self.hello.share, &peer)?;
        let mut coins = B32::default();
        rng.fill_bytes(coins.as_mut_slice());
        let (text, shared) = self.kem.encapsulate_deterministic(&coins);
        coins.as_mut_slice().zeroize();
        let mut kem = [0; KEM_TEXT];
        kem.copy_from_slice(&text);
        let answer = Answer {
            time: self.now.at,
            share: PublicKey::from(&share).to_bytes(),
            kem,
            policy: stock.policy,
            psk: stock.verdict(),
        };
        let body = answer.to_bytes();
        let hash = answered(self.hash, &self.proof, &body);
        let proof = keys.prove(&self.pair, hash).to_bytes();
        let hash = step("tieline.link.keys/1", hash, &proof);
        let psk = stock.psk.as_ref();
        let keys = Keys::derive(
            &Secrets {
                psk: psk.map_or(&[], Psk::bytes),
                kem: &take(shared),
                dh: dh.as_bytes(),
            },
            hash,
        );
        let message = [&body[..], &proof, &keys.listener[..]].concat();
        let session = Session::new(&keys, hash, psk, stock.because.clone());
        let answered = Answered {
            peer,
            session,
            expects: keys.dialer,
        };
        Ok((answered, message))
    }
}

/// The listener between its answer and the finish.
pub(super) struct Answered {
    peer: Identity,
    session: Session,
    expects: Zeroizing<[u8; CONFIRMATION]>,
}

impl Answered {
    /// Takes the finish: the session.
    pub(super) fn complete(self, message: &[u8]) -> Result<Session, LinkError> {
        let found: [u8; CONFIRMATION] = read("finish", message)?;
        confirm(&self.expects, &found, &self.peer)?;
        Ok(self.session)
    }
}

fn exchange(
    own: &StaticSecret,
    theirs: [u8; SHARE],
    peer: &Identity,
) -> Result<x25519_dalek::SharedSecret, LinkError> {
    let shared = own.diffie_hellman(&PublicKey::from(theirs));
    match shared.was_contributory() {
        true => Ok(shared),
        false => Err(LinkError::Share {
            peer: peer.into(),
            what: "X25519 share",
        }),
    }
}

fn confirm(
    expected: &[u8; CONFIRMATION],
    found: &[u8; CONFIRMATION],
    peer: &Identity,
) -> Result<(), LinkError> {
    match bool::from(expected.ct_eq(found)) {
        true => Ok(()),
        false => Err(LinkError::Confirmation { peer: peer.into() }),
    }
}
