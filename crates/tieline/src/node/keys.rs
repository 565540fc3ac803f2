//! Secret keys in files: seeds, sealed under a passphrase.
//!
//! What is sealed: `version u8 | count u8 | seeds of 32 bytes`. A node has three: its name on the network, its votes, the
//! attestations of its verification node. A member has its gateway's, then those of its meters.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ed25519_dalek::SigningKey as EdKey;
use thiserror::Error;
use tieline_qkd::store::{Entropy, Sealer, StoreError, UnsealError, unseal};
use tieline_seal::hybrid::{SigningKey, Suite};
use zeroize::Zeroizing;

/// The suite of every key of a node or member.
pub const SUITE: Suite = Suite::Ed25519MlDsa65;

/// What a node's file is sealed as.
pub const NODE_KEYS: &str = "file of a node's keys";

/// What a member's file is sealed as.
pub const MEMBER_KEYS: &str = "file of a member's keys";

/// Most bytes of a sealed file that are read.
const FILE_BYTES_MAX: u64 = 64 << 10;

const VERSION: u8 = 1;
const SEED: usize = 32;

/// 32 secret bytes from which a key is made; wiped when dropped.
pub type Seed = Zeroizing<[u8; SEED]>;

/// Why keys are not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The file.
    #[error("{0}")]
    Disk(#[from] io::Error),
    /// A file of another kind.
    #[error("{bytes} bytes, at most {FILE_BYTES_MAX} are read")]
    Length {
        /// How many.
        bytes: u64,
    },
    /// The seal.
    #[error(transparent)]
    Sealed(#[from] UnsealError),
    /// Opened, and not what it should be.
    #[error(
        "it holds {found} seeds in version {version}, expected are {expected} in version {VERSION}"
    )]
    Content {
        /// The version found.
        version: u8,
        /// How many seeds.
        found: usize,
        /// How many there should be.
        expected: &'static str,
    },
}

/// The seeds of a node.
pub struct NodeSeeds {
    /// Of its Ed25519 name on the network.
    pub identity: Seed,
    /// Of what it votes with.
    pub voting: Seed,
    /// Of what its verification node attests with.
    pub attestation: Seed,
}

/// The seeds of a member.
pub struct MemberSeeds {
    /// Of its gateway.
    pub gateway: Seed,
    /// Of its meters, in the order of the genesis.
    pub meters: Vec<Seed>,
}

impl fmt::Debug for NodeSeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeSeeds(<redacted>)")
    }
}

impl fmt::Debug for MemberSeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemberSeeds(<redacted>)")
    }
}

impl NodeSeeds {
    /// Draws new ones.
    ///
    /// # Errors
    /// [`StoreError::Entropy`].
    pub fn draw(entropy: &mut Entropy) -> Result<NodeSeeds, StoreError> {
        Ok(NodeSeeds {
            identity: draw(entropy)?,
            voting: draw(entropy)?,
            attestation: draw(entropy)?,
        })
    }

    /// Opens a node's file.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn read(file: &Path, phrase: &Zeroizing<String>) -> Result<NodeSeeds, KeysError> {
        let (version, seeds) = open(file, phrase, NODE_KEYS)?;
        let found = seeds.len();
        let [identity, voting, attestation]: [Seed; 3] =
            seeds.try_into().map_err(|_| KeysError::Content {
                version,
                found,
                expected: "3",
            })?;
        Ok(NodeSeeds {
            identity,
            voting,
            attestation,
        })
    }

    /// Writes a node's file, new and for its owner alone.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write(
        &self,
        file: &Path,
        sealer: &Sealer,
        entropy: &mut Entropy,
    ) -> Result<(), WriteError> {
        let seeds = [&self.identity, &self.voting, &self.attestation];
        let sealed = sealer.seal(NODE_KEYS, &packed(&seeds), entropy)?;
        Ok(write_private(file, &sealed)?)
    }
}

impl MemberSeeds {
    /// Draws new ones.
    ///
    /// # Errors
    /// [`StoreError::Entropy`].
    pub fn draw(meters: usize, entropy: &mut Entropy) -> Result<MemberSeeds, StoreError> {
        Ok(MemberSeeds {
            gateway: draw(entropy)?,
            meters: (0..meters)
                .map(|_| draw(entropy))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Opens a member's file.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn read(file: &Path, phrase: &Zeroizing<String>) -> Result<MemberSeeds, KeysError> {
        let (version, seeds) = open(file, phrase, MEMBER_KEYS)?;
        let mut seeds = seeds.into_iter();
        let gateway = seeds.next().ok_or(KeysError::Content {
            version,
            found: 0,
            expected: "1 or more",
        })?;
        let meters = seeds.collect();
        Ok(MemberSeeds { gateway, meters })
    }

    /// Writes a member's file, new and for its owner alone.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write(
        &self,
        file: &Path,
        sealer: &Sealer,
        entropy: &mut Entropy,
    ) -> Result<(), WriteError> {
        let seeds: Vec<&Seed> = std::iter::once(&self.gateway).chain(&self.meters).collect();
        let sealed = sealer.seal(MEMBER_KEYS, &packed(&seeds), entropy)?;
        Ok(write_private(file, &sealed)?)
    }
}

/// Why keys are not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The file.
    #[error("{0}")]
    Disk(#[from] io::Error),
    /// The seal.
    #[error(transparent)]
    Seal(#[from] StoreError),
}

/// The Ed25519 public key that a seed names on the network.
pub fn identity_of(seed: &Seed) -> [u8; 32] {
    EdKey::from_bytes(seed).verifying_key().to_bytes()
}

/// The key that a seed signs with, of [`SUITE`].
pub fn signing_key(seed: &Seed) -> SigningKey {
    SigningKey::from_seed(SUITE, seed)
}

fn draw(entropy: &mut Entropy) -> Result<Seed, StoreError> {
    let mut seed = Zeroizing::new([0; SEED]);
    entropy(&mut *seed)?;
    Ok(seed)
}

fn packed(seeds: &[&Seed]) -> Zeroizing<Vec<u8>> {
    // Room for all: no growth leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 + seeds.len() * SEED));
    let count = u8::try_from(seeds.len()).expect("a member has at most METERS_MAX meters");
    bytes.extend_from_slice(&[VERSION, count]);
    for seed in seeds {
        bytes.extend_from_slice(&***seed);
    }
    bytes
}

/// The version, and the seeds; none where version, count and length do not fit.
fn open(
    file: &Path,
    phrase: &Zeroizing<String>,
    purpose: &str,
) -> Result<(u8, Vec<Seed>), KeysError> {
    let bytes = std::fs::metadata(file)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(KeysError::Length { bytes });
    }
    let plain = unseal(phrase.clone(), purpose, &std::fs::read(file)?)?;
    let (head, body) = plain.split_at(plain.len().min(2));
    let version = head.first().copied().unwrap_or(0);
    let (seeds, rest) = body.as_chunks::<SEED>();
    let fits = head.len() == 2
        && version == VERSION
        && usize::from(head[1]) == seeds.len()
        && rest.is_empty();
    let seeds = if fits { seeds } else { &[] };
    Ok((
        version,
        seeds.iter().map(|seed| Zeroizing::new(*seed)).collect(),
    ))
}

/// A new file that nobody but the owner can read, on the disk when this returns.
fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}
