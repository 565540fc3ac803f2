//! What the store refuses, and what to do then.

use thiserror::Error;
use tieline_uss::key::KeyError;
use tieline_uss::party::{Counter, EpochId, Party};

use super::codec::CodecError;
use super::disk::DiskError;
use super::health::HealthError;
use super::name::{Lane, NameError, Sae};

/// What the store refuses. Nothing was handed out, and unless it says so nothing has changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The disk failed before: what is on it is uncertain, so the store works no more.
    #[error(
        "the key store stopped when the disk failed ({cause}); nothing is handed out: \
         mend the disk, then open the store again"
    )]
    Poisoned {
        /// The first failure.
        cause: String,
    },
    /// A file is not what was written.
    #[error(
        "{file} {what} at byte {offset}: the file was damaged or changed; do not restore an older copy over it, \
         set the folder aside, make a new store and shake hands with every peer"
    )]
    Corrupt {
        /// The file.
        file: String,
        /// Where.
        offset: u64,
        /// What it is not.
        what: &'static str,
    },
    /// The folder holds files, but no store of this version.
    #[error("the folder holds no key store of this version; give an empty folder to make one")]
    NotAStore,
    /// The head says a store was made, and its keys are not there.
    #[error(
        "the head of a key store is there and no segment is: files were removed; set the folder aside and make a new store"
    )]
    NoSegment,
    /// The store belongs to somebody else.
    #[error("the key store belongs to {owner}, not to {asked}")]
    OtherOwner {
        /// Whose it is.
        owner: Sae,
        /// Who asked.
        asked: Sae,
    },
    /// The passphrase or key is wrong, or the head was changed.
    #[error("the passphrase or key does not open this store, or its head was changed")]
    WrongSecret,
    /// A key where a passphrase is wanted, or the other way round.
    #[error("this store opens with a {}", if *passphrase { "passphrase, not with a key file" } else { "key file, not with a passphrase" })]
    OtherSecret {
        /// Whether it wants a passphrase.
        passphrase: bool,
    },
    /// The cost parameters, or the passphrase, are out of range.
    #[error(
        "a passphrase must not be empty, and {memory_kib} KiB in {passes} passes must be a cost that Argon2id takes (8 KiB to 4 GiB, 1 pass or more)"
    )]
    Cost {
        /// Memory.
        memory_kib: u32,
        /// Passes.
        passes: u32,
    },
    /// A key file of another length.
    #[error("the key file {file} has {bytes} bytes; it must have 32")]
    KeyFileLength {
        /// The file.
        file: String,
        /// Its length.
        bytes: usize,
    },
    /// A key file that others can read.
    #[error("the key file {file} has mode {mode:03o}; others can read it: chmod 600 {file}")]
    KeyFileMode {
        /// The file.
        file: String,
        /// Its mode.
        mode: u32,
    },
    /// No randomness.
    #[error("the system gives no random bytes: {cause}")]
    Entropy {
        /// What it says.
        cause: String,
    },
    /// A name that is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A key that arrived cannot be one.
    #[error("lane {lane}: {cause}")]
    Health {
        /// The lane.
        lane: Lane,
        /// Why.
        cause: HealthError,
    },
    /// No link to that peer was set up.
    #[error("no link to {peer} is set up in the key store of {owner}; add the peer first")]
    NoPeer {
        /// Whose store.
        owner: Sae,
        /// The other.
        peer: Sae,
    },
    /// This end does that only on its outgoing or incoming lanes.
    #[error("lane {lane} does not {way} {owner}")]
    WrongWay {
        /// The lane.
        lane: Lane,
        /// `lead out of` or `lead to`.
        way: &'static str,
        /// Whose store.
        owner: Sae,
    },
    /// A participant of the epoch that has no place in the network.
    #[error("{party} of this epoch is not named; give every participant its consumer name")]
    NoSeat {
        /// The participant.
        party: Party,
    },
    /// Nothing is drawn before both ends know how far the other has got.
    #[error("no handshake with {peer} since the store was opened; exchange one first")]
    NoHandshake {
        /// The other end.
        peer: Sae,
    },
    /// A signature waits for peers that would notice a restored store.
    #[error(
        "{have} of {need} handshakes are done that must come before a signature counter is spent"
    )]
    NoWitness {
        /// Handshakes since the store was opened.
        have: usize,
        /// Handshakes wanted.
        need: usize,
    },
    /// The histories of both ends differ.
    #[error(
        "the history that {peer} remembers is not the one in this store (handshake {ours} here, {theirs} there): \
         one of the two was restored from a copy or runs twice; find out which, end all copies but one, \
         then call recover"
    )]
    RolledBack {
        /// The other end.
        peer: Sae,
        /// Handshakes made by this end.
        ours: u64,
        /// The last that the peer has seen of this end.
        theirs: u64,
    },
    /// The stock cannot serve the draw.
    #[error("lane {lane}: {cause}")]
    Pool {
        /// The lane.
        lane: Lane,
        /// Why.
        cause: KeyError,
    },
    /// The peer has not yet confirmed that so much will be used.
    #[error(
        "lane {lane}: {need} bits wanted, {have} are granted by the other end; exchange messages and draw again"
    )]
    Horizon {
        /// The lane.
        lane: Lane,
        /// Bits granted and not used.
        have: u64,
        /// Bits wanted.
        need: u64,
    },
    /// A position that this end has passed.
    #[error(
        "lane {lane}: byte {position} is used already, the next is {next}; the message is a replay or came late"
    )]
    Behind {
        /// The lane.
        lane: Lane,
        /// The position.
        position: u64,
        /// The first that is free.
        next: u64,
    },
    /// A reservation that is not there.
    #[error("reservation {id} is used, cancelled or timed out; its key is gone")]
    NoReservation {
        /// Its number.
        id: u64,
    },
    /// A counter is spent once.
    #[error("counter {counter} of epoch {epoch} is spent already")]
    SpentBefore {
        /// The epoch.
        epoch: EpochId,
        /// The counter.
        counter: Counter,
    },
    /// An epoch that was closed for signing.
    #[error("epoch {epoch} is closed for signing: epochs below {open} are; begin a new one")]
    EpochClosed {
        /// The epoch.
        epoch: EpochId,
        /// The first that is open.
        open: EpochId,
    },
    /// A message that says nothing.
    #[error("a message of {bytes} bytes is refused: {cause}")]
    Message {
        /// Its length.
        bytes: usize,
        /// Why.
        cause: CodecError,
    },
    /// A message of another handshake.
    #[error("a message of {peer} belongs to another handshake; repeat the handshake")]
    OtherSession {
        /// Who sent it.
        peer: Sae,
    },
    /// A handshake that was seen before.
    #[error(
        "{peer} offers handshake {counter}, {seen} was seen before: a replay, or a copy of its store"
    )]
    Stale {
        /// Who sent it.
        peer: Sae,
        /// What it says.
        counter: u64,
        /// What was seen last.
        seen: u64,
    },
    /// A peer that breaks the rules.
    #[error("{peer} broke the protocol: {what}")]
    Broken {
        /// Who.
        peer: Sae,
        /// How.
        what: &'static str,
    },
}
