//! Proofs that a validator voted for two things.

use std::sync::Arc;

use tieline_chain::block::{Block, BlockError, Body};
use tieline_chain::double_vote::{
    DOUBLE_VOTES_MAX, DoubleVote, DoubleVoteError, SignedVote, VoteKind, message, set_digest,
};
use tieline_chain::ledger::ExecuteError;
use tieline_chain::store::Store;
use tieline_seal::hybrid::Purpose;
use tieline_sim::symbol::{Symbolic, sign};
use tieline_sim::village::Village;
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Time};

use crate::world::{block_with, home, ledger, validator_key, validators};

const NAME: &str = "chain-z";
const NOON: Time = Time::from_millis(800_000_000);

use VoteKind::{Finalize, Notarize, Nullify};

/// Epoch 3, view 300, and what is voted on.
fn subject(kind: VoteKind, what: u8) -> Vec<u8> {
    let round = [3, 0xac, 2];
    match kind {
        Nullify => round.to_vec(),
        _ => [&round[..], &[what; 33]].concat(),
    }
}

fn vote(validator: u8, kind: VoteKind, subject: &[u8]) -> SignedVote {
    let set = validators(NAME, 0);
    let pairs = set.validators.iter().map(|it| (&it.identity, &it.key));
    let message = message(set_digest(pairs), kind.name(), subject);
    let key = validator_key(NAME, 0, validator);
    SignedVote {
        kind,
        subject: Arc::from(subject),
        signature: sign(&key, &home(NAME).domain(3, Purpose::Vote), &message),
    }
}

fn double(validator: u8, (one, other): (VoteKind, VoteKind)) -> DoubleVote {
    DoubleVote {
        agreement: 3,
        validator,
        one: vote(validator, one, &subject(one, 1)),
        other: vote(validator, other, &subject(other, 2)),
    }
}

fn check(double: &DoubleVote) -> Result<(), DoubleVoteError> {
    double.check(&validators(NAME, 0), &home(NAME), &Symbolic)
}

#[test]
fn two_votes_of_one_kind_and_a_finalization_of_what_was_given_up_are_proofs() {
    for kinds in [
        (Notarize, Notarize),
        (Finalize, Finalize),
        (Nullify, Finalize),
        (Finalize, Nullify),
    ] {
        for validator in 0..4 {
            assert_eq!(check(&double(validator, kinds)), Ok(()), "{kinds:?}");
        }
    }
}

#[test]
fn what_an_honest_validator_may_cast_is_no_proof() {
    for kinds in [
        (Notarize, Finalize),
        (Finalize, Notarize),
        (Notarize, Nullify),
        (Nullify, Notarize),
        (Nullify, Nullify),
    ] {
        let found = check(&double(1, kinds));
        assert_eq!(found, Err(DoubleVoteError::Agree(1)), "{kinds:?}");
    }
    let mut same = double(1, (Notarize, Notarize));
    same.other = same.one.clone();
    assert_eq!(check(&same), Err(DoubleVoteError::Agree(1)));
}

#[test]
fn votes_of_two_rounds_are_no_proof() {
    let signed = |kind, subject: &[u8]| DoubleVote {
        other: vote(1, kind, subject),
        ..double(1, (Finalize, Finalize))
    };
    let body = [2; 33];
    let wrong = Err(DoubleVoteError::Round(1));
    // Another view, another epoch, an epoch that is cut off, a view without an end, a number above 64 bits.
    for start in [
        &[3, 0xad, 2][..],
        &[4, 0xac, 2],
        &[0x83, 0, 0xac, 2],
        &[3],
        &[
            3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
        ],
    ] {
        let found = signed(Finalize, &[start, &body].concat());
        assert_eq!(check(&found), wrong, "{start:?}");
    }
    // A view given up that has something behind it, a finalization that has nothing, one that is too long.
    assert_eq!(check(&signed(Nullify, &subject(Finalize, 2))), wrong);
    assert_eq!(check(&signed(Finalize, &subject(Nullify, 2))), wrong);
    let long = [&subject(Finalize, 2)[..], &[0; 128]].concat();
    assert_eq!(check(&signed(Finalize, &long)), wrong);
    assert_eq!(check(&signed(Finalize, &[])), wrong);
    let mut claimed = double(1, (Finalize, Finalize));
    claimed.agreement = 4;
    assert_eq!(check(&claimed), wrong);
}

