//! Both ends of a link find a common position again: `hello`, `welcome`, `done`.
//!
//! | step | who | says | has on disk before it says so |
//! |---|---|---|---|
//! | hello | either | its counter, a nonce, the last handshakes it remembers, per lane horizon, end and chain | the counter |
//! | welcome | the other | the nonce, its own nonce, where each lane goes on | that position, the counter seen |
//! | done | the first | the handshake's name, the keys both have | the position |
//!
//! Each lane goes on at the larger of both horizons. Whatever either end may have used lies below its own horizon, so
//! nothing below is used again, whichever of the two was restored from an old copy. The keys of a lane are those that
//! both ends hold at the same places; the rest is given up.
//!
//! A hello whose counter is not above the last one seen, or whose remembered handshakes are not among ours, comes from an
//! old copy, or we are one: it is refused, alarms are raised at both ends, and an operator must call
//! [`Store::recover`] at one of them.

use hmac::digest::Digest as _;
use sha2::Sha256;
use tieline_units::Time;
use tieline_uss::party::{Counter, EpochId};

use super::alarm::Alarm;
use super::contact::{Hello, Phase, Standing, Welcome};
use super::engine::Store;
use super::error::StoreError;
use super::message::{Body, Joint, Mark, Message, Refusal};
use super::name::{Lane, Sae};
use super::record::{Known, Record, Session};

impl Store {
    /// Begins a handshake with a peer. What the lanes to and from it had granted is given up: nothing is drawn there
    /// until it is done.
    ///
    /// # Errors
    /// [`StoreError::NoPeer`], [`StoreError::RolledBack`] until [`recover`](Store::recover); the disk's.
    pub fn handshake(&mut self, now: Time, peer: &Sae) -> Result<Message, StoreError> {
        self.working()?;
        let contact = self.contact(peer)?;
        if matches!(contact.phase, Phase::Split { .. }) && !contact.recovering {
            return Err(contact.not_joined(peer));
        }
        let recovering = contact.recovering;
        contact.enter(Phase::Apart);
        contact.spoke = Some(now);
        let known = Known {
            counter: self.state.peers[peer].counter + 1,
            ..self.state.peers[peer].clone()
        };
        let mut nonce = [0; 16];
        self.journal.fill(&mut nonce)?;
        let marks = self.lanes_with(peer).map(|lane| self.mark(&lane));
        let hello = Body::Hello {
            counter: known.counter,
            nonce,
            recovering,
            latest: known.latest,
            settled: known.settled,
            marks,
            observed: known.observed,
        };
        self.commit(vec![Record::Peer {
            name: peer.clone(),
            known,
        }])?;
        self.contact(peer)?.phase = Phase::Called { nonce };
        Ok(self.message(peer, hello))
    }

    /// Says that the operator has found out which end was restored from a copy, and that no other copy runs: the next
    /// handshake goes through although the histories differ. The epochs known at either end are closed for signing.
    ///
    /// # Errors
    /// [`StoreError::NoPeer`]; the disk's.
    pub fn recover(&mut self, peer: &Sae) -> Result<(), StoreError> {
        self.working()?;
        let contact = self.contact(peer)?;
        contact.recovering = true;
        let theirs = match contact.phase {
            Phase::Split { theirs, .. } => theirs,
            Phase::Apart | Phase::Called { .. } | Phase::Answered { .. } | Phase::Joined { .. } => {
                0
            }
        };
        let known = &self.state.peers[peer];
        let known = Known {
            counter: known.counter.max(theirs),
            ..known.clone()
        };
        self.commit(vec![Record::Peer {
            name: peer.clone(),
            known,
        }])
    }

    /// Remembers that a signature of `peer` with this counter was seen, so that the peer can be told when it was
    /// restored from a copy. Durable with the next commit.
    ///
    /// # Errors
    /// [`StoreError::NoPeer`].
    pub fn observe(
        &mut self,
        peer: &Sae,
        epoch: EpochId,
        counter: Counter,
    ) -> Result<(), StoreError> {
        self.contact(peer)?;
        let known = self.state.peers.get_mut(peer).expect("it has a contact");
        known.observed = known.observed.max(Some((epoch, counter)));
        Ok(())
    }

