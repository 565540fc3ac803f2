//! Which records of a state a block changed, without looking at the others.
//!
//! A state is asked for the new value wherever it shows one. Three tables it does not show, open escrow of pairs, the
//! numbers of kinds and applications: they are followed here ([`Hidden`]). That this file reads every [`Change`] as the contract
//! does is tested against [`State::records`] after every block of random histories.

use std::collections::{BTreeMap, BTreeSet};

use tieline_contract::change::Change;
use tieline_contract::member::Member;
use tieline_contract::payload::Kind;
use tieline_contract::record_digest;
use tieline_contract::state::{Account, State};
use tieline_contract::terms::OrderId;
use tieline_units::canonical::{Canonical, DecodeError, Decoder};
use tieline_units::{ChainId, Digest, Energy, MicrogridId, Money, Time};

use crate::records;

/// Table of open escrow.
const EXPOSURES: u8 = 10;

/// Table of the numbers of kinds.
const SEQUENCES: u8 = 18;

/// Table of who asks to be registered.
const APPLICATIONS: u8 = 19;

/// Keys with their new values; `None`: the record is gone.
pub type Changed = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Values that a state does not show.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hidden {
    exposure: BTreeMap<(MicrogridId, MicrogridId), Money>,
    sequences: BTreeMap<Kind, u64>,
    applications: BTreeSet<(MicrogridId, Digest)>,
}

impl Hidden {
    /// Of a state, by its records.
    pub(crate) fn of<'a>(
        records: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Hidden, DecodeError> {
        let mut hidden = Hidden::default();
        for (key, value) in records {
            match key.split_first() {
                Some((table, key)) if *table == EXPOSURES => {
                    let money = Money::decode(value)?;
                    hidden.exposure.insert(Canonical::decode(key)?, money);
                }
                Some((table, key)) if *table == SEQUENCES => {
                    let next = u64::decode(value)?;
                    hidden.sequences.insert(Canonical::decode(key)?, next);
                }
                Some((table, key)) if *table == APPLICATIONS => {
                    let member = Member::decode(value)?;
                    let record = Canonical::decode(key)?;
                    hidden.applications.insert((member.id, record));
                }
                Some(_) => {}
                None => return Err(Decoder::invalid(0, "key of a record", "nothing")),
            }
        }
        Ok(hidden)
    }
}

/// What has to be asked of the state when the block is done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ask {
    Account(Account),
    Reserved(MicrogridId, Time),
    Purchase(OrderId),
    Sale(OrderId),
    Settling(OrderId),
    Position(ChainId, MicrogridId),
    Imbalances(Time),
}

/// Collects what the transactions of one block change.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    asks: BTreeSet<Ask>,
    known: Changed,
    any: bool,
}

