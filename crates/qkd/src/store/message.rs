//! What two ends of a link say to each other, and its bytes.
//!
//! A message is `"TLKM" | version 1 | kind 1 | from | to | body`. It travels over a channel that is authenticated and
//! replay-protected (mutual TLS, or the one-time tags of the link): a forged message cannot make a bit be used twice, but
//! it can make both ends give up key.

use tieline_uss::party::{Counter, EpochId};

use super::codec::{CodecError, Reader, Writer};
use super::name::{KeyId, Sae};
use super::record::{Chain, Session, read_observed, write_observed};

const MAGIC: &[u8; 4] = b"TLKM";
const VERSION: u8 = 1;

/// Most keys in one offer.
pub const OFFER_KEYS_MAX: usize = 1024;

/// A message from one end of a link to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sends it.
    pub from: Sae,
    /// Who is to read it.
    pub to: Sae,
    pub(crate) body: Body,
}

/// Where one end of a lane stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) horizon: u64,
    pub(crate) end: u64,
    pub(crate) chain: Chain,
}

/// Where a lane goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Joint {
    pub(crate) at: u64,
    pub(crate) end: u64,
    pub(crate) chain: Chain,
}

/// Why a message is not answered as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The handshake was seen before, or the histories differ.
    History,
    /// The handshake that the message belongs to does not hold.
    Session,
}

/// Lanes stand in the order `sender of the hello to its reader`, then back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Hello {
        counter: u64,
        nonce: [u8; 16],
        recovering: bool,
        latest: Session,
        settled: Session,
        marks: [Mark; 2],
        observed: Option<(EpochId, Counter)>,
    },
    Welcome {
        echo: [u8; 16],
        nonce: [u8; 16],
        joints: [Joint; 2],
        observed: Option<(EpochId, Counter)>,
    },
    Done {
        session: Session,
        ends: [u64; 2],
    },
    Refuse {
        why: Refusal,
        seen: u64,
        echo: [u8; 16],
    },
    Offer {
        session: Session,
        number: u64,
        first: u64,
        keys: Vec<(KeyId, u32)>,
    },
    Confirm {
        session: Session,
        number: u64,
        taken: Vec<KeyId>,
    },
    Ask {
        session: Session,
        upto: u64,
    },
    Grant {
        session: Session,
        upto: u64,
    },
}

impl Message {
    /// The bytes to send.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(MAGIC);
        out.u8(VERSION);
        out.u8(self.body.tag());
        out.sae(&self.from);
        out.sae(&self.to);
        self.body.write(&mut out);
        out.finish().to_vec()
    }

    /// Reads bytes that arrived; anything but what [`to_bytes`](Message::to_bytes) writes is refused.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Message, CodecError> {
        let mut from = Reader::new(bytes);
        let magic: [u8; 4] = from.array()?;
        let version = from.u8()?;
        if magic != *MAGIC || version != VERSION {
            return Err(CodecError::Value {
                what: "version of the message",
                at: 0,
                value: version.into(),
            });
        }
        let tag = from.u8()?;
        let message = Message {
            from: from.sae()?,
            to: from.sae()?,
            body: Body::read(tag, &mut from)?,
        };
        from.finish()?;
        Ok(message)
    }

    /// What it is, for a log.
    pub fn kind(&self) -> &'static str {
        match &self.body {
            Body::Hello { .. } => "hello",
            Body::Welcome { .. } => "welcome",
            Body::Done { .. } => "done",
            Body::Refuse { .. } => "refuse",
            Body::Offer { .. } => "offer",
            Body::Confirm { .. } => "confirm",
            Body::Ask { .. } => "ask",
            Body::Grant { .. } => "grant",
        }
    }

    /// The key_IDs of an offer: what the reader has to fetch (`dec_keys`) and admit before it passes the offer on.
    pub fn offered_keys(&self) -> Vec<KeyId> {
        match &self.body {
            Body::Offer { keys, .. } => keys.iter().map(|(id, _)| *id).collect(),
            _ => Vec::new(),
        }
    }
}

impl Mark {
    fn write(&self, out: &mut Writer) {
        out.u64(self.horizon);
        out.u64(self.end);
        out.raw(&self.chain);
    }

    fn read(from: &mut Reader<'_>) -> Result<Mark, CodecError> {
        Ok(Mark {
            horizon: from.u64()?,
            end: from.u64()?,
            chain: from.array()?,
        })
    }
}

