//! Block files that were changed, and certificates.

use std::sync::Arc;

use tieline::replay::{Checks, OfTheEngine, Replay, ReplayError};
use tieline_chain::block::{Block, Body, Parent, Proposal, Roots};
use tieline_chain::files::Entry;
use tieline_seal::hybrid::Strict;
use tieline_units::canonical::Canonical as _;
use tieline_units::{Digest, Encoder, Time};

use super::ground::{Ground, History};

const VERIFY: [&str; 6] = [
    "chain",
    "verify",
    "z.blocks",
    "--genesis",
    "z/genesis.toml",
    "--json",
];

/// The first thing that `chain verify` finds: height, place, byte.
fn wrong(ground: &Ground) -> (u64, String, Option<u64>) {
    let ran = ground.run(&VERIFY).expect(1);
    let said = ran.json();
    assert_eq!(said["valid"], false);
    let found = &said["wrong"];
    let reason = found["reason"].as_str().unwrap();
    assert!(
        ran.stderr.contains(reason) && ran.stderr.contains("hint: "),
        "{}",
        ran.stderr
    );
    (
        found["height"].as_u64().unwrap(),
        found["place"].as_str().unwrap().to_owned(),
        found["byte"].as_u64(),
    )
}

/// First byte and kind of every frame.
fn frames(bytes: &[u8]) -> Vec<(usize, u8)> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        frames.push((at, bytes[at + 4]));
        at += 9 + length as usize + 8;
    }
    frames
}

#[test]
fn a_changed_byte_is_found_with_the_block_that_it_is_in() {
    let ground = Ground::with_vpp();
    let history = History::new(&ground);
    history.file(&ground.path("z.blocks"), &history.entries);
    let good = ground.read("z.blocks");
    let frames = frames(&good);
    let blocks: Vec<usize> = frames
        .iter()
        .filter(|frame| frame.1 == 2)
        .map(|frame| frame.0)
        .collect();
    assert_eq!((blocks.len(), frames.len()), (6, 10));
    let cases = [
        // Length, content and checksum of blocks.
        (blocks[0] + 2, 1, blocks[0]),
        (blocks[2] + 40, 3, blocks[2]),
        (blocks[3] + 3000, 4, blocks[3]),
        (frames[9].0 - 1, 6, blocks[5]),
        // The certificate of block 2, behind it.
        (blocks[2] - 1, 2, frames[3].0),
    ];
    for (place, height, frame) in cases {
        let mut changed = good.clone();
        changed[place] ^= 0x10;
        ground.write("z.blocks", changed);
        assert_eq!(
            wrong(&ground),
            (height, "frame".to_owned(), Some(frame as u64)),
            "byte {place}"
        );
    }
    ground.write("z.blocks", &good[..blocks[4] + 100]);
    assert_eq!(
        wrong(&ground),
        (5, "end".to_owned(), Some(blocks[4] as u64))
    );
    // A frame taken out: those behind it are not where they were written.
    ground.write(
        "z.blocks",
        [&good[..blocks[1]], &good[blocks[2]..]].concat(),
    );
    assert_eq!(
        wrong(&ground),
        (2, "frame".to_owned(), Some(blocks[1] as u64))
    );
}

#[test]
fn a_file_written_anew_with_other_blocks_is_found_by_executing_it() {
    let ground = Ground::with_vpp();
    let history = History::new(&ground);
    let (before, entries) = (&history.ledgers[2], &history.entries);
    let forge = |parent: Parent, roots: Roots, body: Body| {
        let proposal = Proposal {
            time: Time::default(),
            body,
            context: Vec::new(),
        };
        let block = Block::propose(&parent, &roots, proposal).unwrap();
        let mut forged = entries[..2].to_vec();
        let certificate = None;
        forged.push(Entry { block, certificate });
        forged
    };
    let (tip, roots) = (*before.tip(), *before.roots());
    let other_root = Roots {
        state_root: Digest::of(b"another"),
        ..roots
    };
    let entry = |body: Body| forge(tip, roots, body);
    let approved_by_two = history.handover(before, 2);
    let cases = [
        (forge(tip, other_root, Body::default()), 3, "roots"),
        (
            forge(Parent { epoch: 1, ..tip }, roots, Body::default()),
            3,
            "header",
        ),
        (
            entry(Body {
                transactions: Vec::new(),
                handover: Some(Arc::new(approved_by_two)),
                ..Body::default()
            }),
            3,
            "handover",
        ),
        (entries[1..].to_vec(), 2, "order"),
    ];
    for (index, (forged, height, place)) in cases.into_iter().enumerate() {
        let _ = std::fs::remove_file(ground.path("z.blocks"));
        history.file(&ground.path("z.blocks"), &forged);
        assert_eq!(
            wrong(&ground),
            (height, place.to_owned(), None),
            "case {index}"
        );
    }
    // A transaction that was never signed: executed, and refused; so the next header does not say what it left.
    let mut forged = entry(Body {
        transactions: vec![history.deposit(9, 1)],
        handover: None,
        ..Body::default()
    });
    let mut pretended = before.clone();
    pretended.execute(&entries[2].block, &Strict).unwrap();
    let parent = forged[2].block.header.as_parent(&history.genesis.home());
    let mut next = forge(parent, *pretended.roots(), Body::default());
    forged.push(next.remove(2));
    std::fs::remove_file(ground.path("z.blocks")).unwrap();
    history.file(&ground.path("z.blocks"), &forged);
    assert_eq!(wrong(&ground), (4, "roots".to_owned(), None));
}

