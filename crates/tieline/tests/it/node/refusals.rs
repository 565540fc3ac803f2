//! What a node does not do for anybody.

use std::sync::Arc;

use tieline::node::api::{Access, routes};
use tieline_chain::mempool::AddError;
use tieline_chain::replica::Replica;
use tieline_chain::validators::Handover;
use tieline_contract::transaction::Transaction;
use tieline_sim::village::deposit;
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Money, Time};

use super::town::{Server, Town, ask, exchange, get, post, runtime};

const Z: usize = 2;

/// Code of a request, whose answer says what is wrong and what to do.
#[track_caller]
fn refused(town: &Town, request: &[u8], code: u16) {
    let answer = ask(town.servers[Z][0].address, request).expect(code).json();
    let fields = answer.as_object().unwrap();
    assert_eq!(fields.len(), 2, "{answer}");
    for field in ["error", "next"] {
        assert!(!fields[field].as_str().unwrap().is_empty(), "{answer}");
    }
}

#[test]
fn paths_that_are_none_are_refused_with_the_next_step() {
    let town = Town::new(1);
    let zeros = "0".repeat(64);
    let cases = [
        ("/", 404),
        ("/v1", 404),
        ("/v1/status/", 404),
        ("/v1/blocks/", 404),
        ("/v1/blocks/1/certificate/2", 404),
        ("/v1/blocks/1", 404),
        ("/v1/blocks/18446744073709551615", 404),
        ("/v1/blocks/18446744073709551616", 400),
        ("/v1/blocks/-1", 400),
        ("/v1/blocks/+1", 400),
        ("/v1/blocks/one", 400),
        ("/v1/blocks/%31", 400),
        ("/v1/blocks/0/certificate", 404),
        ("/v1/blocks/x/certificate", 400),
        ("/v1/transactions/00", 400),
        (&format!("/v1/transactions/{zeros}"), 404),
        (&format!("/v1/transactions/{}", "g".repeat(64)), 400),
        ("/v1/proofs/0", 400),
        ("/v1/proofs/zz", 400),
        (&format!("/v1/proofs/{}", "00".repeat(1025)), 400),
        ("/v1/relay/outbox?from=x", 400),
        ("/v1/relay/kept?from=", 400),
        ("/v1/relay/attestations/x", 400),
        ("/v1/relay/committees/x", 400),
        ("/v1/relay/committees/7", 404),
    ];
    for (path, code) in cases {
        refused(&town, &get(path), code);
    }
}

#[test]
fn another_method_is_refused_with_the_right_one() {
    let town = Town::new(1);
    for (method, path) in routes() {
        let path = path.replace(['{', '}'], "0");
        let (wrong, request) = match method {
            "GET" => ("POST", post(&path, b"")),
            _ => ("GET", get(&path)),
        };
        let answer = ask(town.servers[Z][0].address, &request).expect(405);
        let allow = format!("allow: {method}");
        assert!(
            answer.head.contains(&allow),
            "{wrong} {path}: {}",
            answer.head
        );
    }
}

#[test]
fn bytes_that_are_no_transaction_are_refused() {
    let town = Town::new(1);
    let right = deposit(0, "mg-x", Money::from_millionths(5)).to_bytes();
    let submit = |body: &[u8]| post("/v1/transactions", body);
    refused(&town, &submit(b""), 400);
    refused(&town, &submit(b"{}"), 400);
    refused(&town, &submit(&right[..right.len() - 1]), 400);
    refused(&town, &submit(&[&right[..], &[0]].concat()), 400);
    let text =
        String::from_utf8_lossy(&submit(b"")).replace("application/octet-stream", "text/plain");
    refused(&town, text.as_bytes(), 400);
    refused(&town, &submit(&Transaction::CloseEpoch(7).to_bytes()), 422);
    refused(&town, &post("/v1/relay/takes", b"?"), 400);
    assert_eq!(town.get(Z, "/v1/status").json()["waiting"], 0);
}

#[test]
fn bodies_are_bounded_before_they_are_read() {
    let town = Town::new(1);
    let head = |path: &str, length: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: node\r\n{length}\r\n\r\n").into_bytes()
    };
    let length = format!("Content-Length: {}", (2 << 20) + 1);
    refused(&town, &head("/v1/transactions", &length), 413);
    refused(
        &town,
        &post("/v1/relay/takes", &vec![0; (1 << 20) + 1]),
        413,
    );
    // Without a length, in one chunk that says more than it may.
    let chunked = head("/v1/transactions", "Transfer-Encoding: chunked");
    let chunk = [&chunked[..], b"200001\r\n", &vec![0; 0x20_0001], b"\r\n"].concat();
    refused(&town, &chunk, 413);
}

#[test]
fn noise_ends_its_own_connection_and_nothing_else() {
    let town = Town::new(1);
    let address = town.servers[Z][0].address;
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(64 << 10));
    for noise in [
        &b"\0\xff\xfe\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\r\n\r\n",
        long.as_bytes(),
    ] {
        let answer = exchange(address, noise);
        let text = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || text.starts_with("HTTP/1.1 4"),
            "{text}"
        );
    }
    town.get(Z, "/v1/status").expect(200);
}

/// A node on its way out.
struct Stopping;

impl Access for Stopping {
    fn with(&self, _: &mut dyn FnMut(&mut Replica)) {}

    fn submit(&self, _: Transaction) -> Result<Digest, AddError> {
        let (count, bytes) = (0, 0);
        Err(AddError::Full { count, bytes })
    }

    fn hand_over(&self, _: Handover) -> Result<(), String> {
        Err("a node that is stopping takes nothing".to_owned())
    }

    fn identity(&self) -> [u8; 32] {
        [0; 32]
    }

    fn now(&self) -> Time {
        Time::default()
    }
}

#[test]
fn a_node_that_stops_says_so_and_its_port_closes() {
    let runtime = runtime();
    let mut server = Server::start(&runtime, Arc::new(Stopping));
    let transaction = deposit(0, "mg-x", Money::from_millionths(5)).to_bytes();
    for request in [
        get("/v1/status"),
        get("/v1/blocks/1"),
        get("/v1/relay/outbox"),
        get("/metrics"),
        post("/v1/transactions", &transaction),
    ] {
        ask(server.address, &request).expect(503);
    }
    server.stop.take();
    let closed = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::net::TcpStream::connect(server.address).is_err()
    });
    assert!(closed);
}
