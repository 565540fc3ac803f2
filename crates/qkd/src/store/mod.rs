//! The durable single-use key store of a consumer: key that two places share leaves it once, whatever crashes.
//!
//! | word | meaning |
//! |---|---|
//! | lane | one direction between two consumers; its key is a sequence of bytes with positions, the same at both ends |
//! | waiting | a key has arrived and has no place in a lane yet |
//! | stock | bytes at their places, not used |
//! | horizon | a position: everything below may be in use. At the sending end and at the reading end it is on the disk before the first byte below it leaves |
//! | handshake | both ends go on at the larger horizon, after every restart |
//!
//! Guarantees, each of which a test tries to break:
//!
//! 1. No byte is handed out twice at an end: not after kill -9, power loss, a torn write, a full disk or a failed sync.
//! 2. The same with one end restored from an old copy, or running twice.
//! 3. Both ends hand out the same bytes at the same position.
//! 4. No signature counter is spent twice by a store that was not restored from a copy; one that was is told so by its
//!    peers.
//! 5. Running dry is an error and an alarm.
//!
//! How a link lives: [`Store::add_peer`], then [`Store::poll`] says what to send and [`Store::reconcile`] what to
//! answer; [`Store::admit`] takes keys; [`Store::draw`] at the sending end and [`Store::draw_at`] at the reading end use
//! them. The store has no socket, thread or clock: messages and times are passed in, bytes go to a [`Disk`].
//!
//! The layout of the files, the argument for durability and the protocol are in `docs/key-store.md`.

mod account;
mod alarm;
pub(crate) mod codec;
mod contact;
mod disk;
mod draw;
mod engine;
mod error;
pub mod fault;
mod handshake;
mod health;
mod journal;
mod message;
mod name;
mod record;
pub(crate) mod seal;
mod sealed;
mod seat;
mod spends;
mod state;
mod supply;

pub use account::{Account, Forecast};
pub use alarm::Alarm;
pub use codec::CodecError;
pub use contact::Standing;
pub use disk::{Action, Disk, DiskError, FolderDisk};
pub use draw::{Pad, Reservation};
pub use engine::{Settings, Store};
pub use error::StoreError;
pub use health::{HealthError, KEY_BYTES_MAX, KEY_BYTES_MIN};
pub use message::{Message, OFFER_KEYS_MAX};
pub use name::{KeyId, Lane, NameError, SAE_BYTES_MAX, Sae};
pub use seal::{Cost, Entropy, Secret, system_entropy};
pub use sealed::{Sealer, UnsealError, unseal};
pub use seat::Seats;
pub use supply::{Admitted, NewKey};
