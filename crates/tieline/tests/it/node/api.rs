//! Every route of a node.

use std::collections::BTreeSet;

use tieline::node::api::{OPENAPI, Said, routes};
use tieline_chain::block::{Block, transaction_hash};
use tieline_chain::records;
use tieline_chain::replica::Signed;
use tieline_chain::tree::StateProof;
use tieline_contract::certificate::Certificate;
use tieline_contract::state::Account;
use tieline_contract::threshold::Committee;
use tieline_sim::village::{certificates, chain, deposit, member};
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Money};

use super::town::{Town, ask, get, post};

const X: usize = 0;
const Z: usize = 2;

/// One node a chain; a deposit on Z is in its first block.
fn deposited() -> (Town, Digest) {
    let town = Town::new(1);
    let transaction = deposit(0, "mg-x", Money::from_millionths(5_000_000));
    town.submit(Z, &transaction).expect(202);
    town.block(Z);
    (town, transaction_hash(&transaction))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}

#[test]
fn the_status_says_where_the_chain_stands() {
    let (town, _) = deposited();
    let status = town.get(Z, "/v1/status").expect(200).json();
    let (tip, root, genesis) = town.look(Z, |replica| {
        let ledger = replica.ledger();
        (
            *ledger.tip(),
            ledger.roots().state_root,
            ledger.home().genesis,
        )
    });
    assert_eq!(status["chain"], "chain-z");
    assert_eq!(status["genesis"], genesis.to_string());
    assert_eq!(status["height"], 1);
    assert_eq!(status["block"], tip.digest.to_string());
    assert_eq!(status["time"], tip.time.to_string());
    assert_eq!(status["epoch"], 0);
    assert_eq!(status["validators"].as_array().unwrap().len(), 4);
    assert_eq!(status["state_root"], root.to_string());
    assert_eq!(status["votes"], true);
    for figure in ["waiting", "waiting_bytes", "forks"] {
        assert_eq!(status[figure], 0, "{figure}");
    }
}

#[test]
fn a_block_comes_in_words_or_in_its_bytes() {
    let (town, name) = deposited();
    let stored = town.look(Z, |replica| replica.store().block(1).unwrap().unwrap());
    let words = town.get(Z, "/v1/blocks/1").expect(200).json();
    assert_eq!(words["header"]["height"], 1);
    assert_eq!(words["header"]["parent"], stored.header.parent.to_string());
    assert_eq!(words["transactions"][0]["transaction"], name.to_string());
    let says = words["transactions"][0]["says"].as_str().unwrap();
    assert!(says.contains("certifies deposit 0"), "{says}");
    assert_eq!(words["receipts"][0]["transaction"], name.to_string());
    let applied = &words["receipts"][0]["outcome"]["applied"];
    assert_eq!(applied.as_array().unwrap().len(), 1, "{words}");

    let raw = town.get(Z, "/v1/blocks/1?raw").expect(200);
    assert_eq!(Block::decode(&raw.body), Ok(stored));
    let wanted = "GET /v1/blocks/1 HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\
                  Accept: application/octet-stream\r\n\r\n";
    let accepted = ask(town.servers[Z][0].address, wanted.as_bytes());
    assert_eq!(accepted.expect(200).body, raw.body);
}

#[test]
fn a_certificate_is_there_once_it_is_kept() {
    let (town, _) = deposited();
    let path = "/v1/blocks/1/certificate";
    town.get(Z, path).expect(404);
    town.look(Z, |replica| replica.certify(1, b"signed").unwrap());
    assert_eq!(town.get(Z, path).expect(200).body, b"signed");
}

#[test]
fn a_transaction_is_taken_once_and_found_until_it_is_final() {
    let town = Town::new(1);
    let transaction = deposit(0, "mg-x", Money::from_millionths(5));
    let name = transaction_hash(&transaction).to_string();
    let path = format!("/v1/transactions/{name}");
    town.get(Z, &path).expect(404);
    let taken = town.submit(Z, &transaction).expect(202).json();
    assert_eq!(taken["transaction"], name);
    let again = town.submit(Z, &transaction).expect(200).json();
    assert_eq!(again["transaction"], name);
    let found = town.get(Z, &path).expect(200).json();
    assert_eq!(found["state"], "waiting");
    assert_eq!(town.get(Z, "/v1/status").json()["waiting"], 1);
    town.block(Z);
    let found = town.get(Z, &path).expect(200).json();
    assert_eq!(
        (&found["state"], &found["height"]),
        (&"final".into(), &1.into())
    );
    assert!(found["outcome"]["applied"].is_array(), "{found}");
}

#[test]
fn values_and_their_absence_are_proven_by_the_next_header() {
    let (town, _) = deposited();
    let here = records::member(&member("mg-x"));
    let absent = records::account(&Account::Clearing(member("nobody")));
    let answers = [here.clone(), absent.clone()].map(|key| {
        let path = format!("/v1/proofs/{}", hex(&key));
        town.get(Z, &path).expect(200).json()
    });
    town.block(Z);
    for (key, answer) in [here, absent].iter().zip(&answers) {
        assert_eq!(answer["key"], hex(key));
        assert_eq!(
            (&answer["state_height"], &answer["header_height"]),
            (&1.into(), &2.into())
        );
        let header = town.look(Z, |replica| {
            replica.store().block(2).unwrap().unwrap().header
        });
        let root = header.before.state_root;
        assert_eq!(answer["state_root"], root.to_string());
        let value = answer["value"].as_str().map(unhex);
        let proof = StateProof::decode(&unhex(answer["proof"].as_str().unwrap())).unwrap();
        proof.verify(root, key, value.as_deref()).unwrap();
    }
    assert!(answers[0]["value"].is_string() && answers[1]["value"].is_null());
}

