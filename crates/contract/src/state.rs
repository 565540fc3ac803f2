//! The state of one ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use tieline_units::canonical::{Canonical, DecodeError, Decoder};
use tieline_units::{
    ChainId, Currency, Digest, Encoder, Energy, IntervalLength, MicrogridId, Money, Power, Price,
    Time, canonical, canonical_enum,
};

use crate::certificate::Certificate;
use crate::member::Member;
use crate::payload::{Kind, Payload, Subject};
use crate::settlement::Imbalance;
use crate::terms::OrderId;
use crate::threshold::Committee;
use crate::trade::{Purchase, Sale, Settling};
use tieline_seal::hybrid::KeyId;

/// Where money lies on a ledger. Money moves between accounts and is never made: all accounts sum to zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// A member's.
    Clearing(MicrogridId),
    /// Locked by the buyer of an order.
    Escrow(OrderId),
    /// Locked by its seller.
    Bond(OrderId),
    /// Held back until readings are reconciled.
    Dispute(OrderId),
    /// Request fees.
    Fees,
    /// What owners of verification nodes stand for them with, per key (Z).
    Stake(KeyId),
    /// What slashed members lost (Z).
    Forfeited,
    /// The rest of the world: minus all that came in.
    Outside,
}

canonical_enum!(Account {
    1 => Clearing(member), 2 => Escrow(order), 3 => Bond(order), 4 => Dispute(order), 5 => Fees, 6 => Stake(key),
    7 => Forfeited, 8 => Outside,
});

/// What a ledger was founded on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rules {
    /// This chain.
    pub chain: ChainId,
    /// Its genesis.
    pub genesis: Digest,
    /// The VPP's ledger Z.
    pub vpp: ChainId,
    /// Who runs the VPP.
    pub operator: MicrogridId,
    /// Of all money.
    pub currency: Currency,
    /// Length of a market interval.
    pub interval: IntervalLength,
    /// Price of a request, not returned: the buyer's option is not free.
    pub request_fee: Money,
    /// Most open escrow between one buyer and one seller.
    pub exposure_cap: Money,
    /// How long after T_m readings are taken, milliseconds.
    pub grace: u64,
    /// How often chains' positions are netted, milliseconds.
    pub settlement_period: u64,
    /// What the owner of a verification node stands for it with.
    pub stake: Money,
}

canonical!(Rules {
    chain,
    genesis,
    vpp,
    operator,
    currency,
    interval,
    request_fee,
    exposure_cap,
    grace,
    settlement_period,
    stake,
});

/// The prices of the grid in one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tariff {
    /// L+.
    pub import: Price,
    /// L-.
    pub export: Price,
}

canonical!(Tariff { import, export });

/// The block that is being executed. Its time is the only clock a ledger has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block {
    /// Its height.
    pub height: u64,
    /// Its time.
    pub time: Time,
}

canonical!(Block { height, time });

