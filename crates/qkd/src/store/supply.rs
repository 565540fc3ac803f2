//! Keys arrive, find their places in a lane at both ends, and are granted for use.
//!
//! | message | from | says | has on disk before it says so |
//! |---|---|---|---|
//! | offer | the lane's sending end | these keys, in this order, from this position on | the keys |
//! | confirm | the reading end | which of them it holds too | their places |
//! | ask | the sending end | how far it wants to use the lane | nothing |
//! | grant | the reading end | how far it may | the horizon |
//!
//! The sending end writes places on a confirm and the horizon on a grant, and uses nothing beyond. So whatever it uses
//! lies below the horizon that **both** disks hold: one of them may be lost or turned back.

use std::collections::BTreeSet;

use tieline_units::Time;
use zeroize::Zeroizing;

use super::alarm::Alarm;
use super::engine::Store;
use super::error::StoreError;
use super::health::HealthError;
use super::message::{Body, Message, OFFER_KEYS_MAX};
use super::name::{KeyId, Lane, Sae};
use super::record::{Key, Record, Session};

/// A key as a key manager or the embedded link delivers it.
pub struct NewKey {
    /// Its name.
    pub id: KeyId,
    /// Its bits.
    pub material: Zeroizing<Vec<u8>>,
}

/// What became of keys that arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admitted {
    /// How many were taken.
    pub taken: usize,
    /// Why others were not.
    pub refused: Vec<HealthError>,
}

/// What is on its way to a peer.
#[derive(Default)]
pub(super) struct Pending {
    offer: Option<OpenOffer>,
    offers: u64,
    /// No offer before that.
    quiet_until: Option<Time>,
    asked: Option<(u64, Time)>,
}

struct OpenOffer {
    number: u64,
    first: u64,
    keys: Vec<(KeyId, u32)>,
    sent: Time,
}

/// Keys, and bytes of key, that one commit takes.
const COMMIT_KEYS: usize = 4096;
const COMMIT_BYTES: usize = 8 << 20;

impl Store {
    /// Takes keys for a lane, durably. Every key is tested: its length, constant bits, a name or bits that were
    /// delivered before. A key that fails is left out, with an alarm; the others are taken.
    ///
    /// On the lane's sending end these are the keys that it got by `enc_keys`; on the reading end those that it got by
    /// `dec_keys` for the names in an offer. From a symmetric pool, [`Lane::of_symmetric_key`] says the lane.
    ///
    /// # Errors
    /// [`StoreError::NoPeer`]; the disk's.
    pub fn admit(
        &mut self,
        now: Time,
        lane: &Lane,
        keys: Vec<NewKey>,
    ) -> Result<Admitted, StoreError> {
        self.working()?;
        self.pool(lane)?;
        let mut outcome = Admitted::default();
        let (mut ids, mut prints) = (BTreeSet::new(), BTreeSet::new());
        let until = Time::from_millis(now.as_millis().saturating_add(self.settings.arrival_ms));
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for NewKey { id, material } in keys {
            let tested = self.state.seen.check(id, &material);
            let tested = tested.and_then(|print| match (ids.insert(id), prints.insert(print)) {
                (false, _) => Err(HealthError::RepeatedId { id }),
                (_, false) => Err(HealthError::RepeatedBits { id }),
                (true, true) => Ok(()),
            });
            if let Err(cause) = tested {
                self.raise(Alarm::Health {
                    lane: lane.clone(),
                    cause: cause.to_string(),
                });
                outcome.refused.push(cause);
                continue;
            }
            outcome.taken += 1;
            bytes += material.len();
            batch.push(Key {
                id,
                until,
                material,
            });
            if batch.len() == COMMIT_KEYS || bytes >= COMMIT_BYTES {
                self.admit_batch(lane, std::mem::take(&mut batch))?;
                bytes = 0;
            }
        }
        if !batch.is_empty() {
            self.admit_batch(lane, batch)?;
        }
        Ok(outcome)
    }

    fn admit_batch(&mut self, lane: &Lane, keys: Vec<Key>) -> Result<(), StoreError> {
        self.commit(vec![Record::Admit {
            lane: lane.clone(),
            keys,
        }])
    }

    /// The names in an offer that this end has not got: to be fetched (`dec_keys`) and admitted before the offer is
    /// passed to [`reconcile`](Store::reconcile), since what is missing then is not confirmed.
    pub fn missing(&self, offer: &Message) -> Vec<KeyId> {
        let lane = Lane {
            from: offer.from.clone(),
            to: offer.to.clone(),
        };
        let Ok(pool) = self.pool(&lane) else {
            return Vec::new();
        };
        let have: BTreeSet<KeyId> = pool.inbox.iter().map(|key| key.id).collect();
        let mut names = offer.offered_keys();
        names.retain(|id| !have.contains(id));
        names
    }

