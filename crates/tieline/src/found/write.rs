//! The folder of a new chain.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tieline_qkd::store::{Entropy, Sealer};

use super::{Founded, NewNode};
use crate::node::config::{FILE, KEYS_FILE, NodeFile, PeerFile, VERSION};
use crate::node::hex::hex;
use crate::node::journal;
use crate::output::folder::{Kind, Staged, write as write_file};

/// The genesis in the folder of a chain.
pub const GENESIS_FILE: &str = "genesis.toml";

/// Folder of the members' keys.
pub const MEMBERS: &str = "members";

/// Ending of a member's file.
pub const SEALED: &str = "sealed";

/// Milliseconds between heartbeats as nodes are founded.
pub const HEARTBEAT_MS: u64 = 10_000;

/// No earlier result is ever replaced: it has keys.
const KIND: Kind = Kind {
    marker: GENESIS_FILE,
    entries: &[],
};

/// Writes the folder, whole or not at all.
///
/// # Errors
/// When there is something of that name, or the disk fails: no folder of that name is there then, or the one that was.
pub fn write(
    target: &Path,
    founded: &Founded,
    sealer: &Sealer,
    entropy: &mut Entropy,
) -> anyhow::Result<()> {
    refuse_existing(target)?;
    let staged = Staged::new(target, KIND)?;
    let folder = staged.path();
    let genesis = founded.genesis.to_toml()?;
    write_file(&folder.join(GENESIS_FILE), genesis.as_bytes())?;
    for (index, node) in founded.nodes.iter().enumerate() {
        let own = folder.join(node_name(index));
        create(&own)?;
        let text = toml::to_string(&settings(founded, node))?;
        write_file(&own.join(FILE), text.as_bytes())?;
        let keys = own.join(KEYS_FILE);
        let written = node.seeds.write(&keys, sealer, entropy);
        written.with_context(|| format!("cannot write {}", keys.display()))?;
        write_file(&journal::unused(&keys), journal::UNUSED.as_bytes())?;
    }
    let members = folder.join(MEMBERS);
    create(&members)?;
    for (id, seeds) in &founded.members {
        let file = members.join(format!("{id}.{SEALED}"));
        let written = seeds.write(&file, sealer, entropy);
        written.with_context(|| format!("cannot write {}", file.display()))?;
    }
    staged.publish()
}

/// Whatever is there stays: keys are never replaced.
///
/// # Errors
/// When something of that name is there.
pub fn refuse_existing(target: &Path) -> anyhow::Result<()> {
    if fs::symlink_metadata(target).is_ok() {
        bail!(
            "{} is there already, and keys are never replaced\n\nhint: name a folder that is not there yet",
            target.display()
        );
    }
    Ok(())
}

/// Folder of a node by its place in the genesis.
pub fn node_name(index: usize) -> String {
    format!("node-{}", index + 1)
}

fn create(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir(folder).with_context(|| format!("cannot write {}", folder.display()))
}

fn settings(founded: &Founded, node: &NewNode) -> NodeFile {
    let others = founded.nodes.iter();
    let others = others.filter(|other| other.identity != node.identity);
    let peers = others.map(|other| PeerFile {
        identity: hex(&other.identity),
        address: other.listen.to_string(),
        key: None,
        owner: None,
    });
    NodeFile {
        version: VERSION,
        chain: founded.genesis.document().chain.to_string(),
        genesis: PathBuf::from("..").join(GENESIS_FILE),
        genesis_hash: founded.genesis.hash().to_string(),
        identity: hex(&node.identity),
        listen: node.listen.to_string(),
        api: node.api.to_string(),
        data: PathBuf::from("data"),
        heartbeat_ms: HEARTBEAT_MS,
        keys: PathBuf::from(KEYS_FILE),
        peers: peers.collect(),
    }
}
