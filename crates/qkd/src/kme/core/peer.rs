//! What the key manager at the other end says.

use crate::kme::core::ask::{Answer, Effect, Fault, News};

use super::frame::{Frame, Hello, View};
use super::link::{Direction, LinkId};
use super::manager::{Manager, send};
use super::record::{Granted, PoolId, Record};
use super::resolve::{Agreed, Why, agree};
use super::state::{Held, Link, Session};
use super::table::all_of;

impl Manager {
    pub(crate) fn peer_up(
        &mut self,
        now: u64,
        id: LinkId,
        (number, dialled, fresh): (u64, bool, PoolId),
        out: &mut Vec<Effect>,
    ) {
        self.disconnect(id, Fault::Replaced, out);
        let seq = self.seq;
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let hello = Hello {
            pool: link.ledger.pool,
            fresh,
            seq,
            seen: link.ledger.peer_seq.max(link.peer_seq),
            out: link.ledger.view(Direction::Out),
            inn: link.ledger.view(Direction::In),
        };
        link.heard = now;
        link.said = now;
        link.session = Session::Greeting {
            number,
            dialled,
            mine: Box::new(hello.clone()),
        };
        out.push(send(id, number, Frame::Hello(hello)));
    }

    pub(crate) fn peer_says(
        &mut self,
        now: u64,
        (id, number): (LinkId, u64),
        frame: Frame,
        out: &mut Vec<Effect>,
    ) -> Result<(), Fault> {
        let Some(link) = self.links.get_mut(&id) else {
            return Ok(());
        };
        link.heard = now;
        match (&link.session, frame) {
            (Session::Greeting { dialled, mine, .. }, Frame::Hello(theirs)) => {
                let (dialled, mine) = (*dialled, mine.clone());
                self.align(id, (&mine, &theirs), dialled, out);
                out.push(send(id, number, Frame::Ready));
                Ok(())
            }
            (&Session::Aligned { number, dialled }, Frame::Ready) => {
                link.session = Session::Up { number, dialled };
                link.met = true;
                let news = News::Agreed {
                    available: link.ledger.out.available(),
                };
                out.push(Effect::Tell { link: id, news });
                Ok(())
            }
            (
                Session::Up { dialled: false, .. },
                Frame::Fill {
                    direction,
                    at,
                    bits,
                },
            ) => self.fill(id, (direction.mirrored(), at), bits, out),
            (Session::Up { dialled: true, .. }, Frame::Have { direction, to }) => {
                self.have(id, direction.mirrored(), to, out)?;
                self.want(now, id, out);
                Ok(())
            }
            (Session::Up { .. }, Frame::Announce { seq, grants }) => {
                link.peer_seq = link.peer_seq.max(seq);
                link.noted_due = true;
                for mut grant in grants {
                    grant.since = now;
                    self.announced(id, grant, seq, out)?;
                }
                Ok(())
            }
            (Session::Up { .. }, Frame::Noted { to, seq, waiting }) => {
                link.peer_seq = link.peer_seq.max(seq);
                link.peer_waiting = waiting;
                self.noted(id, to, out)
            }
            (Session::Up { .. }, Frame::Alive { seq }) => {
                link.peer_seq = link.peer_seq.max(seq);
                Ok(())
            }
            (_, frame) => Err(Fault::Unexpected { what: name(&frame) }),
        }
    }

    /// Writes down what follows from both hellos.
    fn align(
        &mut self,
        id: LinkId,
        (mine, theirs): (&Hello, &Hello),
        dialled: bool,
        out: &mut Vec<Effect>,
    ) {
        let agreed = agree(mine, theirs, dialled);
        match agreed {
            Agreed::Fresh(pool, why) => {
                let news = match why {
                    Why::New => None,
                    Why::OtherPool => Some(News::OtherPool),
                    Why::SetBack => Some(News::SetBack),
                };
                if let Some(news) = news {
                    out.push(Effect::Tell { link: id, news });
                }
                self.append(Record::Pool { link: id, pool }, id, out);
            }
            Agreed::Aligned { out: o, inn } => {
                let view = |(head, filled)| View { head, filled };
                if (view(o), view(inn)) != (mine.out, mine.inn) {
                    let record = Record::Aligned {
                        link: id,
                        out: o,
                        inn,
                    };
                    self.append(record, id, out);
                }
            }
        }
        if let Some(link) = self.links.get_mut(&id)
            && let Some(number) = link.session.number()
        {
            link.peer_seq = theirs.seq;
            link.session = Session::Aligned { number, dialled };
        }
    }

