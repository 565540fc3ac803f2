//! What a genesis, a block file and a store say.

use super::ground::{Ground, History};

#[test]
fn a_genesis_is_said_in_plain_words_and_in_json() {
    let ground = Ground::with_vpp();
    let genesis = ground.genesis("z");
    let text = ground.run(&["chain", "show", "z"]).expect(0).stdout;
    for words in [
        "chain       chain-z",
        &genesis.hash().to_string(),
        "chain-z (this chain), run by vpp",
        "4 validators, 3 make a quorum, 1 may fail or lie",
        "4 verification nodes of chain-z, 2 sign a certificate, 3 one over money",
        "aggregator      aggregator",
        "market intervals of 15 minutes",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // A node that has not run yet has nothing but its genesis.
    for path in ["z/genesis.toml", "z/node-3"] {
        assert_eq!(ground.run(&["chain", "show", path]).expect(0).stdout, text);
    }
    let said = ground
        .run(&["chain", "show", "z", "--json"])
        .expect(0)
        .json();
    assert_eq!(said["schema"], "tieline.chain-show/1");
    assert_eq!(said["hash"], genesis.hash().to_string());
    assert_eq!(said["document"]["members"][0]["role"], "operator");
    ground.write("genesis.json", said["document"].to_string());
    assert_eq!(
        ground
            .run(&["chain", "show", "genesis.json"])
            .expect(0)
            .stdout,
        text
    );
}

#[test]
fn a_store_says_its_tip_and_a_block_with_what_became_of_its_transactions() {
    let ground = Ground::with_vpp();
    let history = History::new(&ground);
    history.store(&ground.path("z/node-1/data/chain.redb"));
    let said = ground
        .run(&["chain", "show", "z/node-1", "--json"])
        .expect(0)
        .json();
    assert_eq!(said["kind"], "store");
    assert_eq!(
        (said["first"].as_u64(), said["height"].as_u64()),
        (Some(1), Some(6))
    );
    assert_eq!(said["tip"]["epoch"], 1);
    let tip = history.last();
    assert_eq!(said["tip"]["digest"], tip.tip().digest.to_string());
    assert_eq!(
        said["tip"]["state_root"],
        tip.roots().state_root.to_string()
    );
    let shown = ["chain", "show", "z/node-1", "--height", "2"];
    let text = ground.run(&shown).expect(0).stdout;
    for words in [
        "block 2\n",
        "1. vpp certifies deposit 1: 7.000000 by aggregator\n     applied: ",
        "2. vpp certifies deposit 1: 8.000000 by aggregator\n     refused: ",
        "not checked",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let handed = ground
        .run(&["chain", "show", "z/node-1", "--height", "4"])
        .expect(0);
    assert!(
        handed.stdout.contains("hands over to 4 validators"),
        "{}",
        handed.stdout
    );
    let ran = ground
        .run(&["chain", "show", "z/node-1", "--height", "7"])
        .expect(1);
    assert!(
        ran.stderr
            .contains("there is no block 7: blocks 1 to 6 are there"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_block_file_is_shown_as_it_is_and_executed_where_the_genesis_is_given() {
    let ground = Ground::with_vpp();
    let history = History::new(&ground);
    history.file(&ground.path("z.blocks"), &history.entries);
    let show = ["chain", "show", "z.blocks", "--height", "2", "--json"];
    let said = ground.run(&show).expect(0).json();
    assert_eq!(said["kind"], "blocks");
    assert_eq!(
        (said["transactions"].as_u64(), said["certificates"].as_u64()),
        (Some(6), Some(3))
    );
    let first = &said["block"]["transactions"][0];
    assert_eq!(
        first["says"],
        "vpp certifies deposit 1: 7.000000 by aggregator"
    );
    assert_eq!(
        (first.get("applied"), said["tip"].get("state_root")),
        (None, None)
    );
    let with_genesis = [&show[..], &["--genesis", "z/genesis.toml"]].concat();
    let said = ground.run(&with_genesis).expect(0).json();
    let transactions = &said["block"]["transactions"];
    assert_eq!(
        (&transactions[0]["applied"], &transactions[1]["applied"]),
        (&true.into(), &false.into())
    );
    let root = history.last().roots().state_root.to_string();
    assert_eq!(said["tip"]["state_root"], root);
    let mut bytes = ground.read("z.blocks");
    let end = bytes.len() - 1;
    bytes[end] ^= 1;
    ground.write("z.blocks", bytes);
    let ran = ground.run(&show).expect(1);
    assert!(
        ran.stderr.contains("after block 6: a checksum"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_is_nothing_of_a_chain_is_refused() {
    let ground = Ground::with_vpp();
    ground.write("note", "hello");
    let cases: [(&[&str], i32, &str); 4] = [
        (&["note"], 1, "note: "),
        (&["nothing"], 2, "nothing: No such file"),
        (&["z/members"], 2, "neither genesis.toml nor node.toml"),
        (&["z", "--height", "1"], 1, "a genesis has no blocks"),
    ];
    for (arguments, code, words) in cases {
        let ran = ground
            .run(&[&["chain", "show"], arguments].concat())
            .expect(code);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    }
}
