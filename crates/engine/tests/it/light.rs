//! A light client with certificates that a running chain's validators made.

use std::sync::Arc;
use std::time::Duration;

use commonware_codec::{Copying, Decode as _, Encode as _};
use commonware_consensus::simplex::types::{Finalization, Proposal, Subject};
use commonware_consensus::types::Epoch;
use commonware_cryptography::Signer as _;
use commonware_cryptography::certificate::Scheme as _;
use commonware_cryptography::sha256::Digest as Name;
use tieline_chain::block::{Header, Parent};
use tieline_chain::light::{LightClient, LightError, Trail};
use tieline_chain::validators::ValidatorSet;
use tieline_chain::{Ledger, records};
use tieline_contract::state::Account;
use tieline_engine::application::Pace;
use tieline_engine::finality::Finalized;
use tieline_engine::scheme::{Election, HybridScheme};
use tieline_engine::simulated::{Line, run};
use tieline_engine::validators::Validators;
use tieline_seal::hybrid::Strict;
use tieline_seal::merkle::Proof;
use tieline_sim::village::{deposit, member};
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Money};

use crate::support::certificate;
use crate::village::{keys, set, simulate};

const VOTE: usize = 3374;

/// What a server of a chain hands out.
struct Shown {
    name: &'static str,
    start: Parent,
    set: Arc<ValidatorSet>,
    headers: Vec<Header>,
    certificates: Vec<Option<Vec<u8>>>,
    /// After the block with the second of two deposits.
    said: Ledger,
}

impl Shown {
    fn header(&self, height: u64) -> &Header {
        &self.headers[height as usize - 1]
    }

    fn certificate(&self, height: u64) -> Option<&Vec<u8>> {
        self.certificates[height as usize - 1].as_ref()
    }

    fn client(&self) -> LightClient {
        LightClient::from_parts(self.said.home().clone(), self.start, self.set.clone())
    }

    /// From a height to the next with a certificate.
    fn trail(&self, from: u64) -> Trail<Finalized> {
        let own = |height: &u64| self.certificate(*height).is_some();
        let last = (from..=self.headers.len() as u64).find(own).unwrap();
        let headers = (from..=last).map(|height| self.header(height).clone());
        Trail {
            headers: headers.collect(),
            proof: Finalized(self.certificate(last).unwrap().clone()),
        }
    }

    /// The signer of a seat, in an election of this chain with `genesis`.
    fn signers(&self, genesis: Digest) -> Vec<HybridScheme> {
        let election = Election {
            chain: self.said.home().chain.clone(),
            genesis,
            epoch: Epoch::zero(),
        };
        let validators = Arc::new(Validators::of(&self.set).unwrap());
        let signer = |index| {
            let keys = keys(self.name, index);
            let identity = keys.identity.public_key();
            HybridScheme::signer(&election, validators.clone(), &identity, keys.signing).unwrap()
        };
        (0..4).map(signer).collect()
    }
}

/// A chain runs until there are two deposits, where it is the VPP's, and some blocks after them.
fn show(name: &'static str) -> Shown {
    let pace = Pace {
        heartbeat: Duration::from_millis(500),
        ..Pace::default()
    };
    let (shown, _) = run(5, Duration::from_secs(600), async |context| {
        let mut chain = simulate(context, name, 4, (pace, Line::default())).await;
        chain.boot_all().await.unwrap();
        assert!(chain.reach(2, Duration::from_secs(60)).await);
        let machine = chain.machine(0).unwrap();
        let ledger = || machine.with(|replica| replica.ledger().clone());
        let mut said = ledger();
        let deposits: &[&str] = if name == "chain-z" {
            &["mg-x", "mg-y"]
        } else {
            &[]
        };
        for (who, number) in deposits.iter().zip(0..) {
            let money = Money::from_millionths(7_000_000);
            chain.submit(0, deposit(number, who, money)).unwrap();
            while said.state().said().count() as u64 <= number {
                machine.moved().await;
                said = ledger();
            }
        }
        let top = said.tip().height + 4;
        assert!(chain.reach(top, Duration::from_secs(60)).await);
        machine.with(|replica| {
            let store = replica.store();
            let block = |height| store.block(height).unwrap().unwrap().header;
            Shown {
                name,
                start: *chain.founding().tip(),
                set: chain.founding().validators().clone(),
                headers: (1..=top).map(block).collect(),
                certificates: (1..=top).map(|h| store.certificate(h).unwrap()).collect(),
                said,
            }
        })
    });
    shown
}

