//! From the genesis to anything that a chain says, with certificates and proofs alone.
//!
//! **Parties.** Whoever reads (an auditor, another chain's node, the VPP), and servers that hand out bytes and are not
//! trusted. **Rules.** The reader holds the validators of each epoch, beginning with the genesis. A header is final when
//! they say so ([`FinalityProof`]), or when a chain of parents leads to it from one that is. The last header of an epoch names the
//! next validators by their hash. A final header proves what the block before it left: entries of its outbox, values of
//! its state, and that there are none. **Guarantee.** With at most f dishonest validators in each epoch, a
//! [`Final`] is on the chain. It has no public constructor.

mod committees;
mod error;
mod finality;

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_contract::payload::Payload;
use tieline_seal::hybrid::Verify;
use tieline_seal::merkle;
use tieline_units::Encoder;
use tieline_units::canonical::{Canonical, DecodeError, Decoder};

pub use committees::Committees;
pub use error::LightError;
pub use finality::{FinalityProof, FinalityStatement, Votes};

use crate::block::{Header, Parent, Roots};
use crate::genesis::Genesis;
use crate::home::Home;
use crate::tree::StateProof;
use crate::validators::ValidatorSet;

/// Most headers between one that is wanted and one with a proof of finality.
pub const HEADERS_MAX: usize = 1024;

/// Headers that follow each other, the last of them with a proof that it is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail<P> {
    /// Rising, each the parent of the next; the wanted one first.
    pub headers: Vec<Header>,
    /// Of the last.
    pub proof: P,
}

impl<P: Canonical> Canonical for Trail<P> {
    fn encode(&self, to: &mut Encoder) {
        self.headers.encode(to);
        self.proof.encode(to);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Trail {
            headers: Canonical::read(from)?,
            proof: P::read(from)?,
        })
    }
}

/// A header that is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Final {
    header: Header,
    parent: Parent,
}

impl Final {
    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What a child of it follows: its name, height, time, and the next validators.
    pub fn as_parent(&self) -> &Parent {
        &self.parent
    }

    /// What the block **before** this one left.
    pub fn before(&self) -> &Roots {
        &self.header.before
    }

    /// Whether the outbox of the block before this one has the entry at the proof's index.
    ///
    /// # Errors
    /// [`LightError::Entry`].
    pub fn check_entry(&self, entry: &Payload, proof: &merkle::Proof) -> Result<(), LightError> {
        let before = self.before();
        let root = proof.root(entry.hash());
        if proof.count != before.outbox_entries || root != Some(before.outbox_root) {
            return Err(LightError::Entry {
                height: self.header.height - 1,
                index: proof.index,
            });
        }
        Ok(())
    }

    /// Whether the state after the block before this one has this value at a key ([`crate::records`]), or none.
    ///
    /// # Errors
    /// [`LightError::Value`].
    pub fn check_value(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
        proof: &StateProof,
    ) -> Result<(), LightError> {
        let root = self.before().state_root;
        let checked = proof.verify(root, key, value);
        checked.map_err(|error| LightError::Value {
            height: self.header.height - 1,
            error,
        })
    }
}

/// An epoch as the reader knows it.
#[derive(Clone, Debug)]
struct Epoch {
    validators: Arc<ValidatorSet>,
    /// Height before its first block.
    after: u64,
    /// Height of its last block, once known.
    last: Option<u64>,
}

/// Follows one chain.
#[derive(Clone, Debug)]
pub struct LightClient {
    home: Home,
    epochs: BTreeMap<u64, Epoch>,
    /// The highest header seen final; the genesis before.
    head: Parent,
}

impl LightClient {
    /// Knows the genesis.
    pub fn new(genesis: &Genesis) -> LightClient {
        LightClient::from_parts(
            genesis.home(),
            genesis.parent(),
            genesis.validators().clone(),
        )
    }

    /// Begins at a block that the caller trusts: `start` as its child has to follow it, and the child's validators.
    pub fn from_parts(home: Home, start: Parent, validators: Arc<ValidatorSet>) -> LightClient {
        let epoch = Epoch {
            validators,
            after: start.height,
            last: None,
        };
        LightClient {
            home,
            epochs: BTreeMap::from([(start.epoch, epoch)]),
            head: start,
        }
    }

    /// Which chain.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The highest block that was seen final, as its child has to follow it.
    pub fn head(&self) -> &Parent {
        &self.head
    }

    /// The validators of an epoch that is known.
    pub fn validators(&self, epoch: u64) -> Option<&Arc<ValidatorSet>> {
        self.epochs.get(&epoch).map(|known| &known.validators)
    }