    /// How this end stands with a peer; `None` for a stranger.
    pub fn standing(&self, peer: &Sae) -> Option<Standing> {
        Some(self.contacts.get(peer)?.standing())
    }

    /// Whether a handshake with the peer is done and holds.
    pub fn is_joined(&self, peer: &Sae) -> bool {
        self.contacts
            .get(peer)
            .is_some_and(|contact| contact.is_joined())
    }

    /// The lanes with a peer, seen from here: out, then back.
    pub(super) fn lanes_with(&self, peer: &Sae) -> [Lane; 2] {
        let out = Lane {
            from: self.owner.clone(),
            to: peer.clone(),
        };
        [out.clone(), out.back()]
    }

    pub(super) fn message(&self, to: &Sae, body: Body) -> Message {
        Message {
            from: self.owner.clone(),
            to: to.clone(),
            body,
        }
    }

    fn mark(&self, lane: &Lane) -> Mark {
        let pool = &self.state.lanes[lane];
        Mark {
            horizon: pool.ground.horizon,
            end: pool.end(),
            chain: pool.end_chain(),
        }
    }

    /// Takes a message of the handshake; returns what to answer.
    pub(super) fn shake(
        &mut self,
        now: Time,
        peer: &Sae,
        body: Body,
    ) -> Result<Option<Message>, StoreError> {
        match body {
            Body::Hello {
                counter,
                nonce,
                recovering,
                latest,
                settled,
                marks,
                observed,
            } => self.on_hello(
                now,
                peer,
                Hello {
                    counter,
                    nonce,
                    recovering,
                    latest,
                    settled,
                    marks,
                    observed,
                },
            ),
            Body::Welcome {
                echo,
                nonce,
                joints,
                observed,
            } => self.on_welcome(
                peer,
                Welcome {
                    echo,
                    nonce,
                    joints,
                    observed,
                },
            ),
            Body::Done { session, ends } => self.on_done(peer, session, ends),
            Body::Refuse { why, seen, echo } => self.on_refuse(peer, why, seen, echo),
            Body::Offer { .. } | Body::Confirm { .. } | Body::Ask { .. } | Body::Grant { .. } => {
                Ok(None)
            }
        }
    }

    fn on_hello(
        &mut self,
        now: Time,
        peer: &Sae,
        hello: Hello,
    ) -> Result<Option<Message>, StoreError> {
        let owner_first = self.owner < *peer;
        let contact = self.contact(peer)?;
        // Both called at once: the smaller name leads, the other answers.
        if matches!(contact.phase, Phase::Called { .. }) && owner_first {
            return Ok(None);
        }
        let recovering = hello.recovering || contact.recovering;
        let known = self.state.peers[peer].clone();
        let ours = [known.latest, known.settled];
        let shared = ours.contains(&hello.latest) || ours.contains(&hello.settled);
        if hello.counter <= known.seen || !(shared || recovering) {
            return Ok(Some(self.refuse_history(peer, &hello, shared)));
        }
        let mut nonce = [0; 16];
        self.journal.fill(&mut nonce)?;
        let session = session_name(&self.owner, peer, [hello.nonce, nonce]);
        // The peer's lanes come in its order: its own lane out first.
        let [mine, theirs] = self.lanes_with(peer);
        let lanes = [theirs, mine];
        let joints = [0, 1].map(|at| self.joint(&lanes[at], hello.marks[at]));
        let mut records = self.catch_up(peer, hello.observed, recovering);
        // What the peer remembers of our answers is settled, or the next answer would push it out.
        let settled = match [hello.latest, hello.settled].contains(&known.latest) {
            true => known.latest,
            false => known.settled,
        };
        records.push(Record::Peer {
            name: peer.clone(),
            known: Known {
                seen: hello.counter,
                latest: session,
                settled,
                ..known.clone()
            },
        });
        self.resume(lanes, joints, session, records)?;
        let contact = self.contact(peer)?;
        contact.enter(Phase::Answered { session, joints });
        contact.recovering = false;
        contact.spoke = Some(now);
        let welcome = Body::Welcome {
            echo: hello.nonce,
            nonce,
            joints,
            observed: known.observed,
        };
        Ok(Some(self.message(peer, welcome)))
    }

