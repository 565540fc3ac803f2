//! What a run has left, checked offline: chains, and everything that was written beside them.
//!
//! **Trusted** are the genesis documents in `chains/`, and nothing else. **Checked**, in this order: every chain by itself
//! ([`replay`]: frames, links, votes, roots, bodies, every transaction executed again); what chains say of each other, and that
//! money is neither made nor lost ([`between`]); settlements from the readings they rest on, and what meters show beyond orders
//! ([`settled`]); rounds and their equilibria, prices of the grid ([`rounds`]); orders and keys as the run's files tell them
//! ([`orders`], [`keys`]); bills ([`bills`]) and the tables that repeat them ([`tables`]). The first thing that does not fit ends the
//! audit, with its place.
//!
//! **Not checked**: what would have been without a market (`balance_alone`) follows from profiles that are not here; that a chain
//! goes on behind its last block only other nodes can say, the run's own word is `orders.json`.

pub mod between;
pub mod bills;
pub mod keys;
pub mod orders;
pub mod replay;
pub mod rounds;
pub mod settled;
pub mod story;
pub mod tables;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use replay::Chain;

/// The first thing that does not fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// Which check found it.
    pub check: &'static str,
    /// In which file, inside the folder.
    pub file: String,
    /// At which block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Which part of the block or file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// From which byte of the file on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byte: Option<u64>,
    /// About which order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// In which line of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(height) = self.height {
            write!(f, ", block {height}")?;
        }
        if let Some(place) = &self.place {
            write!(f, ", {place}")?;
        }
        if let Some(byte) = self.byte {
            write!(f, ", byte {byte}")?;
        }
        if let Some(order) = &self.order {
            write!(f, ", order {order}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Why an audit stops.
#[derive(Debug)]
pub enum Stop {
    /// Something does not fit.
    Wrong(Box<Wrong>),
    /// A file cannot be read.
    Broken(String),
}

impl From<Wrong> for Stop {
    fn from(wrong: Wrong) -> Stop {
        Stop::Wrong(Box::new(wrong))
    }
}

/// A check that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// How many of them.
    pub found: u64,
}

/// What a run has left.
pub struct Evidence {
    /// The folder.
    pub folder: PathBuf,
    /// Z first, the others by name.
    pub chains: Vec<Chain>,
}

impl Evidence {
    /// Z.
    pub fn z(&self) -> &Chain {
        &self.chains[0]
    }

    /// A chain by name.
    pub fn chain(&self, name: &tieline_units::ChainId) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.name() == name)
    }

    /// A file of the folder as text.
    ///
    /// # Errors
    /// [`Stop::Broken`].
    pub fn text(&self, file: &str) -> Result<String, Stop> {
        let path = self.folder.join(file);
        std::fs::read_to_string(&path).map_err(|error| {
            Stop::Broken(format!(
                "{}: {error}\n\nhint: name a folder that `tieline run` has left",
                path.display()
            ))
        })
    }
}

/// Reads and replays what there is. `done` hears the bytes that were read, of how many.
///
/// # Errors
/// [`Stop`].
pub fn read(folder: &Path, done: &(dyn Fn(u64, u64) + Sync)) -> Result<Evidence, Stop> {
    Ok(Evidence {
        folder: folder.to_owned(),
        chains: replay::all(&folder.join(crate::run::ledgers::FOLDER), done)?,
    })
}

/// Checks everything beyond the chains themselves.
///
/// # Errors
/// [`Stop`] with the first thing that does not fit.
pub fn check(evidence: &Evidence) -> Result<Vec<Check>, Stop> {
    let mut checks = replay::checks(evidence);
    checks.extend(between::check(evidence)?);
    checks.extend(settled::check(evidence)?);
    checks.extend(rounds::check(evidence)?);
    checks.extend(orders::check(evidence)?);
    checks.extend(keys::check(evidence)?);
    checks.extend(bills::check(evidence)?);
    checks.extend(tables::check(evidence)?);
    Ok(checks)
}
