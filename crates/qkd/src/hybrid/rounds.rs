//! The three messages, as functions from message to message.

use ml_kem::kem::Decapsulate as _;
use ml_kem::ml_kem_768::{Ciphertext, DecapsulationKey, EncapsulationKey};
use ml_kem::{B32, KeyExport as _, Seed};
use subtle::ConstantTimeEq as _;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize as _, Zeroizing};

use super::keys::{AgreedKey, Keys, PROOF};
use super::parts::{HybridError, KeyRef, QkdKey, Terms, qkd_for};
use super::policy::{Grade, Label, Policy};
use crate::store::codec::{Reader, Writer};
use crate::store::{CodecError, Entropy, StoreError};

const SHARE: usize = 32;
const KEM_KEY: usize = 1184;
const KEM_TEXT: usize = 1088;
const MAGIC: &[u8; 4] = b"TLHY";
const INITIATE: [u8; 2] = [1, 1];
const RESPOND: [u8; 2] = [1, 2];
const FINISH: [u8; 2] = [1, 3];

fn random<const N: usize>(entropy: &mut Entropy) -> Result<Zeroizing<[u8; N]>, StoreError> {
    let mut bytes = Zeroizing::new([0; N]);
    entropy(&mut *bytes)?;
    Ok(bytes)
}

/// The initiator between its message and the answer.
pub struct Initiator {
    terms: Terms,
    grade: Grade,
    qkd: Option<QkdKey>,
    share: StaticSecret,
    kem: DecapsulationKey,
    sent: Vec<u8>,
}

impl Initiator {
    /// Begins: the message to send, and what to keep for the answer.
    ///
    /// # Errors
    /// [`HybridError::Terms`], [`HybridError::NotDerivable`], [`HybridError::NoQkdKey`],
    /// [`HybridError::UnusedQkdKey`], [`HybridError::QkdKey`]; the random source's.
    pub fn start(
        terms: Terms,
        grade: Grade,
        qkd: Option<QkdKey>,
        entropy: &mut Entropy,
    ) -> Result<(Initiator, Vec<u8>), HybridError> {
        terms.check()?;
        let qkd = qkd_for(grade.label, qkd)?;
        let share = StaticSecret::from(*random::<SHARE>(entropy)?);
        let mut seed = Seed::default();
        entropy(&mut seed)?;
        let kem = DecapsulationKey::from_seed(seed);
        seed.as_mut_slice().zeroize();
        let mut out = Writer::default();
        out.raw(MAGIC);
        out.raw(&INITIATE);
        out.u8(grade.label.byte());
        out.sae(&terms.initiator);
        out.sae(&terms.responder);
        out.blob(&terms.purpose);
        out.u32(terms.bytes);
        KeyRef::write(qkd.as_ref().map(|key| key.place), &mut out);
        out.raw(PublicKey::from(&share).as_bytes());
        out.raw(&kem.encapsulation_key().to_bytes());
        let sent = out.finish().to_vec();
        let initiator = Initiator {
            terms,
            grade,
            qkd,
            share,
            kem,
            sent: sent.clone(),
        };
        Ok((initiator, sent))
    }

    /// Takes the answer: the key, and the last message to send.
    ///
    /// # Errors
    /// [`HybridError::Message`], [`HybridError::Share`], [`HybridError::Proof`].
    pub fn finish(self, answer: &[u8]) -> Result<(AgreedKey, Vec<u8>), HybridError> {
        let (their_share, text, proof) = read_answer(answer)?;
        let covered = &answer[..answer.len() - PROOF];
        let dh = self.share.diffie_hellman(&PublicKey::from(their_share));
        if !dh.was_contributory() {
            return Err(HybridError::Share {
                what: "X25519 share",
            });
        }
        let text = Ciphertext::try_from(&text[..]).expect("the length is read");
        let mut kem = self.kem.decapsulate(&text);
        let keys = Keys::derive(
            &self.terms,
            self.grade.label,
            self.qkd.as_ref(),
            (&kem.into(), dh.as_bytes()),
            [&self.sent, covered],
        );
        kem.as_mut_slice().zeroize();
        if !bool::from(keys.responder.ct_eq(&proof)) {
            return Err(HybridError::Proof);
        }
        let last = [&MAGIC[..], &FINISH, &*keys.initiator].concat();
        Ok((keys.agreed(self.grade), last))
    }
}

/// X25519 share, ML-KEM-768 ciphertext, proof.
type Answer = ([u8; SHARE], [u8; KEM_TEXT], [u8; PROOF]);

fn read_answer(bytes: &[u8]) -> Result<Answer, HybridError> {
    let read = || {
        let mut from = Reader::new(bytes);
        read_kind(&mut from, RESPOND)?;
        let fields = (from.array()?, from.array()?, from.array()?);
        from.finish()?;
        Ok(fields)
    };
    read().map_err(|cause| HybridError::Message {
        message: "respond",
        cause,
    })
}

fn read_kind(from: &mut Reader<'_>, kind: [u8; 2]) -> Result<(), CodecError> {
    let magic: [u8; 4] = from.array()?;
    let found: [u8; 2] = from.array()?;
    match magic == *MAGIC && found == kind {
        true => Ok(()),
        false => Err(CodecError::Value {
            what: "kind of message",
            at: 4,
            value: u16::from_be_bytes(found).into(),
        }),
    }
}

