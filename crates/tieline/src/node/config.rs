//! `node.toml`: what one validator runs with.
//!
//! Relative paths are taken from the folder of the file. [`NodeSettings`] are all that is no secret, [`NodeConfig`] adds the
//! keys.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tieline_chain::genesis::Genesis;
use tieline_engine::tcp::Peer;
use tieline_seal::hybrid::{PublicKey, SigningKey};
use tieline_units::{ChainId, Digest};
use zeroize::Zeroizing;

use super::error::NodeError;
use super::hex::{hex, unhex};
use super::keys::{NodeSeeds, SUITE, Seed, identity_of, signing_key};

/// Version of the file.
pub const VERSION: u8 = 1;

/// Its name in a node's folder.
pub const FILE: &str = "node.toml";

/// Name of a node's sealed keys.
pub const KEYS_FILE: &str = "keys.sealed";

/// Name of the chain's store in a node's data folder.
pub const STORE_FILE: &str = "chain.redb";

/// Folder of the engine's journals and archives in a node's data folder.
pub const ENGINE: &str = "engine";

/// Shortest and longest time between heartbeats, milliseconds.
pub const HEARTBEAT_MS: std::ops::RangeInclusive<u64> = 100..=86_400_000;

/// Most peers of a node: those of one chain, and room for those that come and go.
pub const PEERS_MAX: usize = 63;

/// Bytes of a voting key.
const KEY_BYTES: usize = 1_984;

/// The file as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NodeFile {
    /// [`VERSION`].
    pub version: u8,
    /// The chain.
    pub chain: String,
    /// Its genesis document.
    pub genesis: PathBuf,
    /// Hash of that document.
    pub genesis_hash: String,
    /// Ed25519 public key of this node on the network, hexadecimal.
    pub identity: String,
    /// Where it listens for other validators.
    pub listen: String,
    /// Where it listens for its owner's programs.
    pub api: String,
    /// Folder of its store.
    pub data: PathBuf,
    /// Milliseconds after which a block is proposed although nothing waits.
    pub heartbeat_ms: u64,
    /// Its sealed keys.
    pub keys: PathBuf,
    /// The other nodes: validators of any epoch.
    #[serde(default)]
    pub peers: Vec<PeerFile>,
}

/// Another node as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PeerFile {
    /// Its identity, hexadecimal.
    pub identity: String,
    /// Where it listens.
    pub address: String,
    /// Its voting key, hexadecimal, where the genesis does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Who runs it; for people and proposals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// What a node runs with, without its secrets.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// The file that says it.
    pub file: PathBuf,
    /// The chain.
    pub chain: ChainId,
    /// What it is founded on.
    pub genesis: Genesis,
    /// Ed25519 public key of this node on the network.
    pub identity: [u8; 32],
    /// Where it listens for other validators.
    pub listen: SocketAddr,
    /// The other nodes and where they listen.
    pub peers: Vec<Peer>,
    /// Where it listens for its owner's programs.
    pub api: SocketAddr,
    /// Folder of its store.
    pub data: PathBuf,
    /// Milliseconds after which a block is proposed although nothing waits.
    pub heartbeat_ms: u64,
    /// Its sealed keys.
    pub keys: PathBuf,
}

/// What a node runs with.
pub struct NodeConfig {
    /// The chain.
    pub chain: ChainId,
    /// What it is founded on.
    pub genesis: Genesis,
    /// Which validator of the genesis it is; `None` for one that joins in a later epoch.
    pub place: Option<usize>,
    /// Which verification node of the genesis it is; `None` for one that joins in a later epoch.
    pub seat: Option<usize>,
    /// Ed25519 public key of this node on the network.
    pub own: [u8; 32],
    /// The seed of it.
    pub identity: Seed,
    /// What it votes with.
    pub voting: SigningKey,
    /// What its verification node attests with.
    pub attestation: SigningKey,
    /// Where it listens for other validators.
    pub listen: SocketAddr,
    /// The other nodes and where they listen.
    pub peers: Vec<Peer>,
    /// Where it listens for its owner's programs.
    pub api: SocketAddr,
    /// Folder of its store.
    pub data: PathBuf,
    /// Milliseconds after which a block is proposed although nothing waits.
    pub heartbeat_ms: u64,
    /// Its sealed keys.
    pub keys: PathBuf,
}

