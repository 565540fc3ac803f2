//! What nodes left on their disks, read as an auditor reads it.

use std::sync::Arc;

use tieline_chain::files::{BlockReader, Entry};
use tieline_chain::light::{LightClient, Trail};
use tieline_engine::finality::Finalized;
use tieline_seal::hybrid::Strict;

use super::ground::Fleet;

/// What the block files of all nodes say.
#[derive(Debug)]
pub(crate) struct Audit {
    /// Height of each node.
    pub(crate) heights: Vec<u64>,
    /// Transactions in the longest file, and how many of them were refused.
    pub(crate) transactions: (u64, u64),
    /// Proofs of double votes in it.
    pub(crate) double_votes: u64,
}

/// Exports every node's store with the program, verifies the files with the program, follows each from the genesis by its
/// certificates, and compares them: at no height there are two blocks. No node may run.
pub(crate) fn audit(fleet: &Fleet) -> Audit {
    let mut files: Vec<Vec<Entry>> = Vec::new();
    let (mut transactions, mut double_votes) = ((0, 0), 0);
    for node in fleet.all() {
        let said = export(fleet, node);
        let number = |name: &str| said[name].as_u64().unwrap();
        transactions = transactions.max((number("transactions"), number("refused")));
        double_votes = number("double_votes").max(double_votes);
        files.push(entries(fleet, node));
        follow(fleet, node, files.last().unwrap());
    }
    let longest = files.iter().max_by_key(|file| file.len()).unwrap();
    for file in &files {
        for (one, other) in file.iter().zip(longest) {
            let height = one.block.header.height;
            assert_eq!(one.block, other.block, "two blocks of height {height}");
        }
    }
    Audit {
        heights: files.iter().map(|file| file.len() as u64).collect(),
        transactions,
        double_votes,
    }
}

fn name(fleet: &Fleet, node: usize) -> String {
    format!("{}-{node}.blocks", fleet.chain)
}

/// What `chain verify` says of what `chain export` wrote.
fn export(fleet: &Fleet, node: usize) -> serde_json::Value {
    let (folder, file) = (fleet.folder(node), name(fleet, node));
    let folder = folder.display().to_string();
    let export = ["chain", "export", &folder, "--out", &file];
    fleet.ground.run(&export).expect(0);
    let genesis = format!("{}/genesis.toml", fleet.chain);
    let verify = ["chain", "verify", &file, "--genesis", &genesis, "--json"];
    let said = fleet.ground.run(&verify).expect(0).json();
    let checked = &said["certificates"]["checked"];
    assert_eq!((&said["valid"], checked), (&true.into(), &true.into()));
    said
}

fn entries(fleet: &Fleet, node: usize) -> Vec<Entry> {
    let file = fleet.ground.path(&name(fleet, node));
    let mut reader = BlockReader::open(&file, &fleet.genesis().home()).unwrap();
    std::iter::from_fn(|| reader.read().unwrap()).collect()
}

/// All certificates hold, and the blocks between them hang together.
fn follow(fleet: &Fleet, node: usize, entries: &[Entry]) {
    let mut client = LightClient::new(&fleet.genesis());
    let mut headers = Vec::new();
    for entry in entries {
        headers.push(entry.block.header.clone());
        let Some(certificate) = entry.certificate.clone() else {
            continue;
        };
        let next = entry.block.body.handover.as_ref();
        let next: Option<Arc<_>> = next.map(|handover| handover.next.clone());
        let trail = Trail {
            headers: std::mem::take(&mut headers),
            proof: Finalized(certificate),
        };
        let advanced = client.advance(&trail, next.as_ref(), &Strict);
        advanced.unwrap_or_else(|error| panic!("node {node}: {error}"));
    }
    let (last, all) = (client.head().height, entries.len() as u64);
    assert!(last > 0, "node {node}: {all} blocks and no certificate");
}
