//! Keys of a state's records: what a proof of a state value is about.
//!
//! One byte for the table, then the key's canonical bytes, as [`State::records`](tieline_contract::state::State::records)
//! writes them. The value is the canonical encoding of what the function names; a member of a set has an empty one, and
//! what is zero has no record.

use tieline_contract::payload::{Kind, Subject};
use tieline_contract::state::Account;
use tieline_contract::terms::OrderId;
use tieline_seal::hybrid::KeyId;
use tieline_units::canonical::Canonical;
use tieline_units::{ChainId, Digest, Encoder, MicrogridId, Time};

macro_rules! keys {
    ($($(#[$doc:meta])* $number:literal $name:ident($($part:ident: $of:ty),*);)*) => {
        $(
            $(#[$doc])*
            pub fn $name($($part: $of),*) -> Vec<u8> {
                let mut key = Encoder::default();
                key.u8($number);
                $($part.encode(&mut key);)*
                key.into_bytes()
            }
        )*
    };
}

keys! {
    /// What the ledger was founded on: [`Rules`](tieline_contract::state::Rules).
    0 rules();
    /// The last block that changed the state: [`Block`](tieline_contract::state::Block).
    1 block();
    /// [`Member`](tieline_contract::member::Member).
    2 member(id: &MicrogridId);
    /// [`Committee`](tieline_contract::threshold::Committee).
    3 committee(chain: &ChainId, epoch: u64);
    /// In the set of epochs under which no new orders are taken.
    4 frozen(chain: &ChainId, epoch: u64);
    /// In the set of epochs that are over.
    5 closed(chain: &ChainId, epoch: u64);
    /// In the set of chains that know an epoch of this one.
    6 acknowledged(epoch: u64, chain: &ChainId);
    /// Standing of a verification node, u32.
    7 credibility(key: KeyId);
    /// [`Money`](tieline_units::Money).
    8 account(account: &Account);
    /// [`Energy`](tieline_units::Energy) that a seller has promised for an interval.
    9 reserved(seller: &MicrogridId, start: Time);
    /// [`Money`](tieline_units::Money): open escrow of a pair.
    10 exposure(buyer: &MicrogridId, seller: &MicrogridId);
    /// [`Purchase`](tieline_contract::trade::Purchase).
    11 purchase(order: OrderId);
    /// [`Sale`](tieline_contract::trade::Sale).
    12 sale(order: OrderId);
    /// [`Settling`](tieline_contract::trade::Settling).
    13 settling(order: OrderId);
    /// Registers of a meter: end of their interval, exported, imported.
    14 registers(member: &MicrogridId, meter: u8);
    /// [`Payload`](tieline_contract::payload::Payload).
    15 outbox(height: u64, index: u32);
    /// [`Certificate`](tieline_contract::certificate::Certificate).
    16 kept(chain: &ChainId, kind: Kind, subject: Subject);
    /// In the set of numbered certificates that were consumed.
    17 imported(chain: &ChainId, kind: Kind, number: u64);
    /// The next number of a kind, u64.
    18 sequence(kind: Kind);
    /// [`Member`](tieline_contract::member::Member) that asks to be registered, by its
    /// [`record_digest`](tieline_contract::record_digest).
    19 application(record: Digest);
    /// Orders of a round, a set of [`OrderId`].
    20 round(hash: Digest);
    /// [`Tariff`](tieline_contract::state::Tariff).
    21 tariff(start: Time);
    /// [`Money`](tieline_units::Money) of a party on a chain that is not its home.
    22 position(chain: &ChainId, party: &MicrogridId);
    /// When a pair of chains was netted last: [`Time`].
    23 netted(one: &ChainId, other: &ChainId);
    /// In the set of what verification nodes were punished for.
    24 punished(key: KeyId, subject: Digest);
    /// What members had with the grid, a map of [`Imbalance`](tieline_contract::settlement::Imbalance) by member.
    25 imbalances(start: Time);
}
