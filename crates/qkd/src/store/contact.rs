//! What is known of a peer while this process runs.

use tieline_units::Time;
use tieline_uss::party::{Counter, EpochId};

use super::error::StoreError;
use super::message::{Joint, Mark};
use super::name::Sae;
use super::record::Session;
use super::supply::Pending;

/// How this end stands with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No handshake since the store was opened, or since the last one failed to hold.
    Apart,
    /// Both ends agree.
    Joined,
    /// The histories differ: an operator must find out why ([`Store::recover`](super::Store::recover)).
    RolledBack,
}

/// What is known of a peer while this process runs.
#[derive(Default)]
pub(super) struct Contact {
    pub(super) phase: Phase,
    pub(super) recovering: bool,
    pub(super) spoke: Option<Time>,
    /// Bytes that a draw asked for in vain.
    pub(super) wanted: u64,
    pub(super) pending: Pending,
}

/// How far the handshake has got.
#[derive(Default)]
pub(super) enum Phase {
    /// Not begun.
    #[default]
    Apart,
    /// A hello with this nonce is out.
    Called { nonce: [u8; 16] },
    /// A welcome is out.
    Answered {
        session: Session,
        joints: [Joint; 2],
    },
    /// Both ends agree.
    Joined { session: Session },
    /// The histories differ.
    Split { ours: u64, theirs: u64 },
}

impl Contact {
    pub(super) fn is_joined(&self) -> bool {
        matches!(self.phase, Phase::Joined { .. })
    }

    pub(super) fn standing(&self) -> Standing {
        match self.phase {
            Phase::Joined { .. } => Standing::Joined,
            Phase::Split { .. } if !self.recovering => Standing::RolledBack,
            Phase::Apart | Phase::Called { .. } | Phase::Answered { .. } | Phase::Split { .. } => {
                Standing::Apart
            }
        }
    }

    pub(super) fn session(&self) -> Option<Session> {
        match self.phase {
            Phase::Joined { session } => Some(session),
            Phase::Apart | Phase::Called { .. } | Phase::Answered { .. } | Phase::Split { .. } => {
                None
            }
        }
    }

    pub(super) fn not_joined(&self, peer: &Sae) -> StoreError {
        match self.phase {
            Phase::Split { ours, theirs } => StoreError::RolledBack {
                peer: peer.clone(),
                ours,
                theirs,
            },
            Phase::Apart | Phase::Called { .. } | Phase::Answered { .. } | Phase::Joined { .. } => {
                StoreError::NoHandshake { peer: peer.clone() }
            }
        }
    }

    pub(super) fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.wanted = 0;
        self.pending = Pending::default();
    }
}

/// What a hello says.
pub(super) struct Hello {
    pub(super) counter: u64,
    pub(super) nonce: [u8; 16],
    pub(super) recovering: bool,
    pub(super) latest: Session,
    pub(super) settled: Session,
    pub(super) marks: [Mark; 2],
    pub(super) observed: Option<(EpochId, Counter)>,
}

/// What a welcome says.
pub(super) struct Welcome {
    pub(super) echo: [u8; 16],
    pub(super) nonce: [u8; 16],
    pub(super) joints: [Joint; 2],
    pub(super) observed: Option<(EpochId, Counter)>,
}
