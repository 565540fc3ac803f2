//! The key manager as a state machine without IO: inputs and the time come in, effects go out.

use std::collections::BTreeMap;

use crate::etsi::{KmeId, SaeId};
use crate::kme::source::{Drawn, Line, Origin};

use super::ask::{Answer, Effect, Fault, Input, News, Refusal, Ticket};
use super::figures::{Figures, LinkFigures, SaeFigures};
use super::frame::Frame;
use super::link::{Direction, Ledger, LinkId};
use super::quota::{Bucket, Quota};
use super::record::Record;
use super::state::{Filling, Link, Session};

/// Sizes and times. All of them bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Size of a key for which no size is asked, bits.
    pub key_bits: u64,
    /// Smallest key, bits.
    pub key_bits_min: u64,
    /// Largest key, bits.
    pub key_bits_max: u64,
    /// Keys in one request.
    pub number_max: u64,
    /// Additional slaves in one request.
    pub slaves_max: u64,
    /// Bits kept in each direction of a link.
    pub pool_bits: u64,
    /// Bits of each direction that only control traffic may draw.
    pub reserve_bits: u64,
    /// How long a key waits for its slaves, milliseconds.
    pub uncollected_ms: u64,
    /// Keys of one link that may wait for slaves.
    pub uncollected_keys: u64,
}

/// Who is at the other end of a link.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The key manager.
    pub kme: KmeId,
    /// Its SAEs.
    pub saes: Vec<SaeId>,
    /// What the link's bits are worth.
    pub origin: Origin,
}

/// How long the other end may take to confirm an announcement.
pub(crate) const CONFIRM_MS: u64 = 3_000;
/// How long the other end may be silent, and how often this end says that it is alive.
pub(crate) const SILENCE_MS: u64 = 5_000;
const ALIVE_MS: u64 = 1_000;
/// Largest block of bits, bits; smaller than what a frame can carry.
const BLOCK_BITS: u64 = 8 << 18;
/// Announcements in one frame, which with 64 slaves of 128 bytes each stays below the longest frame.
const GRANTS_PER_FRAME: usize = 128;
/// Keys thrown away for age in one step.
const EXPIRED_PER_TICK: usize = 4_096;

/// The state machine.
#[derive(Debug)]
pub struct Manager {
    pub(crate) kme: KmeId,
    pub(crate) limits: Limits,
    pub(crate) links: BTreeMap<LinkId, Link>,
    pub(crate) routes: BTreeMap<SaeId, LinkId>,
    pub(crate) buckets: BTreeMap<SaeId, Bucket>,
    pub(crate) figures: BTreeMap<SaeId, SaeFigures>,
    /// Records written, the other ends' counts not included.
    pub(crate) seq: u64,
}

impl Manager {
    /// A key manager whose links are known from `links`, which the log of earlier runs gave.
    pub(crate) fn new(
        kme: KmeId,
        limits: Limits,
        saes: &BTreeMap<SaeId, Quota>,
        links: Vec<(LinkId, Ledger, Peer)>,
        seq: u64,
    ) -> Manager {
        let mut routes = BTreeMap::new();
        let mut made = BTreeMap::new();
        for (id, ledger, peer) in links {
            for sae in &peer.saes {
                routes.insert(sae.clone(), id);
            }
            made.insert(id, Link::new(ledger, peer));
        }
        Manager {
            kme,
            limits,
            links: made,
            routes,
            buckets: saes
                .iter()
                .map(|(sae, quota)| (sae.clone(), Bucket::new(quota.clone())))
                .collect(),
            figures: saes
                .keys()
                .map(|sae| (sae.clone(), SaeFigures::default()))
                .collect(),
            seq,
        }
    }