    /// What this end has to say now: handshakes that are due, offers, requests for a grant; repeats of what got no
    /// answer. To be called every now and then, after keys arrived, and after [`StoreError::Horizon`].
    ///
    /// # Errors
    /// The disk's.
    pub fn poll(&mut self, now: Time) -> Result<Vec<Message>, StoreError> {
        self.expire(now)?;
        self.sample(now);
        let peers: Vec<Sae> = self.contacts.keys().cloned().collect();
        let mut messages = Vec::new();
        for peer in peers {
            let retry = self.settings.retry_ms;
            let contact = &self.contacts[&peer];
            let due = contact.spoke.is_none_or(|spoke| passed(spoke, now, retry));
            match contact.session() {
                Some(session) => {
                    messages.extend(self.offer(now, &peer, session));
                    messages.extend(self.ask(now, &peer, session)?);
                }
                None if due => match self.handshake(now, &peer) {
                    Ok(hello) => messages.push(hello),
                    // It was raised as an alarm, and waits for an operator.
                    Err(StoreError::RolledBack { .. }) => {}
                    Err(error) => return Err(error),
                },
                None => {}
            }
        }
        Ok(messages)
    }

    /// Takes a message of a peer; returns what to answer.
    ///
    /// # Errors
    /// [`StoreError::NoPeer`] for a stranger or a message to somebody else, [`StoreError::Broken`] for a peer that does
    /// not keep to the rules; the disk's. The message changed nothing then.
    pub fn reconcile(
        &mut self,
        now: Time,
        message: Message,
    ) -> Result<Option<Message>, StoreError> {
        self.working()?;
        let Message { from, to, body } = message;
        if to != self.owner {
            return Err(StoreError::NoPeer {
                owner: self.owner.clone(),
                peer: to,
            });
        }
        let joined = self.contact(&from)?.session();
        let session = match &body {
            Body::Offer { session, .. }
            | Body::Confirm { session, .. }
            | Body::Ask { session, .. }
            | Body::Grant { session, .. } => *session,
            Body::Hello { .. } | Body::Welcome { .. } | Body::Done { .. } | Body::Refuse { .. } => {
                return self.shake(now, &from, body);
            }
        };
        if joined != Some(session) {
            return Ok(Some(self.refuse_session(&from, session)));
        }
        match body {
            Body::Offer {
                number,
                first,
                keys,
                ..
            } => self.on_offer(&from, session, (number, first), keys),
            Body::Confirm { number, taken, .. } => self.on_confirm(now, &from, number, taken),
            Body::Ask { upto, .. } => self.on_ask(&from, session, upto),
            Body::Grant { upto, .. } => self.on_grant(&from, upto),
            Body::Hello { .. } | Body::Welcome { .. } | Body::Done { .. } | Body::Refuse { .. } => {
                Ok(None)
            }
        }
    }

    /// The same for bytes as they came.
    ///
    /// # Errors
    /// [`StoreError::Message`], and as [`reconcile`](Store::reconcile).
    pub fn reconcile_bytes(
        &mut self,
        now: Time,
        bytes: &[u8],
    ) -> Result<Option<Message>, StoreError> {
        let message = Message::from_bytes(bytes).map_err(|cause| StoreError::Message {
            bytes: bytes.len(),
            cause,
        })?;
        self.reconcile(now, message)
    }

    /// An offer whose keys are no longer all there is not repeated.
    pub(super) fn forget_offer(&mut self, lane: &Lane) {
        let peer = self.peer_of(lane).clone();
        if lane.from == self.owner
            && let Some(contact) = self.contacts.get_mut(&peer)
        {
            contact.pending.offer = None;
        }
    }

    fn offer(&mut self, now: Time, peer: &Sae, session: Session) -> Option<Message> {
        let [lane, _] = self.lanes_with(peer);
        let retry = self.settings.retry_ms;
        let pool = self.state.lanes.get(&lane)?;
        let pending = &mut self.contacts.get_mut(peer)?.pending;
        match &mut pending.offer {
            Some(open) if !passed(open.sent, now, retry) => return None,
            Some(open) => open.sent = now,
            None => {
                let quiet = pending.quiet_until.is_some_and(|until| now < until);
                if quiet || pool.inbox.is_empty() {
                    return None;
                }
                let keys = pool.inbox.iter().take(OFFER_KEYS_MAX);
                pending.offers += 1;
                pending.offer = Some(OpenOffer {
                    number: pending.offers,
                    first: pool.end(),
                    keys: keys
                        .map(|key| (key.id, key.material.len() as u32))
                        .collect(),
                    sent: now,
                });
            }
        }
        let open = pending.offer.as_ref()?;
        let offer = Body::Offer {
            session,
            number: open.number,
            first: open.first,
            keys: open.keys.clone(),
        };
        Some(self.message(peer, offer))
    }

