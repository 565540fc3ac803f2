//! Why a node does not start on a folder.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tieline_chain::genesis::TextError;

use super::keys::KeysError;

/// What is wrong with a node's settings or keys: file, field, value and next step.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// A file that cannot be read.
    #[error("{}: {cause}\n\nhint: tieline chain init makes a folder for each node, with all its files", file.display())]
    Disk {
        /// Which.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// No TOML, an unknown or missing field, or one of another type: the text says where.
    #[error("{}: {error}\n\nhint: compare with a node.toml as tieline chain init writes it", file.display())]
    Syntax {
        /// Which.
        file: PathBuf,
        /// Line, field and what is wrong.
        error: String,
    },
    /// A field whose value does not hold.
    #[error("{}: {field} = {value}: {what}\n\nhint: {next}", file.display())]
    Value {
        /// Which file.
        file: PathBuf,
        /// Which field.
        field: String,
        /// What it says.
        value: String,
        /// What is wrong with it.
        what: String,
        /// What to do.
        next: &'static str,
    },
    /// A genesis on which nothing is founded.
    #[error("{}: {error}\n\nhint: every node of a chain has the same genesis.toml; take it again from another", file.display())]
    Genesis {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        error: TextError,
    },
    /// What another node offers cannot be read.
    #[error("{}: {error}\n\nhint: take the offer.toml of that node again, as tieline chain join wrote it", file.display())]
    Offer {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        error: String,
    },
    /// Keys that do not open.
    #[error("{}: {error}\n\nhint: give the passphrase that the keys were sealed with; a changed file has to come from a copy", file.display())]
    Keys {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        error: KeysError,
    },
}
