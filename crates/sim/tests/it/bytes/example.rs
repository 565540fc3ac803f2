//! The worked example of `docs/formats.md`.

use tieline_contract::terms::Request;
use tieline_sim::samples::first_request;
use tieline_units::{Canonical as _, Digest, Encoder};

const FORMATS: &str = include_str!("../../../../../docs/formats.md");

/// The lines of the code block that comes after `text`.
fn block(text: &str) -> Vec<&'static str> {
    let (_, rest) = FORMATS.split_once(text).unwrap();
    let (_, rest) = rest.split_once("```text\n").unwrap();
    rest.split_once("```").unwrap().0.lines().collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(value: &str) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.text(value);
    encoder.into_bytes()
}

#[test]
fn the_worked_example_is_what_the_code_computes() {
    let request = first_request();
    let terms = &request.terms;
    let fields = block("the round is SHA-256 of");
    let bytes = fields
        .iter()
        .map(|line| line.split_whitespace().nth(1).unwrap());
    assert_eq!(bytes.collect::<String>(), hex(&terms.to_bytes()));
    assert_eq!(
        block("Its plain language").join("\n") + "\n",
        terms.rendering()
    );

    let hashes = block("The terms hash, the order id").join("\n");
    let in_order = [
        hex(&text("tieline.terms/1")),
        format!("terms, {} bytes", terms.to_bytes().len()),
        terms.hash().to_string(),
        hex(&text("tieline.order/1")),
        hex(&request.nonce.to_be_bytes()),
        request.order().to_string(),
    ];
    let mut rest = &hashes[..];
    for expected in in_order {
        rest = rest.split_once(&expected).unwrap().1;
    }
    let context = rest.lines().last().unwrap();
    let context = context.replace("chain_x", &hex(&text("chain-x")));
    let context = context.replace("genesis_x", &terms.genesis_x.to_string());
    let signed = Request::domain(terms).context();
    assert_eq!(context.replace(' ', ""), hex(&signed));
}

#[test]
fn the_worked_example_is_computed_by_hand_as_it_says() {
    let request = first_request();
    let of = |parts: &[&[u8]]| Digest::of(&parts.concat());
    let terms = request.terms.to_bytes();
    let hash = of(&[&text("tieline.terms/1"), &terms]);
    assert_eq!(hash, request.terms.hash());
    let order = of(&[
        &text("tieline.order/1"),
        &request.terms.genesis_x.as_bytes()[..],
        &text("mg-x"),
        &7_u64.to_be_bytes(),
        hash.as_bytes(),
    ]);
    assert_eq!(order, request.order().0);
    let rendering = [
        text("tieline.rendering/1"),
        text(&request.terms.rendering()),
    ]
    .concat();
    assert_eq!(Digest::of(&rendering), request.terms.rendering_hash);
}

#[test]
fn the_table_names_the_fields_in_the_order_of_the_example_and_of_the_code() {
    let (_, table) = FORMATS
        .split_once("### Terms and order id by hand")
        .unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
    let example = block("the round is SHA-256 of");
    let example = example
        .iter()
        .map(|line| line.split_whitespace().next().unwrap());
    assert_eq!(rows, example.collect::<Vec<_>>());
    let source = include_str!("../../../../contract/src/terms.rs");
    let (_, fields) = source.split_once("canonical!(Terms").unwrap();
    let fields = fields
        .split_once("{\n")
        .unwrap()
        .1
        .split_once('}')
        .unwrap()
        .0;
    let name = |line: &'static str| line.trim().split(['[', ',']).next().unwrap();
    assert_eq!(
        rows,
        fields.trim_end().lines().map(name).collect::<Vec<_>>()
    );
}

#[test]
fn every_kind_of_the_table_is_one_of_the_code() {
    let (_, section) = FORMATS.split_once("## Canonical bytes").unwrap();
    let rows = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `tieline."));
    let mut count = 0;
    for row in rows {
        let name = format!("\"tieline.{}\"", row.split('`').next().unwrap());
        let sources = super::domains::SOURCES.iter();
        assert!(
            sources.clone().any(|(_, source)| source.contains(&name)),
            "{name}"
        );
        count += 1;
    }
    assert_eq!(count, 13);
}