    fn on_offer(
        &mut self,
        peer: &Sae,
        session: Session,
        (number, first): (u64, u64),
        keys: Vec<(KeyId, u32)>,
    ) -> Result<Option<Message>, StoreError> {
        let [_, lane] = self.lanes_with(peer);
        let pool = self.pool(&lane)?;
        let confirm = |taken| Body::Confirm {
            session,
            number,
            taken,
        };
        if number == pool.ground.offers {
            return Ok(Some(self.message(peer, confirm(pool.ground.taken.clone()))));
        }
        if number < pool.ground.offers {
            return Ok(None);
        }
        if first < pool.ground.horizon || first > pool.end() {
            return Ok(Some(self.refuse_session(peer, session)));
        }
        let have: BTreeSet<(KeyId, u32)> = pool
            .inbox
            .iter()
            .map(|key| (key.id, key.material.len() as u32))
            .collect();
        let mut named = BTreeSet::new();
        let taken: Vec<KeyId> = keys
            .into_iter()
            .filter(|key| have.contains(key) && named.insert(*key))
            .map(|(id, _)| id)
            .collect();
        if !taken.is_empty() {
            self.commit(vec![Record::Place {
                lane,
                number,
                first,
                ids: taken.clone(),
            }])?;
        }
        Ok(Some(self.message(peer, confirm(taken))))
    }

    fn on_confirm(
        &mut self,
        now: Time,
        peer: &Sae,
        number: u64,
        taken: Vec<KeyId>,
    ) -> Result<Option<Message>, StoreError> {
        let [lane, _] = self.lanes_with(peer);
        let retry = self.settings.retry_ms;
        let pending = &mut self.contact(peer)?.pending;
        let Some(open) = pending.offer.take_if(|open| open.number == number) else {
            return Ok(None);
        };
        let offered: BTreeSet<KeyId> = open.keys.iter().map(|(id, _)| *id).collect();
        let unique: BTreeSet<KeyId> = taken.iter().copied().collect();
        if unique.len() != taken.len() || !unique.is_subset(&offered) {
            return Err(StoreError::Broken {
                peer: peer.clone(),
                what: "it confirms keys that were not offered",
            });
        }
        if unique.len() < offered.len() {
            pending.quiet_until = Some(Time::from_millis(now.as_millis().saturating_add(retry)));
        }
        if !taken.is_empty() {
            self.commit(vec![Record::Place {
                lane,
                number,
                first: open.first,
                ids: taken,
            }])?;
        }
        Ok(None)
    }

    fn ask(
        &mut self,
        now: Time,
        peer: &Sae,
        session: Session,
    ) -> Result<Option<Message>, StoreError> {
        let [lane, _] = self.lanes_with(peer);
        let (window, retry) = (self.settings.window_bytes, self.settings.retry_ms);
        let pool = self.pool(&lane)?;
        let (next, horizon, end) = (pool.ground.next, pool.ground.horizon, pool.end());
        let contact = self.contact(peer)?;
        let wanted = contact.wanted;
        let upto = end.min(next.saturating_add(window.max(wanted)));
        let low = horizon.saturating_sub(next) < wanted.max(window.div_ceil(2));
        let waiting = contact
            .pending
            .asked
            .is_some_and(|(asked, at)| asked >= upto && !passed(at, now, retry));
        if !low || upto <= horizon || waiting {
            return Ok(None);
        }
        contact.pending.asked = Some((upto, now));
        Ok(Some(self.message(peer, Body::Ask { session, upto })))
    }

    fn on_ask(
        &mut self,
        peer: &Sae,
        session: Session,
        upto: u64,
    ) -> Result<Option<Message>, StoreError> {
        let [_, lane] = self.lanes_with(peer);
        let pool = self.pool(&lane)?;
        let upto = upto.min(pool.end());
        if upto > pool.ground.horizon {
            let tally = self.tally(&lane);
            self.commit(vec![tally, Record::Horizon { lane, upto }])?;
        }
        Ok(Some(self.message(peer, Body::Grant { session, upto })))
    }

    fn on_grant(&mut self, peer: &Sae, upto: u64) -> Result<Option<Message>, StoreError> {
        let [lane, _] = self.lanes_with(peer);
        let pool = self.pool(&lane)?;
        if upto > pool.end() {
            return Err(StoreError::Broken {
                peer: peer.clone(),
                what: "it grants more than was asked for",
            });
        }
        let more = upto > pool.ground.horizon;
        let contact = self.contact(peer)?;
        contact.pending.asked = None;
        if more {
            contact.wanted = 0;
            let tally = self.tally(&lane);
            self.commit(vec![tally, Record::Horizon { lane, upto }])?;
        }
        Ok(None)
    }

    fn sample(&mut self, now: Time) {
        for (lane, pool) in &self.state.lanes {
            let samples = self.samples.entry(lane.clone()).or_default();
            samples.add(now, pool.ground.admitted, pool.ground.spent);
        }
    }
}

/// Whether `wait` milliseconds have passed, or the clock went back.
fn passed(since: Time, now: Time, wait: u64) -> bool {
    let passed = now.as_millis().checked_sub(since.as_millis());
    passed.is_none_or(|passed| passed >= wait)
}
