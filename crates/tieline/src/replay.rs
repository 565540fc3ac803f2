//! A chain's blocks once more, from the genesis: links, roots, bodies, handovers and every transaction.
//!
//! Nothing that a block says is believed: each is executed, and the next header has to say what execution found. Whether
//! blocks are **final** is in their certificates, which are an engine's own ([`OfTheEngine`]); without a
//! [`CertificateCheck`] they are counted and not looked into.

use std::fmt;

use thiserror::Error;
use tieline_chain::block::BlockError;
use tieline_chain::files::Entry;
use tieline_chain::genesis::Genesis;
use tieline_chain::ledger::{ExecuteError, Outcome};
use tieline_chain::light::{FinalityProof, FinalityStatement};
use tieline_chain::validators::ValidatorSet;
use tieline_chain::{Executed, Ledger};
use tieline_engine::finality::Finalized;
use tieline_seal::hybrid::Verify;

/// Says whether certificates of finality hold.
pub trait CertificateCheck {
    /// Whether the bytes show that at least n - f of `validators` say the statement.
    ///
    /// # Errors
    /// What is wrong, for people.
    fn check(
        &self,
        certificate: &[u8],
        statement: &FinalityStatement,
        validators: &ValidatorSet,
        verify: &dyn Verify,
    ) -> Result<(), String>;
}

/// Those of the engine that nodes run.
#[derive(Clone, Copy, Debug)]
pub struct OfTheEngine;

impl CertificateCheck for OfTheEngine {
    fn check(
        &self,
        certificate: &[u8],
        statement: &FinalityStatement,
        validators: &ValidatorSet,
        verify: &dyn Verify,
    ) -> Result<(), String> {
        let verified = Finalized(certificate.to_vec()).verify(statement, validators, verify);
        verified.map_err(|error| error.to_string())
    }
}

/// What a replay asks others.
#[derive(Clone, Copy)]
pub struct Checks<'a> {
    /// About signatures.
    pub verify: &'a dyn Verify,
    /// About certificates of finality; `None`: they are counted only.
    pub certificates: Option<&'a dyn CertificateCheck>,
}

/// Where a chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A block that cannot be executed there: link, roots, body or handover.
    #[error("{error}")]
    Block {
        /// Its height.
        height: u64,
        /// What is wrong.
        error: ExecuteError,
    },
    /// A certificate that shows nothing.
    #[error("the certificate of block {height} does not hold: {reason}")]
    Certificate {
        /// The block's height.
        height: u64,
        /// What is wrong.
        reason: String,
    },
}

impl ReplayError {
    /// Height of the block that does not fit.
    pub fn height(&self) -> u64 {
        match self {
            ReplayError::Block { height, .. } | ReplayError::Certificate { height, .. } => *height,
        }
    }

    /// Which part of it: `order`, `header`, `roots`, `body`, `handover`, `double vote` or `certificate`.
    pub fn place(&self) -> &'static str {
        let error = match self {
            ReplayError::Certificate { .. } => return "certificate",
            ReplayError::Block { error, .. } => error,
        };
        match error {
            ExecuteError::Done { .. } | ExecuteError::Gap { .. } => "order",
            ExecuteError::Handover { .. } => "handover",
            ExecuteError::DoubleVote { .. } => "double vote",
            ExecuteError::Block(BlockError::Roots { .. }) => "roots",
            ExecuteError::Block(
                BlockError::Count { .. }
                | BlockError::Transactions { .. }
                | BlockError::Twice { .. }
                | BlockError::Bytes { .. },
            ) => "body",
            ExecuteError::Block(BlockError::Handover { .. }) => "handover",
            _ => "header",
        }
    }
}

/// What was seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Blocks.
    pub blocks: u64,
    /// Their transactions.
    pub transactions: u64,
    /// Of these, refused: recorded, and without effect.
    pub refused: u64,
    /// Blocks that handed over to other validators.
    pub handovers: u64,
    /// Proofs that a validator voted for two things.
    pub double_votes: u64,
    /// Blocks with a certificate of their own.
    pub certificates: u64,
    /// The last block that a checked certificate shows to be final, it and all before it.
    pub final_height: Option<u64>,
}

/// A chain that is being replayed.
pub struct Replay<'a> {
    ledger: Ledger,
    checks: Checks<'a>,
    seen: Seen,
}

impl fmt::Debug for Replay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("ledger", &self.ledger)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

impl<'a> Replay<'a> {
    /// Before the first block.
    pub fn new(genesis: &Genesis, checks: Checks<'a>) -> Replay<'a> {
        Replay {
            ledger: Ledger::genesis(genesis),
            checks,
            seen: Seen::default(),
        }
    }

    /// The next block: executed, and its certificate checked where somebody can.
    ///
    /// # Errors
    /// [`ReplayError`]; going on makes no sense then.
    pub fn step(&mut self, entry: &Entry) -> Result<Executed, ReplayError> {
        let header = &entry.block.header;
        let height = header.height;
        let validators = self.ledger.validators().clone();
        let executed = self.ledger.execute(&entry.block, self.checks.verify);
        let executed = executed.map_err(|error| ReplayError::Block { height, error })?;
        if let Some(certificate) = &entry.certificate {
            self.seen.certificates += 1;
            if let Some(check) = self.checks.certificates {
                let statement = FinalityStatement::of(self.ledger.home(), header);
                check
                    .check(certificate, &statement, &validators, self.checks.verify)
                    .map_err(|reason| ReplayError::Certificate { height, reason })?;
                self.seen.final_height = Some(height);
            }
        }
        self.seen.blocks += 1;
        self.seen.transactions += executed.receipts.len() as u64;
        let receipts = executed.receipts.iter();
        let refused = receipts.filter(|receipt| matches!(receipt.outcome, Outcome::Refused(_)));
        self.seen.refused += refused.count() as u64;
        self.seen.handovers += u64::from(header.handover.is_some());
        self.seen.double_votes += executed.caught.len() as u64;
        Ok(executed)
    }

    /// The state after the last block.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What was seen so far.
    pub fn seen(&self) -> Seen {
        self.seen
    }
}
