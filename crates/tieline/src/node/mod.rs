//! What one validator runs on: its folder's settings, its sealed keys, and the passphrase that opens them; what it tells
//! its owner's programs, and what carries certificates between nodes of several chains.

pub mod api;
pub mod carry;
pub mod change;
pub mod config;
mod error;
pub mod hex;
mod http;
pub mod journal;
pub mod keys;
pub mod offer;
pub mod passphrase;

pub use config::{NodeConfig, NodeSettings};
pub use error::NodeError;
