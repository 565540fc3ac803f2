//! Seals: who accepts them, what they cost, what the record says.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tieline::run::keys::{KeysFile, Short, Subject};
use tieline::run::seals::Verdicts;
use tieline::run::seals::content;
use tieline::run::seals::deal::Places;
use tieline::run::seals::sizes::Sizes;
use tieline_contract::bounds::UNCONDITIONAL_BYTES_MAX;
use tieline_units::Encoder;
use tieline_uss::channel::{MAC_KEY_BITS, authenticate};
use tieline_uss::key::{KeyStore as _, MemoryStore, shared_stores_with};
use tieline_uss::parameters::Epoch;
use tieline_uss::party::{EpochId, Link, Party, Receiver};
use tieline_uss::rehearsal::{Rehearsal, RehearsalError, first_bits_of};

use super::*;

#[test]
fn every_node_of_both_chains_accepts_an_honest_seal_and_no_other_bytes() {
    let (mut keys, mut seals) = (Keys::open(setup()), seals());
    let seal = Request::of(1, 2).sign(&mut seals, &mut keys).unwrap();
    assert_eq!(seal.hash, Digest::of(&seal.bytes));
    assert!(seal.bytes.len() <= UNCONDITIONAL_BYTES_MAX);
    assert_eq!(passed(&seals, seal.hash), (4, 4));
    let content = content::read(&seal.bytes).unwrap();
    assert!(content.covers(b"order 1, order 2") && !content.covers(b"order 1, order 3"));
    let mut tampered = seal.bytes.to_vec();
    for at in [0, tampered.len() / 2, tampered.len() - 1] {
        tampered[at] ^= 1;
        assert_eq!(passed(&seals, Digest::of(&tampered)), (0, 0));
        tampered[at] ^= 1;
    }
    let verdicts = seals.verdicts();
    assert!(!verdicts.passes(&chain(2), 0, seal.hash, 2), "beyond l_max");
    assert!(!verdicts.passes(&chain(2), 4, seal.hash, 0), "no such seat");
    assert!(!verdicts.passes(&chain(3), 0, seal.hash, 0), "no receiver");
    verdicts.forget_before(START.plus_millis(1));
    assert!(verdicts.is_empty());
    assert_eq!(passed(&seals, seal.hash), (0, 0));
}

#[test]
fn no_node_accepts_a_seal_whose_signer_signed_something_else() {
    let (mut keys, mut seals) = (Keys::open(setup()), seals());
    for body in [Vec::new(), b"1".to_vec(), vec![7; 3000]] {
        let lie = Request {
            cheat: true,
            body,
            ..Request::of(1, 2)
        };
        let seal = lie.sign(&mut seals, &mut keys).unwrap();
        assert_eq!(passed(&seals, seal.hash), (0, 0));
        let honest = Request {
            cheat: false,
            ..lie
        };
        let seal = honest.sign(&mut seals, &mut keys).unwrap();
        assert_eq!(passed(&seals, seal.hash), (4, 4), "after a lie");
    }
}

#[test]
fn further_seals_of_a_gate_share_an_epoch_and_take_less_key() {
    let (mut keys, mut seals) = (Keys::open(setup()), seals());
    let mut sign = |request: &Request| {
        let seal = request.sign(&mut seals, &mut keys).unwrap();
        assert_eq!(passed(&seals, seal.hash), (4, 4));
        seal.key_bits
    };
    let first = sign(&Request::kind(Kind::Requests));
    for kind in [Kind::Responses, Kind::KeyReturns, Kind::KeyReturns] {
        let further = sign(&Request::kind(kind));
        assert!(further * 5 < first * 2, "{further} after {first}");
    }
    let used_up = sign(&Request::kind(Kind::Responses));
    assert_eq!(used_up, first);
    let next_gate = Request {
        gate: START.plus_millis(HOUR),
        ..Request::of(1, 2)
    };
    assert_eq!(sign(&next_gate), first);
    let longer = Request {
        gate: next_gate.gate,
        body: vec![7; 5000],
        ..next_gate
    };
    assert!(sign(&longer) > first, "a longer body takes another epoch");
}