/// The state of one ledger: X and Y of its orders where it belongs to microgrids, or Z.
///
/// One canonical encoding, one digest. Everything is in ordered maps; two nodes that executed the same blocks hold the
/// same bytes. Clones share what is equal: a copy costs nothing, and what it costs later is what is changed in it.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) rules: Arc<Rules>,
    pub(crate) block: Block,
    pub(crate) members: OrdMap<MicrogridId, Arc<Member>>,
    pub(crate) committees: OrdMap<(ChainId, u64), Arc<Committee>>,
    pub(crate) frozen: OrdSet<(ChainId, u64)>,
    pub(crate) closed: OrdSet<(ChainId, u64)>,
    pub(crate) acknowledged: OrdSet<(u64, ChainId)>,
    pub(crate) credibility: OrdMap<KeyId, u32>,
    pub(crate) accounts: OrdMap<Account, Money>,
    pub(crate) reserved: OrdMap<(MicrogridId, Time), Energy>,
    pub(crate) exposure: OrdMap<(MicrogridId, MicrogridId), Money>,
    pub(crate) purchases: OrdMap<OrderId, Arc<Purchase>>,
    pub(crate) sales: OrdMap<OrderId, Arc<Sale>>,
    pub(crate) settlings: OrdMap<OrderId, Arc<Settling>>,
    pub(crate) registers: OrdMap<(MicrogridId, u8), (Time, Energy, Energy)>,
    pub(crate) outbox: OrdMap<(u64, u32), Arc<Payload>>,
    pub(crate) kept: OrdMap<(ChainId, Kind, Subject), Arc<Certificate>>,
    pub(crate) imported: OrdSet<(ChainId, Kind, u64)>,
    pub(crate) sequences: OrdMap<Kind, u64>,
    pub(crate) applications: OrdMap<Digest, Arc<Member>>,
    pub(crate) rounds: OrdMap<Digest, Arc<BTreeSet<OrderId>>>,
    pub(crate) tariffs: OrdMap<Time, Tariff>,
    pub(crate) imbalances: OrdMap<Time, Arc<BTreeMap<MicrogridId, Imbalance>>>,
    pub(crate) positions: OrdMap<(ChainId, MicrogridId), Money>,
    pub(crate) netted: OrdMap<(ChainId, ChainId), Time>,
    pub(crate) punished: OrdSet<(KeyId, Digest)>,
    /// Orders by who delivers or takes, and when; follows from purchases and sales.
    pub(crate) due: OrdMap<(MicrogridId, Time), Arc<BTreeSet<OrderId>>>,
    /// Orders on Z by interval; follows from settlings.
    pub(crate) intervals: OrdMap<Time, Arc<BTreeSet<OrderId>>>,
    /// How many transactions were applied since it was founded or loaded: what was checked once is not applied later.
    pub(crate) version: u64,
    #[cfg(feature = "testing")]
    pub(crate) mutant: Option<crate::mutant::Mutant>,
}

impl State {
    /// A ledger at its genesis: who is registered, who attests for whom.
    pub fn genesis(
        rules: Rules,
        members: impl IntoIterator<Item = Member>,
        committees: impl IntoIterator<Item = Committee>,
    ) -> State {
        let members = members.into_iter();
        let committees = committees.into_iter();
        State {
            rules: Arc::new(rules),
            block: Block::default(),
            members: members.map(|m| (m.id.clone(), Arc::new(m))).collect(),
            committees: committees
                .map(|c| ((c.chain.clone(), c.epoch), Arc::new(c)))
                .collect(),
            frozen: OrdSet::new(),
            closed: OrdSet::new(),
            acknowledged: OrdSet::new(),
            credibility: OrdMap::new(),
            accounts: OrdMap::new(),
            reserved: OrdMap::new(),
            exposure: OrdMap::new(),
            purchases: OrdMap::new(),
            sales: OrdMap::new(),
            settlings: OrdMap::new(),
            registers: OrdMap::new(),
            outbox: OrdMap::new(),
            kept: OrdMap::new(),
            imported: OrdSet::new(),
            sequences: OrdMap::new(),
            applications: OrdMap::new(),
            rounds: OrdMap::new(),
            tariffs: OrdMap::new(),
            imbalances: OrdMap::new(),
            positions: OrdMap::new(),
            netted: OrdMap::new(),
            punished: OrdSet::new(),
            due: OrdMap::new(),
            intervals: OrdMap::new(),
            version: 0,
            #[cfg(feature = "testing")]
            mutant: None,
        }
    }

    /// What it was founded on.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The last block that changed it.
    pub fn block(&self) -> Block {
        self.block
    }

    /// Whether this is Z.
    pub fn is_vpp(&self) -> bool {
        self.rules.chain == self.rules.vpp
    }

    /// What an account holds.
    pub fn balance(&self, account: &Account) -> Money {
        self.accounts.get(account).copied().unwrap_or_default()
    }

    /// All accounts that hold something, in order.
    pub fn accounts(&self) -> impl Iterator<Item = (&Account, Money)> {
        self.accounts
            .iter()
            .map(|(account, &money)| (account, money))
    }

    /// Energy that sellers have promised, by interval, in order.
    pub fn reservations(&self) -> impl Iterator<Item = (&MicrogridId, Time, Energy)> {
        let each = self.reserved.iter();
        each.map(|((seller, start), &energy)| (seller, *start, energy))
    }

    /// An order, where this chain is its X.
    pub fn purchase(&self, order: OrderId) -> Option<&Purchase> {
        self.purchases.get(&order).map(Arc::as_ref)
    }

