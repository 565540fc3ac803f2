//! From a node's store to a block file and back.

use std::fs;

use tieline_chain::Ledger;
use tieline_chain::store::Store;
use tieline_seal::hybrid::Strict;

use super::ground::{Ground, History};

#[test]
fn a_store_becomes_a_file_that_verifies() {
    let ground = Ground::with_vpp();
    let history = History::new(&ground);
    history.store(&ground.path("z/node-1/data/chain.redb"));
    let export = ["chain", "export", "z/node-1", "--out", "z.blocks", "--json"];
    let said = ground.run(&export).expect(0).json();
    assert_eq!(said["schema"], "tieline.chain-export/1");
    assert_eq!(
        (said["height"].as_u64(), said["certificates"].as_u64()),
        (Some(6), Some(3))
    );
    assert_eq!(said["bytes"], ground.read("z.blocks").len());
    history.file(&ground.path("expected"), &history.entries);
    assert_eq!(ground.read("z.blocks"), ground.read("expected"));
    let verify = [
        "chain",
        "verify",
        "z.blocks",
        "--genesis",
        "z/genesis.toml",
        "--json",
    ];
    let said = ground.run(&verify).expect(0).json();
    assert_eq!(said["schema"], "tieline.chain-verify/1");
    assert_eq!(said["valid"], true);
    assert_eq!(
        (said["height"].as_u64(), said["blocks"].as_u64()),
        (Some(6), Some(6))
    );
    assert_eq!(
        (said["transactions"].as_u64(), said["refused"].as_u64()),
        (Some(6), Some(1))
    );
    assert_eq!(said["handovers"], 1);
    let root = history.last().roots().state_root.to_string();
    assert_eq!(said["state_root"], root);
    assert_eq!(
        said["certificates"],
        serde_json::json!({"found": 3, "checked": true, "final_height": 6})
    );
    let text = ground.run(&verify[..5]).expect(0).stdout;
    assert!(
        text.contains("certificates: 3, all hold; final up to block 6"),
        "{text}"
    );
    assert!(text.contains(&root), "{text}");
}

#[test]
fn a_file_that_is_there_is_not_touched_and_no_partial_one_is_left() {
    let ground = Ground::with_vpp();
    let history = History::new(&ground);
    history.store(&ground.path("store"));
    ground.write("out", "mine");
    let export = [
        "chain",
        "export",
        "store",
        "--genesis",
        "z/genesis.toml",
        "--out",
        "out",
    ];
    let ran = ground.run(&export).expect(2);
    assert!(
        ran.stderr.contains("out is there already"),
        "{}",
        ran.stderr
    );
    assert_eq!(ground.text("out"), "mine");
    fs::remove_file(ground.path("out")).unwrap();
    ground.run(&export).expect(0);
    assert_eq!(ground.names(), ["out", "store", "z"]);
}

#[test]
fn what_is_no_whole_store_of_this_chain_is_refused() {
    let ground = Ground::with_vpp();
    ground
        .run(&["chain", "init", "y", "--chain", "chain-z", "--seed", "2"])
        .expect(0);
    let history = History::new(&ground);
    history.store(&ground.path("store"));
    let export = |store: &str, more: &[&str], code: i32, words: &str| {
        let arguments = [&["chain", "export", store, "--out", "out"], more].concat();
        let ran = ground.run(&arguments).expect(code);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert_eq!(ground.names(), ["store", "y", "z"]);
    };
    let genesis = ["--genesis", "z/genesis.toml"];
    export("store", &[], 2, "a store is read with the genesis");
    export(
        "store",
        &["--genesis", "y/genesis.toml"],
        1,
        "the store is of chain-z",
    );
    export("z/node-1", &genesis, 2, "no store of a chain");
    export("nothing", &genesis, 2, "nothing: No such file");
    let founding = || Ledger::genesis(&history.genesis);
    let mut store = Store::open(&ground.path("store"), founding(), &Strict).unwrap();
    export("store", &genesis, 2, "in use, by a node that runs");
    store.prune(4).unwrap();
    drop(store);
    export(
        "store",
        &genesis,
        1,
        "the first blocks are not in the archive",
    );
}
