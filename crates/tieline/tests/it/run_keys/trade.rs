//! Transmission keys of a trade, and the settings that the pools are made from.

use tieline::run::keys::trade::{Trade, TradeError, TradeKeys};
use tieline_contract::terms::{OrderId, Unconditional};
use tieline_seal::keys::{Agreement, KeyError, Phase, Response, TradeKey};

use super::*;
use crate::folder::Folder;

fn order(name: &str) -> OrderId {
    OrderId(Digest::of(name.as_bytes()))
}

fn trade(keys: &mut Keys, parties: (u32, u32), name: &str) -> Result<TradeKeys, TradeError> {
    let (buyer, seller) = (microgrid(parties.0), microgrid(parties.1));
    let trade = Trade {
        order: order(name),
        buyer: &buyer,
        seller: &seller,
        response: b"meter 17, from the north line",
    };
    keys.trade(START, trade)
}

/// Each end opens what the other sealed, with its own ratchet.
fn check_open(keys: &TradeKeys, name: &str) {
    let order = order(name).0;
    let named = Unconditional::Named { hash: order };
    let returned = keys.key_return(named);
    let at_seller = keys.seller.key(Phase::KeyReturn).unwrap();
    let key = TradeKey::open(at_seller, order, returned.key_hash, &returned.sealed_key).unwrap();
    assert_eq!(key.hash(order), returned.key_hash);
    let at_buyer = keys.buyer.key(Phase::Response).unwrap();
    let response = Response::open(at_buyer, order, keys.commitment, &keys.sealed_response);
    assert_eq!(
        response.unwrap().as_bytes(),
        b"meter 17, from the north line"
    );
    for phase in &Phase::ALL[..5] {
        let confirmation =
            |end: &tieline_seal::keys::Ratchet| end.key(*phase).unwrap().confirmation();
        assert_eq!(confirmation(&keys.buyer), confirmation(&keys.seller));
    }
}

#[test]
fn buyer_and_seller_open_what_the_other_sealed_whatever_the_keys_rest_on() {
    for (protection, parties, agreement, label) in [
        (Protection::Its, (1, 2), Agreement::Qkd, "its"),
        (Protection::Its, (1, 1), Agreement::Qkd, "its"),
        (Protection::Hybrid, (2, 1), Agreement::Hybrid, "hybrid"),
        (
            Protection::Hybrid,
            (2, 3),
            Agreement::PostQuantum,
            "pq-only",
        ),
        (
            Protection::PqOnly,
            (1, 2),
            Agreement::PostQuantum,
            "pq-only",
        ),
    ] {
        let mut keys = Keys::open(Setup {
            protection,
            ..setup()
        });
        let made = trade(&mut keys, parties, "one").unwrap();
        assert_eq!(made.agreement, agreement);
        check_open(&made, "one");
        let [used] = keys.uses() else { panic!() };
        assert_eq!(used.label, label);
        assert_eq!(used.because.is_some(), parties == (2, 3), "{used:?}");
        assert_eq!(used.bits > 0, agreement != Agreement::PostQuantum);
    }
}

#[test]
fn another_order_has_another_key_and_opens_nothing_of_this_one() {
    let mut keys = Keys::open(setup());
    let one = trade(&mut keys, (1, 2), "one").unwrap();
    let two = trade(&mut keys, (1, 2), "two").unwrap();
    let (order, key) = (order("one").0, two.seller.key(Phase::KeyReturn).unwrap());
    let opened = TradeKey::open(key, order, one.key_hash, &one.sealed_key);
    assert!(matches!(opened, Err(KeyError::Sealed { .. })), "{opened:?}");
    let [first, second] = keys.uses() else {
        panic!()
    };
    assert_ne!(first.keys[0].key_id, second.keys[0].key_id);
}

#[test]
fn a_trade_whose_sites_share_no_key_is_short_where_nothing_weaker_is_taken() {
    let mut keys = Keys::open(setup());
    let refused = trade(&mut keys, (2, 3), "one");
    let Err(TradeError::Short(short)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((short.pair, short.enough_at), (pair(2, 3), None));
    assert!(keys.uses().is_empty());
    assert!(matches!(
        trade(&mut keys, (1, 9), "one"),
        Err(TradeError::Unknown { .. })
    ));
}

#[test]
fn the_same_trade_gives_the_same_bytes() {
    for protection in [Protection::Its, Protection::Hybrid, Protection::PqOnly] {
        let bytes = |seed: u64| {
            let mut keys = Keys::open(Setup {
                protection,
                seed,
                ..setup()
            });
            let made = trade(&mut keys, (1, 2), "one").unwrap();
            (
                made.commitment,
                made.sealed_response,
                made.key_hash,
                made.sealed_key,
            )
        };
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
    }
}

#[test]
fn without_links_every_two_sites_are_joined_by_the_fibre_of_the_settings() {
    let folder = Folder::clean();
    let read = |text: &str| {
        folder.put("scenario.toml", text);
        Keys::new(&folder.load().unwrap(), START)
    };
    let keys = read("");
    assert!(keys.assumed());
    let file = keys.file();
    // Three microgrids and the VPP.
    assert_eq!(file.pairs.len(), 6);
    assert!(
        file.pairs
            .iter()
            .all(|pair| pair.fibre_km == "20.0" && pair.rate_bits_per_second > 0)
    );
    assert!(file.fibres_assumed && file.simulated);

    let keys = read("[keys]\nfibre_km = \"12.5\"\n");
    assert!(keys.file().pairs.iter().all(|pair| pair.fibre_km == "12.5"));

    let link = "[[keys.link]]\nsites = [\"site-1\", \"vpp\"]\nfibre_km = \"7\"\n";
    let keys = read(link);
    assert!(!keys.assumed());
    let file = keys.file();
    let [only] = &file.pairs[..] else { panic!() };
    assert_eq!(
        (only.sites.join(" "), only.fibre_km.as_str()),
        ("site-1 vpp".to_owned(), "7.0")
    );
}

#[test]
fn a_fibre_that_is_no_length_is_refused() {
    let folder = Folder::clean();
    for length in ["-1", "10001", "0.0005", "far"] {
        folder.put(
            "scenario.toml",
            format!("[keys]\nfibre_km = \"{length}\"\n"),
        );
        let refused = folder.load().unwrap_err().to_string();
        assert!(refused.contains("keys.fibre_km"), "{refused}");
        assert!(
            refused.contains("0 to 10000 km in whole metres"),
            "{refused}"
        );
    }
}
