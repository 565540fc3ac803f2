//! A change of validators as a file that goes from hand to hand: who comes next, and the signatures so far.
//!
//! **Parties.** Whoever writes it down; the present validators, who approve; the next ones, who prove that they hold their
//! keys. **Rules.** Who stays keeps identity and key: a new key is a new node. Nothing in the file is believed: the present
//! set comes from a node, and signatures that do not verify are left out.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tieline_chain::Home;
use tieline_chain::validators::{Handover, Validator, ValidatorSet, ValidatorsError};
use tieline_engine::validators::{Validators, ValidatorsError as EngineError};
use tieline_seal::hybrid::{Purpose, Signature, SigningKey, Strict, Verify as _};
use tieline_units::canonical;
use tieline_units::canonical::{Canonical as _, DecodeError};

use super::hex::hex;

/// Most bytes of a file that are read: 64 validators sign twice each in less.
const BYTES_MAX: u64 = 2 << 20;

/// Fewest digits that name a validator.
const DIGITS_MIN: usize = 8;

/// A change and the chain that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The chain.
    pub home: Home,
    /// The next set and the signatures so far.
    pub handover: Handover,
}

canonical!(Change { home, handover });

/// Why a change is none.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The disk.
    #[error("{}: {cause}", file.display())]
    Disk {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// No change in the file.
    #[error("{}: no change of validators: {error}\n\nhint: tieline chain handover propose writes one", file.display())]
    Bytes {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        error: DecodeError,
    },
    /// A validator to remove that is none, or more than one.
    #[error(
        "{digits}: {found} of the present validators have an identity that begins so\n\nhint: give {DIGITS_MIN} to 64 digits of one; GET /v1/validators lists them"
    )]
    Name {
        /// What was given.
        digits: String,
        /// How many have it.
        found: usize,
    },
    /// Somebody who is there already.
    #[error(
        "{identity} is a validator already\n\nhint: a new key is a new node: tieline chain join makes one; remove the old one in the same change"
    )]
    Known {
        /// Who.
        identity: String,
    },
    /// The next set cannot be in charge.
    #[error("{0}\n\nhint: a change adds or removes validators; 4 to 64 are possible")]
    Set(#[from] ValidatorsError),
    /// The engine could not begin with the next set.
    #[error("{0}\n\nhint: the offer of that node is wrong; nobody should sign this change")]
    Engine(#[from] EngineError),
    /// Of another chain or epoch.
    #[error(
        "{0}\n\nhint: propose it anew: it is for one chain and for the end of one epoch of its validators"
    )]
    Stale(String),
}

/// What becomes of a validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Is not in charge now.
    Joins,
    /// Is not in charge then.
    Leaves,
    /// Both.
    Stays,
}

impl Change {
    /// The present validators without some and with others; nobody has signed it.
    ///
    /// # Errors
    /// [`ChangeError`]
    pub fn propose(
        home: Home,
        present: &ValidatorSet,
        add: Vec<Validator>,
        remove: &[String],
    ) -> Result<Change, ChangeError> {
        let mut validators = present.validators.clone();
        for digits in remove {
            let is = |it: &Validator| hex(&it.identity).starts_with(digits.as_str());
            let found = present.validators.iter().filter(|it| is(it)).count();
            if found != 1 || digits.len() < DIGITS_MIN {
                let digits = digits.clone();
                return Err(ChangeError::Name { digits, found });
            }
            validators.retain(|it| !is(it));
        }
        for one in add {
            if present
                .validators
                .iter()
                .any(|it| it.identity == one.identity)
            {
                let identity = hex(&one.identity);
                return Err(ChangeError::Known { identity });
            }
            validators.push(one);
        }
        validators.sort();
        let epoch = present.epoch.saturating_add(1);
        let next = Arc::new(ValidatorSet { epoch, validators });
        let change = Change {
            home,
            handover: Handover {
                next,
                approvals: Default::default(),
                possession: Default::default(),
            },
        };
        change.check(&change.home, present)?;
        Ok(change)
    }

    /// Whether the present validators could hand over so.
    ///
    /// # Errors
    /// [`ChangeError`]
    pub fn check(&self, home: &Home, present: &ValidatorSet) -> Result<(), ChangeError> {
        if self.home != *home {
            let (found, here) = (&self.home, home);
            return Err(ChangeError::Stale(format!(
                "a change of {}, genesis {}; this is {}, genesis {}",
                found.chain, found.genesis, here.chain, here.genesis
            )));
        }
        let next = &*self.handover.next;
        if next.epoch != present.epoch.saturating_add(1) {
            return Err(ChangeError::Stale(format!(
                "a change to the validators of epoch {}; those of epoch {} are in charge",
                next.epoch, present.epoch
            )));
        }
        next.validate()?;
        Validators::of(next)?;
        Ok(())
    }

