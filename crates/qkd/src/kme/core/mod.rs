//! The key manager without IO: what is decided, in which order, and what must be on disk before.
//!
//! Parties: two key managers that share a pool of bits over a *link*, and the SAEs of both. Each direction of the link has
//! bits of its own, so that both ends may allocate at once and never the same bits.
//!
//! | message | from | says |
//! |---|---|---|
//! | `Hello` | both, first | which pool, how far head and end of both directions are, how many records counted |
//! | `Ready` | both | what follows from both hellos is on disk here |
//! | `Fill`, `Have` | end that dialled; other end | the next bits of a direction; they are on disk here |
//! | `Announce`, `Noted` | end that allocates; other end | these keys went to masters; that is on disk here |
//! | `Alive` | both, each second | nothing else to say |
//!
//! Rules:
//! 1. Bits become available when they are on disk at both ends.
//! 2. `enc_keys`: the new head is on disk here, then the announcement is on disk there, then the keys leave.
//! 3. `dec_keys`: that the slave has it is on disk, then the key leaves.
//! 4. What is in doubt after a crash, a lost connection or a set-back is discarded, never delivered again.
//! 5. After a start nothing leaves before the other end was met.
//!
//! Guarantees: an allocated offset is never allocated again (2: the head only moves forward, on disk, before anything
//! leaves); a slave gets a key once (3); both get the same bits (1, and the name of a key is computed from its offset).

mod ask;
mod codec;
mod figures;
mod frame;
mod link;
mod manager;
mod peer;
mod pool;
mod quota;
mod record;
mod resolve;
mod sae;
mod state;
mod table;

pub use ask::{Answer, Ask, Delivered, Effect, Fault, Input, News, Refusal, Ticket};
pub use codec::CodecError;
pub(crate) use codec::{Reader, Writer};
pub use figures::{Figures, LinkFigures, SaeFigures};
pub use frame::{FRAME_BYTES_MAX, Frame, Hello, VERSION, View};
pub(crate) use link::Ledger;
pub use link::{Direction, LinkId};
pub use manager::{Limits, Manager, Peer};
pub use quota::Quota;
pub use record::{Granted, PoolId, Record};
pub use sae::ORIGIN_EXTENSION;
