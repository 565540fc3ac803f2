//! What comes in and what goes out.

use std::sync::Arc;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::etsi::{IdError, KeyId, KeyRequest, KmeId, SaeId, Status, text};
use crate::kme::source::{Drawn, Line, Origin};

use super::frame::Frame;
use super::link::{Direction, LinkId};
use super::record::{PoolId, Record};

/// Joins a question and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What an SAE wants.
#[derive(Clone, Debug)]
pub enum Ask {
    /// `status`
    Status {
        /// The SAE at the other end.
        slave: SaeId,
    },
    /// `enc_keys`
    Encrypt {
        /// The SAE that will fetch the keys at the other end.
        slave: SaeId,
        /// What exactly.
        request: KeyRequest,
    },
    /// `dec_keys`
    Decrypt {
        /// The SAE that has the keys already.
        master: SaeId,
        /// Which keys.
        ids: Vec<KeyId>,
    },
}

/// Something happened.
#[derive(Debug)]
pub enum Input {
    /// An SAE, known by its certificate, asks.
    Ask {
        /// For the answer.
        ticket: Ticket,
        /// Who.
        caller: SaeId,
        /// What.
        ask: Ask,
    },
    /// A connection to the other end of a link stands.
    PeerUp {
        /// Which link.
        link: LinkId,
        /// Numbers the connections.
        session: u64,
        /// Whether this end dialled.
        dialled: bool,
        /// A name for a new pool: random.
        fresh: PoolId,
    },
    /// The connection is gone.
    PeerDown {
        /// Which link.
        link: LinkId,
        /// Which connection.
        session: u64,
    },
    /// The other end says something.
    Peer {
        /// Which link.
        link: LinkId,
        /// Which connection.
        session: u64,
        /// What.
        frame: Frame,
    },
    /// The source of a link answers a [`Effect::Draw`].
    Drawn {
        /// Which link.
        link: LinkId,
        /// What it has.
        drawn: Drawn,
    },
    /// What the line behind the source of a link did.
    Line {
        /// Which link.
        link: LinkId,
        /// Since the start.
        line: Line,
    },
    /// Bits are on disk.
    Written {
        /// Which link.
        link: LinkId,
        /// The number of the [`Effect::WriteBlock`].
        write: u64,
    },
    /// Time goes by.
    Tick,
    /// The pages want figures.
    Figures {
        /// For the answer.
        ticket: Ticket,
    },
}

/// Something to do, in order.
#[derive(Debug)]
pub enum Effect {
    /// Write bits to disk, durably, and say so by [`Input::Written`]. In order with [`Effect::DropBlock`].
    WriteBlock {
        /// Which link.
        link: LinkId,
        /// Numbers the writes of a link.
        write: u64,
        /// Whose bits.
        direction: Direction,
        /// Their offset.
        at: u64,
        /// The bits.
        bits: Zeroizing<Vec<u8>>,
    },
    /// Write a record. It is durable before any other effect of the same batch.
    Append(Record),
    /// Overwrite and remove the bits on disk.
    DropBlock {
        /// Which link.
        link: LinkId,
        /// Whose bits.
        direction: Direction,
        /// Their offset.
        at: u64,
    },
    /// Say something to the other end.
    Send {
        /// Which link.
        link: LinkId,
        /// Which connection.
        session: u64,
        /// What.
        frame: Frame,
    },
    /// Cut the connection.
    Disconnect {
        /// Which link.
        link: LinkId,
        /// Which connection.
        session: u64,
        /// Why.
        why: Fault,
    },
    /// Ask the source of a link for bits.
    Draw {
        /// Which link.
        link: LinkId,
        /// How many at most.
        bits_max: u64,
    },
    /// Answer an SAE or the pages.
    Answer {
        /// Whom.
        ticket: Ticket,
        /// What.
        answer: Answer,
    },
    /// Tell the operator.
    Tell {
        /// Which link.
        link: LinkId,
        /// What.
        news: News,
    },
}

/// What an operator should know.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum News {
    /// Both ends agree; keys can be had.
    #[error("both ends agree; {available} bytes of key are at hand here")]
    Agreed {
        /// For masters of this end.
        available: u64,
    },
    /// An end was set back in time.
    #[error("an end was set back to an earlier state: all key material of the link is discarded")]
    SetBack,
    /// The ends held different pools.
    #[error("the ends hold different pools: all key material of the link is discarded")]
    OtherPool,
    /// The source refused a block.
    #[error("the source of keys gives nothing: {why}")]
    Source {
        /// Its reason.
        why: String,
    },
    /// The line behind the source raised alarms.
    #[error(
        "{aborted} blocks aborted, {alarmed} with an alarm since the last report; the newest: {why}"
    )]
    Line {
        /// Blocks thrown away.
        aborted: u64,
        /// Blocks with something wrong, those thrown away among them.
        alarmed: u64,
        /// What is wrong with the newest of them.
        why: String,
    },
}

/// Why a connection between key managers is cut.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// Silence.
    #[error("nothing heard for {seconds} s")]
    Silent {
        /// How long.
        seconds: u64,
    },
    /// An announcement was not answered.
    #[error("an announcement was not answered for {seconds} s")]
    Unanswered {
        /// How long.
        seconds: u64,
    },
    /// A message that does not fit.
    #[error("unexpected message: {what}")]
    Unexpected {
        /// Which.
        what: &'static str,
    },
    /// A newer connection stands.
    #[error("a newer connection took its place")]
    Replaced,
}

/// A key on its way to an SAE.
#[derive(Clone)]
pub struct Delivered {
    /// Its identifier.
    pub key_id: KeyId,
    /// Its bits.
    pub bits: Arc<Zeroizing<Vec<u8>>>,
    /// Where in `bits` it starts.
    pub start: usize,
    /// Bytes.
    pub bytes: usize,
}