#[test]
fn a_client_follows_a_running_chain_to_an_entry_and_a_value() {
    let shown = show("chain-z");
    let mut client = shown.client();
    while client.head().height < shown.said.tip().height + 2 {
        let trail = shown.trail(client.head().height + 1);
        client.advance(&trail, None, &Strict).unwrap();
    }
    let height = shown.said.tip().height;
    let child = &shown
        .client()
        .check(&shown.trail(height + 1), &Strict)
        .unwrap()[0];
    let state = shown.said.state();
    let entries: Vec<_> = state.said().map(|(_, entry)| entry.clone()).collect();
    let proof = Proof::of(&[entries[1].hash()], 0).unwrap();
    child.check_entry(&entries[1], &proof).unwrap();
    assert!(child.check_entry(&entries[0], &proof).is_err());
    let next = &shown
        .client()
        .check(&shown.trail(height + 2), &Strict)
        .unwrap()[0];
    assert!(next.check_entry(&entries[1], &proof).is_err());
    let account = Account::Clearing(member("mg-x"));
    let outside = Account::Outside;
    for account in [account, outside] {
        let key = records::account(&account);
        let balance = state.balance(&account);
        let value = (balance != Money::ZERO).then(|| balance.to_bytes());
        let proof = shown.said.tree().prove(&key);
        child.check_value(&key, value.as_deref(), &proof).unwrap();
        let more = (balance + Money::from_millionths(1)).to_bytes();
        let forged = child.check_value(&key, Some(&more), &proof);
        assert!(forged.is_err(), "other value of {account:?}");
    }
}

