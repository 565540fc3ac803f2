//! What SAEs ask: judged by `check_…`, which change nothing, then done.

use std::sync::Arc;

use serde_json::Value;

use crate::etsi::{Extension, KeyId, KeyRequest, SaeId, Status};

use super::ask::{Answer, Ask, Delivered, Effect, Refusal, Ticket};
use super::link::{Direction, LinkId};
use super::manager::Manager;
use super::record::{Granted, Record};
use super::state::Held;
use super::table::all_of;

/// The extension of ours that can be demanded: `{"tieline_origin": "simulated"}` or `"physical"`.
pub const ORIGIN_EXTENSION: &str = "tieline_origin";

/// A request for new keys that can be fulfilled.
struct Grantable {
    link: LinkId,
    slaves: Vec<SaeId>,
    number: u64,
    bytes: u64,
}

/// A request for known keys that can be fulfilled.
struct Fetchable {
    link: LinkId,
    keys: Vec<(Delivered, u64, u8)>,
}

impl Manager {
    pub(crate) fn ask(
        &mut self,
        now: u64,
        (ticket, caller): (Ticket, &SaeId),
        ask: Ask,
        out: &mut Vec<Effect>,
    ) {
        let done = match ask {
            Ask::Status { slave } => self.status(caller, &slave).map(|status| {
                let answer = Answer::Status(Box::new(status));
                out.push(Effect::Answer { ticket, answer });
            }),
            Ask::Encrypt { slave, request } => self
                .check_encrypt(now, caller, slave, &request)
                .and_then(|checked| self.encrypt(now, (ticket, caller), checked, out)),
            Ask::Decrypt { master, ids } => self
                .check_decrypt(caller, &master, &ids)
                .map(|checked| self.decrypt(ticket, caller, checked, out)),
        };
        if let Err(refusal) = done {
            self.refuse(ticket, caller, refusal, out);
        }
    }

    fn route(&self, sae: &SaeId) -> Result<LinkId, Refusal> {
        let sae_known = self.routes.get(sae).copied();
        sae_known.ok_or_else(|| Refusal::UnknownSae {
            sae: sae.to_string(),
        })
    }

    fn served(&self, caller: &SaeId) -> Result<bool, Refusal> {
        match self.buckets.get(caller) {
            Some(bucket) => Ok(bucket.control()),
            None => Err(Refusal::NotServed {
                caller: caller.to_string(),
            }),
        }
    }

    /// Bytes that this SAE could have.
    fn stock(&self, link: LinkId, control: bool) -> u64 {
        let available = self
            .links
            .get(&link)
            .map_or(0, |link| link.ledger.out.available());
        if control {
            available
        } else {
            available.saturating_sub(self.limits.reserve_bits / 8)
        }
    }

    fn status(&self, caller: &SaeId, slave: &SaeId) -> Result<Status, Refusal> {
        let control = self.served(caller)?;
        let id = self.route(slave)?;
        let link = &self.links[&id];
        let key_bytes = self.limits.key_bits / 8;
        let stored = if link.session.is_up() {
            self.stock(id, control) / key_bytes
        } else {
            0
        };
        Ok(Status {
            source_kme_id: self.kme.clone(),
            target_kme_id: link.ledger.peer.clone(),
            master_sae_id: caller.clone(),
            slave_sae_id: slave.clone(),
            key_size: self.limits.key_bits,
            stored_key_count: stored,
            max_key_count: self.limits.pool_bits / self.limits.key_bits,
            max_key_per_request: self.limits.number_max,
            max_key_size: self.limits.key_bits_max,
            min_key_size: self.limits.key_bits_min,
            max_sae_id_count: self.limits.slaves_max,
            status_extension: Some(serde_json::json!({
                ORIGIN_EXTENSION: link.origin.word(),
                "tieline_link_up": link.session.is_up(),
            })),
        })
    }

    fn check_encrypt(
        &self,
        now: u64,
        caller: &SaeId,
        slave: SaeId,
        request: &KeyRequest,
    ) -> Result<Grantable, Refusal> {
        let control = self.served(caller)?;
        let id = self.route(&slave)?;
        let slaves = self.check_slaves(id, slave, request)?;
        let (number, bits) = self.check_amount(request)?;
        let link = &self.links[&id];
        check_extensions(&request.extension_mandatory, link.origin.word())?;
        let peer = || link.ledger.peer.clone();
        if !link.session.is_up() {
            return Err(Refusal::PeerAway { peer: peer() });
        }
        let asked = number * bits;
        let available = self.stock(id, control) * 8;
        if asked > available {
            return Err(Refusal::Exhausted {
                asked,
                available,
                retry: 1,
            });
        }
        if let Some(bucket) = self.buckets.get(caller) {
            bucket
                .check(now, asked)
                .map_err(|(left, retry)| Refusal::Quota { asked, left, retry })?;
        }
        if link.peer_waiting.saturating_add(number) > self.limits.uncollected_keys {
            return Err(Refusal::NotFetched {
                waiting: link.peer_waiting,
                peer: peer(),
            });
        }
        Ok(Grantable {
            link: id,
            slaves,
            number,
            bytes: bits / 8,
        })
    }

    fn check_slaves(
        &self,
        link: LinkId,
        slave: SaeId,
        request: &KeyRequest,
    ) -> Result<Vec<SaeId>, Refusal> {
        let asked = request.additional_slave_sae_ids.len();
        let max = self.limits.slaves_max;
        if asked as u64 > max {
            return Err(Refusal::TooManySlaves { asked, max });
        }
        let mut slaves = vec![slave];
        for sae in &request.additional_slave_sae_ids {
            let wrong = |why| Refusal::Slaves {
                sae: sae.clone(),
                why,
            };
            if slaves.contains(sae) {
                return Err(wrong("it is named twice"));
            }
            if self.route(sae)? != link {
                return Err(wrong("it is at another key manager than the first slave"));
            }
            slaves.push(sae.clone());
        }
        Ok(slaves)
    }