    /// Handles one input at `now`, milliseconds since 1970.
    pub fn handle(&mut self, now: u64, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Ask {
                ticket,
                caller,
                ask,
            } => self.ask(now, (ticket, &caller), ask, out),
            Input::PeerUp {
                link,
                session,
                dialled,
                fresh,
            } => self.peer_up(now, link, (session, dialled, fresh), out),
            Input::PeerDown { link, session } => {
                if self.session_is(link, session) {
                    self.drop_session(link, out);
                }
            }
            Input::Peer {
                link,
                session,
                frame,
            } => {
                if self.session_is(link, session)
                    && let Err(why) = self.peer_says(now, (link, session), frame, out)
                {
                    self.disconnect(link, why, out);
                }
            }
            Input::Written { link, write } => self.written(link, write, out),
            Input::Drawn { link, drawn } => self.drawn(now, link, drawn, out),
            Input::Line { link, line } => self.line(link, line, out),
            Input::Tick => self.tick(now, out),
            Input::Figures { ticket } => {
                let answer = Answer::Figures(Box::new(self.figures()));
                out.push(Effect::Answer { ticket, answer });
            }
        }
    }

    /// Ends a batch of inputs: what was collected for the other ends goes out, what became free is dropped.
    pub fn finish(&mut self, now: u64, out: &mut Vec<Effect>) {
        let seq = self.seq;
        for (&id, link) in &mut self.links {
            if let Session::Up { number, .. } = link.session {
                for grants in link.announce.chunks(GRANTS_PER_FRAME) {
                    let grants = grants.to_vec();
                    let frame = Frame::Announce { seq, grants };
                    out.push(send(id, number, frame));
                    link.said = now;
                }
                if link.noted_due {
                    let frame = Frame::Noted {
                        to: link.ledger.inn.head,
                        seq,
                        waiting: link.ledger.table.len() as u64,
                    };
                    out.push(send(id, number, frame));
                    link.said = now;
                }
            }
            link.announce.clear();
            link.noted_due = false;
            for direction in [Direction::Out, Direction::In] {
                for at in link.ledger.pool_of(direction).emptied() {
                    out.push(Effect::DropBlock {
                        link: id,
                        direction,
                        at,
                    });
                }
            }
        }
    }

    /// Writes a record down and does what it says.
    pub(crate) fn append(&mut self, record: Record, link: LinkId, out: &mut Vec<Effect>) {
        if !matches!(record, Record::PeerSeq { .. }) {
            self.seq += 1;
        }
        if let Some(link) = self.links.get_mut(&link) {
            link.ledger.apply(&record);
        }
        out.push(Effect::Append(record));
    }

    fn session_is(&self, link: LinkId, session: u64) -> bool {
        self.links
            .get(&link)
            .is_some_and(|link| link.session.number() == Some(session))
    }

    /// Forgets the connection; keys that waited for it are not delivered.
    pub(crate) fn drop_session(&mut self, id: LinkId, out: &mut Vec<Effect>) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        link.session = Session::Down;
        if let Some(Filling { direction, at, .. }) = link.filling.take() {
            // Not confirmed, so no part of the pool: its file must not be taken for one later.
            out.push(Effect::DropBlock {
                link: id,
                direction,
                at,
            });
        }
        link.announce.clear();
        link.noted_due = false;
        let peer = link.ledger.peer.clone();
        for held in std::mem::take(&mut link.held) {
            let refusal = Refusal::PeerLost { peer: peer.clone() };
            self.refuse(held.ticket, &held.caller, refusal, out);
        }
    }

    pub(crate) fn disconnect(&mut self, id: LinkId, why: Fault, out: &mut Vec<Effect>) {
        let session = self.links.get(&id).and_then(|link| link.session.number());
        if let Some(session) = session {
            self.drop_session(id, out);
            out.push(Effect::Disconnect {
                link: id,
                session,
                why,
            });
        }
    }

    pub(crate) fn refuse(
        &mut self,
        ticket: Ticket,
        caller: &SaeId,
        refusal: Refusal,
        out: &mut Vec<Effect>,
    ) {
        if let Some(figures) = self.figures.get_mut(caller) {
            match refusal.code() {
                400 => figures.bad += 1,
                401 => figures.unauthorized += 1,
                _ => figures.unavailable += 1,
            }
        }
        let answer = Answer::Refused(refusal);
        out.push(Effect::Answer { ticket, answer });
    }

    fn tick(&mut self, now: u64, out: &mut Vec<Effect>) {
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for id in ids {
            self.expire(now, id, out);
            self.watch(now, id, out);
            self.want(now, id, out);
        }
    }

    fn expire(&mut self, now: u64, id: LinkId, out: &mut Vec<Effect>) {
        let limit = now.saturating_sub(self.limits.uncollected_ms);
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        for at in link.ledger.table.older_than(limit, EXPIRED_PER_TICK) {
            self.append(Record::Expired { link: id, at }, id, out);
        }
    }

    /// Looks after the connection: silence, unanswered announcements, signs of life, the other end's count.
    fn watch(&mut self, now: u64, id: LinkId, out: &mut Vec<Effect>) {
        let seq = self.seq;
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let Some(number) = link.session.number() else {
            return;
        };
        let waited = link
            .held
            .front()
            .map_or(0, |held| now.saturating_sub(held.since));
        let silent = now.saturating_sub(link.heard);
        if waited > CONFIRM_MS {
            let seconds = waited / 1000;
            return self.disconnect(id, Fault::Unanswered { seconds }, out);
        }
        if silent > SILENCE_MS {
            let seconds = silent / 1000;
            return self.disconnect(id, Fault::Silent { seconds }, out);
        }
        if link.session.is_up() && now.saturating_sub(link.said) >= ALIVE_MS {
            link.said = now;
            out.push(send(id, number, Frame::Alive { seq }));
        }
        if link.session.is_up() && link.peer_seq > link.ledger.peer_seq {
            let seq = link.peer_seq;
            self.append(Record::PeerSeq { link: id, seq }, id, out);
        }
    }

    /// Asks the source for bits when there is room.
    pub(crate) fn want(&mut self, now: u64, id: LinkId, out: &mut Vec<Effect>) {
        let pool_bits = self.limits.pool_bits;
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let dialled = matches!(link.session, Session::Up { dialled: true, .. });
        if !dialled || link.drawing || link.filling.is_some() || now < link.draw_after {
            return;
        }
        let (_, room) = link.neediest(pool_bits);
        let bits_max = room.min(BLOCK_BITS);
        if bits_max >= 8 {
            link.drawing = true;
            out.push(Effect::Draw { link: id, bits_max });
        }
    }

    fn drawn(&mut self, now: u64, id: LinkId, drawn: Drawn, out: &mut Vec<Effect>) {
        let pool_bits = self.limits.pool_bits;
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        link.drawing = false;
        match drawn {
            Drawn::Nothing { again_in } => {
                link.draw_after = now + again_in.as_millis() as u64;
            }
            Drawn::Aborted { why, again_in } => {
                link.draw_after = now + again_in.as_millis() as u64;
                // A line counts and reports its blocks itself.
                if link.line.is_none() {
                    link.aborted += 1;
                    let news = News::Source { why };
                    out.push(Effect::Tell { link: id, news });
                }
            }
            Drawn::Bits(bits) => {
                if !link.session.is_up() {
                    return;
                }
                let (direction, _) = link.neediest(pool_bits);
                let at = link.ledger.pool_of(direction).filled;
                out.push(link.write(id, direction, at, bits));
            }
        }
    }

    fn line(&mut self, id: LinkId, line: Line, out: &mut Vec<Effect>) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let before = link.line.take().unwrap_or_default();
        link.aborted = line.aborted_blocks;
        let alarmed = line.alarmed_blocks.saturating_sub(before.alarmed_blocks);
        if let (1.., Some(why)) = (alarmed, &line.last_alarm) {
            let news = News::Line {
                aborted: line.aborted_blocks.saturating_sub(before.aborted_blocks),
                alarmed,
                why: why.clone(),
            };
            out.push(Effect::Tell { link: id, news });
        }
        link.line = Some(line);
    }

    fn figures(&self) -> Figures {
        let links = self.links.values().map(|link| LinkFigures {
            peer: link.ledger.peer.clone(),
            origin: link.origin,
            up: link.session.is_up(),
            available_bits: link.ledger.out.available() * 8,
            available_bits_peer: link.ledger.inn.available() * 8,
            allocated_bits: link.ledger.out.head * 8,
            waiting_keys: link.ledger.table.len() as u64,
            expired_keys: link.ledger.expired,
            discarded_bits: link.ledger.discarded * 8,
            aborted_blocks: link.aborted,
            line: link.line.clone(),
        });
        Figures {
            kme: self.kme.clone(),
            links: links.collect(),
            saes: self.figures.clone(),
            key_bits: self.limits.key_bits,
        }
    }

    /// The name of a link's pool.
    pub(crate) fn pool(&self, link: LinkId) -> Option<super::record::PoolId> {
        self.links.get(&link)?.ledger.pool
    }

    /// The records that make the same durable state from nothing.
    pub fn summary(&self) -> Vec<Record> {
        let mut records = vec![Record::Kme(self.kme.clone())];
        for (&id, link) in &self.links {
            records.extend(link.ledger.summary(id));
        }
        records.push(Record::Seq(self.seq));
        records
    }
}

pub(crate) fn send(link: LinkId, session: u64, frame: Frame) -> Effect {
    Effect::Send {
        link,
        session,
        frame,
    }
}