impl fmt::Debug for NodeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeConfig")
            .field("chain", &self.chain)
            .field("place", &self.place)
            .field("listen", &self.listen)
            .field("api", &self.api)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl NodeSettings {
    /// Reads a node's file, or the [`FILE`] of a folder, and the genesis that it names.
    ///
    /// # Errors
    /// [`NodeError`] with file, field, value and next step.
    pub fn read(path: &Path) -> Result<NodeSettings, NodeError> {
        let file = match path.is_dir() {
            true => path.join(FILE),
            false => path.to_owned(),
        };
        let text = text_of(&file)?;
        let parsed: NodeFile = toml::from_str(&text).map_err(|error| NodeError::Syntax {
            file: file.clone(),
            error: error.to_string(),
        })?;
        Reading {
            folder: file.parent().unwrap_or(Path::new("")),
            file: &file,
        }
        .settings(&parsed)
    }

    /// The store of this node's chain.
    pub fn store(&self) -> PathBuf {
        self.data.join(STORE_FILE)
    }

    /// Opens the keys.
    ///
    /// # Errors
    /// [`NodeError`] where they do not open, or are not those of this node or of the genesis.
    pub fn open(self, phrase: &Zeroizing<String>) -> Result<NodeConfig, NodeError> {
        let seeds = NodeSeeds::read(&self.keys, phrase);
        let seeds = seeds.map_err(|error| NodeError::Keys {
            file: self.keys.clone(),
            error,
        })?;
        if identity_of(&seeds.identity) != self.identity {
            let what = format!("{} holds the keys of another node", self.keys.display());
            return Err(self.refused("identity", what));
        }
        let voting = signing_key(&seeds.voting);
        let attestation = signing_key(&seeds.attestation);
        let document = self.genesis.document();
        let validators = &document.validators.validators;
        let place = validators.iter().position(|v| v.identity == self.identity);
        if place.is_some_and(|place| validators[place].key != *voting.public_key()) {
            let what = "the genesis gives this validator another voting key".to_owned();
            return Err(self.refused("keys", what));
        }
        let seats = &document.verifiers.seats;
        let seat = seats
            .iter()
            .position(|seat| seat.key == *attestation.public_key());
        Ok(NodeConfig {
            place,
            seat,
            own: self.identity,
            identity: seeds.identity,
            voting,
            attestation,
            chain: self.chain,
            genesis: self.genesis,
            listen: self.listen,
            peers: self.peers,
            api: self.api,
            data: self.data,
            heartbeat_ms: self.heartbeat_ms,
            keys: self.keys,
        })
    }

    fn refused(&self, field: &str, what: String) -> NodeError {
        let value = match field {
            "keys" => self.keys.display().to_string(),
            _ => hex(&self.identity),
        };
        NodeError::Value {
            file: self.file.clone(),
            field: field.to_owned(),
            value,
            what,
            next: "put node.toml and keys.sealed of one node into one folder",
        }
    }
}

impl NodeConfig {
    /// Reads a node's file, or the [`FILE`] of a folder, the genesis and the keys.
    ///
    /// # Errors
    /// [`NodeError`] with file, field, value and next step.
    pub fn read(path: &Path, phrase: &Zeroizing<String>) -> Result<NodeConfig, NodeError> {
        NodeSettings::read(path)?.open(phrase)
    }
}

/// A voting key from its hexadecimal digits; `None` for what is none.
pub fn public_key(text: &str) -> Option<PublicKey> {
    PublicKey::new(SUITE, &unhex(text)?)
}

/// Reads a genesis: JSON where the name ends so, else TOML.
///
/// # Errors
/// [`NodeError`] with the field.
pub fn read_genesis(file: &Path) -> Result<Genesis, NodeError> {
    let text = text_of(file)?;
    let is_json = file.extension().is_some_and(|ending| ending == "json");
    let genesis = match is_json {
        true => Genesis::from_json(&text),
        false => Genesis::from_toml(&text),
    };
    genesis.map_err(|error| NodeError::Genesis {
        file: file.to_owned(),
        error,
    })
}

fn text_of(file: &Path) -> Result<String, NodeError> {
    fs::read_to_string(file).map_err(|cause| NodeError::Disk {
        file: file.to_owned(),
        cause,
    })
}

/// A file that is being read.
struct Reading<'a> {
    file: &'a Path,
    folder: &'a Path,
}

