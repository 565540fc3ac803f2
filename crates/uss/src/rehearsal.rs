//! All parties of an epoch in one process, everybody honest and nothing lost: for demonstrations, tests and benchmarks.
//!
//! ```
//! use tieline_uss::committee::Committee;
//! use tieline_uss::family::Family;
//! use tieline_uss::parameters::{Epoch, Limits, Parameters};
//! use tieline_uss::party::{Counter, EpochId};
//! use tieline_uss::rehearsal::Rehearsal;
//! # use rand_core::SeedableRng as _;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut random = rand_chacha::ChaCha20Rng::seed_from_u64(1);
//! let committee = Committee::new(4, 1, 0)?; // four receivers, a dishonest signer, no transfer
//! let limits = Limits { messages: 1, message_bytes: 1024 };
//! let parameters = Parameters::new(committee, Family::Gf64, 40, vec![0, 38], limits)?;
//! let epoch = Epoch::new(EpochId(1), "gateway-a", &["chain-x", "chain-y"], parameters)?;
//!
//! let mut parties = Rehearsal::new(epoch, &mut random)?;
//! let signed = parties.sign(Counter(0), b"40 kWh at 0.27")?;
//! let finalised = parties.order(signed)?;
//! for verdict in parties.verify(&finalised)? {
//!     assert!(verdict.is_accepted());
//! }
//! # Ok(())
//! # }
//! ```

use rand_core::CryptoRng;
use thiserror::Error;

use crate::channel::Authenticated;
use crate::distribute::{DistributeError, Distribution, PartMessage};
use crate::draw;
use crate::epoch::{EpochError, EpochRecord, Finalised};
use crate::key::{KeyStore as _, MemoryStore, StoreError, shared_stores_with};
use crate::parameters::{Epoch, Parameters};
use crate::party::{Counter, Height, Link, Party, Receiver};
use crate::sign::{SignError, Signer};
use crate::signature::SignedMessage;
use crate::verify::{Verdict, Verifier, VerifyError};