    /// Whether these headers are final. All of them are then, the first one first.
    ///
    /// # Errors
    /// [`LightError`] with what does not hold.
    pub fn check<P: FinalityProof>(
        &self,
        trail: &Trail<P>,
        verify: &dyn Verify,
    ) -> Result<Vec<Final>, LightError> {
        let count = trail.headers.len();
        let (Some(first), Some(last)) = (trail.headers.first(), trail.headers.last()) else {
            return Err(LightError::Trail { count });
        };
        if count > HEADERS_MAX {
            return Err(LightError::Trail { count });
        }
        let mut epoch = self.check_epoch(first)?;
        for pair in trail.headers.windows(2) {
            pair[1].follows(&pair[0].as_parent(&self.home))?;
            epoch = self.check_epoch(&pair[1])?;
        }
        let statement = FinalityStatement::of(&self.home, last);
        trail
            .proof
            .verify(&statement, &epoch.validators, verify)
            .map_err(|error| LightError::Finality {
                height: last.height,
                error: error.to_string(),
            })?;
        let headers = trail.headers.iter();
        let all: Vec<Final> = headers.map(|header| self.finality(header)).collect();
        self.check_fork(&all)?;
        Ok(all)
    }

    fn finality(&self, header: &Header) -> Final {
        Final {
            parent: header.as_parent(&self.home),
            header: header.clone(),
        }
    }

    /// The header is of an epoch that is known, by its validators, within the epoch's heights.
    fn check_epoch(&self, header: &Header) -> Result<&Epoch, LightError> {
        let (height, epoch) = (header.height, header.epoch);
        let known = self.epochs.get(&epoch);
        let known = known.ok_or(LightError::Epoch { height, epoch })?;
        let within = height > known.after && known.last.is_none_or(|last| height <= last);
        let ends = known.last == Some(height);
        if !within || known.last.is_some() && ends != header.handover.is_some() {
            return Err(LightError::Epoch { height, epoch });
        }
        let (found, expected) = (header.validators, known.validators.hash());
        if found != expected {
            return Err(LightError::Validators {
                height,
                found,
                expected,
            });
        }
        if header.version != crate::block::VERSION {
            let found = header.version;
            return Err(crate::block::BlockError::Version { height, found }.into());
        }
        Ok(known)
    }

    /// No two blocks of one height are final. Cannot happen with f dishonest validators: whoever sees it has proof of more.
    fn check_fork(&self, headers: &[Final]) -> Result<(), LightError> {
        let head = &self.head;
        for found in headers {
            let height = found.header.height;
            let other = height == head.height && found.parent.digest != head.digest;
            let child = height == head.height + 1 && found.header.parent != head.digest;
            if other || child {
                return Err(LightError::Fork {
                    height,
                    known: head.digest,
                });
            }
        }
        Ok(())
    }

    /// Goes on to the last header of a trail. Where it hands over, `next` has to be the set that it names.
    ///
    /// Headers of the past are for [`LightClient::check`]: they move nothing.
    ///
    /// # Errors
    /// [`LightError`]; the client is as it was.
    pub fn advance<P: FinalityProof>(
        &mut self,
        trail: &Trail<P>,
        next: Option<&Arc<ValidatorSet>>,
        verify: &dyn Verify,
    ) -> Result<Vec<Final>, LightError> {
        let all = self.check(trail, verify)?;
        let (Some(last), Some(header)) = (all.last(), trail.headers.last()) else {
            return Err(LightError::Trail { count: 0 });
        };
        let (height, epoch) = (header.height, header.epoch);
        if height <= self.head.height {
            let head = self.head.height;
            return Err(LightError::Past { height, head });
        }
        let hands_over = header.handover.is_some();
        match (hands_over, next) {
            (false, None) => {}
            (true, Some(next)) if next.hash() == header.next_validators => {
                next.validate()?;
                let (present, found) = (epoch, next.epoch);
                if present.checked_add(1) != Some(found) {
                    return Err(crate::validators::ValidatorsError::Epoch { present, found }.into());
                }
            }
            (true, _) | (false, Some(_)) => {
                return Err(LightError::Handover { height });
            }
        }
        if let (true, Some(next)) = (hands_over, next) {
            if let Some(known) = self.epochs.get_mut(&epoch) {
                known.last = Some(height);
            }
            let fresh = Epoch {
                validators: next.clone(),
                after: height,
                last: None,
            };
            self.epochs.insert(next.epoch, fresh);
        }
        self.head = last.parent;
        Ok(all)
    }
}
