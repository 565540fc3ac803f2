//! The settings of a key manager, one TOML file each.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::etsi::{KmeId, SaeId};

use super::core::{Limits, Quota};
use super::line::LinkSettings;

/// One key manager. Paths are relative to the folder of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KmeConfig {
    /// Its identifier, the same as the common name of its certificate.
    pub kme_id: KmeId,
    /// Folder for log and bits; belongs to this key manager alone.
    pub data: PathBuf,
    /// Where SAEs ask.
    pub listen: SocketAddr,
    /// Where key managers that dial are awaited; needed when a peer has no `dial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_listen: Option<SocketAddr>,
    /// Where the status page and the metrics are, without TLS and without names: a loopback address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_listen: Option<SocketAddr>,
    /// Certificates of the CAs whose SAEs and key managers are known, PEM.
    pub ca: PathBuf,
    /// Own certificate, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// Sizes and times.
    #[serde(default)]
    pub keys: Keys,
    /// SAEs at this end.
    pub sae: BTreeMap<SaeId, Quota>,
    /// Key managers at other ends.
    pub peer: BTreeMap<KmeId, PeerConfig>,
}

/// Sizes and times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// Size of a key for which no size is asked.
    pub size_bits: u64,
    /// Smallest key.
    pub size_min_bits: u64,
    /// Largest key.
    pub size_max_bits: u64,
    /// Keys in one request.
    pub number_max: u64,
    /// Additional slaves in one request; 0: no multicast.
    pub additional_slaves_max: u64,
    /// Keys of `size_bits` kept in each direction of a link.
    pub stored_max: u64,
    /// Of these, how many only control traffic may draw.
    pub reserve: u64,
    /// How long a key waits for its slaves before it is wiped.
    pub uncollected_seconds: u64,
    /// Keys of one link that may wait for their slaves.
    pub uncollected_max: u64,
}

impl Default for Keys {
    /// Keys of 256 bits, 64 to 65,536; 128 per request; 16 more slaves; 16,384 stored, 256 of them in reserve; an hour to
    /// fetch a key; a million keys waiting.
    fn default() -> Keys {
        Keys {
            size_bits: 256,
            size_min_bits: 64,
            size_max_bits: 65_536,
            number_max: 128,
            additional_slaves_max: 16,
            stored_max: 16_384,
            reserve: 256,
            uncollected_seconds: 3_600,
            uncollected_max: 1_000_000,
        }
    }
}

/// A key manager at the other end of a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// Its address, at exactly one end of a link; that end also runs the source of keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dial: Option<String>,
    /// Its SAEs.
    pub saes: Vec<SaeId>,
    /// Bits per second of the development source, both directions together; without it, as fast as there is room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_per_second: Option<u64>,
    /// The link model in the place of the development source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkSettings>,
}

impl PeerConfig {
    /// Refuses a source that cannot be: the name of the setting and why.
    fn check(&self) -> Result<(), (&'static str, String)> {
        let Some(link) = &self.link else {
            return Ok(());
        };
        if self.dial.is_none() {
            let why =
                "the end that dials runs the source: give it dial, or move this to the other end";
            return Err(("peer.link", why.to_owned()));
        }
        if self.bits_per_second.is_some() {
            let why = "the link has a rate of its own: leave this line out, or [peer.ID.link]";
            return Err(("peer.bits_per_second", why.to_owned()));
        }
        link.check()
    }
}

/// What is wrong with settings.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No TOML, or unknown or missing settings.
    #[error("{path}: {why}", path = path.display())]
    Toml {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Values that do not go together.
    #[error("{kme}: {setting}: {why}")]
    Value {
        /// Whose settings.
        kme: KmeId,
        /// Which.
        setting: &'static str,
        /// Why.
        why: String,
    },
}

impl KmeConfig {
    /// Reads a file; its paths become relative to where the file is.
    ///
    /// # Errors
    /// No such file, no TOML, or values that do not go together.
    pub fn read(path: &Path) -> Result<KmeConfig, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut config: KmeConfig = toml::from_str(&text).map_err(|error| ConfigError::Toml {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for file in [
            &mut config.data,
            &mut config.ca,
            &mut config.certificate,
            &mut config.key,
        ] {
            *file = folder.join(&*file);
        }
        config.check()?;
        Ok(config)
    }

    /// Refuses values that do not go together.
    ///
    /// # Errors
    /// [`ConfigError::Value`].
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |setting, why: String| {
            Err(ConfigError::Value {
                kme: self.kme_id.clone(),
                setting,
                why,
            })
        };
        let keys = &self.keys;
        let sizes = [keys.size_min_bits, keys.size_bits, keys.size_max_bits];
        if sizes[0] == 0 || sizes.iter().any(|size| size % 8 != 0) || !sizes.is_sorted() {
            let why = format!(
                "{sizes:?}: smallest, usual and largest size must be whole bytes, from 8 on, in this order"
            );
            return wrong("keys.size_bits", why);
        }
        if keys.size_max_bits > 1 << 20 {
            return wrong("keys.size_max_bits", "at most 1048576".to_owned());
        }
        if keys.number_max == 0 || keys.number_max > 1024 {
            return wrong("keys.number_max", "1 to 1024 are possible".to_owned());
        }
        if keys.additional_slaves_max > 63 {
            return wrong("keys.additional_slaves_max", "at most 63".to_owned());
        }
        let pool = keys.stored_max.checked_mul(keys.size_bits);
        if pool.is_none_or(|bits| bits == 0 || bits > 1 << 36) {
            return wrong("keys.stored_max", "1 key to 8 GiB are possible".to_owned());
        }
        if keys.reserve >= keys.stored_max {
            return wrong("keys.reserve", "less than stored_max".to_owned());
        }
        for (kme, peer) in &self.peer {
            if let Err((setting, why)) = peer.check() {
                return wrong(setting, format!("{kme}: {why}"));
            }
        }
        let awaits = self.peer.values().any(|peer| peer.dial.is_none());
        if awaits && self.peer_listen.is_none() {
            let why = "needed, for a peer without dial is awaited".to_owned();
            return wrong("peer_listen", why);
        }
        if self.admin_listen.is_some_and(|at| !at.ip().is_loopback()) {
            let why = "a loopback address: the pages ask for no name".to_owned();
            return wrong("admin_listen", why);
        }
        let mut seen: BTreeMap<&str, ()> = BTreeMap::new();
        let names = self
            .sae
            .keys()
            .chain(self.peer.values().flat_map(|peer| &peer.saes))
            .map(SaeId::as_str)
            .chain(self.peer.keys().map(KmeId::as_str))
            .chain([self.kme_id.as_str()]);
        for name in names {
            if seen.insert(name, ()).is_some() {
                return wrong("sae, peer", format!("{name} is named twice"));
            }
        }
        Ok(())
    }

    pub(crate) fn limits(&self) -> Limits {
        let keys = &self.keys;
        Limits {
            key_bits: keys.size_bits,
            key_bits_min: keys.size_min_bits,
            key_bits_max: keys.size_max_bits,
            number_max: keys.number_max,
            slaves_max: keys.additional_slaves_max,
            pool_bits: keys.stored_max * keys.size_bits,
            reserve_bits: keys.reserve * keys.size_bits,
            uncollected_ms: keys.uncollected_seconds * 1000,
            uncollected_keys: keys.uncollected_max,
        }
    }
}