#[test]
fn relayers_read_outbox_signatures_and_verification_nodes() {
    let (town, _) = deposited();
    let page = town.get(Z, "/v1/relay/outbox?from=0").expect(200);
    let said: Vec<Said> = Vec::decode(&page.body).unwrap();
    assert_eq!(said.len(), 1);
    let entries = town.look(Z, |replica| {
        let state = replica.ledger().state();
        state.outbox(1).cloned().collect::<Vec<_>>()
    });
    assert_eq!((said[0].height, &said[0].entries), (1, &entries));
    let rest = town.get(Z, "/v1/relay/outbox?from=2").expect(200);
    assert_eq!(Vec::<Said>::decode(&rest.body), Ok(Vec::new()));

    let signed = town.get(Z, "/v1/relay/attestations/1").expect(200);
    let signed: Vec<Signed> = Vec::decode(&signed.body).unwrap();
    assert_eq!(
        (signed.len(), signed[0].seat, signed[0].statement.height),
        (1, 0, 1)
    );
    let none = town.get(Z, "/v1/relay/attestations/9").expect(200);
    assert_eq!(Vec::<Signed>::decode(&none.body), Ok(Vec::new()));

    let committee = town.get(Z, "/v1/relay/committees/0").expect(200);
    let committee = Committee::decode(&committee.body).unwrap();
    assert_eq!((committee.chain, committee.epoch), (chain("chain-z"), 0));
    town.get(Z, "/v1/relay/committees/1").expect(404);
}

#[test]
fn a_chain_says_what_it_would_take_and_hands_out_what_it_kept() {
    let (town, _) = deposited();
    let made = |seats: &[u8]| {
        town.look(Z, |replica| {
            certificates(replica.ledger().state(), 1, 0, seats)
        })
    };
    let takes = |town: &Town, on: usize| {
        let request = post("/v1/relay/takes", &made(&[])[0].to_bytes());
        let answer = ask(town.servers[on][0].address, &request);
        answer.expect(200).json()["takes"].as_bool().unwrap()
    };
    assert!(takes(&town, X));
    // It is for the home of mg-x.
    assert!(!takes(&town, 1));
    let certificate = made(&[0, 1, 2])[0].clone();
    let transaction = tieline_contract::transaction::Transaction::Certificate(certificate);
    town.submit(X, &transaction).expect(202);
    town.block(X);
    assert!(!takes(&town, X));
    let kept = town.get(X, "/v1/relay/kept").expect(200);
    let kept: Vec<Certificate> = Vec::decode(&kept.body).unwrap();
    let state = town.look(X, |replica| replica.ledger().state().kept().count());
    assert_eq!(kept.len(), state);
    let rest = town.get(X, "/v1/relay/kept?from=100").expect(200);
    assert_eq!(Vec::<Certificate>::decode(&rest.body), Ok(Vec::new()));
}

#[test]
fn the_document_describes_every_route_and_no_other() {
    let town = Town::new(1);
    let served = town.get(Z, "/v1/openapi.json").expect(200);
    assert_eq!(served.body, OPENAPI.as_bytes());
    let document = served.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let routes = routes().into_iter();
    let routes: BTreeSet<_> = routes.map(|(m, p)| (m.to_owned(), p.to_owned())).collect();
    assert_eq!(described, routes);
}

#[test]
fn what_is_served_has_the_fields_of_the_document() {
    let (town, name) = deposited();
    let document: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
    let proof = format!("/v1/proofs/{}", hex(&records::rules()));
    let cases = [
        ("Status", "/v1/status".to_owned()),
        ("Validators", "/v1/validators".to_owned()),
        ("Block", "/v1/blocks/1".to_owned()),
        ("Where", format!("/v1/transactions/{name}")),
        ("Proof", proof),
        ("Wrong", "/v1/blocks/77".to_owned()),
    ];
    for (schema, path) in cases {
        let answer = town.get(Z, &path).json();
        let fields = answer.as_object().unwrap().keys().collect::<BTreeSet<_>>();
        let schema = &document["components"]["schemas"][schema];
        let known = schema["properties"].as_object().unwrap();
        assert_eq!(fields, known.keys().collect(), "{path}");
    }
}

#[test]
fn figures_are_for_monitors() {
    let (town, _) = deposited();
    town.get(Z, "/v1/status").expect(200);
    town.get(Z, "/v1/nothing").expect(404);
    let clock = town.now().plus_millis(12_345).as_millis();
    town.clock.store(clock, std::sync::atomic::Ordering::SeqCst);
    let page = ask(town.servers[Z][0].address, &get("/metrics")).expect(200);
    let text = String::from_utf8(page.body).unwrap();
    for line in [
        "tieline_chain_height{chain=\"chain-z\"} 1",
        "tieline_chain_waiting{chain=\"chain-z\"} 0",
        "tieline_chain_forks{chain=\"chain-z\"} 0",
        "tieline_chain_epoch{chain=\"chain-z\"} 0",
        "tieline_chain_votes{chain=\"chain-z\"} 1",
        "tieline_chain_since_final_seconds{chain=\"chain-z\"} 12.345",
        "tieline_api_requests_total{chain=\"chain-z\",code=\"404\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}