#[test]
fn nobody_is_accused_by_what_another_signed() {
    let honest = double(1, (Notarize, Notarize));
    let wrong = Err(DoubleVoteError::Signature(1));
    for half in [0, 1] {
        let mut forged = honest.clone();
        let theirs = double(2, (Notarize, Notarize));
        if half == 0 {
            forged.one.signature = theirs.one.signature;
        } else {
            forged.other.signature = theirs.other.signature;
        }
        assert_eq!(check(&forged), wrong);
    }
    let mut renamed = double(2, (Notarize, Notarize));
    renamed.validator = 1;
    assert_eq!(check(&renamed), wrong);
    renamed.validator = 4;
    let nobody = DoubleVoteError::Validator { index: 4, size: 4 };
    assert_eq!(check(&renamed), Err(nobody));
    let set = |name, epoch| honest.check(&validators(name, epoch), &home(name), &Symbolic);
    assert_eq!(set(NAME, 1), wrong);
    assert_eq!(set("chain-x", 0), wrong);
    let elsewhere = honest.check(&validators(NAME, 0), &home("chain-x"), &Symbolic);
    assert_eq!(elsewhere, wrong);
}

fn accusing(double_votes: Vec<DoubleVote>) -> Block {
    let z = ledger(&Village::default(), NAME);
    let body = Body {
        double_votes,
        ..Body::default()
    };
    block_with(&z, NOON, body)
}

#[test]
fn a_block_names_its_proofs_and_one_that_proves_nothing_is_not_executed() {
    let mut z = ledger(&Village::default(), NAME);
    let good = double(2, (Notarize, Notarize));
    let mut forged = good.clone();
    forged.other.signature = forged.one.signature.clone();
    let refused = z.execute(&accusing(vec![forged]), &Symbolic).unwrap_err();
    let expected = ExecuteError::DoubleVote {
        height: 1,
        error: DoubleVoteError::Signature(2),
    };
    assert_eq!(refused, expected);
    let block = accusing(vec![good.clone(), double(3, (Nullify, Finalize))]);
    assert_eq!(Block::decode(&block.to_bytes()).unwrap(), block);
    let executed = z.execute(&block, &Symbolic).unwrap();
    assert_eq!(executed.caught.len(), 2);
    assert!(executed.changed.is_empty());

    let mut stripped = block.clone();
    stripped.body.double_votes.pop();
    let wrong = Err(BlockError::DoubleVotes { height: 1 });
    assert_eq!(stripped.check_body(), wrong);
    stripped.body.double_votes.clear();
    assert_eq!(stripped.check_body(), wrong);
    stripped.header.double_votes = None;
    assert_eq!(stripped.check_body(), Ok(()));
    assert_ne!(stripped.digest(&home(NAME)), block.digest(&home(NAME)));
}

#[test]
fn a_block_has_one_proof_of_a_validator_and_not_too_many() {
    let z = ledger(&Village::default(), NAME);
    let propose = |double_votes: Vec<DoubleVote>| {
        let body = Body {
            double_votes,
            ..Body::default()
        };
        z.propose(tieline_chain::block::Proposal {
            time: NOON,
            body,
            context: Vec::new(),
        })
    };
    let wrong = Err(BlockError::DoubleVotes { height: 1 });
    let two = vec![
        double(2, (Notarize, Notarize)),
        double(2, (Finalize, Finalize)),
    ];
    assert_eq!(propose(two), wrong);
    let of = |count: usize| (0..count as u8).map(|k| double(k, (Notarize, Notarize)));
    assert!(propose(of(DOUBLE_VOTES_MAX).collect()).is_ok());
    assert_eq!(propose(of(DOUBLE_VOTES_MAX + 1).collect()), wrong);
}

#[test]
fn a_store_knows_who_was_caught_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let founding = ledger(&Village::default(), NAME);
    let mut store = Store::open(&folder.path().join("store"), founding, &Symbolic).unwrap();
    let caught = double(2, (Notarize, Notarize));
    let name = caught.name(&home(NAME), &validators(NAME, 0));
    assert_eq!(store.height_of(name).unwrap(), None);
    store
        .deliver(&accusing(vec![caught.clone()]), None, &Symbolic)
        .unwrap();
    assert_eq!(store.height_of(name).unwrap(), Some(1));
    // The same validator in another epoch, another validator in the same: other records.
    let other = double(1, (Notarize, Notarize));
    let later = DoubleVote {
        agreement: 4,
        ..caught
    };
    for other in [other, later] {
        let other = other.name(&home(NAME), &validators(NAME, 0));
        assert_eq!(store.height_of(other).unwrap(), None);
    }
}

#[test]
fn the_bytes_are_pinned() {
    let double = double(2, (Nullify, Finalize));
    assert_eq!(
        Digest::of(&double.to_bytes()).to_string(),
        "c7da41b54ffd49789e69ede3e6c43f93492c662c4980ec65b85f80ab0657e274"
    );
}