/// A frame with checksums that hold at this offset.
fn frame(offset: usize, kind: u8, content: &[u8]) -> Vec<u8> {
    let sum = |content: &[u8]| {
        let mut encoder = Encoder::default();
        encoder.u64(offset as u64).u8(kind).bytes(content);
        encoder.digest().as_bytes()[..8].to_vec()
    };
    let length = (content.len() as u32).to_be_bytes();
    let prefix = [&length[..], &[kind], &sum(&length)[..4]].concat();
    [&prefix[..], content, &sum(content)].concat()
}

#[test]
fn a_transaction_that_was_put_in_the_place_of_another_is_not_the_headers() {
    let ground = Ground::with_vpp();
    let history = History::new(&ground);
    history.file(&ground.path("z.blocks"), &history.entries);
    let good = ground.read("z.blocks");
    let blocks = frames(&good).into_iter().filter(|frame| frame.1 == 2);
    let third = blocks.map(|frame| frame.0).nth(2).unwrap();
    let mut block = history.entries[2].block.clone();
    let framed = |block: &Block| [&good[..third], &frame(third, 2, &block.to_bytes())].concat();
    assert!(
        good.starts_with(&framed(&block)),
        "the frames are those of the file"
    );
    block.body.transactions = vec![history.deposit(2, 1_000)];
    ground.write("z.blocks", framed(&block));
    assert_eq!(wrong(&ground), (3, "body".to_owned(), Some(third as u64)));
}

#[test]
fn another_chains_file_and_no_file_are_told_apart() {
    let ground = Ground::with_vpp();
    ground
        .run(&["chain", "init", "y", "--chain", "chain-z", "--seed", "2"])
        .expect(0);
    let history = History::new(&ground);
    history.file(&ground.path("z.blocks"), &history.entries);
    let other = ["chain", "verify", "z.blocks", "--genesis", "y/genesis.toml"];
    let ran = ground.run(&other).expect(1);
    assert!(
        ran.stderr.contains("the file is of chain-z, genesis"),
        "{}",
        ran.stderr
    );
    let ran = ground
        .run(&["chain", "verify", "no", "--genesis", "z/genesis.toml"])
        .expect(2);
    assert!(ran.stderr.contains("no: No such file"), "{}", ran.stderr);
    ground.run(&["chain", "verify", "z.blocks"]).expect(2);
    ground.write("z.blocks", "hello, this is no file of blocks");
    assert_eq!(wrong(&ground).0, 1);
}

#[test]
fn certificates_are_checked_and_a_wrong_one_is_named() {
    let ground = Ground::with_vpp();
    let history = History::new(&ground);
    let checks = Checks {
        verify: &Strict,
        certificates: Some(&OfTheEngine),
    };
    let mut replay = Replay::new(&history.genesis, checks);
    for entry in &history.entries {
        replay.step(entry).unwrap();
    }
    assert_eq!(
        (replay.seen().certificates, replay.seen().final_height),
        (3, Some(6))
    );
    let replay_with = |certificate: Option<Vec<u8>>| {
        let mut replay = Replay::new(&history.genesis, checks);
        for entry in &history.entries[..4] {
            replay.step(entry).unwrap();
        }
        let mut entry = history.entries[4].clone();
        entry.certificate = certificate;
        replay.step(&entry).unwrap_err()
    };
    let of_another = history.entries[5].certificate.clone();
    let of_an_epoch_before = history.entries[1].certificate.clone();
    for certificate in [of_another, of_an_epoch_before, Some(b"none".to_vec())] {
        let error = replay_with(certificate);
        assert!(
            matches!(error, ReplayError::Certificate { height: 5, .. }),
            "{error}"
        );
        assert_eq!(error.place(), "certificate");
    }
}
