//! A vote's signature and a certificate, and their bytes.

use bytes::BufMut;
use commonware_codec::{Buf, EncodeSize, Error, FixedSize, Read, ReadExt as _, Write};
use commonware_cryptography::certificate::Signers;
use commonware_utils::Participant;
use commonware_utils::bitmap::BitMap;
use tieline_seal::hybrid::Signature;
use tieline_units::canonical::{Canonical as _, Decoder};

use crate::validators::SUITE;

/// The signature of a vote: suite, Ed25519, ML-DSA-65. Its bytes are cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VoteSignature(Signature);

impl VoteSignature {
    /// A signature of [`SUITE`]; `None` for any other.
    pub fn new(signature: Signature) -> Option<VoteSignature> {
        (signature.suite() == SUITE).then_some(VoteSignature(signature))
    }

    /// What `tieline_seal::hybrid` verifies.
    pub fn as_hybrid(&self) -> &Signature {
        &self.0
    }
}

impl FixedSize for VoteSignature {
    const SIZE: usize = 1 + SUITE.signature_bytes();
}

impl Write for VoteSignature {
    fn write(&self, to: &mut impl BufMut) {
        to.put_slice(&self.0.to_bytes());
    }
}

impl Read for VoteSignature {
    type Cfg = ();

    fn read_cfg(from: &mut impl Buf, (): &()) -> Result<VoteSignature, Error> {
        if from.remaining() < VoteSignature::SIZE {
            return Err(Error::EndOfBuffer);
        }
        let mut bytes = [0; VoteSignature::SIZE];
        from.copy_to_slice(&mut bytes);
        // A suite with shorter signatures leaves bytes over; it is not ours either way.
        let signature = Signature::read(&mut Decoder::new(&bytes)).ok();
        let signature = signature.and_then(VoteSignature::new);
        signature.ok_or(Error::Invalid("VoteSignature", "of another suite"))
    }
}

/// A quorum's votes on one subject: who signed, and their signatures in the order of the validators.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Certificate {
    signers: Signers,
    votes: Vec<VoteSignature>,
}

impl Certificate {
    /// `votes` are those of `signers`, in order, and at least one.
    pub(super) fn new(signers: Signers, votes: Vec<VoteSignature>) -> Certificate {
        assert!(
            signers.count() == votes.len() && !votes.is_empty(),
            "one vote for each signer"
        );
        Certificate { signers, votes }
    }

    /// How many validators the set had, by the certificate's own account.
    pub fn validators(&self) -> usize {
        self.signers.len()
    }

    /// The signers' places, rising.
    pub fn signers(&self) -> impl Iterator<Item = Participant> + '_ {
        self.signers.iter()
    }

    /// Their votes, in the same order; at least one.
    pub fn votes(&self) -> &[VoteSignature] {
        &self.votes
    }

    /// Places and votes, a list because the engine's strategies want to divide it.
    pub(super) fn entries(&self) -> Vec<(Participant, &VoteSignature)> {
        self.signers.iter().zip(&self.votes).collect()
    }

    /// Bytes of a certificate that all of so many validators have signed.
    pub(super) fn bytes_max(validators: u32) -> usize {
        let votes = usize::try_from(validators).unwrap_or(usize::MAX);
        BitMap::<1>::max_encode_size(u64::from(validators))
            .saturating_add(votes.saturating_mul(VoteSignature::SIZE))
    }
}

impl Write for Certificate {
    fn write(&self, to: &mut impl BufMut) {
        self.signers.write(to);
        for vote in &self.votes {
            vote.write(to);
        }
    }
}

impl EncodeSize for Certificate {
    fn encode_size(&self) -> usize {
        self.signers.encode_size() + self.votes.len() * VoteSignature::SIZE
    }
}

impl Read for Certificate {
    /// Most validators.
    type Cfg = usize;

    fn read_cfg(from: &mut impl Buf, validators_max: &usize) -> Result<Certificate, Error> {
        let signers = Signers::read_cfg(from, validators_max)?;
        let count = signers.count();
        if count == 0 {
            return Err(Error::Invalid("Certificate", "nobody has signed"));
        }
        // Nothing is allocated for votes whose bytes are not there.
        if from.remaining() / VoteSignature::SIZE < count {
            return Err(Error::EndOfBuffer);
        }
        let votes = (0..count).map(|_| VoteSignature::read(from));
        let votes = votes.collect::<Result<_, _>>()?;
        Ok(Certificate { signers, votes })
    }
}