    /// An order, where this chain is its Y.
    pub fn sale(&self, order: OrderId) -> Option<&Sale> {
        self.sales.get(&order).map(Arc::as_ref)
    }

    /// Whether the seller of an order may turn its plant on: only after the decision.
    pub fn may_dispatch(&self, order: OrderId) -> bool {
        let early = self.mutated(crate::mutant::Mutant::DispatchOnAccepted);
        self.sale(order).is_some_and(|sale| {
            sale.may_dispatch() || early && sale.state == crate::trade::SellerState::Accepted
        })
    }

    /// An order, where this chain is Z.
    pub fn settling(&self, order: OrderId) -> Option<&Settling> {
        self.settlings.get(&order).map(Arc::as_ref)
    }

    /// All orders that this ledger knows, in order.
    pub fn orders(&self) -> BTreeSet<OrderId> {
        let purchases = self.purchases.keys();
        purchases
            .chain(self.sales.keys())
            .chain(self.settlings.keys())
            .copied()
            .collect()
    }

    /// A member.
    pub fn member(&self, id: &MicrogridId) -> Option<&Member> {
        self.members.get(id).map(Arc::as_ref)
    }

    /// Verification nodes of a chain in an epoch.
    pub fn committee(&self, chain: &ChainId, epoch: u64) -> Option<&Committee> {
        self.committees
            .get(&(chain.clone(), epoch))
            .map(Arc::as_ref)
    }

    /// The last epoch of a chain that is known here.
    pub fn current(&self, chain: &ChainId) -> Option<&Committee> {
        let range = (chain.clone(), 0)..=(chain.clone(), u64::MAX);
        self.committees
            .range(range)
            .next_back()
            .map(|(_, c)| c.as_ref())
    }

    /// Whether nothing may be attested under an epoch any more.
    pub fn is_closed(&self, chain: &ChainId, epoch: u64) -> bool {
        self.closed.contains(&(chain.clone(), epoch))
    }

    /// Whether no new orders are taken under an epoch.
    pub fn is_frozen(&self, chain: &ChainId, epoch: u64) -> bool {
        self.frozen.contains(&(chain.clone(), epoch))
    }

    /// The outbox entries of a block, in order.
    pub fn outbox(&self, height: u64) -> impl Iterator<Item = &Arc<Payload>> {
        let range = (height, 0)..=(height, u32::MAX);
        self.outbox.range(range).map(|(_, payload)| payload)
    }

    /// All outbox entries with their block, in order.
    pub fn said(&self) -> impl Iterator<Item = (u64, &Arc<Payload>)> {
        self.outbox
            .iter()
            .map(|((height, _), payload)| (*height, payload))
    }

    /// Certificates that this ledger consumed: it hands them out again, so that a chain that is gone is still heard.
    pub fn kept(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.kept.values()
    }

    /// Energy that a seller has promised for an interval.
    pub fn reserved(&self, seller: &MicrogridId, start: Time) -> Energy {
        let key = (seller.clone(), start);
        self.reserved.get(&key).copied().unwrap_or_default()
    }

    /// The most that a seller can deliver in one interval; whatever it is registered with, no less than nothing and no more
    /// than [`NAMEPLATE_MAX`](crate::bounds::NAMEPLATE_MAX).
    pub fn nameplate(&self, seller: &MicrogridId) -> Energy {
        let member = self.member(seller);
        let plausible = member.map_or(Power::ZERO, Member::plausible);
        plausible.over(self.rules.interval)
    }

    /// Standing of a verification node, 0 to [`crate::credibility::MAX`].
    pub fn credibility(&self, key: KeyId) -> u32 {
        let start = crate::credibility::START;
        self.credibility.get(&key).copied().unwrap_or(start)
    }

    /// Grid prices of an interval (Z).
    pub fn tariff(&self, start: Time) -> Option<Tariff> {
        self.tariffs.get(&start).copied()
    }

    /// What members had with the grid in an interval, beyond their orders (Z).
    pub fn imbalances(&self, start: Time) -> Option<&BTreeMap<MicrogridId, Imbalance>> {
        self.imbalances.get(&start).map(|booked| &**booked)
    }

    /// A round's orders (Z).
    pub fn round(&self, hash: Digest) -> Option<&BTreeSet<OrderId>> {
        self.rounds.get(&hash).map(Arc::as_ref)
    }

