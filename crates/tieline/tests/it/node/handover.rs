//! Validators over the API of a node.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_chain::validators::{Handover, Validator, ValidatorSet};
use tieline_seal::hybrid::{Purpose, Signature};
use tieline_sim::symbol::{key, sign};
use tieline_sim::village::member;
use tieline_units::canonical::Canonical as _;

use super::town::{Answer, Town, ask, post};

const Z: usize = 2;

/// Blocks of an epoch.
const BLOCKS: u64 = 3;

fn town() -> Town {
    let town = Town::new(1);
    town.epochs(Z, BLOCKS);
    town
}

fn present(town: &Town) -> ValidatorSet {
    let answer = town.get(Z, "/v1/validators?raw").expect(200);
    ValidatorSet::decode(&answer.body).unwrap()
}

/// One validator goes, another comes; so many of the present approve.
fn handover(town: &Town, approvals: u8) -> Handover {
    let present = present(town);
    let mut next = present.clone();
    next.epoch += 1;
    next.validators.remove(0);
    next.validators.push(Validator {
        identity: [9; 32],
        key: key("chain-z validator 9"),
        owner: member("vpp"),
    });
    let home = town.look(Z, |replica| replica.ledger().home().clone());
    let message = Handover::message(&next);
    let signed = |set: &ValidatorSet, purpose, count: u8| -> BTreeMap<u8, Signature> {
        let domain = home.domain(set.epoch, purpose);
        let one = |place: u8| {
            let signer = &set.validators[usize::from(place)].key;
            (place, sign(signer, &domain, &message))
        };
        (0..count).map(one).collect()
    };
    Handover {
        approvals: signed(&present, Purpose::Transaction, approvals),
        possession: signed(&next, Purpose::Possession, 4),
        next: Arc::new(next),
    }
}

fn submit(town: &Town, body: &[u8]) -> Answer {
    ask(town.servers[Z][0].address, &post("/v1/handover", body))
}

#[test]
fn an_approved_change_waits_for_the_end_of_the_epoch_and_counts_from_the_next_block_on() {
    let town = town();
    let said = town.get(Z, "/v1/validators").expect(200).json();
    assert_eq!(
        (&said["epoch"], &said["epoch_ends"], &said["quorum"]),
        (&0.into(), &2.into(), &3.into())
    );
    assert!(said["waiting"].is_null(), "{said}");
    let change = handover(&town, 3);
    let taken = submit(&town, &change.to_bytes()).expect(202).json();
    let waiting = town.get(Z, "/v1/validators").json()["waiting"].clone();
    assert_eq!(waiting, taken);
    assert_eq!(waiting["handover"], change.hash().to_string());
    assert_eq!(waiting["validators"][3]["identity"], "09".repeat(32));
    for height in 1..=3 {
        town.block(Z);
        let said = town.get(Z, "/v1/validators").json();
        let over = height >= 2;
        assert_eq!(said["epoch"], u64::from(over), "{height}: {said}");
        assert_eq!(said["waiting"].is_null(), over, "{height}: {said}");
    }
    assert_eq!(present(&town), *change.next);
    let status = town.get(Z, "/v1/status").json();
    assert_eq!(
        (&status["epoch"], &status["epoch_ends"]),
        (&1.into(), &5.into())
    );
    // The node of this town was the first validator, and left.
    assert_eq!(status["votes"], false);
}

#[test]
fn what_the_present_validators_did_not_agree_on_is_refused() {
    let town = town();
    let few = submit(&town, &handover(&town, 2).to_bytes())
        .expect(422)
        .json();
    let error = few["error"].as_str().unwrap();
    assert!(
        error.contains("2 validators of epoch 0 signed, 3 are needed"),
        "{error}"
    );
    let mut late = handover(&town, 3);
    Arc::make_mut(&mut late.next).epoch = 5;
    let late = submit(&town, &late.to_bytes()).expect(422).json();
    assert!(
        late["error"]
            .as_str()
            .unwrap()
            .contains("epoch 5 follows 0"),
        "{late}"
    );
    let none = submit(&town, b"nothing").expect(400).json();
    assert!(
        none["error"].as_str().unwrap().contains("is no handover"),
        "{none}"
    );
    assert!(town.get(Z, "/v1/validators").json()["waiting"].is_null());
}