impl Touched {
    /// A transaction that is about to be applied.
    pub(crate) fn note<'a>(
        &mut self,
        changes: impl IntoIterator<Item = &'a Change>,
        hidden: &mut Hidden,
    ) {
        self.any = true;
        for change in changes {
            self.note_one(change, hidden);
        }
    }

    fn note_one(&mut self, change: &Change, hidden: &mut Hidden) {
        match change {
            Change::Move(from, to, _) => {
                self.asks.insert(Ask::Account(from.clone()));
                self.asks.insert(Ask::Account(to.clone()));
            }
            Change::Reserve(seller, start, _) => {
                self.asks.insert(Ask::Reserved(seller.clone(), *start));
            }
            Change::Expose(buyer, seller, money) => {
                let pair = (buyer.clone(), seller.clone());
                let open = hidden.exposure.get(&pair).copied().unwrap_or_default() + *money;
                let key = records::exposure(buyer, seller);
                self.put(key, (open != Money::ZERO).then(|| open.to_bytes()));
                if open == Money::ZERO {
                    hidden.exposure.remove(&pair);
                } else {
                    hidden.exposure.insert(pair, open);
                }
            }
            Change::Purchase(order, _) => {
                self.asks.insert(Ask::Purchase(*order));
            }
            Change::Sale(order, _) => {
                self.asks.insert(Ask::Sale(*order));
            }
            Change::Settling(order, _) => {
                self.asks.insert(Ask::Settling(*order));
            }
            Change::Position(chain, party, _) => {
                let ask = Ask::Position(chain.clone(), party.clone());
                self.asks.insert(ask);
            }
            Change::Imbalances(start, _) => {
                self.asks.insert(Ask::Imbalances(*start));
            }
            Change::Count(kind) => {
                let next = hidden.sequences.entry(*kind).or_default();
                *next += 1;
                let value = next.to_bytes();
                self.put(records::sequence(*kind), Some(value));
            }
            Change::Apply(member) => {
                let record = record_digest(member);
                self.put(records::application(record), Some(member.to_bytes()));
                hidden.applications.insert((member.id.clone(), record));
            }
            Change::Member(member) => {
                let all = std::mem::take(&mut hidden.applications);
                let (gone, kept) = all.into_iter().partition(|(id, _)| *id == member.id);
                hidden.applications = kept;
                let gone: BTreeSet<_> = gone;
                for (_, record) in gone {
                    self.put(records::application(record), None);
                }
                self.put(records::member(&member.id), Some(member.to_bytes()));
            }
            // All entries of the block are read in the end.
            Change::Emit(_) => {}
            plain => self.note_plain(plain),
        }
    }

    /// Changes that say the new value themselves.
    fn note_plain(&mut self, change: &Change) {
        let (key, value) = match change {
            Change::Keep(certificate) => {
                let (kind, subject) = (certificate.payload.kind(), certificate.payload.subject());
                let key = records::kept(&certificate.chain, kind, subject);
                (key, certificate.to_bytes())
            }
            Change::Import(chain, kind, number) => {
                (records::imported(chain, *kind, *number), Vec::new())
            }
            Change::Registers(member, meter, registers) => {
                (records::registers(member, *meter), registers.to_bytes())
            }
            Change::Committee(committee) => (
                records::committee(&committee.chain, committee.epoch),
                committee.to_bytes(),
            ),
            Change::Acknowledge(epoch, chain) => (records::acknowledged(*epoch, chain), Vec::new()),
            Change::Close(chain, epoch) => (records::closed(chain, *epoch), Vec::new()),
            Change::Freeze(chain, epoch) => (records::frozen(chain, *epoch), Vec::new()),
            Change::Credibility(key, score) => (records::credibility(*key), score.to_bytes()),
            Change::Punish(key, subject) => (records::punished(*key, *subject), Vec::new()),
            Change::Round(hash, orders) => (records::round(*hash), orders.to_bytes()),
            Change::Tariff(start, tariff) => (records::tariff(*start), tariff.to_bytes()),
            Change::Netted(one, other, time) => (records::netted(one, other), time.to_bytes()),
            Change::Move(..)
            | Change::Reserve(..)
            | Change::Expose(..)
            | Change::Purchase(..)
            | Change::Sale(..)
            | Change::Settling(..)
            | Change::Position(..)
            | Change::Imbalances(..)
            | Change::Count(_)
            | Change::Apply(_)
            | Change::Member(_)
            | Change::Emit(_) => unreachable!("note_one has these"),
        };
        self.put(key, Some(value));
    }

    fn put(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.known.insert(key, value);
    }

    /// The records that differ, after the block's last transaction was applied.
    pub(crate) fn done(mut self, state: &State, height: u64) -> Changed {
        if !self.any {
            return Changed::new();
        }
        for ask in std::mem::take(&mut self.asks) {
            let (key, value) = answer(&ask, state);
            self.known.insert(key, value);
        }
        for (index, payload) in (0..).zip(state.outbox(height)) {
            let key = records::outbox(height, index);
            self.known.insert(key, Some(payload.to_bytes()));
        }
        self.known
            .insert(records::block(), Some(state.block().to_bytes()));
        self.known
    }
}

fn answer(ask: &Ask, state: &State) -> (Vec<u8>, Option<Vec<u8>>) {
    match ask {
        Ask::Account(account) => {
            let balance = state.balance(account);
            let value = (balance != Money::ZERO).then(|| balance.to_bytes());
            (records::account(account), value)
        }
        Ask::Reserved(seller, start) => {
            let energy = state.reserved(seller, *start);
            let value = (energy != Energy::ZERO).then(|| energy.to_bytes());
            (records::reserved(seller, *start), value)
        }
        Ask::Purchase(order) => {
            let value = state.purchase(*order).map(Canonical::to_bytes);
            (records::purchase(*order), value)
        }
        Ask::Sale(order) => {
            let value = state.sale(*order).map(Canonical::to_bytes);
            (records::sale(*order), value)
        }
        Ask::Settling(order) => {
            let value = state.settling(*order).map(Canonical::to_bytes);
            (records::settling(*order), value)
        }
        Ask::Position(chain, party) => {
            let money = state.position(chain, party);
            let value = (money != Money::ZERO).then(|| money.to_bytes());
            (records::position(chain, party), value)
        }
        Ask::Imbalances(start) => {
            let value = state.imbalances(*start).map(Canonical::to_bytes);
            (records::imbalances(*start), value)
        }
    }
}
