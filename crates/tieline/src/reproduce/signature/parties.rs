//! All parties of one epoch in this process, some receivers in league with the signer, and tags that no signer made.

use std::ops::Range;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use tieline_uss::bits::BitWriter;
use tieline_uss::channel::Authenticated;
use tieline_uss::dispute::{Ballot, Call, Outcome, Vote};
use tieline_uss::distribute::{Distribution, PartMessage};
use tieline_uss::draw;
use tieline_uss::epoch::EpochRecord;
use tieline_uss::key::{ItsKey, shared_stores_with};
use tieline_uss::parameters::Epoch;
use tieline_uss::party::{Counter, Height, Link, Party, Receiver};
use tieline_uss::rehearsal::{Rehearsal, bits_of};
use tieline_uss::sign::Signer;
use tieline_uss::signature::{Signature, SignedMessage};
use tieline_uss::verify::Verdict;

/// The one message of the epoch.
const COUNTER: Counter = Counter(0);

/// Receivers in league with the signer: they hand `victims` functions of their own making in the place of the signer's.
#[derive(Clone, Debug, Default)]
pub(super) struct League {
    /// Who helps.
    pub(super) helpers: Vec<Receiver>,
    /// Whose test of the helpers' parts fails.
    pub(super) victims: Vec<Receiver>,
}

/// The parties after the distribution.
pub(super) struct Parties {
    epoch: Epoch,
    all: Rehearsal,
}

impl Parties {
    /// Everybody keeps the rules in the distribution.
    ///
    /// # Errors
    /// Of any round; none is expected.
    pub(super) fn honest(epoch: &Epoch, random: &mut ChaCha20Rng) -> anyhow::Result<Parties> {
        Ok(Parties {
            epoch: epoch.clone(),
            all: Rehearsal::new(epoch.clone(), random)?,
        })
    }

    /// The league keeps its own rules.
    ///
    /// # Errors
    /// As [`Parties::honest`].
    pub(super) fn with(
        epoch: &Epoch,
        league: &League,
        random: &mut ChaCha20Rng,
    ) -> anyhow::Result<Parties> {
        let parameters = epoch.parameters();
        let receivers = parameters.committee().receivers();
        let bits = |link: Link| bits_of(parameters, link);
        // What a helper holds can be copied; a store hands every bit out once.
        let mut copies = shared_stores_with(receivers, bits, &mut random.clone());
        let mut stores = shared_stores_with(receivers, bits, random);
        let keys = draw::signer_keys(epoch, &mut stores[0])?;
        let (signer, offers) = Signer::new(epoch.clone(), keys, random)?;
        let (mut distributions, mut parts) = (Vec::new(), Vec::<PartMessage>::new());
        for me in Receiver::first(receivers) {
            let offer = offers.iter().find(|offer| offer.to == me);
            let keys = draw::receiver_keys(epoch, me, &mut stores[me.index() + 1])?;
            let (distribution, sent) = Distribution::start(epoch, me, keys, offer, random)?;
            distributions.push(distribution);
            let cheats = |part: &PartMessage| {
                league.helpers.contains(&me) && league.victims.contains(&part.to)
            };
            parts.extend(sent.into_iter().filter(|part| !cheats(part)));
            if league.helpers.contains(&me) {
                let mut keys = draw::receiver_keys(epoch, me, &mut copies[me.index() + 1])?;
                keys.shared = own_functions(parameters.shared_bits(), random)?;
                let (_, sent) = Distribution::start(epoch, me, keys, offer, random)?;
                parts.extend(sent.into_iter().filter(|part| cheats(part)));
            }
        }
        for part in &parts {
            distributions[part.to.index()].receive(part)?;
        }
        let mut record = EpochRecord::new(epoch.clone());
        let mut verifiers = Vec::with_capacity(distributions.len());
        for (me, distribution) in Receiver::first(receivers).zip(distributions) {
            if let Some(receipt) = distribution.receipt(record.roster()) {
                record.receipt(&Authenticated::by_ledger(me.into(), receipt))?;
            }
            verifiers.push(distribution.finish());
        }
        Ok(Parties {
            epoch: epoch.clone(),
            all: Rehearsal {
                signer,
                verifiers,
                record,
                stores,
                height: Height(0),
            },
        })
    }

