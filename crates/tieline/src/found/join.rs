//! A node for a chain that runs: its folder, with keys of its own and all that another node knows.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tieline_chain::validators::Validator;
use tieline_qkd::store::{Entropy, Sealer};
use tieline_units::MicrogridId;

use super::write::{GENESIS_FILE, refuse_existing};
use crate::node::config::{FILE, KEYS_FILE, NodeFile, PeerFile, VERSION};
use crate::node::hex::hex;
use crate::node::keys::{NodeSeeds, identity_of, signing_key};
use crate::node::{NodeSettings, journal, offer};
use crate::output::folder::{Kind, Staged, write as write_file};

/// No node is ever replaced: it has keys.
const KIND: Kind = Kind {
    marker: FILE,
    entries: &[],
};

/// A node that is wanted.
#[derive(Debug)]
pub struct Joiner {
    /// Who runs it.
    pub owner: MicrogridId,
    /// Where it listens for other nodes.
    pub listen: SocketAddr,
    /// Where it listens for its owner's programs.
    pub api: SocketAddr,
}

/// Makes the folder of a node that knows whom `like` knows, and `like`; what it tells the others.
///
/// # Errors
/// When there is something of that name, `like` cannot be introduced, or the disk fails: no folder of that name is there
/// then, or the one that was.
pub fn join(
    target: &Path,
    (joiner, like): (&Joiner, &NodeSettings),
    sealer: &Sealer,
    entropy: &mut Entropy,
) -> anyhow::Result<Validator> {
    refuse_existing(target)?;
    let seeds = NodeSeeds::draw(entropy)?;
    let validator = Validator {
        identity: identity_of(&seeds.identity),
        key: signing_key(&seeds.voting).public_key().clone(),
        owner: joiner.owner.clone(),
    };
    let settings = settings(&validator, joiner, like)?;
    let staged = Staged::new(target, KIND)?;
    let folder = staged.path();
    write_file(
        &folder.join(GENESIS_FILE),
        like.genesis.to_toml()?.as_bytes(),
    )?;
    write_file(&folder.join(FILE), toml::to_string(&settings)?.as_bytes())?;
    let address = joiner.listen.to_string();
    let text = offer::text(&validator, address)?;
    write_file(&folder.join(offer::FILE), text.as_bytes())?;
    let keys = folder.join(KEYS_FILE);
    let written = seeds.write(&keys, sealer, entropy);
    written.with_context(|| format!("cannot write {}", keys.display()))?;
    write_file(&journal::unused(&keys), journal::UNUSED.as_bytes())?;
    staged.publish()?;
    Ok(validator)
}

fn settings(
    validator: &Validator,
    joiner: &Joiner,
    like: &NodeSettings,
) -> anyhow::Result<NodeFile> {
    let listen = joiner.listen;
    if listen.port() == 0 || listen.ip().is_unspecified() || listen == joiner.api {
        bail!(
            "--listen {listen}: no address of its own that other nodes reach\n\nhint: give the address and port of this machine, and --api another port"
        );
    }
    let mut peers: Vec<PeerFile> = like
        .peers
        .iter()
        .map(|peer| PeerFile {
            identity: hex(&peer.identity),
            address: peer.address.to_string(),
            key: peer.key.as_ref().map(|key| hex(key.as_bytes())),
            owner: None,
        })
        .collect();
    peers.push(introduced(like)?);
    let taken = |peer: &&PeerFile| peer.address == listen.to_string();
    if let Some(peer) = peers.iter().find(taken) {
        bail!(
            "--listen {listen}: {} listens there\n\nhint: give the new node a port of its own",
            &peer.identity[..8]
        );
    }
    Ok(NodeFile {
        version: VERSION,
        chain: like.chain.to_string(),
        genesis: PathBuf::from(GENESIS_FILE),
        genesis_hash: like.genesis.hash().to_string(),
        identity: hex(&validator.identity),
        listen: listen.to_string(),
        api: joiner.api.to_string(),
        data: PathBuf::from("data"),
        heartbeat_ms: like.heartbeat_ms,
        keys: PathBuf::from(KEYS_FILE),
        peers,
    })
}

/// The node itself as a peer: its key is in the genesis, or in the offer that it once made.
fn introduced(like: &NodeSettings) -> anyhow::Result<PeerFile> {
    let own = |it: &&Validator| it.identity == like.identity;
    if like
        .genesis
        .validators()
        .validators
        .iter()
        .any(|it| own(&it))
    {
        return Ok(PeerFile {
            identity: hex(&like.identity),
            address: like.listen.to_string(),
            key: None,
            owner: None,
        });
    }
    let file = like.keys.with_file_name(offer::FILE);
    let offered = offer::read(&file)?;
    Ok(offer::peer(&offered, like.listen.to_string()))
}
