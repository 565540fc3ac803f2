//! What is not an honest chain's is not believed: each variant by itself, and the client stays where it was.

use std::sync::Arc;

use tieline_chain::block::Header;
use tieline_chain::light::{Final, FinalityStatement, LightClient, LightError};
use tieline_chain::tree::End;
use tieline_chain::validators::ValidatorSet;
use tieline_contract::payload::Payload;
use tieline_seal::hybrid::Purpose;
use tieline_seal::merkle::Proof;
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{chain, genesis};
use tieline_units::{Digest, Time};

use super::story::{NAME, Shown, Story, story, strangers, votes};
use crate::world::home;

/// The header of an epoch's last block, with the next set: what is shown in every variant, but for one change.
type Case = (
    &'static str,
    fn(&Story, &mut Shown, &mut Option<Arc<ValidatorSet>>),
);

fn x() -> Digest {
    Digest::of(b"x")
}

/// Votes of whoever the statement says, on what the headers have become.
fn revote(trail: &mut Shown, purpose: Purpose, edit: impl FnOnce(&mut FinalityStatement)) {
    let mut statement = FinalityStatement::of(&home(NAME), trail.headers.last().unwrap());
    edit(&mut statement);
    trail.proof = votes(&statement, purpose, &[0, 1, 2, 3]);
}

/// Changes one header of a trail of one; its votes stay.
fn header(trail: &mut Shown, edit: impl FnOnce(&mut Header)) {
    edit(trail.headers.last_mut().unwrap());
}

const CASES: [Case; 47] = [
    ("no vote", |_, t, _| t.proof.signatures.clear()),
    ("one vote less than a quorum", |_, t, _| {
        drop(t.proof.signatures.pop_last())
    }),
    ("a vote of a validator that does not exist", |_, t, _| {
        let vote = t.proof.signatures[&0].clone();
        t.proof.signatures.insert(4, vote);
    }),
    ("a vote of index 255", |_, t, _| {
        let vote = t.proof.signatures.remove(&0).unwrap();
        t.proof.signatures.insert(255, vote);
    }),
    ("another validator's vote", |_, t, _| {
        let vote = t.proof.signatures[&0].clone();
        t.proof.signatures.insert(1, vote);
    }),
    ("one vote used for all", |_, t, _| {
        let vote = t.proof.signatures[&0].clone();
        t.proof.signatures = (0..4).map(|index| (index, vote.clone())).collect();
    }),
    ("votes of consensus", |_, t, _| {
        revote(t, Purpose::Vote, |_| {})
    }),
    ("attestations", |_, t, _| {
        revote(t, Purpose::Attestation, |_| {})
    }),
    ("signatures of transactions", |_, t, _| {
        revote(t, Purpose::Transaction, |_| {})
    }),
    ("votes on another block", |_, t, _| {
        revote(t, Purpose::Finality, |s| s.block = x())
    }),
    ("votes on another height", |_, t, _| {
        revote(t, Purpose::Finality, |s| s.height += 1)
    }),
    ("votes of the next validators", |_, t, _| {
        revote(t, Purpose::Finality, |s| s.epoch += 1)
    }),
    ("votes for another chain", |_, t, _| {
        revote(t, Purpose::Finality, |s| s.home.chain = chain("chain-y"));
    }),
    ("votes for another genesis", |_, t, _| {
        revote(t, Purpose::Finality, |s| s.home.genesis = genesis("other"));
    }),
    ("votes of a quorum of the block before", |story, t, _| {
        t.proof = story.trail(4, 4, &[0, 1, 2, 3]).proof;
    }),
    ("another version", |_, t, _| header(t, |h| h.version = 2)),
    ("another version, voted", |_, t, _| {
        header(t, |h| h.version = 2);
        revote(t, Purpose::Finality, |_| {});
    }),
    ("another parent", |_, t, _| header(t, |h| h.parent = x())),
    ("another height", |_, t, _| header(t, |h| h.height = 6)),
    ("height 0", |_, t, _| {
        header(t, |h| h.height = 0);
        revote(t, Purpose::Finality, |_| {});
    }),
    ("another time", |_, t, _| {
        header(t, |h| h.time = Time::from_millis(7))
    }),
    ("another epoch", |_, t, _| header(t, |h| h.epoch = 1)),
    (
        "an epoch that is not known, voted by its validators",
        |_, t, _| {
            header(t, |h| h.epoch = 1);
            revote(t, Purpose::Finality, |_| {});
        },
    ),
    ("other validators", |_, t, _| {
        header(t, |h| h.validators = x())
    }),
    ("other validators, voted", |_, t, _| {
        header(t, |h| h.validators = x());
        revote(t, Purpose::Finality, |_| {});
    }),
    ("other next validators", |_, t, _| {
        header(t, |h| h.next_validators = x())
    }),
    ("strangers as next validators", |_, t, next| {
        header(t, |h| h.next_validators = strangers(1).hash());
        *next = Some(strangers(1));
    }),
    ("no handover", |_, t, _| header(t, |h| h.handover = None)),
    ("another handover", |_, t, _| {
        header(t, |h| h.handover = Some(x()))
    }),
    ("a double vote that the block does not have", |_, t, _| {
        header(t, |h| h.double_votes = Some(x()))
    }),
    ("another count of transactions", |_, t, _| {
        header(t, |h| h.transactions += 1)
    }),
    ("other transactions", |_, t, _| {
        header(t, |h| h.transactions_root = x())
    }),
    ("another state", |_, t, _| {
        header(t, |h| h.before.state_root = x())
    }),
    ("another outbox", |_, t, _| {
        header(t, |h| h.before.outbox_root = x())
    }),
    ("another count of entries", |_, t, _| {
        header(t, |h| h.before.outbox_entries += 1)
    }),
    ("another context", |_, t, _| {
        header(t, |h| h.context = Arc::from(&b"x"[..]))
    }),
    ("no headers", |_, t, _| t.headers.clear()),
    ("too many headers", |_, t, _| {
        let header = t.headers[0].clone();
        t.headers = vec![header; 1025];
    }),
    ("a header twice", |_, t, _| {
        t.headers.push(t.headers[0].clone())
    }),
    ("headers with a gap", |story, t, _| {
        t.headers.insert(0, story.block(3).header.clone())
    }),
    ("headers in the wrong order", |story, t, _| {
        *t = story.trail(3, 5, &[0, 1, 2]);
        t.headers.swap(0, 1);
    }),
    ("a changed header before the proven one", |story, t, _| {
        *t = story.trail(3, 5, &[0, 1, 2]);
        t.headers[0].before.state_root = x();
    }),
    (
        "a header of another chain before the proven one",
        |story, t, _| {
            *t = story.trail(4, 5, &[0, 1, 2]);
            t.headers[0].time = Time::from_millis(1);
        },
    ),
    ("no next validators", |_, _, next| *next = None),
    ("strangers shown as next validators", |_, _, next| {
        *next = Some(strangers(1))
    }),
    ("next validators with one missing", |_, _, next| {
        let mut set = ValidatorSet::clone(next.as_ref().unwrap());
        set.validators.pop();
        *next = Some(Arc::new(set));
    }),
    ("next validators with another owner", |_, _, next| {
        let mut set = ValidatorSet::clone(next.as_ref().unwrap());
        set.validators[0].owner = tieline_sim::village::member("mg-x");
        *next = Some(Arc::new(set));
    }),
];