#[test]
fn a_seal_takes_what_its_links_take_and_the_record_names_it() {
    let (mut keys, mut seals) = (Keys::open(setup()), seals());
    let before = keys.stock_bits(&pair(1, 2)).unwrap();
    let seal = Request::of(1, 2).sign(&mut seals, &mut keys).unwrap();
    let file = keys.file();
    let links: BTreeMap<&[String; 2], u32> = (seal.keys.iter())
        .map(|key| (&key.sites, key.links))
        .collect();
    let names = |one: u32, other: u32| [site(one).to_string(), site(other).to_string()];
    // Signer to 4 nodes here and 4 there; 4 x 3 directed links within each site, 2 x 4 x 4 across.
    assert_eq!(links[&names(1, 1)], 4 + 12);
    assert_eq!(links[&names(1, 2)], 4 + 32);
    assert_eq!(links[&names(2, 2)], 12);
    assert_eq!(
        seal.key_bits,
        seal.keys.iter().map(|key| key.bits).sum::<u64>()
    );
    let across = seal.keys.iter().find(|key| key.links == 36).unwrap();
    assert_eq!(keys.stock_bits(&pair(1, 2)), Some(before - across.bits));
    assert_eq!(file.pairs[0].purposes[&Purpose::Request].bits, across.bits);
    assert_eq!(file.local.len(), 2);

    let [used] = &file.uses[..] else {
        panic!("{:?}", file.uses)
    };
    let Subject::Seal {
        kind,
        messages,
        hash,
        ..
    } = &used.subject
    else {
        panic!("{used:?}")
    };
    assert_eq!((kind.as_str(), *messages), ("requests", 2));
    assert_eq!((hash, used.label.as_str()), (&seal.hash.to_string(), "its"));
    assert_eq!(used.keys, seal.keys);
    let text = serde_json::to_string(&file).unwrap();
    assert_eq!(serde_json::from_str::<KeysFile>(&text).unwrap(), file);
}

#[test]
fn a_seal_that_is_short_of_key_takes_none_and_later_finds_enough() {
    let mut setup = setup();
    setup.opening_hours = 0;
    let (mut keys, mut seals) = (Keys::open(setup), seals());
    let Err(SealError::Short(short)) = Request::of(1, 2).sign(&mut seals, &mut keys) else {
        panic!("signed without key")
    };
    let Short {
        pair: of,
        need_bits,
        have_bits,
        enough_at,
    } = short;
    assert_eq!((of, have_bits), (pair(1, 2), 0));
    assert!(keys.uses().is_empty() && keys.file().local.is_empty());
    keys.advance(enough_at.unwrap());
    let seal = Request::of(1, 2).sign(&mut seals, &mut keys).unwrap();
    assert!(keys.stock_bits(&pair(1, 2)).unwrap() < 8 && need_bits > 0);
    assert_eq!(passed(&seals, seal.hash), (4, 4));
    // The epoch is open: what is missing now are pads alone.
    let Err(SealError::Short(short)) = Request::kind(Kind::KeyReturns).sign(&mut seals, &mut keys)
    else {
        panic!("signed without key")
    };
    assert!(short.need_bits < need_bits);
    keys.advance(short.enough_at.unwrap());
    let seal = Request::kind(Kind::KeyReturns)
        .sign(&mut seals, &mut keys)
        .unwrap();
    assert_eq!(passed(&seals, seal.hash), (4, 4));
}

#[test]
fn a_local_order_is_sealed_for_the_nodes_of_its_one_chain() {
    let (mut keys, mut seals) = (Keys::open(setup()), seals());
    let seal = Request::of(3, 3).sign(&mut seals, &mut keys).unwrap();
    let verdicts = seals.verdicts();
    assert!((0..4).all(|seat| verdicts.passes(&chain(3), seat, seal.hash, 1)));
    assert!(seal.keys.iter().all(|key| key.sites[0] == key.sites[1]));
}