/// What an initiator proposes: the responder looks at it, fetches the QKD key it names, and answers.
#[derive(Debug)]
pub struct Proposal {
    label: Label,
    terms: Terms,
    place: Option<KeyRef>,
    share: [u8; SHARE],
    kem: EncapsulationKey,
    received: Vec<u8>,
}

impl Proposal {
    /// Reads the first message.
    ///
    /// # Errors
    /// [`HybridError::Message`], [`HybridError::Share`] for an encapsulation key that FIPS 203 refuses.
    pub fn read(bytes: &[u8]) -> Result<Proposal, HybridError> {
        let read = || {
            let mut from = Reader::new(bytes);
            read_kind(&mut from, INITIATE)?;
            let at = from.at();
            let label = from.u8()?;
            let label = Label::of_agreement(label).ok_or(CodecError::Value {
                what: "label",
                at,
                value: label.into(),
            })?;
            let terms = Terms {
                initiator: from.sae()?,
                responder: from.sae()?,
                purpose: from.blob()?.to_vec(),
                bytes: from.u32()?,
            };
            let fields = (label, terms, KeyRef::read(&mut from)?);
            let keys: ([u8; SHARE], [u8; KEM_KEY]) = (from.array()?, from.array()?);
            from.finish()?;
            Ok((fields, keys))
        };
        let ((label, terms, place), (share, kem)) =
            read().map_err(|cause| HybridError::Message {
                message: "initiate",
                cause,
            })?;
        terms.check()?;
        let what = "ML-KEM-768 encapsulation key";
        let key = kem.as_slice().try_into().expect("the length is read");
        let kem = EncapsulationKey::new(key).map_err(|_| HybridError::Share { what })?;
        Ok(Proposal {
            label,
            terms,
            place,
            share,
            kem,
            received: bytes.to_vec(),
        })
    }

    /// The label proposed.
    pub fn label(&self) -> Label {
        self.label
    }

    /// Where the initiator took its QKD key.
    pub fn place(&self) -> Option<KeyRef> {
        self.place
    }

    /// What the initiator wants a key for.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Answers: the message to send, and what to keep until the last message.
    ///
    /// # Errors
    /// [`HybridError::Refused`] by the policy, [`HybridError::OtherTerms`], [`HybridError::OtherPlace`],
    /// [`HybridError::Share`], and as [`Initiator::start`].
    pub fn respond(
        self,
        terms: &Terms,
        policy: &Policy,
        qkd: Option<QkdKey>,
        entropy: &mut Entropy,
    ) -> Result<(Responder, Vec<u8>), HybridError> {
        if !policy.accepts(self.label) {
            return Err(HybridError::Refused {
                proposed: self.label,
            });
        }
        self.expect(terms)?;
        let qkd = qkd_for(self.label, qkd)?;
        if qkd.as_ref().map(|key| key.place) != self.place {
            return Err(HybridError::OtherPlace);
        }
        let share = StaticSecret::from(*random::<SHARE>(entropy)?);
        let dh = share.diffie_hellman(&PublicKey::from(self.share));
        if !dh.was_contributory() {
            return Err(HybridError::Share {
                what: "X25519 share",
            });
        }
        let mut coins = B32::default();
        entropy(&mut coins)?;
        let (text, mut kem) = self.kem.encapsulate_deterministic(&coins);
        coins.as_mut_slice().zeroize();
        let mut answer = [
            MAGIC,
            &RESPOND[..],
            PublicKey::from(&share).as_bytes(),
            &text,
        ]
        .concat();
        let keys = Keys::derive(
            &self.terms,
            self.label,
            qkd.as_ref(),
            (&kem.into(), dh.as_bytes()),
            [&self.received, &answer],
        );
        kem.as_mut_slice().zeroize();
        answer.extend_from_slice(&*keys.responder);
        let responder = Responder {
            keys,
            grade: Grade {
                label: self.label,
                because: None,
            },
        };
        Ok((responder, answer))
    }

    fn expect(&self, terms: &Terms) -> Result<(), HybridError> {
        let differs = [
            ("initiator", self.terms.initiator != terms.initiator),
            ("responder", self.terms.responder != terms.responder),
            ("purpose", self.terms.purpose != terms.purpose),
            ("length", self.terms.bytes != terms.bytes),
        ];
        match differs.into_iter().find(|(_, differs)| *differs) {
            Some((what, _)) => Err(HybridError::OtherTerms { what }),
            None => Ok(()),
        }
    }
}

/// The responder between its answer and the last message.
pub struct Responder {
    keys: Keys,
    grade: Grade,
}

impl Responder {
    /// Takes the last message: the key.
    ///
    /// # Errors
    /// [`HybridError::Message`], [`HybridError::Proof`].
    pub fn complete(self, last: &[u8]) -> Result<AgreedKey, HybridError> {
        let read = || {
            let mut from = Reader::new(last);
            read_kind(&mut from, FINISH)?;
            let proof: [u8; PROOF] = from.array()?;
            from.finish()?;
            Ok(proof)
        };
        let proof = read().map_err(|cause| HybridError::Message {
            message: "finish",
            cause,
        })?;
        match bool::from(self.keys.initiator.ct_eq(&proof)) {
            true => Ok(self.keys.agreed(self.grade)),
            false => Err(HybridError::Proof),
        }
    }
}
