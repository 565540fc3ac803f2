//! All parties of an epoch in one process, some of them dishonest.

use std::collections::BTreeSet;

use anyhow::Context as _;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use tieline_uss::channel::Authenticated;
use tieline_uss::distribute::{Distribution, PartMessage};
use tieline_uss::draw;
use tieline_uss::epoch::EpochRecord;
use tieline_uss::key::{ItsKey, MemoryStore, shared_stores_with};
use tieline_uss::parameters::Epoch;
use tieline_uss::party::{Height, Link, Receiver};
use tieline_uss::rehearsal::{Rehearsal, bits_of};
use tieline_uss::sign::{Offer, Signer};

use super::setting::{Setting, Stream};

/// What dishonest receivers do in the distribution, as (sender, victim).
#[derive(Default)]
pub(super) struct Faults {
    /// The part has functions that the signer never shared.
    pub(super) other_functions: BTreeSet<(Receiver, Receiver)>,
    /// The part never comes.
    pub(super) withheld: BTreeSet<(Receiver, Receiver)>,
}

/// One epoch whose distribution is over.
pub(super) struct Stage {
    pub(super) epoch: Epoch,
    pub(super) parties: Rehearsal,
    /// Who waits in vain for whose part.
    pub(super) missing: Vec<(Receiver, Receiver)>,
}

impl Stage {
    /// Everybody is honest.
    pub(super) fn honest(setting: &Setting, trial: u64) -> anyhow::Result<Stage> {
        Stage::with_faults(setting, trial, &Faults::default())
    }

    /// Runs the distribution of epoch `trial` + 1; the ledger gets the receipts of all who have everything.
    pub(super) fn with_faults(
        setting: &Setting,
        trial: u64,
        faults: &Faults,
    ) -> anyhow::Result<Stage> {
        let epoch = setting.epoch(trial + 1)?;
        let (signer, offers, mut stores) = signer(setting, trial)?;
        // What a dishonest receiver holds can be copied; the stores hand everything out once.
        let mut copies = stores_of(&epoch, setting, trial);
        let mut random = setting.random(trial, Stream::Receivers);
        let (mut distributions, mut messages) = (Vec::new(), Vec::new());
        for me in setting.receivers() {
            let offer = offers.iter().find(|offer| offer.to == me);
            let keys = draw::receiver_keys(&epoch, me, &mut stores[me.index() + 1])?;
            let (distribution, parts) = Distribution::start(&epoch, me, keys, offer, &mut random)?;
            distributions.push(distribution);
            let swapped = |to: Receiver| faults.other_functions.contains(&(me, to));
            let bad = match setting.receivers().any(swapped) {
                true => other_parts(&epoch, me, &mut copies[me.index() + 1], offer, &mut random)?,
                false => Vec::new(),
            };
            messages.extend(parts.into_iter().filter(|part| !swapped(part.to)));
            messages.extend(bad.into_iter().filter(|part| swapped(part.to)));
        }
        messages.retain(|part| !faults.withheld.contains(&(part.from, part.to)));
        for message in &messages {
            distributions[message.to.index()].receive(message)?;
        }
        let mut record = EpochRecord::new(epoch.clone());
        let (mut verifiers, mut missing) = (Vec::new(), Vec::new());
        for (me, distribution) in setting.receivers().zip(distributions) {
            missing.extend(distribution.missing().into_iter().map(|from| (me, from)));
            if let Some(receipt) = distribution.receipt(record.roster()) {
                record.receipt(&Authenticated::by_ledger(me.into(), receipt))?;
            }
            verifiers.push(distribution.finish());
        }
        let parties = Rehearsal {
            signer,
            verifiers,
            record,
            stores,
            height: Height(0),
        };
        Ok(Stage {
            epoch,
            parties,
            missing,
        })
    }
}

/// The signer of epoch `trial` + 1 with all stores, its own first: each call gives another copy of the same.
pub(super) fn signer(
    setting: &Setting,
    trial: u64,
) -> anyhow::Result<(Signer, Vec<Offer>, Vec<MemoryStore>)> {
    let epoch = setting.epoch(trial + 1)?;
    let mut stores = stores_of(&epoch, setting, trial);
    let keys = draw::signer_keys(&epoch, &mut stores[0])?;
    let mut random = setting.random(trial, Stream::Signer);
    let (signer, offers) = Signer::new(epoch, keys, &mut random)?;
    Ok((signer, offers, stores))
}

/// The parts that a receiver seals when it takes other functions for those that the signer shares.
fn other_parts(
    epoch: &Epoch,
    me: Receiver,
    store: &mut MemoryStore,
    offer: Option<&Offer>,
    random: &mut ChaCha20Rng,
) -> anyhow::Result<Vec<PartMessage>> {
    let mut keys = draw::receiver_keys(epoch, me, store)?;
    keys.shared = draw_key(epoch.parameters().shared_bits(), random)?;
    Ok(Distribution::start(epoch, me, keys, offer, random)?.1)
}

fn draw_key(bits: usize, random: &mut ChaCha20Rng) -> anyhow::Result<ItsKey> {
    let mut raw = vec![0; bits.div_ceil(8)];
    random.fill_bytes(&mut raw);
    let mut key = ItsKey::from_qkd_bits(raw).context("a simulated key")?;
    key.take(bits).context("a simulated key")
}

/// Stores of the signer and all receivers, with what the epoch can use on every link: simulated keys.
fn stores_of(epoch: &Epoch, setting: &Setting, trial: u64) -> Vec<MemoryStore> {
    let parameters = epoch.parameters();
    let bits = |link: Link| bits_of(parameters, link);
    let mut random = setting.random(trial, Stream::Links);
    shared_stores_with(parameters.committee().receivers(), bits, &mut random)
}
