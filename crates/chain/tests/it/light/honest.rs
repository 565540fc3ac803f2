//! What an honest chain shows is believed.

use std::collections::BTreeMap;

use tieline_chain::Ledger;
use tieline_chain::files::{BlockReader, BlockWriter, Entry};
use tieline_chain::genesis::Genesis;
use tieline_chain::light::{Committees, FinalityStatement, LightClient, Trail, Votes};
use tieline_chain::validators::Handover;
use tieline_contract::payload::{Kind, Payload};
use tieline_seal::hybrid::{Purpose, SigningKey, Strict, Suite};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{Village, certificates, chain};
use tieline_units::Time;
use tieline_units::canonical::Canonical as _;

use super::story::{BLOCKS, EPOCH_BLOCKS, Shown, story};
use crate::bazaar::Bazaar;
use crate::genesis::document;
use crate::world::{block_with, home};

#[test]
fn a_client_follows_three_changes_of_validators_to_entries_and_values() {
    let story = story();
    let mut client = story.client();
    for height in 1..=BLOCKS {
        let who: &[u8] = [&[0, 1, 2][..], &[1, 2, 3], &[0, 1, 2, 3]][height as usize % 3];
        let trail = story.trail(height, height, who);
        let next = story.next(height);
        let all = client.advance(&trail, next.as_ref(), &Symbolic).unwrap();
        let (header, before) = (&all[0], height - 1);
        assert_eq!(client.head(), header.as_parent());
        if before == 0 {
            continue;
        }
        for index in 0..2 {
            let (entry, proof) = story.entry(before, index);
            header.check_entry(&entry, &proof).unwrap();
        }
        for who in ["mg-x", "vpp", "mg-y", "aggregator"] {
            let (key, value, proof) = story.account(before, who);
            header.check_value(&key, value.as_deref(), &proof).unwrap();
        }
    }
    assert_eq!(client.head().epoch, 3);
    // From the past, once the epochs are known.
    for height in 1..=BLOCKS {
        let end = (height.div_ceil(EPOCH_BLOCKS) * EPOCH_BLOCKS).min(BLOCKS);
        let trail = story.trail(height, end, &[0, 2, 3]);
        let all = client.check(&trail, &Symbolic).unwrap();
        assert_eq!(all.len() as u64, end - height + 1);
    }
}

#[test]
fn the_last_headers_of_epochs_are_enough() {
    let story = story();
    let client = story.client_in(3);
    let trail = story.trail(BLOCKS, BLOCKS, &[0, 1, 2]);
    client.check(&trail, &Symbolic).unwrap();
    // Also one trail over the end of an epoch that is known.
    let over = story.trail(8, 12, &[0, 1, 2]);
    assert_eq!(client.check(&over, &Symbolic).unwrap().len(), 5);
    assert_eq!(Shown::decode(&over.to_bytes()).unwrap(), over);
}

#[test]
fn a_client_begins_at_a_genesis() {
    let genesis = Genesis::new(document("chain-z")).unwrap();
    let mut ledger = Ledger::genesis(&genesis);
    let block = ledger.heartbeat(Time::default()).unwrap();
    ledger.execute(&block, &Symbolic).unwrap();
    let mut client = LightClient::new(&genesis);
    let statement = FinalityStatement::of(client.home(), &block.header);
    let domain = client.home().domain(0, Purpose::Finality);
    let set = genesis.validators().validators.iter();
    let signatures = set
        .zip(0..)
        .map(|(validator, index)| {
            let message = statement.message();
            (
                index,
                tieline_sim::symbol::sign(&validator.key, &domain, &message),
            )
        })
        .collect();
    let trail = Trail {
        headers: vec![block.header],
        proof: Votes { signatures },
    };
    client.advance(&trail, None, &Symbolic).unwrap();
    assert_eq!(client.head(), ledger.tip());
}

#[test]
fn an_auditor_with_a_block_file_and_the_genesis_needs_nobody() {
    let story = story();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain-z.blocks");
    let mut writer = BlockWriter::open(&path, &home("chain-z")).unwrap();
    for block in &story.blocks {
        // Blocks 2, 7, 12 and 17 became final by their descendants.
        let height = block.header.height;
        let votes = story.trail(height, height, &[1, 2, 3]).proof.to_bytes();
        let certificate = (height % 5 != 2).then_some(&votes[..]);
        writer.append(block, certificate).unwrap();
    }
    writer.sync().unwrap();
    let mut reader = BlockReader::open(&path, &home("chain-z")).unwrap();
    let (mut client, mut ledger) = (story.client(), story.ledgers[0].clone());
    let mut headers = Vec::new();
    while let Some(Entry { block, certificate }) = reader.read().unwrap() {
        ledger.execute(&block, &Symbolic).unwrap();
        headers.push(block.header);
        let Some(certificate) = certificate else {
            continue;
        };
        let trail = Trail {
            headers: std::mem::take(&mut headers),
            proof: Votes::decode(&certificate).unwrap(),
        };
        let handover = block.body.handover;
        let next = handover.as_ref().map(|handover| &handover.next);
        client.advance(&trail, next, &Symbolic).unwrap();
    }
    assert_eq!(client.head(), ledger.tip());
    assert_eq!(client.head().height, BLOCKS);
    assert!(headers.is_empty());
}