    /// Refuses a hello that was seen before, or whose history is not ours (`shared` is false).
    fn refuse_history(&mut self, peer: &Sae, hello: &Hello, shared: bool) -> Message {
        let known = &self.state.peers[peer];
        let (ours, theirs) = (known.counter, hello.counter);
        let refuse = Body::Refuse {
            why: Refusal::History,
            seen: known.seen,
            echo: hello.nonce,
        };
        let contact = self.contacts.get_mut(peer).expect("the caller has it");
        // A hello that a newer one overtook says nothing about copies. A link that holds is not given up for a copy of
        // the peer; one that does not hold may be our own fault.
        let overtaken = shared && matches!(contact.phase, Phase::Answered { .. });
        if !shared && !contact.is_joined() {
            contact.enter(Phase::Split { ours, theirs });
        }
        if !overtaken {
            self.raise(Alarm::RolledBack { peer: peer.clone() });
        }
        self.message(peer, refuse)
    }

    /// Where a lane goes on, from what both ends say of it.
    fn joint(&self, lane: &Lane, theirs: Mark) -> Joint {
        let pool = &self.state.lanes[lane];
        let at = pool.ground.horizon.max(theirs.horizon);
        let end = pool.end().min(theirs.end);
        let chain = pool.chain_at(end);
        // Where this end has less, the other end compares.
        let alike = theirs.end > end || chain == Some(theirs.chain);
        match chain {
            Some(chain) if alike && end > at => Joint { at, end, chain },
            _ => Joint {
                at,
                end: at,
                chain: [0; 16],
            },
        }
    }

    fn on_welcome(&mut self, peer: &Sae, welcome: Welcome) -> Result<Option<Message>, StoreError> {
        let contact = self.contact(peer)?;
        match contact.phase {
            Phase::Called { nonce } if nonce == welcome.echo => {}
            // An answer to an older hello: it came late.
            _ => return Ok(None),
        }
        let recovering = contact.recovering;
        let lanes = self.lanes_with(peer);
        let mut joints = welcome.joints;
        for (lane, joint) in lanes.iter().zip(&mut joints) {
            let pool = &self.state.lanes[lane];
            if joint.at < pool.ground.horizon || joint.end < joint.at {
                return Err(StoreError::Broken {
                    peer: peer.clone(),
                    what: "it would go on where this end was before",
                });
            }
            if joint.end > joint.at && pool.chain_at(joint.end) != Some(joint.chain) {
                joint.end = joint.at;
            }
        }
        let session = session_name(peer, &self.owner, [welcome.echo, welcome.nonce]);
        let mut records = self.catch_up(peer, welcome.observed, recovering);
        records.push(Record::Peer {
            name: peer.clone(),
            known: Known {
                latest: session,
                settled: session,
                ..self.state.peers[peer].clone()
            },
        });
        self.resume(lanes, joints, session, records)?;
        let contact = self.contact(peer)?;
        contact.enter(Phase::Joined { session });
        contact.recovering = false;
        let ends = joints.map(|joint| joint.end);
        Ok(Some(self.message(peer, Body::Done { session, ends })))
    }

    fn on_done(
        &mut self,
        peer: &Sae,
        session: Session,
        ends: [u64; 2],
    ) -> Result<Option<Message>, StoreError> {
        let contact = self.contact(peer)?;
        let mut joints = match contact.phase {
            Phase::Answered {
                session: answered,
                joints,
            } if answered == session => joints,
            Phase::Joined { session: joined } if joined == session => return Ok(None),
            _ => return Ok(Some(self.refuse_session(peer, session))),
        };
        let fewer = ends
            .iter()
            .zip(&joints)
            .any(|(end, joint)| *end < joint.end);
        for (joint, end) in joints.iter_mut().zip(ends) {
            if end > joint.end || end < joint.at {
                return Err(StoreError::Broken {
                    peer: peer.clone(),
                    what: "it ends a handshake with keys that were not named",
                });
            }
            joint.end = end;
        }
        let records = vec![Record::Peer {
            name: peer.clone(),
            known: Known {
                settled: session,
                ..self.state.peers[peer].clone()
            },
        }];
        let [mine, theirs] = self.lanes_with(peer);
        match fewer {
            true => self.resume([theirs, mine], joints, session, records)?,
            false => self.commit(records)?,
        }
        self.contact(peer)?.enter(Phase::Joined { session });
        Ok(None)
    }

