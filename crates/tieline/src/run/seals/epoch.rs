//! One epoch of a gateway for one counterpart chain: distribution, further pads, signing and the nodes' tests.

use tieline_contract::bounds::UNCONDITIONAL_BYTES_MAX;
use tieline_units::{ChainId, Encoder, Time};
use tieline_uss::committee::Level;
use tieline_uss::parameters::{Epoch, ParameterError, Parameters};
use tieline_uss::party::{Counter, EpochId};
use tieline_uss::rehearsal::{Rehearsal, first_bits_of, further_bits_of};
use tieline_uss::signature::{Signature, SignedMessage};

use super::deal::Places;
use super::{Ask, Levels, SEALS_PER_EPOCH, SealError};
use crate::run::keys::{KeyUse, Keys, generator};

/// Bytes of a signed message beside body and signature.
const FRAME_BYTES: usize = 64;

/// An epoch in use.
#[derive(Debug)]
pub(super) struct Open {
    gate: Time,
    signed: u32,
    used: u64,
    rehearsal: Rehearsal,
}

impl Open {
    /// Draws the keys of a new epoch and runs its distribution.
    ///
    /// # Errors
    /// [`SealError::Short`] and [`SealError::TooLong`] draw nothing.
    pub(super) fn begin(
        keys: &mut Keys,
        now: Time,
        (ask, epoch): (Ask<'_>, Epoch),
        places: &Places,
    ) -> Result<(Open, Vec<KeyUse>), SealError> {
        let bytes = sealed_bytes(&epoch, ask.body.len());
        if bytes > UNCONDITIONAL_BYTES_MAX {
            return Err(SealError::TooLong { bytes });
        }
        let parameters = epoch.parameters().clone();
        let bits_of = |link| first_bits_of(&parameters, link);
        let drawn = keys.draw(now, ask.kind.purpose(), &places.wants(&bits_of))?;
        let mut stores = places.stores();
        places.fill(&mut stores, &drawn, &bits_of);
        let mut what = Encoder::new("tieline.simulated-split/1");
        what.u64(keys.seed()).bytes(&epoch.canonical());
        let open = Open {
            gate: ask.gate,
            signed: 0,
            used: 0,
            rehearsal: Rehearsal::with_stores(epoch, stores, &mut generator(&what))?,
        };
        Ok((open, drawn.into_values().map(|drawn| drawn.key).collect()))
    }

    /// Whether the epoch can sign this too.
    pub(super) fn serves(&self, ask: Ask<'_>) -> bool {
        let epoch = self.rehearsal.signer.epoch();
        let fits = ask.body.len() <= epoch.body_bytes_max()
            && sealed_bytes(epoch, ask.body.len()) <= UNCONDITIONAL_BYTES_MAX;
        self.gate == ask.gate && self.signed < SEALS_PER_EPOCH && fits
    }

    /// Draws and hands out the pads of the next seal.
    ///
    /// # Errors
    /// [`SealError::Short`] draws nothing.
    pub(super) fn refresh(
        &mut self,
        keys: &mut Keys,
        now: Time,
        ask: Ask<'_>,
        places: &Places,
    ) -> Result<Vec<KeyUse>, SealError> {
        let parameters = self.rehearsal.signer.epoch().parameters().clone();
        let bits_of = |link| further_bits_of(&parameters, link);
        let drawn = keys.draw(now, ask.kind.purpose(), &places.wants(&bits_of))?;
        places.fill(&mut self.rehearsal.stores, &drawn, &bits_of);
        self.rehearsal.refresh(Counter(self.signed))?;
        Ok(drawn.into_values().map(|drawn| drawn.key).collect())
    }

    /// Signs under the next counter and lets all receivers test. `home`: how many of them are the home chain's; `used`: when,
    /// counted in seals.
    pub(super) fn sign(
        &mut self,
        ask: Ask<'_>,
        (home, used): (usize, u64),
    ) -> Result<(Vec<u8>, Levels), SealError> {
        let counter = Counter(self.signed);
        self.signed += 1;
        self.used = used;
        let signed = match ask.cheat {
            false => self.rehearsal.sign(counter, ask.body)?,
            true => SignedMessage {
                body: ask.body.to_vec(),
                ..self.rehearsal.sign(counter, &other(ask.body))?
            },
        };
        let bytes = signed.canonical();
        let finalised = self.rehearsal.order(signed)?;
        let verdicts = self.rehearsal.verify(&finalised)?;
        let reached: Vec<Option<i8>> = (verdicts.iter())
            .map(|verdict| verdict.level().map(Level::number))
            .collect();
        let (at_home, elsewhere) = reached.split_at(home.min(reached.len()));
        let seats = [at_home.to_vec(), elsewhere.to_vec()];
        let chains = ask.chains().into_iter().cloned();
        Ok((bytes, chains.zip(seats).collect()))
    }

    /// When it was used last.
    pub(super) fn used(&self) -> u64 {
        self.used
    }
}

/// Another body of the same length, or of one byte where there is none.
fn other(body: &[u8]) -> Vec<u8> {
    match body.split_last() {
        Some((last, rest)) => [rest, &[!last]].concat(),
        None => vec![0],
    }
}

/// Bytes of a seal: what a transaction carries.
fn sealed_bytes(epoch: &Epoch, body_bytes: usize) -> usize {
    FRAME_BYTES + body_bytes + Signature::encoded_bytes(epoch)
}

impl<'a> Ask<'a> {
    /// Home chain and counterpart, one of them where they are the same.
    pub(super) fn chains(&self) -> Vec<&'a ChainId> {
        match self.home == self.counterpart {
            true => vec![self.home],
            false => vec![self.home, self.counterpart],
        }
    }

    /// Who signs what for whom at which gate.
    pub(super) fn subject(&self) -> Vec<u8> {
        let mut subject = Encoder::default();
        subject.text(self.gateway.as_str()).text(self.home.as_str());
        subject.text(self.counterpart.as_str());
        subject.u64(self.gate.as_millis()).text(self.kind.as_str());
        subject.into_bytes()
    }

    /// The description of the lane's epoch `number` at this gate. Its id is a hash of all that: no two share one.
    pub(super) fn epoch(
        &self,
        seed: u64,
        number: u32,
        parameters: Parameters,
    ) -> Result<Epoch, ParameterError> {
        let mut id = Encoder::new("tieline.seal-epoch/1");
        id.u64(seed).text(self.gateway.as_str());
        id.text(self.counterpart.as_str());
        id.u64(self.gate.as_millis()).u32(number);
        let mut first = [0; 8];
        first.copy_from_slice(&id.digest().as_bytes()[..8]);
        let id = EpochId(u64::from_be_bytes(first));
        let chains: Vec<&str> = self.chains().iter().map(|chain| chain.as_str()).collect();
        Epoch::new(id, self.gateway.as_str(), &chains, parameters)
    }
}