    /// What a party has on a chain that is not its home, not netted yet (Z).
    pub fn position(&self, chain: &ChainId, party: &MicrogridId) -> Money {
        let key = (chain.clone(), party.clone());
        self.positions.get(&key).copied().unwrap_or_default()
    }

    /// SHA-256 over all records.
    pub fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("tieline.state/1");
        for (key, value) in self.records() {
            encoder.bytes(&key).bytes(&value);
        }
        encoder.digest()
    }
}

macro_rules! tables {
    ($($number:literal => $field:ident),* $(,)?) => {
        impl State {
            /// Every table with its records, each as canonical bytes of key and value: what a chain stores and proves.
            pub fn records(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
                let mut out = vec![
                    (vec![0], self.rules.to_bytes()),
                    (vec![1], self.block.to_bytes()),
                ];
                $(self.$field.write($number, &mut out);)*
                out
            }

            /// The state whose [`State::records`] these are, in any order.
            ///
            /// # Errors
            /// [`DecodeError`] for a record that is none, comes twice, stands under another key than its own, or is missing where
            /// there must be one, and for books that do not balance.
            pub fn from_records<'a>(
                records: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
            ) -> Result<State, DecodeError> {
                let (mut rules, mut block) = (None, None);
                let mut tables = Vec::new();
                for (key, value) in records {
                    match key {
                        [0] if rules.is_none() => rules = Some(Rules::decode(value)?),
                        [1] if block.is_none() => block = Some(Block::decode(value)?),
                        _ => tables.push((key, value)),
                    }
                }
                let missing = || Decoder::invalid(0, "state", "without rules or block");
                let mut state = State::genesis(rules.ok_or_else(missing)?, [], []);
                state.block = block.ok_or_else(missing)?;
                for (key, value) in tables {
                    let fresh = match key {
                        $([$number, key @ ..] => state.$field.read(key, value)?,)*
                        _ => false,
                    };
                    if !fresh {
                        return Err(Decoder::invalid(0, "record of a state", format_args!("{:?}", &key[..key.len().min(40)])));
                    }
                }
                state.sound()?;
                state.index();
                Ok(state)
            }
        }
    };
}

tables! {
    2 => members, 3 => committees, 4 => frozen, 5 => closed, 6 => acknowledged, 7 => credibility, 8 => accounts,
    9 => reserved, 10 => exposure, 11 => purchases, 12 => sales, 13 => settlings, 14 => registers, 15 => outbox,
    16 => kept, 17 => imported, 18 => sequences, 19 => applications, 20 => rounds, 21 => tariffs, 22 => positions,
    23 => netted, 24 => punished, 25 => imbalances,
}

/// A table that becomes records and comes back from them.
trait Table {
    fn write(&self, number: u8, out: &mut Vec<(Vec<u8>, Vec<u8>)>);

    /// Takes a record; false when its key is there already.
    fn read(&mut self, key: &[u8], value: &[u8]) -> Result<bool, DecodeError>;
}

fn numbered(number: u8, key: &impl Canonical) -> Vec<u8> {
    let mut bytes = Encoder::default();
    bytes.u8(number);
    key.encode(&mut bytes);
    bytes.into_bytes()
}

impl<K: Canonical + Ord + Clone, V: Canonical + Clone> Table for OrdMap<K, V> {
    fn write(&self, number: u8, out: &mut Vec<(Vec<u8>, Vec<u8>)>) {
        out.extend(
            self.iter()
                .map(|(key, value)| (numbered(number, key), value.to_bytes())),
        );
    }

    fn read(&mut self, key: &[u8], value: &[u8]) -> Result<bool, DecodeError> {
        Ok(self.insert(K::decode(key)?, V::decode(value)?).is_none())
    }
}

impl<K: Canonical + Ord + Clone> Table for OrdSet<K> {
    fn write(&self, number: u8, out: &mut Vec<(Vec<u8>, Vec<u8>)>) {
        out.extend(self.iter().map(|key| (numbered(number, key), Vec::new())));
    }

    fn read(&mut self, key: &[u8], value: &[u8]) -> Result<bool, DecodeError> {
        <()>::decode(value)?;
        Ok(self.insert(K::decode(key)?).is_none())
    }
}