/// Any refusal of any round.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RehearsalError {
    /// Of a key store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Of the signer.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Of the distribution.
    #[error(transparent)]
    Distribute(#[from] DistributeError),
    /// Of the ledger.
    #[error(transparent)]
    Epoch(#[from] EpochError),
    /// Of a verifier.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// The parties of one epoch after its distribution.
#[derive(Debug)]
pub struct Rehearsal {
    /// P_0.
    pub signer: Signer,
    /// P_1..P_n.
    pub verifiers: Vec<Verifier>,
    /// The ledger's record.
    pub record: EpochRecord,
    /// Key stores, the signer's first.
    pub stores: Vec<MemoryStore>,
    /// The ledger's last block.
    pub height: Height,
}

impl Rehearsal {
    /// Fills key stores with exactly what the epoch can use, and runs the distribution.
    ///
    /// # Errors
    /// Of any round; none is expected.
    pub fn new(epoch: Epoch, random: &mut impl CryptoRng) -> Result<Rehearsal, RehearsalError> {
        let parameters = epoch.parameters();
        let receivers = parameters.committee().receivers();
        let stores = shared_stores_with(receivers, |link| bits_of(parameters, link), random);
        Rehearsal::with_stores(epoch, stores, random)
    }

    /// Runs the distribution over key from elsewhere, a link model's pools for one.
    ///
    /// `stores`: the signer's first, then the receivers' in order, both ends of a link filled alike. The distribution takes
    /// [`first_bits_of`] each link, and [`Rehearsal::refresh`] then [`further_bits_of`] it for every further counter.
    ///
    /// # Errors
    /// [`RehearsalError::Store`] when a store is short of key; then what was drawn before is lost.
    ///
    /// # Panics
    /// Unless there is a store for every party.
    pub fn with_stores(
        epoch: Epoch,
        mut stores: Vec<MemoryStore>,
        random: &mut impl CryptoRng,
    ) -> Result<Rehearsal, RehearsalError> {
        let receivers = epoch.parameters().committee().receivers();
        assert_eq!(
            stores.len(),
            usize::from(receivers) + 1,
            "a store for every party"
        );
        let keys = draw::signer_keys(&epoch, &mut stores[0])?;
        let (signer, offers) = Signer::new(epoch.clone(), keys, random)?;
        let mut distributions = Vec::new();
        let mut messages = Vec::new();
        for (me, store) in Receiver::first(receivers).zip(&mut stores[1..]) {
            let keys = draw::receiver_keys(&epoch, me, store)?;
            let offer = offers.iter().find(|offer| offer.to == me);
            let (distribution, parts) = Distribution::start(&epoch, me, keys, offer, random)?;
            distributions.push(distribution);
            messages.extend(parts);
        }
        for message in &messages {
            distributions[message.to.index()].receive(message)?;
        }
        let mut record = EpochRecord::new(epoch);
        let mut verifiers = Vec::new();
        for (me, distribution) in Receiver::first(receivers).zip(distributions) {
            if let Some(receipt) = distribution.receipt(record.roster()) {
                record.receipt(&Authenticated::by_ledger(me.into(), receipt))?;
            }
            verifiers.push(distribution.finish());
        }
        Ok(Rehearsal {
            signer,
            verifiers,
            record,
            stores,
            height: Height(0),
        })
    }

    /// Batch mode: hands out the pads of a further counter.
    ///
    /// # Errors
    /// Of any round.
    pub fn refresh(&mut self, counter: Counter) -> Result<(), RehearsalError> {
        let epoch = self.signer.epoch().clone();
        let pads = draw::signer_pads(&epoch, &mut self.stores[0])?;
        self.signer.refresh(counter, pads)?;
        let mut messages: Vec<PartMessage> = Vec::new();
        for (verifier, store) in self.verifiers.iter_mut().zip(&mut self.stores[1..]) {
            let (shared, links) = draw::receiver_pads(&epoch, verifier.receiver(), store)?;
            messages.extend(verifier.refresh(counter, shared, links)?);
        }
        for message in &messages {
            self.verifiers[message.to.index()].receive_pads(counter, message)?;
        }
        for verifier in &self.verifiers {
            if let Some(receipt) = verifier.receipt(counter, self.record.roster()) {
                let from = Party::Receiver(verifier.receiver());
                self.record
                    .receipt(&Authenticated::by_ledger(from, receipt))?;
            }
        }
        Ok(())
    }

    /// Spends the counter and signs.
    ///
    /// # Errors
    /// [`RehearsalError::Store`] when it is spent, [`RehearsalError::Sign`].
    pub fn sign(&mut self, counter: Counter, body: &[u8]) -> Result<SignedMessage, RehearsalError> {
        let spent = self.stores[0].spend(self.signer.epoch().id(), counter)?;
        Ok(self.signer.sign(spent, body)?)
    }

    /// Puts what the signer sent in order, in a block of its own.
    ///
    /// # Errors
    /// [`RehearsalError::Epoch`].
    pub fn order(&mut self, signed: SignedMessage) -> Result<Finalised, RehearsalError> {
        self.height.0 += 1 + self.record.epoch().complaint_blocks();
        let signed = Authenticated::by_ledger(Party::Signer, signed);
        Ok(self.record.finalise(&signed, self.height)?)
    }

    /// Lets every receiver that is in test it.
    ///
    /// # Errors
    /// [`RehearsalError::Verify`].
    pub fn verify(&mut self, finalised: &Finalised) -> Result<Vec<Verdict>, RehearsalError> {
        let present = self
            .verifiers
            .iter_mut()
            .filter(|verifier| finalised.roster().contains(verifier.receiver()));
        Ok(present
            .map(|verifier| verifier.verify(finalised))
            .collect::<Result<_, _>>()?)
    }
}

/// Exactly what an epoch takes of a link, all its counters counted.
pub fn bits_of(parameters: &Parameters, link: Link) -> usize {
    let further = parameters.limits().messages as usize - 1;
    first_bits_of(parameters, link) + further * further_bits_of(parameters, link)
}

/// What the distribution takes of a link, the first counter included.
pub fn first_bits_of(parameters: &Parameters, link: Link) -> usize {
    match (link.from, link.to) {
        (Party::Signer, _) => parameters.shared_bits() + parameters.offer_bits(),
        (Party::Receiver(_), Party::Receiver(_)) => parameters.set_key_bits(),
        (Party::Receiver(_), Party::Signer) => 0,
    }
}

/// What each further counter takes of a link.
pub fn further_bits_of(parameters: &Parameters, link: Link) -> usize {
    match (link.from, link.to) {
        (Party::Signer, _) => parameters.pads_shared_bits(),
        (Party::Receiver(_), Party::Receiver(_)) => parameters.pads_key_bits(),
        (Party::Receiver(_), Party::Signer) => 0,
    }
}