#[test]
fn each_variant_of_a_header_and_its_proof_is_refused() {
    let story = story();
    let shown = || (story.trail(5, 5, &[0, 1, 2]), story.next(5));
    let (trail, next) = shown();
    story
        .client()
        .advance(&trail, next.as_ref(), &Symbolic)
        .unwrap();
    for (name, tamper) in CASES {
        let (mut trail, mut next) = shown();
        tamper(&story, &mut trail, &mut next);
        let mut client = story.client();
        let refused = client.advance(&trail, next.as_ref(), &Symbolic);
        assert!(refused.is_err(), "{name}");
        assert_eq!(*client.head(), story.start.0, "{name}");
        assert!(client.validators(1).is_none(), "{name}");
    }
}

#[test]
fn epochs_cannot_be_skipped_repeated_or_prolonged() {
    let story = story();
    let refused = |client: &LightClient, trail: &Shown, next: Option<&Arc<ValidatorSet>>| {
        let mut client = client.clone();
        client.advance(trail, next, &Symbolic).unwrap_err()
    };
    let (start, second) = (story.client(), story.client_in(1));
    // The validators of a later epoch, who are honest, but not known yet.
    let error = refused(&start, &story.trail(11, 11, &[0, 1, 2]), None);
    assert!(matches!(error, LightError::Epoch { .. }), "{error}");
    let error = refused(&second, &story.trail(11, 11, &[0, 1, 2]), None);
    assert!(matches!(error, LightError::Epoch { .. }), "{error}");
    // The validators of epoch 0, all of them dishonest, after they handed over.
    let mut late = story.trail(4, 4, &[]);
    header(&mut late, |h| h.height = 6);
    revote(&mut late, Purpose::Finality, |_| {});
    let error = refused(&second, &late, None);
    assert!(matches!(error, LightError::Epoch { .. }), "{error}");
    // A second last block of epoch 0.
    let mut early = story.trail(5, 5, &[]);
    header(&mut early, |h| h.height = 4);
    revote(&mut early, Purpose::Finality, |_| {});
    let error = refused(&second, &early, story.next(5).as_ref());
    assert!(matches!(error, LightError::Epoch { .. }), "{error}");
    // Going back.
    let error = refused(&second, &story.trail(3, 3, &[0, 1, 2]), None);
    assert!(
        matches!(error, LightError::Past { height: 3, head: 5 }),
        "{error}"
    );
    // A set for a block that does not hand over.
    let error = refused(
        &second,
        &story.trail(7, 7, &[0, 1, 2]),
        story.next(10).as_ref(),
    );
    assert!(matches!(error, LightError::Handover { .. }), "{error}");
    // Two final blocks of one height: more than f are dishonest, and the client stops.
    let mut fork = story.trail(5, 5, &[]);
    header(&mut fork, |h| h.time = Time::from_millis(900_000_000));
    revote(&mut fork, Purpose::Finality, |_| {});
    let error = second.check(&fork, &Symbolic).unwrap_err();
    assert!(
        matches!(error, LightError::Fork { height: 5, .. }),
        "{error}"
    );
    let mut child = story.trail(6, 6, &[]);
    header(&mut child, |h| h.parent = x());
    revote(&mut child, Purpose::Finality, |_| {});
    let error = refused(&second, &child, None);
    assert!(
        matches!(error, LightError::Fork { height: 6, .. }),
        "{error}"
    );
}