    /// Adds the signatures of a key: on the approval where it is a present validator's, on the proof where it is one of the
    /// next. Returns whether it was either.
    pub fn sign(&mut self, present: &ValidatorSet, key: &SigningKey) -> (bool, bool) {
        let message = Handover::message(&self.handover.next);
        let signed = |set: &ValidatorSet, purpose| {
            let mut all = set.validators.iter();
            let place = all.position(|it| it.key == *key.public_key())?;
            let domain = self.home.domain(set.epoch, purpose);
            Some((u8::try_from(place).ok()?, key.sign(&domain, &message)))
        };
        let approval = signed(present, Purpose::Transaction);
        let proof = signed(&self.handover.next, Purpose::Possession);
        let done = (approval.is_some(), proof.is_some());
        self.handover.approvals.extend(approval);
        self.handover.possession.extend(proof);
        done
    }

    /// This change with the signatures of all copies that verify; copies of another change are none.
    ///
    /// # Errors
    /// [`ChangeError::Stale`]
    pub fn joined(copies: Vec<Change>, present: &ValidatorSet) -> Result<Change, ChangeError> {
        let mut copies = copies.into_iter();
        let first = copies.next();
        let first = first.ok_or_else(|| ChangeError::Stale("no change".to_owned()))?;
        let mut joined = Change {
            home: first.home.clone(),
            handover: Handover {
                next: first.handover.next.clone(),
                approvals: Default::default(),
                possession: Default::default(),
            },
        };
        for copy in std::iter::once(first).chain(copies) {
            if copy.home != joined.home || copy.handover.next != joined.handover.next {
                return Err(ChangeError::Stale(
                    "these are different changes, not copies of one".to_owned(),
                ));
            }
            joined.take(copy.handover, present);
        }
        Ok(joined)
    }

    fn take(&mut self, copy: Handover, present: &ValidatorSet) {
        let message = Handover::message(&self.handover.next);
        let holds = |set: &ValidatorSet, purpose, (place, signature): &(u8, Signature)| {
            let domain = self.home.domain(set.epoch, purpose);
            let validator = set.validators.get(usize::from(*place));
            validator.is_some_and(|it| Strict.verify(&it.key, &domain, &message, signature))
        };
        let approvals = copy.approvals.into_iter();
        let approvals: Vec<_> = approvals
            .filter(|one| holds(present, Purpose::Transaction, one))
            .collect();
        let proofs = copy.possession.into_iter();
        let proofs: Vec<_> = proofs
            .filter(|one| holds(&self.handover.next, Purpose::Possession, one))
            .collect();
        self.handover.approvals.extend(approvals);
        self.handover.possession.extend(proofs);
    }

    /// Every validator of both sets and what becomes of it, in the order of identities.
    pub fn fates(&self, present: &ValidatorSet) -> Vec<(Fate, Validator)> {
        let next = &self.handover.next.validators;
        let now = &present.validators;
        let mut fates: Vec<_> = now
            .iter()
            .map(|it| match next.contains(it) {
                true => (Fate::Stays, it.clone()),
                false => (Fate::Leaves, it.clone()),
            })
            .collect();
        let new = next.iter().filter(|it| !now.contains(it));
        fates.extend(new.map(|it| (Fate::Joins, it.clone())));
        fates.sort_by(|one, other| one.1.cmp(&other.1));
        fates
    }

