//! Four processes and what can befall them.

use std::fs;
use std::rc::Rc;
use std::time::Instant;

use tieline_contract::transaction::Transaction;

use super::audit::audit;
use super::ground::{Fleet, Status};
use super::kinds::Hands;
use crate::chain::ground::Ground;

pub(super) const ALL: [usize; 4] = [1, 2, 3, 4];

/// The VPP's chain with four nodes, and whoever signs on it; no node runs.
pub(super) fn founded() -> (Fleet, Hands) {
    let ground = Rc::new(Ground::new());
    // Epochs of seconds: a node that lost its disk votes from the next one on.
    let fleet = Fleet::found(&ground, "chain-z", &["--epoch-blocks", "20"]);
    let hands = Hands::of(&fleet);
    (fleet, hands)
}

/// Whether the contract took it.
fn is_applied(found: &serde_json::Value) -> bool {
    let outcome = &found["outcome"];
    assert!(
        outcome["applied"].is_array() != outcome["refused"].is_string(),
        "{found}"
    );
    outcome["applied"].is_array()
}

/// Gives a node a transaction, and waits until these have it final and applied.
pub(super) fn carry(fleet: &mut Fleet, (to, on): (usize, &[usize]), what: &Transaction) {
    let name = fleet.send(to, what);
    let found = fleet.wait_final(on, &name);
    assert!(is_applied(&found), "{found}");
}

/// All nodes at one height at one time: what they say of it.
pub(super) fn level(fleet: &mut Fleet) -> Status {
    let all: Vec<Status> = fleet.wait("all nodes at one height", 60, |fleet| {
        let said = fleet.all().into_iter().map(|node| fleet.status(node));
        let said: Vec<Status> = said.collect::<Option<_>>()?;
        let same = said.iter().all(|one| one.height == said[0].height);
        same.then_some(said)
    });
    for one in &all {
        assert_eq!(
            (&one.block, &one.state_root),
            (&all[0].block, &all[0].state_root)
        );
    }
    all[0].clone()
}

/// Acts of every kind that the operator and an applicant can do here, given to different nodes.
fn every_kind(fleet: &mut Fleet, hands: &mut Hands) {
    let acts = [
        hands.deposit(20),
        hands.stake(),
        hands.round(1),
        hands.tariff(),
        hands.register(),
        hands.approve(),
        hands.revoke(),
    ];
    for (act, node) in acts.iter().zip(ALL.into_iter().cycle()) {
        carry(fleet, (node, &ALL), act);
    }
}

/// Two deposits of one number come into blocks: the contract takes one of them, on all nodes the same.
fn rivals(fleet: &mut Fleet, hands: &mut Hands) {
    for _ in 0..20 {
        let [one, other] = hands.rivals();
        let name = fleet.send(1, &one);
        let answer = fleet.submit(2, &other);
        if answer.code != 202 {
            // The first was final before the second was there.
            continue;
        }
        let rival = answer.json()["transaction"].as_str().unwrap().to_owned();
        let first = fleet.wait_final(&ALL, &name);
        let both = fleet.final_on(1, &rival).map(|second| (first, second));
        if let Some((first, second)) = both {
            assert_ne!(is_applied(&first), is_applied(&second));
            return;
        }
    }
    panic!("20 times no block took both\n{}", fleet.logs());
}

#[test]
fn a_chain_of_processes_goes_on_while_one_is_killed_and_another_loses_its_disk() {
    let (mut fleet, mut hands) = founded();
    let start = Instant::now();
    fleet.start_all();
    eprintln!("measured: four nodes answer after {:?}", start.elapsed());
    carry(&mut fleet, (2, &ALL), &hands.deposit(5));
    eprintln!(
        "measured: first transaction final after {:?}",
        start.elapsed()
    );
    every_kind(&mut fleet, &mut hands);
    rivals(&mut fleet, &mut hands);
    for (why, wrong) in hands.refused() {
        let answer = fleet.submit(3, &wrong).expect(422);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(text.contains(why), "{text}");
    }
    // Killed with a transaction under way.
    let name = fleet.send(1, &hands.deposit(1));
    fleet.kill(3);
    fleet.wait_final(&[1, 2, 4], &name);
    for units in 2..5 {
        carry(&mut fleet, (1, &[1, 2, 4]), &hands.deposit(units));
    }
    catches_up(&mut fleet, 3, "killed");
    // Ended, and its disk lost.
    assert_eq!(fleet.end(4).code(), Some(0));
    fleet.wipe(4);
    for units in 5..8 {
        carry(&mut fleet, (2, &[1, 2, 3]), &hands.deposit(units));
    }
    catches_up(&mut fleet, 4, "wiped");
    fleet.wait("the node that was wiped votes", 60, |fleet| {
        let status = fleet.get(4, "/v1/status")?.json();
        status["votes"].as_bool()?.then_some(())
    });
    // Both count again: with another one gone, three are needed.
    assert_eq!(fleet.end(1).code(), Some(0));
    carry(&mut fleet, (4, &[2, 3, 4]), &hands.deposit(8));
    fleet.start(1);
    let last = level(&mut fleet);
    for node in ALL {
        assert_eq!(fleet.end(node).code(), Some(0));
    }
    let found = audit(&fleet);
    assert!(
        found.heights.iter().all(|height| *height >= last.height),
        "{found:?}"
    );
    let (transactions, refused) = found.transactions;
    assert!(transactions >= 18 && refused >= 1, "{found:?}");
    eprintln!("measured: whole test {:?}, {found:?}", start.elapsed());
}

