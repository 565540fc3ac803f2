//! Nodes whose journals are lost.

use std::rc::Rc;

use serde_json::Value;

use crate::chain::ground::Ground;
use crate::fleet::ground::Fleet;

/// Long enough that a node comes back in the epoch in which it went.
const EPOCH_BLOCKS: &str = "40";

fn votes(fleet: &Fleet, node: usize) -> Option<(bool, u64, u64)> {
    let status: Value = fleet.get(node, "/v1/status")?.json();
    Some((
        status["votes"].as_bool()?,
        status["height"].as_u64()?,
        status["epoch_ends"].as_u64()?,
    ))
}

#[test]
fn a_node_without_its_journal_follows_and_votes_in_the_next_epoch() {
    let ground = Rc::new(Ground::new());
    let mut fleet = Fleet::found(&ground, "chain-z", &["--epoch-blocks", EPOCH_BLOCKS]);
    fleet.start_all();
    fleet.wait_height(&[4], 2);
    assert!(votes(&fleet, 4).unwrap().0);
    fleet.kill(4);
    // With its journal it goes on.
    fleet.start(4);
    fleet.wait("node 4 votes", 30, |fleet| votes(fleet, 4)?.0.then_some(()));
    assert!(!fleet.said(4).contains("journal"), "{}", fleet.said(4));
    fleet.kill(4);
    fleet.wipe(4);
    fleet.start(4);
    let (voting, _, ends) = fleet.wait("node 4 answers", 30, |fleet| votes(fleet, 4));
    assert_eq!((voting, ends), (false, 39), "{}", fleet.logs());
    let said = fleet.said(4);
    assert!(said.contains("votes is not there"), "{said}");
    fleet.wait_height(&[4], 10);
    // Also after a restart.
    fleet.kill(4);
    fleet.start(4);
    let (voting, height, _) = fleet.wait("node 4 answers", 30, |fleet| votes(fleet, 4));
    assert!(!voting && height < ends, "{}", fleet.logs());
    assert!(
        fleet.said(4).contains("votes was lost"),
        "{}",
        fleet.said(4)
    );
    fleet.wait("node 4 votes in the next epoch", 180, |fleet| {
        let (voting, height, _) = votes(fleet, 4)?;
        assert!(!voting || height >= ends, "{}", fleet.logs());
        voting.then_some(())
    });
}

#[test]
fn a_store_that_a_node_holds_is_refused_with_the_next_step() {
    let ground = Rc::new(Ground::new());
    let mut fleet = Fleet::found(&ground, "chain-z", &[]);
    fleet.start_all();
    let shown = ground.run(&["chain", "show", "chain-z/node-1"]).expect(2);
    assert!(
        shown.stderr.contains("in use, by a node that runs"),
        "{}",
        shown.stderr
    );
    assert!(
        shown.stderr.contains("hint: ask the node's API"),
        "{}",
        shown.stderr
    );
    let copied = ground.run(&["chain", "backup", "chain-z/node-1", "--out", "copy"]);
    let copied = copied.expect(0);
    assert!(
        copied.stdout.contains("without a store"),
        "{}",
        copied.stdout
    );
    assert!(!ground.path("copy/data").exists() && ground.path("copy/keys.sealed").exists());
    // Twice on one folder, also where other ports are free.
    let text = ground.text("chain-z/node-1/node.toml");
    let moved: String = text
        .lines()
        .map(|line| match line.split(" = ").next() {
            Some("api") => "api = \"127.0.0.1:11999\"\n".to_owned(),
            Some("listen") => "listen = \"127.0.0.1:11998\"\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    ground.write("chain-z/node-1/twin.toml", moved);
    let twin = ground.run(&["node", "chain-z/node-1/twin.toml"]).expect(2);
    assert!(
        twin.stderr
            .contains("another process runs on this node's folder"),
        "{}",
        twin.stderr
    );
}