#[test]
fn without_unconditional_signatures_a_seal_is_a_hash_and_the_record_says_so() {
    for (protection, opening_hours, because) in [
        (Protection::PqOnly, 1, false),
        (Protection::Hybrid, 0, true),
    ] {
        let mut keys = Keys::open(Setup {
            protection,
            opening_hours,
            ..setup()
        });
        let mut seals = seals();
        let seal = Request::of(1, 2).sign(&mut seals, &mut keys).unwrap();
        assert_eq!((seal.key_bits, seal.hash), (0, Digest::of(&seal.bytes)));
        assert!(seal.bytes.len() < 200);
        let content = content::read(&seal.bytes).unwrap();
        assert!(content.covers(b"order 1, order 2") && !content.covers(b"order 1"));
        assert_eq!(passed(&seals, seal.hash), (4, 4));
        let [used] = keys.uses() else { panic!() };
        assert_eq!(used.label, "pq-only");
        assert_eq!(used.because.is_some(), because, "{used:?}");
        let lie = Request {
            cheat: true,
            ..Request::of(1, 2)
        };
        let seal = lie.sign(&mut seals, &mut keys).unwrap();
        assert_eq!(passed(&seals, seal.hash), (0, 0));
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let run = |seed: u64| {
        let (mut keys, mut seals) = (Keys::open(Setup { seed, ..setup() }), seals());
        let kinds = [Kind::Requests, Kind::KeyReturns];
        let bytes = kinds.map(|kind| {
            let seal = Request::kind(kind).sign(&mut seals, &mut keys).unwrap();
            seal.bytes
        });
        (bytes, serde_json::to_string(&keys.file()).unwrap())
    };
    let first = run(1);
    assert_eq!(run(1), first);
    let other = run(2);
    assert_ne!(other.0[0], first.0[0]);
    assert_ne!(other.0[1], first.0[1]);
    assert_ne!(first.0[0], first.0[1]);
}

#[test]
fn a_seal_that_cannot_be_is_refused_before_any_key_is_drawn() {
    let (mut keys, mut seals) = (Keys::open(setup()), seals());
    let refused = |seals: &mut Seals, keys: &mut Keys, request: Request| {
        let refused = request.sign(seals, keys).unwrap_err();
        assert!(keys.uses().is_empty() && keys.file().local.is_empty());
        refused.to_string()
    };
    let stranger = refused(&mut seals, &mut keys, Request::of(9, 2));
    assert!(stranger.contains("mg-9 is no microgrid"), "{stranger}");
    let nowhere = refused(&mut seals, &mut keys, Request::of(1, 9));
    assert!(
        nowhere.contains("chain-9 has no verification nodes"),
        "{nowhere}"
    );
    let long = |bytes: usize| Request {
        body: vec![1; bytes],
        ..Request::of(1, 2)
    };
    let large = refused(&mut seals, &mut keys, long(UNCONDITIONAL_BYTES_MAX));
    assert!(large.contains("sign fewer messages at once"), "{large}");
    let larger = refused(&mut seals, &mut keys, long(2 << 20));
    assert!(larger.contains("no signature covers so many"), "{larger}");
}

#[test]
fn bytes_that_are_no_seal_are_refused() {
    let (mut keys, mut seals) = (Keys::open(setup()), seals());
    let seal = Request::of(1, 2).sign(&mut seals, &mut keys).unwrap();
    for bytes in 0..seal.bytes.len() {
        assert!(
            content::read(&seal.bytes[..bytes]).is_err(),
            "{bytes} bytes"
        );
    }
    let longer = [&seal.bytes[..], &[0]].concat();
    assert!(content::read(&longer).is_err());
    let other = Encoder::new("tieline.other/1").into_bytes();
    let refused = content::read(&other).unwrap_err().to_string();
    assert!(refused.contains("tieline.other/1 is no seal"), "{refused}");
}

#[test]
fn stores_with_less_key_than_the_rounds_take_stop_the_distribution() {
    let parameters = Sizes::default().of(4, 64, 100).unwrap();
    let epoch = Epoch::new(EpochId(1), "mg-1", &["chain-1"], parameters.clone()).unwrap();
    let (needed, mut random) = (parameters.shared_bits(), ChaCha20Rng::seed_from_u64(1));
    let mut distribute = |less: usize| {
        let bits = |link| match first_bits_of(&parameters, link) {
            bits if bits == needed => bits - less,
            bits => bits,
        };
        let stores = shared_stores_with(4, bits, &mut random);
        Rehearsal::with_stores(epoch.clone(), stores, &mut random)
    };
    assert!(distribute(0).is_ok());
    let short = distribute(8).unwrap_err();
    assert!(matches!(short, RehearsalError::Store(_)), "{short}");
}

#[test]
fn keys_and_seals_move_between_threads_and_verdicts_are_shared() {
    fn moves<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    moves::<(Keys, Seals)>();
    shared::<Verdicts>();
}

#[test]
fn no_two_links_are_dealt_the_same_bits_and_both_ends_of_one_are() {
    let mut keys = Keys::open(setup());
    let places = Places {
        signer: site(1),
        receivers: vec![site(1), site(1), site(2), site(2)],
    };
    let bits = |_: Link| MAC_KEY_BITS;
    let drawn = keys
        .draw(START, Purpose::Request, &places.wants(&bits))
        .unwrap();
    let mut stores = places.stores();
    places.fill(&mut stores, &drawn, &bits);
    let parties: Vec<Party> = std::iter::once(Party::Signer)
        .chain(Receiver::first(4).map(Party::from))
        .collect();
    let tag = |store: &mut MemoryStore, link: Link| {
        let key = store.draw(link, MAC_KEY_BITS).unwrap();
        authenticate(b"link", b"", key).unwrap().0
    };
    let mut seen = BTreeSet::new();
    for from in 0..5 {
        for to in (0..5).filter(|to| *to != from) {
            let link = Link {
                from: parties[from],
                to: parties[to],
            };
            let here = tag(&mut stores[from], link);
            assert_eq!(tag(&mut stores[to], link), here, "{link}");
            assert!(seen.insert(here), "{link} has the key of another link");
        }
    }
}

#[test]
fn no_two_distributions_share_an_epoch() {
    let (mut keys, mut seals) = (Keys::open(setup()), seals());
    let mut epoch = |request: Request| {
        let seal = request.sign(&mut seals, &mut keys).unwrap();
        match content::read(&seal.bytes).unwrap() {
            content::Content::Signed { epoch, .. } => epoch,
            named @ content::Content::Named { .. } => panic!("{named:?}"),
        }
    };
    let later = |body: usize| Request {
        gate: START.plus_millis(1),
        body: vec![7; body],
        ..Request::of(1, 2)
    };
    let first = epoch(Request::of(1, 2));
    assert_eq!(epoch(Request::kind(Kind::KeyReturns)), first);
    let others = [Request::of(2, 1), later(10), later(10_000), later(100_000)];
    let epochs: BTreeSet<u64> = others.into_iter().map(epoch).chain([first]).collect();
    assert_eq!(epochs.len(), 5);
}