    fn check_amount(&self, request: &KeyRequest) -> Result<(u64, u64), Refusal> {
        let limits = &self.limits;
        let size = request.size.unwrap_or(limits.key_bits);
        if !size.is_multiple_of(8) {
            return Err(Refusal::SizeOdd);
        }
        if size < limits.key_bits_min || size > limits.key_bits_max {
            return Err(Refusal::Size {
                asked: size,
                min: limits.key_bits_min,
                max: limits.key_bits_max,
            });
        }
        let number = request.number.unwrap_or(1);
        if number == 0 || number > limits.number_max {
            return Err(Refusal::Number {
                asked: number,
                max: limits.number_max,
            });
        }
        Ok((number, size))
    }

    /// Allocates; the keys leave when the other end has written the announcement down.
    fn encrypt(
        &mut self,
        now: u64,
        (ticket, caller): (Ticket, &SaeId),
        checked: Grantable,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let total = checked.number * checked.bytes;
        let link = &self.links[&checked.link];
        let at = link.ledger.out.head;
        let end = at + total;
        let Some(bits) = link.ledger.out.copy(at, end) else {
            return Err(Refusal::Busy("missing material that it should have"));
        };
        let bits = Arc::new(bits);
        let keys = (0..checked.number).map(|number| Delivered {
            key_id: link
                .ledger
                .key_id(Direction::Out, at + number * checked.bytes),
            bits: Arc::clone(&bits),
            start: (number * checked.bytes) as usize,
            bytes: checked.bytes as usize,
        });
        let keys: Vec<Delivered> = keys.collect();
        if let Some(bucket) = self.buckets.get_mut(caller) {
            bucket.draw(now, total * 8);
        }
        let id = checked.link;
        self.append(Record::Allocated { link: id, to: end }, id, out);
        if let Some(link) = self.links.get_mut(&id) {
            link.peer_waiting += checked.number;
            link.announce.push(Granted {
                at,
                bytes: checked.bytes as u32,
                count: checked.number as u32,
                since: now,
                left: all_of(checked.slaves.len()),
                master: caller.clone(),
                slaves: checked.slaves,
            });
            link.held.push_back(Held {
                end,
                ticket,
                caller: caller.clone(),
                keys,
                since: now,
            });
        }
        Ok(())
    }

    fn check_decrypt(
        &self,
        caller: &SaeId,
        master: &SaeId,
        ids: &[KeyId],
    ) -> Result<Fetchable, Refusal> {
        self.served(caller)?;
        let id = self.route(master)?;
        let link = &self.links[&id];
        let (asked, max) = (ids.len() as u64, self.limits.number_max);
        if asked == 0 || asked > max {
            return Err(Refusal::Number { asked, max });
        }
        let entries: Vec<_> = ids.iter().map(|id| link.ledger.table.get(id)).collect();
        let foreign = |entry: &&super::table::Entry| entry.place(caller).is_none();
        if entries.iter().flatten().any(foreign) {
            return Err(Refusal::NotSlave {
                caller: caller.clone(),
            });
        }
        if !link.met {
            return Err(Refusal::PeerAway {
                peer: link.ledger.peer.clone(),
            });
        }
        let mut keys = Vec::with_capacity(ids.len());
        for (index, (key_id, entry)) in ids.iter().zip(entries).enumerate() {
            if ids[..index].contains(key_id) {
                return Err(Refusal::ListedTwice { id: *key_id });
            }
            let entry = entry.ok_or(Refusal::NotFound)?;
            let place = entry.place(caller).ok_or(Refusal::NotFound)?;
            if !entry.waits_for(place) || &entry.grant.master != master {
                return Err(Refusal::NotFound);
            }
            let bits = link.ledger.inn.copy(entry.at, entry.end());
            let delivered = Delivered {
                key_id: *key_id,
                bits: Arc::new(bits.ok_or(Refusal::NotFound)?),
                start: 0,
                bytes: entry.bytes as usize,
            };
            keys.push((delivered, entry.at, place));
        }
        Ok(Fetchable { link: id, keys })
    }

    fn decrypt(
        &mut self,
        ticket: Ticket,
        caller: &SaeId,
        checked: Fetchable,
        out: &mut Vec<Effect>,
    ) {
        let id = checked.link;
        let origin = self.links[&id].origin;
        let mut keys = Vec::with_capacity(checked.keys.len());
        for (key, at, slave) in checked.keys {
            let record = Record::Collected {
                link: id,
                at,
                slave,
            };
            self.append(record, id, out);
            keys.push(key);
        }
        if let Some(figures) = self.figures.get_mut(caller) {
            figures.dec_keys += keys.len() as u64;
        }
        let answer = Answer::Keys { keys, origin };
        out.push(Effect::Answer { ticket, answer });
    }
}

fn check_extensions(mandatory: &[Extension], origin: &str) -> Result<(), Refusal> {
    let parameters = || mandatory.iter().flatten();
    if parameters().any(|(name, _)| name != ORIGIN_EXTENSION) {
        return Err(Refusal::ExtensionUnknown);
    }
    if parameters().any(|(_, value)| value != &Value::from(origin)) {
        return Err(Refusal::ExtensionUnmet);
    }
    Ok(())
}