    fn on_refuse(
        &mut self,
        peer: &Sae,
        why: Refusal,
        seen: u64,
        echo: [u8; 16],
    ) -> Result<Option<Message>, StoreError> {
        let ours = self.state.peers.get(peer).map_or(0, |known| known.counter);
        let contact = self.contact(peer)?;
        match (why, &contact.phase) {
            (Refusal::History, Phase::Called { nonce }) if *nonce == echo => {
                contact.enter(Phase::Split { ours, theirs: seen });
                contact.recovering = false;
                self.raise(Alarm::RolledBack { peer: peer.clone() });
            }
            (Refusal::Session, Phase::Joined { session }) if *session == echo => {
                contact.enter(Phase::Apart);
                contact.spoke = None;
            }
            _ => {}
        }
        Ok(None)
    }

    /// Answers a message of a handshake that does not hold here.
    pub(super) fn refuse_session(&self, peer: &Sae, session: Session) -> Message {
        let refuse = Body::Refuse {
            why: Refusal::Session,
            seen: 0,
            echo: session,
        };
        self.message(peer, refuse)
    }

    /// What the peer's memory of our signatures adds to ours.
    fn catch_up(
        &mut self,
        peer: &Sae,
        observed: Option<(EpochId, Counter)>,
        recovering: bool,
    ) -> Vec<Record> {
        let mut records = Vec::new();
        let mut newest = self.state.newest_epoch();
        if let Some((epoch, counter)) = observed
            && !self.state.spends.contains(epoch, counter)
        {
            newest = newest.max(Some(epoch));
            records.push(Record::Spend {
                epoch,
                first: Counter(0),
                last: Counter(u32::MAX),
            });
            self.raise(Alarm::UnknownSpend { peer: peer.clone() });
        }
        if recovering {
            self.raise(Alarm::Recovered { peer: peer.clone() });
            let below = newest.map_or(0, |newest| newest.0.saturating_add(1));
            records.push(Record::Close {
                below: EpochId(below.max(self.state.spends.open().0)),
            });
        }
        records
    }

    /// Moves both lanes to where they go on, in one commit.
    fn resume(
        &mut self,
        lanes: [Lane; 2],
        joints: [Joint; 2],
        session: Session,
        mut records: Vec<Record>,
    ) -> Result<(), StoreError> {
        let lost_before: Vec<u64> = self.lost(&lanes);
        for (lane, joint) in lanes.iter().zip(joints) {
            records.push(self.tally(lane));
            records.push(Record::Resume {
                lane: lane.clone(),
                at: joint.at,
                end: joint.end,
                session,
            });
        }
        self.commit(records)?;
        let lost = self.lost(&lanes);
        for (lane, (before, after)) in lanes.into_iter().zip(lost_before.into_iter().zip(lost)) {
            if after > before {
                self.raise(Alarm::Discarded {
                    lane,
                    bytes: after - before,
                });
            }
        }
        Ok(())
    }

    fn lost(&self, lanes: &[Lane; 2]) -> Vec<u64> {
        lanes
            .iter()
            .map(|lane| self.state.lanes[lane].ground.lost)
            .collect()
    }
}

/// The name of a handshake, from who answered, who called and both nonces.
fn session_name(answering: &Sae, calling: &Sae, nonces: [[u8; 16]; 2]) -> Session {
    let mut hash = Sha256::new();
    hash.update(b"tieline handshake 1");
    for name in [answering, calling] {
        hash.update((name.as_str().len() as u64).to_be_bytes());
        hash.update(name.as_str().as_bytes());
    }
    nonces.iter().for_each(|nonce| hash.update(nonce));
    hash.finalize()[..16]
        .try_into()
        .expect("a hash has 32 bytes")
}