/// Starts a node that was away: it comes to where the others were then.
fn catches_up(fleet: &mut Fleet, node: usize, how: &str) {
    let others = ALL.into_iter().filter(|other| *other != node);
    let goal = others.map(|other| fleet.height(other)).max().unwrap();
    let start = Instant::now();
    fleet.start(node);
    fleet.wait_height(&[node], goal);
    eprintln!(
        "measured: the node that was {how} is at height {goal} {:?} after its start",
        start.elapsed()
    );
}

#[test]
fn a_node_that_is_told_to_end_ends_well_and_begins_where_it_was() {
    let (mut fleet, mut hands) = founded();
    fleet.start_all();
    for units in 1..4 {
        carry(&mut fleet, (1, &ALL), &hands.deposit(units));
    }
    for node in ALL {
        assert_eq!(fleet.end(node).code(), Some(0), "{}", fleet.logs());
    }
    let text = fleet.said(1);
    let height = text.lines().last().and_then(|line| {
        let height = line.strip_prefix("ended at height ")?;
        height.parse::<u64>().ok()
    });
    let height = height.unwrap_or_else(|| panic!("{text}"));
    assert!(height >= 3, "{text}");
    // Alone: what it has, it has from its disk.
    fleet.start(1);
    let status = fleet.wait("node 1 answers", 30, |fleet| fleet.status(1));
    assert_eq!(status.height, height);
    let begun = format!("chain-z at height {height}: ");
    assert!(fleet.said(1).starts_with(&begun), "{}", fleet.said(1));
}

#[test]
fn what_a_node_cannot_run_on_is_named_and_ends_it() {
    let (mut fleet, _) = founded();
    fleet.start(2);
    fleet.wait("node 2 answers", 30, |fleet| fleet.status(2));
    let data = fleet.data(1);
    // A file where the folder belongs.
    fs::write(&data, "").unwrap();
    check(&mut fleet, &[&data.display().to_string(), "hint: data in"]);
    fs::remove_file(&data).unwrap();
    // Another process's API, and its network.
    let own = fs::read_to_string(fleet.folder(1).join("node.toml")).unwrap();
    let other = fs::read_to_string(fleet.folder(2).join("node.toml")).unwrap();
    let address = |text: &str, field: &str| {
        let table: toml::Table = text.parse().unwrap();
        table[field].as_str().unwrap().to_owned()
    };
    for field in ["api", "listen"] {
        let (from, to) = (address(&own, field), address(&other, "api"));
        fleet.edit(1, |text| text.replace(&from, &to));
        let hint = format!("hint: {field} in node.toml");
        check(&mut fleet, &[&to, "in use", &hint]);
        fleet.edit(1, |_| own.clone());
    }
    // The data of another node.
    let taken = format!("data = {:?}", fleet.data(2).display().to_string());
    fleet.edit(1, |text| text.replace("data = \"data\"", &taken));
    check(
        &mut fleet,
        &[
            "node-2/data/engine: it has the votes of another node",
            "hint: data in node.toml",
        ],
    );
}

/// Node 1 ends by itself with code 2 and these words.
fn check(fleet: &mut Fleet, words: &[&str]) {
    fleet.start(1);
    let ended = fleet.ended(1);
    let text = fleet.said(1);
    assert_eq!(ended.code(), Some(2), "{text}");
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
}