    /// The signer signs, changes its tags, and everybody tests what came.
    ///
    /// # Errors
    /// As [`Parties::honest`].
    pub(super) fn test(
        &mut self,
        body: &[u8],
        change: impl FnOnce(&mut Tags),
    ) -> anyhow::Result<Vec<Verdict>> {
        let signed = self.all.sign(COUNTER, body)?;
        let changed = changed(&self.epoch, &signed, change)?;
        let finalised = self.all.order(changed)?;
        Ok(self.all.verify(&finalised)?)
    }

    /// The signer denies the message; everybody votes what it found.
    ///
    /// # Errors
    /// As [`Parties::honest`].
    pub(super) fn dispute(&mut self, verdicts: &[Verdict]) -> anyhow::Result<Option<Outcome>> {
        let epoch = self.epoch.id();
        let call = Call {
            epoch,
            counter: COUNTER,
            claim: Vote::Reject,
        };
        let record = &mut self.all.record;
        record.call_dispute(&Authenticated::by_ledger(Party::Signer, call))?;
        let mut outcome = None;
        for (index, verdict) in (0..).zip(verdicts) {
            if let (Some(vote), None) = (verdict.vote(), outcome) {
                let ballot = Ballot {
                    epoch,
                    counter: COUNTER,
                    vote,
                };
                let from = Receiver::new(index).into();
                outcome = record.vote(&Authenticated::by_ledger(from, ballot))?;
            }
        }
        Ok(outcome)
    }

    /// Bits of an honest signature on that body, header included.
    ///
    /// # Errors
    /// As [`Parties::honest`].
    pub(super) fn signature_bits(&mut self, body: &[u8]) -> anyhow::Result<u64> {
        let signed = self.all.sign(COUNTER, body)?;
        Ok(8 * signed.signature.len() as u64)
    }
}

/// The tags of a signature, row by row of the receiver that shares the functions with the signer.
pub(super) struct Tags {
    per_row: usize,
    tags: Vec<u128>,
}

impl Tags {
    /// Makes tags of one row wrong.
    pub(super) fn spoil(&mut self, row: usize, places: Range<usize>) {
        self.tags[row * self.per_row..][places]
            .iter_mut()
            .for_each(|tag| *tag ^= 1);
    }

    /// Makes a whole row wrong.
    pub(super) fn spoil_row(&mut self, row: usize) {
        self.spoil(row, 0..self.per_row);
    }

    /// Tags of a row.
    pub(super) fn per_row(&self) -> usize {
        self.per_row
    }
}

fn changed(
    epoch: &Epoch,
    signed: &SignedMessage,
    change: impl FnOnce(&mut Tags),
) -> anyhow::Result<SignedMessage> {
    let parameters = epoch.parameters();
    let mut tags = Tags {
        per_row: parameters.functions_per_receiver(),
        tags: Signature::decode(epoch, &signed.signature)?.tags(),
    };
    change(&mut tags);
    let mut writer = BitWriter::with_capacity(parameters.tags_bits());
    let width = parameters.family().tag_bits();
    tags.tags.iter().for_each(|tag| writer.write(*tag, width));
    let header = signed.signature.len() - parameters.tags_bits().div_ceil(8);
    let mut signature = signed.signature[..header].to_vec();
    signature.extend(writer.into_bytes());
    Ok(SignedMessage {
        signature,
        ..signed.clone()
    })
}

fn own_functions(bits: usize, random: &mut ChaCha20Rng) -> anyhow::Result<ItsKey> {
    let mut raw = vec![0; bits.div_ceil(8)];
    random.fill_bytes(&mut raw);
    Ok(ItsKey::from_qkd_bits(raw)?.take(bits)?)
}
