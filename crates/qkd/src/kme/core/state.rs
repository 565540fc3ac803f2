//! What a key manager keeps of a link besides its ledger; a restart forgets it.

use std::collections::VecDeque;

use zeroize::Zeroizing;

use crate::etsi::SaeId;
use crate::kme::source::{Line, Origin};

use super::ask::{Delivered, Effect, Ticket};
use super::frame::Hello;
use super::link::{Direction, Ledger, LinkId};
use super::manager::Peer;
use super::record::Granted;

/// Keys whose delivery waits for the other end's word.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) end: u64,
    pub(crate) ticket: Ticket,
    pub(crate) caller: SaeId,
    pub(crate) keys: Vec<Delivered>,
    pub(crate) since: u64,
}

/// A block on its way into the pool.
#[derive(Debug)]
pub(crate) struct Filling {
    pub(crate) direction: Direction,
    pub(crate) at: u64,
    pub(crate) bits: Zeroizing<Vec<u8>>,
    pub(crate) write: u64,
}

/// How far two key managers have come with each other.
#[derive(Debug, Default)]
pub(crate) enum Session {
    #[default]
    Down,
    /// Hello sent.
    Greeting {
        number: u64,
        dialled: bool,
        mine: Box<Hello>,
    },
    /// Both hellos known, what follows written down; `Ready` sent, not yet received.
    Aligned { number: u64, dialled: bool },
    /// Keys can be had.
    Up { number: u64, dialled: bool },
}

impl Session {
    pub(crate) fn number(&self) -> Option<u64> {
        match self {
            Session::Down => None,
            Session::Greeting { number, .. }
            | Session::Aligned { number, .. }
            | Session::Up { number, .. } => Some(*number),
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self, Session::Up { .. })
    }
}

/// A link: its durable part, and what is forgotten at a restart.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) ledger: Ledger,
    pub(crate) saes: Vec<SaeId>,
    pub(crate) origin: Origin,
    pub(crate) session: Session,
    /// Whether the other end was met since the start; before that nothing leaves.
    pub(crate) met: bool,
    pub(crate) held: VecDeque<Held>,
    pub(crate) announce: Vec<Granted>,
    pub(crate) noted_due: bool,
    pub(crate) heard: u64,
    pub(crate) said: u64,
    /// What the other end said it had counted.
    pub(crate) peer_seq: u64,
    /// Keys that wait at the other end.
    pub(crate) peer_waiting: u64,
    /// A block on its way: at the end that dialled until the other one has it, there until it is on disk.
    pub(crate) filling: Option<Filling>,
    /// Writes so far.
    pub(crate) writes: u64,
    pub(crate) drawing: bool,
    pub(crate) draw_after: u64,
    pub(crate) aborted: u64,
    /// What the line behind the source did.
    pub(crate) line: Option<Line>,
}

impl Link {
    pub(crate) fn new(ledger: Ledger, peer: Peer) -> Link {
        Link {
            peer_seq: ledger.peer_seq,
            ledger,
            saes: peer.saes,
            origin: peer.origin,
            session: Session::Down,
            met: false,
            held: VecDeque::new(),
            announce: Vec::new(),
            noted_due: false,
            heard: 0,
            said: 0,
            peer_waiting: 0,
            filling: None,
            writes: 0,
            drawing: false,
            draw_after: 0,
            aborted: 0,
            line: None,
        }
    }

    /// Has a block written, to go on when it is.
    pub(crate) fn write(
        &mut self,
        id: LinkId,
        direction: Direction,
        at: u64,
        bits: Zeroizing<Vec<u8>>,
    ) -> Effect {
        self.writes += 1;
        let write = self.writes;
        self.filling = Some(Filling {
            direction,
            at,
            bits: bits.clone(),
            write,
        });
        Effect::WriteBlock {
            link: id,
            write,
            direction,
            at,
            bits,
        }
    }

    /// The direction with the smaller stock, and how many bits fit.
    pub(crate) fn neediest(&self, pool_bits: u64) -> (Direction, u64) {
        let (out, inn) = (self.ledger.out.available(), self.ledger.inn.available());
        let (direction, stock) = if out <= inn {
            (Direction::Out, out)
        } else {
            (Direction::In, inn)
        };
        (direction, pool_bits.saturating_sub(stock * 8))
    }
}