impl Joint {
    fn write(&self, out: &mut Writer) {
        out.u64(self.at);
        out.u64(self.end);
        out.raw(&self.chain);
    }

    fn read(from: &mut Reader<'_>) -> Result<Joint, CodecError> {
        Ok(Joint {
            at: from.u64()?,
            end: from.u64()?,
            chain: from.array()?,
        })
    }
}

impl Body {
    fn tag(&self) -> u8 {
        match self {
            Body::Hello { .. } => 1,
            Body::Welcome { .. } => 2,
            Body::Done { .. } => 3,
            Body::Refuse { .. } => 4,
            Body::Offer { .. } => 5,
            Body::Confirm { .. } => 6,
            Body::Ask { .. } => 7,
            Body::Grant { .. } => 8,
        }
    }

    fn write(&self, out: &mut Writer) {
        match self {
            Body::Hello {
                counter,
                nonce,
                recovering,
                latest,
                settled,
                marks,
                observed,
            } => {
                out.u64(*counter);
                out.raw(nonce);
                out.u8((*recovering).into());
                out.raw(latest);
                out.raw(settled);
                marks.iter().for_each(|mark| mark.write(out));
                write_observed(*observed, out);
            }
            Body::Welcome {
                echo,
                nonce,
                joints,
                observed,
            } => {
                out.raw(echo);
                out.raw(nonce);
                joints.iter().for_each(|joint| joint.write(out));
                write_observed(*observed, out);
            }
            Body::Done { session, ends } => {
                out.raw(session);
                ends.iter().for_each(|end| out.u64(*end));
            }
            Body::Refuse { why, seen, echo } => {
                out.u8(match why {
                    Refusal::History => 0,
                    Refusal::Session => 1,
                });
                out.u64(*seen);
                out.raw(echo);
            }
            Body::Offer {
                session,
                number,
                first,
                keys,
            } => {
                out.raw(session);
                out.u64(*number);
                out.u64(*first);
                out.u32(u32::try_from(keys.len()).expect("offers are bounded"));
                for (id, bytes) in keys {
                    out.raw(&id.0);
                    out.u32(*bytes);
                }
            }
            Body::Confirm {
                session,
                number,
                taken,
            } => {
                out.raw(session);
                out.u64(*number);
                out.ids(taken);
            }
            Body::Ask { session, upto } | Body::Grant { session, upto } => {
                out.raw(session);
                out.u64(*upto);
            }
        }
    }

    fn read(tag: u8, from: &mut Reader<'_>) -> Result<Body, CodecError> {
        Ok(match tag {
            1 => Body::Hello {
                counter: from.u64()?,
                nonce: from.array()?,
                recovering: from.flag("recovering")?,
                latest: from.array()?,
                settled: from.array()?,
                marks: [Mark::read(from)?, Mark::read(from)?],
                observed: read_observed(from)?,
            },
            2 => Body::Welcome {
                echo: from.array()?,
                nonce: from.array()?,
                joints: [Joint::read(from)?, Joint::read(from)?],
                observed: read_observed(from)?,
            },
            3 => Body::Done {
                session: from.array()?,
                ends: [from.u64()?, from.u64()?],
            },
            4 => Body::Refuse {
                why: match from.flag("reason")? {
                    false => Refusal::History,
                    true => Refusal::Session,
                },
                seen: from.u64()?,
                echo: from.array()?,
            },
            5 => Body::Offer {
                session: from.array()?,
                number: from.u64()?,
                first: from.u64()?,
                keys: read_offer(from)?,
            },
            6 => Body::Confirm {
                session: from.array()?,
                number: from.u64()?,
                taken: from.ids()?,
            },
            7 => Body::Ask {
                session: from.array()?,
                upto: from.u64()?,
            },
            8 => Body::Grant {
                session: from.array()?,
                upto: from.u64()?,
            },
            value => {
                return Err(CodecError::Value {
                    what: "kind of message",
                    at: 5,
                    value: value.into(),
                });
            }
        })
    }
}

fn read_offer(from: &mut Reader<'_>) -> Result<Vec<(KeyId, u32)>, CodecError> {
    let at = from.at();
    let count = from.count(20)?;
    if count > OFFER_KEYS_MAX {
        return Err(CodecError::Value {
            what: "number of keys in an offer",
            at,
            value: count as u64,
        });
    }
    (0..count)
        .map(|_| Ok((KeyId(from.array()?), from.u32()?)))
        .collect()
}
