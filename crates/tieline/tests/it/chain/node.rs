//! What a node reads from its folder, and what it refuses.

use tieline::node::{NodeConfig, NodeError};
use zeroize::Zeroizing;

use super::ground::{Ground, phrase};

fn error(ground: &Ground) -> NodeError {
    NodeConfig::read(&ground.path("z/node-1"), &phrase()).unwrap_err()
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let ground = Ground::with_vpp();
    let wrong = Zeroizing::new("another line".to_owned());
    let error = NodeConfig::read(&ground.path("z/node-1"), &wrong).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, NodeError::Keys { .. }), "{text}");
    assert!(
        text.contains("node-1/keys.sealed: the passphrase does not open it"),
        "{text}"
    );
    assert!(text.contains("hint: give the passphrase"), "{text}");
}

#[test]
fn every_byte_of_sealed_keys_counts() {
    let ground = Ground::with_vpp();
    let sealed = ground.read("z/node-1/keys.sealed");
    let cases = [
        (0, "not a sealed file"),
        // Of the memory and passes that it asks for: more than a machine has.
        (8, "must be a cost that Argon2id takes"),
        (20, "the passphrase does not open it"),
        (60, "the passphrase does not open it"),
        (90, "it was changed"),
        (120, "it was changed"),
        (sealed.len() - 1, "it was changed"),
    ];
    for (place, words) in cases {
        let mut changed = sealed.clone();
        changed[place] ^= 0x80;
        ground.write("z/node-1/keys.sealed", changed);
        let text = error(&ground).to_string();
        assert!(text.contains(words), "byte {place}: {text}");
    }
    ground.write("z/node-1/keys.sealed", &sealed[..sealed.len() - 1]);
    assert!(error(&ground).to_string().contains("it was changed"));
    ground.write("z/node-1/keys.sealed", ground.read("z/members/vpp.sealed"));
    assert!(
        error(&ground)
            .to_string()
            .contains("is no file of a node's keys")
    );
}

#[test]
fn another_nodes_keys_or_another_genesis_are_refused() {
    let ground = Ground::with_vpp();
    let own = ground.read("z/node-1/keys.sealed");
    ground.write("z/node-1/keys.sealed", ground.read("z/node-2/keys.sealed"));
    let text = error(&ground).to_string();
    assert!(text.contains("holds the keys of another node"), "{text}");
    ground.write("z/node-1/keys.sealed", own);
    let genesis = ground.text("z/genesis.toml");
    ground.write(
        "z/genesis.toml",
        genesis.replace("grace_ms = 60000", "grace_ms = 60001"),
    );
    let text = error(&ground).to_string();
    assert!(text.contains("node.toml: genesis_hash = "), "{text}");
}

/// Whether a changed file is refused with these words, its name and a hint.
fn check(ground: &Ground, (good, from, to): (&str, &str, &str), words: &str) {
    assert!(good.contains(from), "{from}");
    ground.write("z/node-1/node.toml", good.replacen(from, to, 1));
    let text = error(ground).to_string();
    assert!(text.contains(words), "{to}: {text}");
    assert!(
        text.contains("z/node-1") && text.contains("\n\nhint: "),
        "{to}: {text}"
    );
}

#[test]
fn settings_that_do_not_hold_are_refused_with_file_field_value_and_next_step() {
    let ground = Ground::with_vpp();
    let good = ground.text("z/node-1/node.toml");
    let cases = [
        (
            "version = 1",
            "version = 2",
            "version = 2: this program reads version 1",
        ),
        (
            "chain = \"chain-z\"",
            "chain = \"chain-x\"",
            "chain = chain-x: ",
        ),
        (
            "\"../genesis.toml\"",
            "\"no.toml\"",
            "no.toml: No such file",
        ),
        ("data = ", "datum = ", "unknown field `datum`"),
        ("heartbeat_ms = 10000\n", "", "missing field `heartbeat_ms`"),
        (
            "heartbeat_ms = 10000",
            "heartbeat_ms = 0",
            "heartbeat_ms = 0: not in 100..=86400000",
        ),
        (
            "\"127.0.0.1:4700\"",
            "\"localhost\"",
            "listen = localhost: no address with a port",
        ),
        (
            "\"127.0.0.1:4701\"",
            "\"127.0.0.1:4700\"",
            "api = 127.0.0.1:4700: the network",
        ),
        (
            "\"127.0.0.1:4704\"",
            "\"127.0.0.1:4702\"",
            "peers[1].address = 127.0.0.1:4702",
        ),
        (
            "\"127.0.0.1:4704\"",
            "\"0.0.0.0:4704\"",
            "peers[1].address = 0.0.0.0:4704",
        ),
        (
            "\n[[peers]]",
            "\n[[peers]]\nname = 1",
            "unknown field `name`",
        ),
        (
            "\"keys.sealed\"",
            "\"nothing\"",
            "node-1/nothing: No such file",
        ),
    ];
    for (from, to, words) in cases {
        check(&ground, (&good, from, to), words);
    }
}

#[test]
fn a_node_has_a_name_of_its_own() {
    let ground = Ground::with_vpp();
    let good = ground.text("z/node-1/node.toml");
    let identity = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("identity"));
        line.unwrap().to_owned()
    };
    let own = identity(&good);
    let other = identity(good.split("[[peers]]").nth(1).unwrap());
    check(&ground, (&good, &other, &own), "peers[0].identity = ");
    let none = "identity = \"00\"";
    check(
        &ground,
        (&good, &own, none),
        "identity = 00: no Ed25519 public key",
    );
}

#[test]
fn secrets_are_not_printed() {
    let ground = Ground::with_vpp();
    let printed = format!("{:?}", ground.node("z", 1));
    assert!(
        !printed.contains("voting") && !printed.contains("identity"),
        "{printed}"
    );
}
