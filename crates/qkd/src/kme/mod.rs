//! A key manager: keys for the SAEs of one site, from pools that it shares with the key managers of other sites.
//!
//! [`core`] decides, without IO; a thread of its own ([`Kme`] starts it) writes records before anything leaves; around it
//! are the listener for SAEs (ETSI GS QKD 014 over TLS with certificates of both sides), the connections to other key
//! managers, and the operator's pages.

mod admin;
mod api;
mod config;
pub mod core;
mod disk;
mod engine;
mod http;
mod line;
mod peer;
mod recover;
mod server;
mod shelf;
#[cfg(test)]
mod sim;
mod source;

pub use config::{ConfigError, Keys, KmeConfig, PeerConfig};
pub use disk::DiskError;
pub use line::{LinkSettings, LinkSource, LinkSourceError};
pub use server::{Addresses, Kme, KmeError, Options};
pub use source::{DevelopmentSource, Drawn, KeySource, Line, Origin};
