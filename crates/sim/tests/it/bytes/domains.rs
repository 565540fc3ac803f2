//! No bytes are signed or hashed as two things.

use std::collections::{BTreeMap, BTreeSet};

use tieline_contract::payload::Payload;
use tieline_contract::terms::Request;
use tieline_contract::transaction::{Act, committee_message};
use tieline_seal::hybrid::{Domain, Purpose};
use tieline_sim::samples::{acts, carried, first_request, line_batch, payloads, villager};
use tieline_sim::village::{Village, chain, genesis, member};
use tieline_units::{Canonical as _, Decoder, Digest};

use super::table::{purposes, statement};

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../", $name)))),*]
    };
}

/// The sources with canonical types or names of kinds.
pub(crate) const SOURCES: &[(&str, &str)] = sources![
    "contract/src/certificate.rs",
    "contract/src/credibility.rs",
    "contract/src/evidence.rs",
    "seal/src/hybrid.rs",
    "seal/src/hybrid/sign.rs",
    "contract/src/member.rs",
    "contract/src/payload.rs",
    "contract/src/registry.rs",
    "contract/src/rendering.rs",
    "contract/src/state.rs",
    "contract/src/terms.rs",
    "contract/src/threshold.rs",
    "contract/src/trade.rs",
    "contract/src/transaction.rs",
];

#[test]
fn every_chain_genesis_epoch_and_purpose_has_a_context_of_its_own() {
    let mut contexts = BTreeSet::new();
    let mut count = 0;
    // Names whose ends and numbers could run into each other.
    for name in ["a", "aa", "chain-x", "chain-y", "chain-x0"] {
        for genesis in [
            genesis("one"),
            genesis("other"),
            Digest::from_bytes([0; 32]),
        ] {
            for epoch in [0, 1, 255, 256, u64::MAX] {
                for purpose in purposes() {
                    let domain = Domain {
                        chain: chain(name),
                        genesis,
                        epoch,
                        purpose,
                    };
                    assert!(domain.context().len() <= 122);
                    contexts.insert(domain.context());
                    count += 1;
                }
            }
        }
    }
    assert_eq!(contexts.len(), count);
    let longest = Domain {
        chain: chain(&"c".repeat(64)),
        genesis: genesis("one"),
        epoch: 0,
        purpose: Purpose::Vote,
    };
    assert_eq!(longest.context().len(), 122);
}

/// What is signed under [`Purpose::Transaction`] or a purpose of its own, by the name it begins with.
fn texts() -> Vec<(&'static str, Vec<u8>)> {
    let request = first_request();
    let mut out = vec![
        (
            "tieline.request/1",
            Request::message(request.order(), &request.unconditional),
        ),
        ("tieline.meter-batch/1", line_batch().message()),
    ];
    for (_, (_, by, act)) in acts() {
        out.push(("tieline.act/1", act.message(&member(by))));
    }
    out
}

#[test]
fn messages_begin_with_their_kind_and_are_never_as_long_as_a_hash() {
    for (kind, message) in texts() {
        assert_eq!(
            String::read(&mut Decoder::new(&message)).as_deref(),
            Ok(kind)
        );
        // Committees and blocks are signed as hashes, of 32 bytes.
        assert!(message.len() > 32, "{kind}");
    }
    let committee = Village::default().committee("chain-x", 0);
    let hashes = [
        committee_message(&committee),
        statement().message(),
        villager("mg-x").message(),
    ];
    assert!(hashes.iter().all(|message| message.len() == 32));
    let distinct: BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
}

#[test]
fn one_act_of_two_parties_and_one_request_of_two_signatures_are_two_messages() {
    let act = Act::Decline(first_request().order());
    assert_ne!(act.message(&member("mg-x")), act.message(&member("mg-y")));
    let order = first_request().order();
    let (named, carried) = (&first_request().unconditional, &carried());
    assert_ne!(
        Request::message(order, named),
        Request::message(order, carried)
    );
    // Whether the signature's bytes travel with the message or with another is no difference to who signs its hash.
    let hash = carried.hash();
    let later = tieline_contract::terms::Unconditional::Named { hash };
    assert_eq!(
        Request::message(order, &later),
        Request::message(order, carried)
    );
}

#[test]
fn every_name_of_a_kind_stands_in_one_place() {
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (file, source) in SOURCES {
        let code = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            for (at, _) in line.match_indices("\"tieline") {
                let name = &line[at + 1..];
                let name = &name[..name.find('"').unwrap()];
                places.entry(name).or_default().push(file);
            }
        }
    }
    for (name, files) in &places {
        // A member's record is what approvals name and what is signed of it: one thing.
        let expected = match *name {
            "tieline.member/1" => 2,
            // The version of contract code, written into terms: no name of a kind.
            _ => 1,
        };
        assert_eq!(files.len(), expected, "{name} {files:?}");
    }
    assert!(places.len() >= 20, "{places:?}");
}

#[test]
fn what_a_chain_says_is_hashed_with_its_kind() {
    let payloads = payloads();
    let hashes: BTreeSet<Digest> = payloads.iter().map(|(_, p)| p.hash()).collect();
    assert_eq!(hashes.len(), payloads.len());
    // Three kinds that say no more than an order's id.
    let order = first_request().order();
    let alike = [
        Payload::Reject(order),
        Payload::Refund(order),
        Payload::Void(order),
    ];
    let hashes: BTreeSet<Digest> = alike.iter().map(Payload::hash).collect();
    assert_eq!(hashes.len(), 3);
    // One chain says an entry; its statement says which chain.
    let mut other = statement();
    other.chain = chain("chain-y");
    assert_ne!(statement().message(), other.message());
}
