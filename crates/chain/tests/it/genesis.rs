//! Genesis documents.

use tieline_chain::Ledger;
use tieline_chain::genesis::{Document, Genesis, GenesisError, Seats, VERSION, render_key};
use tieline_chain::validators::ValidatorsError;
use tieline_seal::hybrid::{SigningKey, Suite};
use tieline_sim::village::{Village, chain, member};
use tieline_units::canonical::Canonical as _;
use tieline_units::{Currency, IntervalLength, Money, Time};

use crate::world::validators;

pub(crate) fn document(name: &str) -> Document {
    let village = Village::default();
    let own = village.committee(name, 0);
    let others = ["chain-z"].iter().filter(|other| **other != name);
    Document {
        version: VERSION,
        chain: chain(name),
        vpp: chain("chain-z"),
        time: Time::parse("2026-05-25T00:00:00Z").unwrap(),
        operator: member("vpp"),
        currency: Currency::parse("EUR").unwrap(),
        interval: IntervalLength::Min15,
        request_fee: village.fee,
        exposure_cap: village.exposure_cap,
        grace: village.grace,
        settlement_period: 86_400_000,
        epoch_blocks: 1000,
        stake: Money::from_millionths(1_000_000),
        members: village.members(),
        verifiers: Seats {
            suite: own.suite,
            faults: own.faults,
            threshold: own.threshold,
            seats: own.seats,
        },
        committees: others.map(|other| village.committee(other, 0)).collect(),
        validators: validators(name, 0),
    }
}

#[test]
fn hashes_of_documents_and_first_state_roots_are_pinned() {
    let pinned = [
        (
            "chain-x",
            "fdbfa0d345872fdc8c0789e0773eb8f9c5db6180b4f0635769c5000285cdf819",
            "7883d1fc7dd3ae2856baf9f569c5eec3e7cde6b0eb8b240dfa3a2260f45217d7",
        ),
        (
            "chain-z",
            "6d52a6ea28dc71710e40c1c24ca5e6667e9fd9fba3b1e6044a9d47a152297615",
            "3fa9ed6cecc7acc8b83936d5a0647c3c34000c2a723dd3a0826301f76765d016",
        ),
    ];
    let found = pinned.map(|(name, _, _)| {
        let genesis = Genesis::new(document(name)).unwrap();
        let root = Ledger::genesis(&genesis).roots().state_root;
        (name, genesis.hash().to_string(), root.to_string())
    });
    let pinned = pinned.map(|(name, hash, root)| (name, hash.to_owned(), root.to_owned()));
    assert_eq!(found, pinned);
}

#[test]
fn a_genesis_reads_back_from_its_json_and_its_toml() {
    let mut document = document("chain-x");
    document.members[0].key = SigningKey::from_seed(Suite::Ed25519MlDsa65, &[7; 32])
        .public_key()
        .clone();
    let genesis = Genesis::new(document).unwrap();
    let text = genesis.to_json().unwrap();
    assert_eq!(Genesis::from_json(&text).unwrap(), genesis);
    let text = genesis.to_toml().unwrap();
    assert_eq!(Genesis::from_toml(&text).unwrap(), genesis, "{text}");
    let again = Document::decode(&genesis.document().to_bytes()).unwrap();
    assert_eq!(Genesis::new(again).unwrap().hash(), genesis.hash());
}

#[test]
fn texts_that_are_no_genesis_are_refused_with_the_field() {
    let good = Genesis::new(document("chain-z"))
        .unwrap()
        .to_json()
        .unwrap();
    let key = render_key(&tieline_sim::symbol::key("mg-x"));
    let edits = [
        (
            "\"chain\": \"chain-z\"",
            "\"chain\": \"chain z\"",
            "chain: 'chain z'",
        ),
        ("\"EUR\"", "\"euro\"", "currency"),
        ("2026-05-25T00:00:00Z", "yesterday", "time"),
        ("\"grace_ms\"", "\"grace_s\"", "unknown field `grace_s`"),
        (
            "\"interval_minutes\": 15",
            "\"interval_minutes\": 7",
            "interval_minutes",
        ),
        (
            "\"request_fee\": \"0.001000\"",
            "\"request_fee\": \"much\"",
            "request_fee",
        ),
        ("ml-dsa-65\"", "rsa\"", "suite"),
        (&key, "ml-dsa-65:AAAA", "key"),
        (
            "\"role\": \"aggregator\"",
            "\"role\": \"baker\"",
            "unknown variant",
        ),
        (
            "\"nameplate_kw\": \"40\"",
            "\"nameplate_kw\": \"x\"",
            "nameplate_kw",
        ),
    ];
    for (from, to, words) in edits {
        assert!(good.contains(from), "{from}");
        let error = Genesis::from_json(&good.replacen(from, to, 1)).unwrap_err();
        assert!(error.to_string().contains(words), "{from}: {error}");
    }
}

#[test]
fn documents_on_which_nothing_can_be_founded_are_refused() {
    let refused = |edit: fn(&mut Document)| {
        let mut document = document("chain-x");
        edit(&mut document);
        Genesis::new(document).unwrap_err()
    };
    type Case = (fn(&mut Document), fn(&GenesisError) -> bool);
    let cases: [Case; 12] = [
        (
            |d| d.version = 9,
            |e| matches!(e, GenesisError::Version { found: 9 }),
        ),
        (
            |d| d.members[1].id = d.members[0].id.clone(),
            |e| matches!(e, GenesisError::Member { .. }),
        ),
        (
            |d| d.members[1].key = d.members[0].key.clone(),
            |e| matches!(e, GenesisError::Member { .. }),
        ),
        (
            |d| d.operator = member("mg-x"),
            |e| matches!(e, GenesisError::Operator { .. }),
        ),
        (
            |d| d.stake = Money::from_millionths(-1),
            |e| matches!(e, GenesisError::Range { .. }),
        ),
        (
            |d| d.grace = u64::MAX,
            |e| matches!(e, GenesisError::Range { .. }),
        ),
        (
            |d| d.committees.clear(),
            |e| matches!(e, GenesisError::Vpp { .. }),
        ),
        (
            |d| d.committees.push(d.committees[0].clone()),
            |e| matches!(e, GenesisError::Twice { .. } | GenesisError::Committee(_)),
        ),
        (
            |d| d.verifiers.threshold = 0,
            |e| matches!(e, GenesisError::Committee(_)),
        ),
        (
            |d| d.verifiers.seats[0].owner = member("ghost"),
            |e| matches!(e, GenesisError::Owner { .. }),
        ),
        (
            |d| d.validators.epoch = 1,
            |e| matches!(e, GenesisError::Validators(ValidatorsError::Epoch { .. })),
        ),
        (
            |d| d.validators.validators.swap(0, 1),
            |e| matches!(e, GenesisError::Validators(ValidatorsError::Order { .. })),
        ),
    ];
    for (index, (edit, expected)) in cases.into_iter().enumerate() {
        let error = refused(edit);
        assert!(expected(&error), "case {index}: {error}");
    }
}