#[test]
fn each_variant_of_an_entry_and_its_proof_is_refused() {
    let story = story();
    let all = |height| {
        story
            .client()
            .check(&story.trail(height, height, &[0, 1, 2]), &Symbolic)
    };
    let header = all(4).unwrap().remove(0);
    let (entry, proof) = story.entry(3, 1);
    header.check_entry(&entry, &proof).unwrap();
    let (other, other_proof) = story.entry(2, 1);
    let bend = |edit: fn(&mut Proof)| {
        let mut bent = proof.clone();
        edit(&mut bent);
        bent
    };
    let variants: [(Payload, Proof); 9] = [
        (other.clone(), proof.clone()),
        (other, other_proof),
        (story.entry(3, 0).0, proof.clone()),
        (entry.clone(), story.entry(3, 0).1),
        (entry.clone(), bend(|p| p.index = 0)),
        (entry.clone(), bend(|p| p.count = 3)),
        (entry.clone(), bend(|p| p.path[0] = Digest::of(b"x"))),
        (entry.clone(), bend(|p| p.path.clear())),
        (entry.clone(), bend(|p| p.path.push(Digest::of(b"x")))),
    ];
    for (index, (entry, proof)) in variants.into_iter().enumerate() {
        let refused = header.check_entry(&entry, &proof);
        assert!(
            matches!(refused, Err(LightError::Entry { height: 3, .. })),
            "{index}"
        );
    }
    // The header of the block itself, and the one after next.
    for height in [3, 5] {
        let header = all(height).unwrap().remove(0);
        assert!(header.check_entry(&entry, &proof).is_err(), "{height}");
    }
}

#[test]
fn each_variant_of_a_value_and_its_proof_is_refused() {
    let story = story();
    let all = |height| {
        story
            .client()
            .check(&story.trail(height, height, &[0, 1, 2]), &Symbolic)
    };
    let header: Final = all(4).unwrap().remove(0);
    let (key, value, proof) = story.account(3, "vpp");
    let (absent, nothing, absence) = story.account(3, "grid");
    let value = value.unwrap();
    assert_eq!(nothing, None);
    header.check_value(&key, Some(&value), &proof).unwrap();
    header.check_value(&absent, None, &absence).unwrap();
    let mut more = value.clone();
    more[7] += 1;
    let mut bent = proof.clone();
    bent.siblings[0] = x();
    let mut longer = proof.clone();
    longer.siblings.push(x());
    let mut shorter = proof.clone();
    shorter.siblings.pop();
    let mut emptied = proof.clone();
    emptied.end = End::Nothing;
    let mut replaced = proof.clone();
    let (other_key, other_value) = (Digest::of(&absent), Digest::of(b"value"));
    replaced.end = End::Other {
        key: other_key,
        value: other_value,
    };
    let old = story.account(2, "vpp");
    let variants = [
        (&key, Some(&more[..]), &proof),
        (&key, None, &proof),
        (&key, Some(&b""[..]), &proof),
        (&absent, Some(&value[..]), &proof),
        (&absent, Some(&value[..]), &absence),
        (&key, None, &absence),
        (&key, Some(&value[..]), &bent),
        (&key, Some(&value[..]), &longer),
        (&key, Some(&value[..]), &shorter),
        (&key, None, &emptied),
        (&key, None, &replaced),
        (&key, old.1.as_deref(), &old.2),
    ];
    for (index, (key, value, proof)) in variants.into_iter().enumerate() {
        let refused = header.check_value(key, value, proof);
        let by_value = matches!(refused, Err(LightError::Value { height: 3, .. }));
        assert!(by_value, "variant {index}: {refused:?}");
    }
    for height in [2, 3, 5] {
        let header = all(height).unwrap().remove(0);
        let refused = header.check_value(&key, Some(&value), &proof);
        assert!(refused.is_err(), "{height}");
    }
}