    /// Whether nothing is missing.
    pub fn is_complete(&self, present: &ValidatorSet) -> bool {
        let Handover {
            next,
            approvals,
            possession,
        } = &self.handover;
        approvals.len() >= present.quorum() && possession.len() == next.size()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ChangeError::Disk`], [`ChangeError::Bytes`]
    pub fn read(file: &Path) -> Result<Change, ChangeError> {
        let disk = |cause| ChangeError::Disk {
            file: file.to_owned(),
            cause,
        };
        let mut bytes = Vec::new();
        let opened = fs::File::open(file).map_err(disk)?;
        let mut limited = std::io::Read::take(opened, BYTES_MAX);
        std::io::Read::read_to_end(&mut limited, &mut bytes).map_err(disk)?;
        Change::decode(&bytes).map_err(|error| ChangeError::Bytes {
            file: file.to_owned(),
            error,
        })
    }

    /// Writes a file, whole or not at all. `replace`: what is there gives way.
    ///
    /// # Errors
    /// [`ChangeError::Disk`]
    pub fn write(&self, file: &Path, replace: bool) -> Result<(), ChangeError> {
        let written = || {
            let parent = file.parent().filter(|it| !it.as_os_str().is_empty());
            let mut partial = tempfile::NamedTempFile::new_in(parent.unwrap_or(Path::new(".")))?;
            partial.write_all(&self.to_bytes())?;
            partial.as_file().sync_all()?;
            match replace {
                true => partial.persist(file).map_err(|error| error.error)?,
                false => partial
                    .persist_noclobber(file)
                    .map_err(|error| error.error)?,
            };
            Ok(())
        };
        written().map_err(|cause| ChangeError::Disk {
            file: file.to_owned(),
            cause,
        })
    }
}

#[cfg(test)]
mod tests {
    use tieline_units::{ChainId, Digest, MicrogridId};

    use super::*;
    use crate::node::keys::{SUITE, identity_of};

    fn key(index: u8) -> SigningKey {
        SigningKey::from_seed(SUITE, &[index; 32])
    }

    fn validator(index: u8) -> Validator {
        Validator {
            identity: identity_of(&zeroize::Zeroizing::new([100 + index; 32])),
            key: key(index).public_key().clone(),
            owner: MicrogridId::parse("mg-1").unwrap(),
        }
    }

    fn present() -> ValidatorSet {
        let mut validators: Vec<_> = (0..4).map(validator).collect();
        validators.sort();
        ValidatorSet {
            epoch: 0,
            validators,
        }
    }

    fn home(name: &str) -> Home {
        Home {
            chain: ChainId::parse(name).unwrap(),
            genesis: Digest::of(name.as_bytes()),
        }
    }

    fn replaced(one: u8, by: u8) -> Result<Change, ChangeError> {
        let leaves = hex(&validator(one).identity);
        let comes = vec![validator(by)];
        Change::propose(
            home("chain-x"),
            &present(),
            comes,
            &[leaves[..8].to_owned()],
        )
    }

    fn signed(mut change: Change, by: impl IntoIterator<Item = u8>) -> Change {
        for index in by {
            assert_ne!(change.sign(&present(), &key(index)), (false, false));
        }
        change
    }

    #[test]
    fn copies_that_several_signed_become_what_the_chain_takes() {
        let change = replaced(0, 4).unwrap();
        let fates = change.fates(&present());
        let count = |fate| fates.iter().filter(|it| it.0 == fate).count();
        assert_eq!(
            [Fate::Joins, Fate::Leaves, Fate::Stays].map(count),
            [1, 1, 3]
        );
        let copies = vec![signed(change.clone(), [1, 2]), signed(change, [3, 4])];
        let half = Change::joined(copies[..1].to_vec(), &present()).unwrap();
        assert!(!half.is_complete(&present()));
        let whole = Change::joined(copies, &present()).unwrap();
        assert!(whole.is_complete(&present()));
        let checked = whole.handover.check(&present(), &home("chain-x"), &Strict);
        assert_eq!(checked, Ok(()));
    }

    #[test]
    fn signatures_that_do_not_verify_are_left_out() {
        let good = signed(replaced(0, 4).unwrap(), [1, 2, 3, 4]);
        let mut bad = good.clone();
        let wrong = good.handover.possession.values().next().unwrap().clone();
        for place in [0, 1, 2, 3, 200] {
            bad.handover.approvals.insert(place, wrong.clone());
        }
        // After the good one: a wrong signature does not take its place.
        let joined = Change::joined(vec![good.clone(), bad], &present()).unwrap();
        assert_eq!(joined, good);
    }

    #[test]
    fn a_stranger_signs_nothing() {
        let mut change = replaced(0, 4).unwrap();
        assert_eq!(change.sign(&present(), &key(9)), (false, false));
        assert_eq!(change, replaced(0, 4).unwrap());
    }

    #[test]
    fn a_change_that_cannot_be_in_charge_is_not_proposed() {
        let propose = |add, remove: &[&str]| {
            let remove: Vec<String> = remove.iter().map(|it| (*it).to_owned()).collect();
            let change = Change::propose(home("chain-x"), &present(), add, &remove);
            change.unwrap_err().to_string()
        };
        let leaves = hex(&validator(0).identity);
        let few = propose(vec![], &[&leaves]);
        assert!(few.contains("epoch 1 has 3 validators"), "{few}");
        let short = propose(vec![], &[&leaves[..7]]);
        assert!(short.contains("1 of the present validators"), "{short}");
        let nobody = propose(vec![], &["0000000000"]);
        assert!(nobody.contains("0 of the present validators"), "{nobody}");
        let again = propose(vec![validator(1)], &[]);
        assert!(again.contains("is a validator already"), "{again}");
        // The engine could not begin with it.
        let mut odd = validator(5);
        odd.identity.copy_from_slice(&odd.key.as_bytes()[..32]);
        let odd = propose(vec![odd], &[]);
        assert!(odd.contains("contains an identity key"), "{odd}");
    }

    #[test]
    fn a_change_is_for_one_chain_and_the_end_of_one_epoch() {
        let change = replaced(0, 4).unwrap();
        let other = change.check(&home("chain-y"), &present()).unwrap_err();
        assert!(other.to_string().contains("this is chain-y"), "{other}");
        let mut later = present();
        later.epoch = 1;
        let late = change.check(&home("chain-x"), &later).unwrap_err();
        assert!(late.to_string().contains("those of epoch 1 are"), "{late}");
        let copies = vec![change, replaced(1, 4).unwrap()];
        let different = Change::joined(copies, &present()).unwrap_err();
        assert!(
            different.to_string().contains("different changes"),
            "{different}"
        );
    }

    #[test]
    fn a_file_is_never_replaced_by_another_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("change");
        let change = replaced(0, 4).unwrap();
        change.write(&file, false).unwrap();
        assert!(matches!(
            replaced(1, 4).unwrap().write(&file, false),
            Err(ChangeError::Disk { .. })
        ));
        assert_eq!(Change::read(&file).unwrap(), change);
        std::fs::write(&file, b"no change").unwrap();
        assert!(matches!(
            Change::read(&file),
            Err(ChangeError::Bytes { .. })
        ));
    }
}
