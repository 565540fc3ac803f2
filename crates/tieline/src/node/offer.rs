//! `offer.toml`: what a node tells the others before they know it. It is one `[[peers]]` of their `node.toml`, word by word,
//! so that appending the file is all there is to do.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tieline_chain::validators::Validator;
use tieline_units::{Digest, MicrogridId};

use super::config::{PeerFile, public_key};
use super::error::NodeError;
use super::hex::hex;

/// Its name in a node's folder.
pub const FILE: &str = "offer.toml";

/// The file as it is written.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Offer {
    peers: Vec<PeerFile>,
}

/// What a validator tells of itself.
///
/// # Errors
/// Of the serializer.
pub fn text(validator: &Validator, address: String) -> Result<String, toml::ser::Error> {
    let peer = peer(validator, address);
    let offer = toml::to_string(&Offer { peers: vec![peer] })?;
    Ok(format!("\n{offer}"))
}

/// A validator as a peer of others.
pub fn peer(validator: &Validator, address: String) -> PeerFile {
    PeerFile {
        identity: hex(&validator.identity),
        address,
        key: Some(hex(validator.key.as_bytes())),
        owner: Some(validator.owner.to_string()),
    }
}

/// Reads an offer.
///
/// # Errors
/// [`NodeError`] with the file and what is missing.
pub fn read(file: &Path) -> Result<Validator, NodeError> {
    let text = std::fs::read_to_string(file).map_err(|cause| NodeError::Disk {
        file: file.to_owned(),
        cause,
    })?;
    let refused = |error: String| NodeError::Offer {
        file: file.to_owned(),
        error,
    };
    let offer: Offer = toml::from_str(&text).map_err(|error| refused(error.to_string()))?;
    let [peer] = &offer.peers[..] else {
        return Err(refused(format!("{} nodes in it, not 1", offer.peers.len())));
    };
    validator(peer).map_err(|field| refused(format!("peers[0].{field} is missing or wrong")))
}

/// The validator that a peer is; which field is missing or wrong, where one is.
pub fn validator(peer: &PeerFile) -> Result<Validator, &'static str> {
    let key = peer.key.as_deref().and_then(public_key);
    let owner = peer.owner.as_deref();
    Ok(Validator {
        identity: *Digest::parse(&peer.identity).ok_or("identity")?.as_bytes(),
        key: key.ok_or("key")?,
        owner: owner
            .and_then(|it| MicrogridId::parse(it).ok())
            .ok_or("owner")?,
    })
}