impl Delivered {
    /// The key's bits.
    pub fn expose(&self) -> &[u8] {
        &self.bits[self.start..self.start + self.bytes]
    }
}

impl std::fmt::Debug for Delivered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: <redacted, {} bytes>", self.key_id, self.bytes)
    }
}

/// The answer to a question.
#[derive(Debug)]
pub enum Answer {
    /// To `status`.
    Status(Box<Status>),
    /// To `enc_keys` and `dec_keys`.
    Keys {
        /// The keys, in the order asked.
        keys: Vec<Delivered>,
        /// Where their bits come from.
        origin: Origin,
    },
    /// No.
    Refused(Refusal),
    /// To the pages.
    Figures(Box<super::figures::Figures>),
}

/// Why an SAE does not get what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The certificate names nobody that this key manager serves.
    #[error("{caller:?} is no SAE of this key manager")]
    NotServed {
        /// Who asked.
        caller: String,
    },
    /// Not one of the slaves that the master named.
    #[error("{caller} is not among the slaves of these keys")]
    NotSlave {
        /// Who asked.
        caller: SaeId,
    },
    /// An SAE that no key manager known here serves.
    #[error("no key manager known here serves the SAE {sae:?}")]
    UnknownSae {
        /// Which.
        sae: String,
    },
    /// The text in the path is no identifier.
    #[error("the SAE ID in the path is none: {0}")]
    Id(IdError),
    /// Slaves at different sites, or one twice.
    #[error("slave {sae}: {why}")]
    Slaves {
        /// Which.
        sae: SaeId,
        /// What is wrong.
        why: &'static str,
    },
    /// Too many slaves.
    #[error("{asked} additional slaves; at most {max} are allowed")]
    TooManySlaves {
        /// So many.
        asked: usize,
        /// Allowed.
        max: u64,
    },
    /// Not a whole number of bytes.
    #[error("{}", text::SIZE_MULTIPLE_OF_8)]
    SizeOdd,
    /// Too small or too large.
    #[error("size {asked} is outside of {min} to {max} bits")]
    Size {
        /// Asked, bits.
        asked: u64,
        /// Smallest, bits.
        min: u64,
        /// Largest, bits.
        max: u64,
    },
    /// None, or too many.
    #[error("number {asked} is outside of 1 to {max}")]
    Number {
        /// Asked.
        asked: u64,
        /// Most.
        max: u64,
    },
    /// A mandatory extension that is not known.
    #[error("{}", text::EXTENSION_UNKNOWN)]
    ExtensionUnknown,
    /// A mandatory extension that cannot be fulfilled.
    #[error("{}", text::EXTENSION_UNMET)]
    ExtensionUnmet,
    /// A key that is not there, or no more.
    #[error("{}", text::KEYS_NOT_FOUND)]
    NotFound,
    /// One key twice in one request.
    #[error("key_ID {id} is listed twice; nothing was delivered")]
    ListedTwice {
        /// Which.
        id: KeyId,
    },
    /// A body, query or method that makes no sense.
    #[error("{0}")]
    Malformed(String),
    /// Not enough keys.
    #[error("{asked} bits of key asked, {available} available; nothing was delivered")]
    Exhausted {
        /// Asked.
        asked: u64,
        /// To be had by this SAE.
        available: u64,
        /// When to ask again, seconds.
        retry: u64,
    },
    /// The SAE drew too much.
    #[error("{asked} bits of key asked, {left} left of this SAE's quota; nothing was delivered")]
    Quota {
        /// Asked.
        asked: u64,
        /// Left.
        left: u64,
        /// When to ask again, seconds.
        retry: u64,
    },
    /// The other end cannot be told.
    #[error("the key manager {peer} at the other end is not connected; nothing was delivered")]
    PeerAway {
        /// The other end.
        peer: KmeId,
    },
    /// The other end went away while it was told; the keys are discarded.
    #[error("the key manager {peer} at the other end did not confirm; the keys are discarded")]
    PeerLost {
        /// The other end.
        peer: KmeId,
    },
    /// Slaves fetch too little.
    #[error(
        "{waiting} keys wait at {peer} for their slaves; no more are given until some are fetched"
    )]
    NotFetched {
        /// How many.
        waiting: u64,
        /// The other end.
        peer: KmeId,
    },
    /// Too many questions at once, or the key manager stops.
    #[error("the key manager is {0}")]
    Busy(&'static str),
}

impl Refusal {
    /// The code of HTTP.
    pub fn code(&self) -> u16 {
        match self {
            Refusal::NotServed { .. } | Refusal::NotSlave { .. } => 401,
            Refusal::Exhausted { .. }
            | Refusal::Quota { .. }
            | Refusal::PeerAway { .. }
            | Refusal::PeerLost { .. }
            | Refusal::NotFetched { .. }
            | Refusal::Busy(_) => 503,
            Refusal::UnknownSae { .. }
            | Refusal::Id(_)
            | Refusal::Slaves { .. }
            | Refusal::TooManySlaves { .. }
            | Refusal::SizeOdd
            | Refusal::Size { .. }
            | Refusal::Number { .. }
            | Refusal::ExtensionUnknown
            | Refusal::ExtensionUnmet
            | Refusal::NotFound
            | Refusal::ListedTwice { .. }
            | Refusal::Malformed(_) => 400,
        }
    }

    /// When asking again makes sense, seconds; only with 503.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Refusal::Exhausted { retry, .. } | Refusal::Quota { retry, .. } => Some(*retry),
            _ if self.code() == 503 => Some(1),
            _ => None,
        }
    }
}
