//! Validators that vote for two things: the engine sees it, the chain records it.

use bytes::Bytes;
use commonware_actor::Feedback;
use commonware_codec::{Encode, ReadExt as _};
use commonware_consensus::simplex::types::{Activity, Attributable, Finalize, Notarize, Nullify};
use commonware_consensus::{Epochable, Reporter};
use commonware_cryptography::certificate::Attestation;
use commonware_cryptography::sha256::Digest as Name;
use tieline_chain::double_vote::{DoubleVote, SignedVote, VoteKind};
use tracing::warn;

use crate::application::Machine;
use crate::scheme::HybridScheme;

/// What an agreement does, as it tells it.
type Seen = Activity<HybridScheme, Name>;

/// Accuses before the chain whomever the engine caught.
#[derive(Clone)]
pub(crate) struct Watch(pub(crate) Machine);

impl Reporter for Watch {
    type Activity = Seen;

    fn report(&mut self, seen: Seen) -> Feedback {
        if let Some(double) = proof(&seen) {
            let (validator, epoch) = (double.validator, double.agreement);
            warn!(validator, epoch, "a validator voted for two things");
            self.0.accuse(double);
        }
        Feedback::Ok
    }
}

/// What third parties need to be convinced; `None` for what honest validators do. Signatures are not checked here.
fn proof(seen: &Seen) -> Option<DoubleVote> {
    match seen {
        Activity::ConflictingNotarize(found) => {
            let mut bytes = found.encode();
            let one = notarize(&mut bytes)?;
            of(found, one, notarize(&mut bytes)?)
        }
        Activity::ConflictingFinalize(found) => {
            let mut bytes = found.encode();
            let one = finalize(&mut bytes)?;
            of(found, one, finalize(&mut bytes)?)
        }
        Activity::NullifyFinalize(found) => {
            let mut bytes = found.encode();
            let one = nullify(&mut bytes)?;
            of(found, one, finalize(&mut bytes)?)
        }
        _ => None,
    }
}

fn of(
    found: &(impl Attributable + Epochable),
    one: SignedVote,
    other: SignedVote,
) -> Option<DoubleVote> {
    Some(DoubleVote {
        agreement: found.epoch().get(),
        validator: u8::try_from(found.signer().get()).ok()?,
        one,
        other,
    })
}

// The engine shows the votes of its proofs by their encodings only.

fn notarize(from: &mut Bytes) -> Option<SignedVote> {
    let vote = Notarize::<HybridScheme, Name>::read(from).ok()?;
    signed(VoteKind::Notarize, &vote.proposal, &vote.attestation)
}

fn finalize(from: &mut Bytes) -> Option<SignedVote> {
    let vote = Finalize::<HybridScheme, Name>::read(from).ok()?;
    signed(VoteKind::Finalize, &vote.proposal, &vote.attestation)
}

fn nullify(from: &mut Bytes) -> Option<SignedVote> {
    let vote = Nullify::<HybridScheme>::read(from).ok()?;
    signed(VoteKind::Nullify, &vote.round, &vote.attestation)
}

fn signed(
    kind: VoteKind,
    subject: &impl Encode,
    attestation: &Attestation<HybridScheme>,
) -> Option<SignedVote> {
    Some(SignedVote {
        kind,
        subject: subject.encode().to_vec().into(),
        signature: attestation.signature.get()?.as_hybrid().clone(),
    })
}