impl Reading<'_> {
    fn settings(&self, text: &NodeFile) -> Result<NodeSettings, NodeError> {
        if text.version != VERSION {
            let what = format!("this program reads version {VERSION}");
            let next = "use the program that wrote the file, or write it anew";
            return Err(self.wrong("version", &text.version.to_string(), what, next));
        }
        let genesis = self.genesis(text)?;
        let identity = self.identity("identity", &text.identity)?;
        let listen = self.address("listen", &text.listen)?;
        let api = self.address("api", &text.api)?;
        if api == listen {
            let what = "the network between validators listens there".to_owned();
            return Err(self.wrong("api", &text.api, what, "give it a port of its own"));
        }
        if !HEARTBEAT_MS.contains(&text.heartbeat_ms) {
            let (least, most) = (HEARTBEAT_MS.start(), HEARTBEAT_MS.end());
            let what = format!("not in {least}..={most}");
            let value = text.heartbeat_ms.to_string();
            let next = "10000 is a block every ten seconds while nothing waits";
            return Err(self.wrong("heartbeat_ms", &value, what, next));
        }
        Ok(NodeSettings {
            file: self.file.to_owned(),
            chain: genesis.document().chain.clone(),
            genesis,
            identity,
            listen,
            peers: self.peers(text, identity)?,
            api,
            data: self.folder.join(&text.data),
            heartbeat_ms: text.heartbeat_ms,
            keys: self.folder.join(&text.keys),
        })
    }

    fn genesis(&self, text: &NodeFile) -> Result<Genesis, NodeError> {
        let path = self.folder.join(&text.genesis);
        let genesis = read_genesis(&path)?;
        let next = "every node of a chain has the same genesis.toml and names it alike";
        if genesis.document().chain.as_str() != text.chain {
            let found = &genesis.document().chain;
            let what = format!("{} is the genesis of {found}", path.display());
            return Err(self.wrong("chain", &text.chain, what, next));
        }
        let hash = genesis.hash().to_string();
        if hash != text.genesis_hash {
            let what = format!("{} has the hash {hash}", path.display());
            return Err(self.wrong("genesis_hash", &text.genesis_hash, what, next));
        }
        Ok(genesis)
    }

    fn peers(&self, text: &NodeFile, own: [u8; 32]) -> Result<Vec<Peer>, NodeError> {
        if text.peers.len() > PEERS_MAX {
            let what = format!("at most {PEERS_MAX}");
            let next = "leave out those that have left the chain";
            return Err(self.wrong("peers", &text.peers.len().to_string(), what, next));
        }
        let mut peers = Vec::new();
        let (mut names, mut addresses) = (BTreeSet::from([own]), BTreeSet::new());
        for (index, peer) in text.peers.iter().enumerate() {
            let field = |name: &str| format!("peers[{index}].{name}");
            let identity = self.identity(&field("identity"), &peer.identity)?;
            let address = self.address(&field("address"), &peer.address)?;
            let next = "name every other node once, not this node itself";
            if !names.insert(identity) {
                let what = "named before, or this node's own".to_owned();
                return Err(self.wrong(&field("identity"), &peer.identity, what, next));
            }
            if !addresses.insert(address) || address.ip().is_unspecified() {
                let what = "another peer's, or none that can be reached".to_owned();
                return Err(self.wrong(&field("address"), &peer.address, what, next));
            }
            let key = peer.key.as_deref();
            let key = key.map(|key| self.key(&field("key"), key)).transpose()?;
            peers.push(Peer {
                identity,
                address,
                key,
            });
        }
        Ok(peers)
    }

    fn key(&self, field: &str, text: &str) -> Result<PublicKey, NodeError> {
        public_key(text).ok_or_else(|| {
            let what = format!("no voting key of {} hexadecimal digits", 2 * KEY_BYTES);
            let next = "take it as it stands in the offer.toml of that node";
            self.wrong(field, text, what, next)
        })
    }

    fn identity(&self, field: &str, text: &str) -> Result<[u8; 32], NodeError> {
        let found = Digest::parse(text).map(|bytes| *bytes.as_bytes());
        found.ok_or_else(|| {
            let what = "no Ed25519 public key of 64 hexadecimal digits".to_owned();
            let next = "tieline chain show prints the identities of a genesis";
            self.wrong(field, text, what, next)
        })
    }

    fn address(&self, field: &str, text: &str) -> Result<SocketAddr, NodeError> {
        let found = text.parse().ok();
        let found = found.filter(|address: &SocketAddr| address.port() != 0);
        found.ok_or_else(|| {
            let what = "no address with a port".to_owned();
            let next = "write it as 127.0.0.1:4700 or [::1]:4700";
            self.wrong(field, text, what, next)
        })
    }

    fn wrong(&self, field: &str, value: &str, what: String, next: &'static str) -> NodeError {
        NodeError::Value {
            file: self.file.to_owned(),
            field: field.to_owned(),
            value: value.chars().take(80).collect(),
            what,
            next,
        }
    }
}