/// Real keys: every byte of a trail and of a set counts.
#[test]
fn with_real_signatures_no_bit_of_what_is_shown_can_be_changed() {
    let key = |epoch: u8, index: u8| {
        SigningKey::from_seed(
            Suite::Ed25519MlDsa65,
            &[epoch, index].repeat(16).try_into().unwrap(),
        )
    };
    let keys: Vec<Vec<_>> = (0..2)
        .map(|epoch| (0..4).map(|index| key(epoch, index)).collect())
        .collect();
    let mut document = document("chain-z");
    let mut sets = [document.validators.clone(), document.validators.clone()];
    for (epoch, set) in sets.iter_mut().enumerate() {
        set.epoch = epoch as u64;
        for (index, validator) in set.validators.iter_mut().enumerate() {
            validator.key = keys[epoch][index].public_key().clone();
        }
    }
    document.validators = sets[0].clone();
    let genesis = Genesis::new(document).unwrap();
    let home = genesis.home();
    let sign = |epoch: usize, purpose, message: &[u8]| -> BTreeMap<u8, _> {
        let domain = home.domain(epoch as u64, purpose);
        let signed = keys[epoch].iter().map(|key| key.sign(&domain, message));
        (0..).zip(signed).collect()
    };
    let message = Handover::message(&sets[1]);
    let body = tieline_chain::block::Body {
        transactions: vec![],
        handover: Some(std::sync::Arc::new(Handover {
            approvals: sign(0, Purpose::Transaction, &message),
            possession: sign(1, Purpose::Possession, &message),
            next: std::sync::Arc::new(sets[1].clone()),
        })),
        ..tieline_chain::block::Body::default()
    };
    let mut ledger = Ledger::genesis(&genesis);
    let block = block_with(&ledger, Time::default(), body);
    ledger.execute(&block, &Strict).unwrap();
    let statement = FinalityStatement::of(&home, &block.header);
    let mut signatures = sign(0, Purpose::Finality, &statement.message());
    signatures.pop_last();
    let trail = Trail {
        headers: vec![block.header],
        proof: Votes { signatures },
    };
    let next = ledger.validators().clone();
    LightClient::new(&genesis)
        .advance(&trail, Some(&next), &Strict)
        .unwrap();
    let bytes = trail.to_bytes();
    let places = (0..bytes.len()).step_by(193).chain(0..120);
    for at in places {
        let mut bent = bytes.clone();
        bent[at] ^= 1 << (at % 8);
        let Ok(bent) = Shown::decode(&bent) else {
            continue;
        };
        let mut client = LightClient::new(&genesis);
        assert!(
            client.advance(&bent, Some(&next), &Strict).is_err(),
            "byte {at}"
        );
        assert_eq!(*client.head(), genesis.parent());
    }
}

#[test]
fn verification_nodes_are_followed_through_their_certificates() {
    let mut bazaar = Bazaar::new(3);
    let mut guard = 0;
    let rotations = |bazaar: &Bazaar| {
        let all = bazaar.certificates.iter();
        let all = all.filter(|c| matches!(&c.payload, Payload::Rotate { rotation, .. } if matches!(rotation, tieline_contract::payload::Rotation::Opened(_))));
        all.cloned().collect::<Vec<_>>()
    };
    while rotations(&bazaar).len() < 6 && guard < 6_000 {
        bazaar.step();
        guard += 1;
    }
    let village = Village::default();
    for name in tieline_sim::village::CHAINS {
        let mut nodes = Committees::new(village.committee(name, 0)).unwrap();
        let own = |c: &&std::sync::Arc<_>| {
            let c: &tieline_contract::certificate::Certificate = c;
            c.chain == chain(name)
        };
        let all: Vec<_> = bazaar.certificates.iter().filter(own).cloned().collect();
        for certificate in &all {
            nodes.follow(certificate, &Symbolic).unwrap();
        }
        let seen = rotations(&bazaar).iter().filter(own).count() as u64;
        assert_eq!(nodes.last(), seen);
        // Too few signatures, another chain's, a replayed rotation, an unknown epoch.
        let mut few = (*all[0]).clone();
        few.attestations = BTreeMap::from([few.attestations.pop_first().unwrap()]);
        assert!(nodes.check(&few, &Symbolic).is_err());
        let mut unknown = (*all[0]).clone();
        unknown.epoch = seen + 1;
        assert!(nodes.check(&unknown, &Symbolic).is_err());
        let mut forged = (*all[0]).clone();
        forged.state_root = tieline_units::Digest::of(b"x");
        assert!(nodes.check(&forged, &Symbolic).is_err());
        for again in all.iter().filter(|c| c.payload.kind() == Kind::Rotate) {
            let opened = rotations(&bazaar).contains(again);
            assert_eq!(nodes.follow(again, &Symbolic).is_err(), opened);
        }
        let foreign = bazaar.certificates.iter().find(|c| c.chain != chain(name));
        assert!(nodes.check(foreign.unwrap(), &Symbolic).is_err());
        let state = bazaar.ledgers[2].state();
        assert!(certificates(state, 0, 0, &[0]).is_empty());
    }
}