/// A trail of one header is shown, but for one change.
type Case = (&'static str, fn(&World, &mut Trail<Finalized>));

struct World {
    here: Shown,
    /// A chain of other validators.
    there: Shown,
    height: u64,
}

impl World {
    fn finalization(&self) -> Finalization<HybridScheme, Name> {
        let bytes = self.here.certificate(self.height).unwrap();
        Finalization::decode_cfg(Copying(bytes), &4).unwrap()
    }

    /// Bytes before the votes.
    fn head(&self) -> usize {
        self.finalization().proposal.encode().len() + 9
    }

    /// What these would make on a subject of the block's proposal.
    fn cast(&self, signers: &[HybridScheme], edit: impl FnOnce(&mut Proposal<Name>)) -> Finalized {
        let mut proposal = self.finalization().proposal;
        edit(&mut proposal);
        let subject = Subject::Finalize {
            proposal: &proposal,
        };
        let votes = signers.iter().map(|one| one.sign(subject).unwrap());
        let votes = certificate(&signers[0], votes.collect());
        Finalized([&proposal.encode()[..], &votes.encode()[..]].concat())
    }

    fn own(&self) -> Vec<HybridScheme> {
        self.here.signers(self.here.said.home().genesis)
    }
}

const CASES: [Case; 20] = [
    ("nothing", |_, t| t.proof.0.clear()),
    ("one byte less", |_, t| {
        t.proof.0.pop();
    }),
    ("one byte more", |_, t| t.proof.0.push(0)),
    ("half of it", |_, t| t.proof.0.truncate(VOTE * 3 / 2)),
    ("a flipped bit in the last vote", |_, t| {
        *t.proof.0.last_mut().unwrap() ^= 1
    }),
    ("a flipped bit in the first Ed25519 half", |w, t| {
        t.proof.0[w.head() + 1] ^= 1
    }),
    ("a flipped bit in the round", |_, t| t.proof.0[1] ^= 1),
    ("a flipped bit in the block's name", |w, t| {
        t.proof.0[w.head() - 10] ^= 1
    }),
    ("the certificate of another block", |w, t| {
        t.proof = w.here.trail(w.height + 1).proof
    }),
    ("the certificate of another chain", |w, t| {
        t.proof = w.there.trail(w.height).proof
    }),
    ("a block of another chain with its certificate", |w, t| {
        *t = w.there.trail(w.height)
    }),
    ("one vote less than a quorum", |w, t| {
        t.proof.0.truncate(w.head() + 2 * VOTE);
        let bits = w.head() - 1;
        let lowest = t.proof.0[bits] & t.proof.0[bits].wrapping_neg();
        let rest = t.proof.0[bits] & !lowest;
        t.proof.0[bits] = lowest | rest & rest.wrapping_neg();
    }),
    ("one vote for all signers", |w, t| {
        let head = w.head();
        let vote = t.proof.0[head..head + VOTE].to_vec();
        for place in t.proof.0[head..].chunks_mut(VOTE) {
            place.copy_from_slice(&vote);
        }
    }),
    ("two votes in each other's place", |w, t| {
        let (one, other) = t.proof.0[w.head()..].split_at_mut(VOTE);
        one.swap_with_slice(&mut other[..VOTE]);
    }),
    ("votes to notarize", |w, t| {
        let proposal = w.finalization().proposal;
        let subject = Subject::Notarize {
            proposal: &proposal,
        };
        let own = w.own();
        let votes = own.iter().map(|one| one.sign(subject).unwrap()).collect();
        let votes = certificate(&own[0], votes);
        t.proof = Finalized([&proposal.encode()[..], &votes.encode()[..]].concat());
    }),
    ("votes of strangers", |w, t| {
        let strangers = w.there.signers(w.there.said.home().genesis);
        t.proof = w.cast(&strangers, |_| {});
    }),
    ("votes under another genesis", |w, t| {
        t.proof = w.cast(&w.here.signers(Digest::of(b"fork")), |_| {});
    }),
    ("votes on another block", |w, t| {
        let name = w.finalization().proposal.parent;
        t.proof = w.cast(&w.own(), |p| {
            p.payload = Name::from(*Digest::of(&name.get().to_be_bytes()).as_bytes());
        });
    }),
    ("another state in the header", |_, t| {
        t.headers[0].before.state_root = Digest::of(b"x")
    }),
    ("other validators in the header", |w, t| {
        t.headers[0].validators = w.there.set.hash()
    }),
];

fn world() -> World {
    let (here, there) = (show("chain-z"), show("chain-y"));
    let both = |h: &u64| here.certificate(*h).is_some() && there.certificate(*h).is_some();
    let height = (1..4).find(both).unwrap();
    World {
        here,
        there,
        height,
    }
}

#[test]
fn each_variant_of_a_certificate_of_finality_is_refused() {
    let world = world();
    let shown = || world.here.trail(world.height);
    world.here.client().check(&shown(), &Strict).unwrap();
    // What honest validators would sign is accepted: the refusals below are of what was changed.
    let mut again = shown();
    again.proof = world.cast(&world.own()[1..], |_| {});
    world.here.client().check(&again, &Strict).unwrap();
    for (name, tamper) in CASES {
        let mut trail = shown();
        tamper(&world, &mut trail);
        let mut client = world.here.client();
        let before = *client.head();
        assert!(client.check(&trail, &Strict).is_err(), "{name}");
        assert!(client.advance(&trail, None, &Strict).is_err(), "{name}");
        assert_eq!(*client.head(), before, "{name}");
    }
}

#[test]
fn whoever_knows_another_genesis_set_or_epoch_refuses_an_honest_chain() {
    let world = world();
    let trail = world.here.trail(world.height);
    let (home, start) = (world.here.said.home().clone(), world.here.start);
    let strangers = LightClient::from_parts(home.clone(), start, world.there.set.clone());
    let refused = strangers.check(&trail, &Strict);
    assert!(matches!(refused, Err(LightError::Validators { .. })));
    let mut other = home.clone();
    other.genesis = Digest::of(b"fork");
    let fork = LightClient::from_parts(other, start, world.here.set.clone());
    let refused = fork.check(&trail, &Strict);
    assert!(matches!(refused, Err(LightError::Finality { .. })));
    let later = ValidatorSet {
        epoch: 1,
        ..set("chain-z", 4)
    };
    let parent = Parent { epoch: 1, ..start };
    let next = LightClient::from_parts(home, parent, Arc::new(later));
    let refused = next.check(&trail, &Strict);
    assert!(matches!(refused, Err(LightError::Epoch { .. })));
}