    fn fill(
        &mut self,
        id: LinkId,
        (direction, at): (Direction, u64),
        bits: zeroize::Zeroizing<Vec<u8>>,
        out: &mut Vec<Effect>,
    ) -> Result<(), Fault> {
        let pool_bits = self.limits.pool_bits;
        let Some(link) = self.links.get_mut(&id) else {
            return Ok(());
        };
        let pool = link.ledger.pool_of(direction);
        let too_much = (pool.available() + bits.len() as u64) * 8 > pool_bits.saturating_mul(2);
        if pool.filled != at || bits.is_empty() || too_much || link.filling.is_some() {
            return Err(Fault::Unexpected {
                what: "bits that do not fit to the end of the pool",
            });
        }
        out.push(link.write(id, direction, at, bits));
        Ok(())
    }

    /// A block is on disk here: the end that dialled sends it, the other one counts it and says so.
    pub(crate) fn written(&mut self, id: LinkId, write: u64, out: &mut Vec<Effect>) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let Session::Up { number, dialled } = link.session else {
            return;
        };
        let Some(filling) = link.filling.take_if(|filling| filling.write == write) else {
            return;
        };
        let (direction, at) = (filling.direction, filling.at);
        if dialled {
            let bits = filling.bits.clone();
            link.filling = Some(filling);
            let frame = Frame::Fill {
                direction,
                at,
                bits,
            };
            out.push(send(id, number, frame));
            return;
        }
        let pool = link.ledger.pool_of(direction);
        pool.push(filling.bits);
        let to = pool.filled;
        self.filled(id, direction, to, out);
        out.push(send(id, number, Frame::Have { direction, to }));
    }

    fn have(
        &mut self,
        id: LinkId,
        direction: Direction,
        to: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Fault> {
        let Some(link) = self.links.get_mut(&id) else {
            return Ok(());
        };
        let wrong = Fault::Unexpected {
            what: "a confirmation of bits that were not sent",
        };
        let filling = link.filling.take().ok_or(wrong.clone())?;
        if filling.direction != direction || filling.at + filling.bits.len() as u64 != to {
            return Err(wrong);
        }
        link.ledger.pool_of(direction).push(filling.bits);
        self.filled(id, direction, to, out);
        Ok(())
    }

    fn filled(&mut self, id: LinkId, direction: Direction, to: u64, out: &mut Vec<Effect>) {
        let record = Record::Filled {
            link: id,
            direction,
            to,
        };
        self.append(record, id, out);
    }

    fn announced(
        &mut self,
        id: LinkId,
        mut grant: Granted,
        peer_seq: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Fault> {
        let unexpected = |what| Err(Fault::Unexpected { what });
        let Some(link) = self.links.get(&id) else {
            return Ok(());
        };
        let inn = &link.ledger.inn;
        if grant.at != inn.head || grant.end() > inn.filled {
            return unexpected("an announcement out of order");
        }
        if !link.saes.contains(&grant.master) {
            return unexpected("an announcement for a master that is not at the other end");
        }
        grant.left = all_of(grant.slaves.len());
        let record = Record::Announced {
            link: id,
            grant,
            peer_seq,
        };
        self.append(record, id, out);
        Ok(())
    }

    /// The other end has written announcements down: their keys leave.
    fn noted(&mut self, id: LinkId, to: u64, out: &mut Vec<Effect>) -> Result<(), Fault> {
        let Some(link) = self.links.get_mut(&id) else {
            return Ok(());
        };
        if to > link.ledger.out.head {
            return Err(Fault::Unexpected {
                what: "a confirmation of keys that were not announced",
            });
        }
        while let Some(held) = next_noted(link, to) {
            if let Some(figures) = self.figures.get_mut(&held.caller) {
                figures.enc_keys += held.keys.len() as u64;
            }
            out.push(Effect::Answer {
                ticket: held.ticket,
                answer: Answer::Keys {
                    keys: held.keys,
                    origin: link.origin,
                },
            });
        }
        Ok(())
    }
}

fn next_noted(link: &mut Link, to: u64) -> Option<Held> {
    match link.held.front() {
        Some(held) if held.end <= to => link.held.pop_front(),
        _ => None,
    }
}

fn name(frame: &Frame) -> &'static str {
    match frame {
        Frame::Hello(_) => "a second hello",
        Frame::Ready => "ready before hello",
        Frame::Fill { .. } => "bits",
        Frame::Have { .. } => "a confirmation of bits",
        Frame::Announce { .. } => "an announcement",
        Frame::Noted { .. } => "a confirmation of keys",
        Frame::Alive { .. } => "a sign of life",
    }
}
