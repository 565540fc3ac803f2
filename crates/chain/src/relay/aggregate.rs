//! From signatures to certificates.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_contract::certificate::{Certificate, VERSION};
use tieline_contract::payload::Payload;
use tieline_contract::threshold::Committee;
use tieline_seal::hybrid::{Purpose, Verify};
use tieline_seal::merkle::{Proof, root};
use tieline_units::{ChainId, Digest};

use super::{Attested, ChainView};

/// The certificates of a block's entries, in order; `None` for an entry that has not enough right signatures yet.
///
/// A signature that is not its seat's is left out: one dishonest member stops nothing. Signatures on another outbox make
/// nothing.
pub fn aggregate(
    entries: &[Arc<Payload>],
    attested: &Attested,
    committee: &Committee,
    verify: &dyn Verify,
) -> Vec<Option<Arc<Certificate>>> {
    let statement = &attested.statement;
    let leaves: Vec<Digest> = entries.iter().map(|entry| entry.hash()).collect();
    let about = (statement.outbox_entries, statement.outbox_root);
    let fits = about == (leaves.len() as u64, root(&leaves))
        && (&statement.chain, statement.epoch) == (&committee.chain, committee.epoch);
    if !fits {
        return vec![None; entries.len()];
    }
    let (domain, message) = (statement.domain(Purpose::Attestation), statement.message());
    let signatures = attested.signatures.iter();
    let right = signatures.filter(|(seat, signature)| {
        let member = committee.seats.get(usize::from(**seat));
        member.is_some_and(|member| verify.verify(&member.key, &domain, &message, signature))
    });
    let right: BTreeMap<_, _> = right.map(|(seat, one)| (*seat, one.clone())).collect();
    let certificate = |(index, entry): (usize, &Arc<Payload>)| {
        (right.len() >= committee.needed(entry.kind())).then_some(())?;
        Some(Arc::new(Certificate {
            version: VERSION,
            chain: statement.chain.clone(),
            genesis: statement.genesis,
            epoch: statement.epoch,
            height: statement.height,
            state_root: statement.state_root,
            payload: Payload::clone(entry),
            proof: Proof::of(&leaves, index)?,
            attestations: right.clone(),
        }))
    };
    entries.iter().enumerate().map(certificate).collect()
}

/// Certificates of one entry before anybody signed them, one per epoch of which somebody has.
pub(super) fn unsigned(view: &dyn ChainView, height: u64, index: usize) -> Vec<Arc<Certificate>> {
    let entries = view.entries(height);
    let leaves: Vec<Digest> = entries.iter().map(|entry| entry.hash()).collect();
    let certificate = |attested: Attested| {
        let statement = attested.statement;
        Some(Arc::new(Certificate {
            version: VERSION,
            chain: statement.chain,
            genesis: statement.genesis,
            epoch: statement.epoch,
            height: statement.height,
            state_root: statement.state_root,
            payload: Payload::clone(entries.get(index)?),
            proof: Proof::of(&leaves, index)?,
            attestations: BTreeMap::new(),
        }))
    };
    let attested = view.attested(height).into_iter();
    attested.filter_map(certificate).collect()
}

/// The certificate as it was before anybody signed it.
pub(super) fn without_signatures(certificate: &Certificate) -> Arc<Certificate> {
    Arc::new(Certificate {
        attestations: BTreeMap::new(),
        ..certificate.clone()
    })
}

type OfBlock = Vec<Vec<Option<Arc<Certificate>>>>;

/// Certificates made in one round, each block once.
pub(super) struct Built<'a> {
    verify: &'a dyn Verify,
    blocks: BTreeMap<(ChainId, u64), OfBlock>,
}

impl<'a> Built<'a> {
    pub(super) fn new(verify: &'a dyn Verify) -> Built<'a> {
        Built {
            verify,
            blocks: BTreeMap::new(),
        }
    }

    /// Of one entry, one per epoch that has enough signatures.
    pub(super) fn certificates(
        &mut self,
        view: &dyn ChainView,
        height: u64,
        index: usize,
    ) -> Vec<Arc<Certificate>> {
        let key = (view.chain().clone(), height);
        let verify = self.verify;
        let block = self.blocks.entry(key).or_insert_with(|| {
            let entries = view.entries(height);
            let attested = view.attested(height).into_iter();
            let of_epoch = attested.filter_map(|attested| {
                let committee = view.committee(attested.statement.epoch)?;
                Some(aggregate(&entries, &attested, &committee, verify))
            });
            of_epoch.collect()
        });
        let of_entry = block.iter().filter_map(|epoch| epoch.get(index).cloned());
        of_entry.flatten().collect()
    }
}
