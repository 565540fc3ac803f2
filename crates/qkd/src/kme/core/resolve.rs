//! What two ends agree on when they meet: a pure function of both hellos, so that both come to the same.
//!
//! * An end that has counted fewer records than the other has seen of it was set back (a restored snapshot, a lost disk):
//!   its memory of what was delivered cannot be trusted, so both discard everything and start a new pool.
//! * Two names of pools, or none: a new pool.
//! * Otherwise heads move forward to the larger one (what one end allocated and the other does not know of was never
//!   delivered, for delivery waits for the other end's word; it is discarded), ends move back to the smaller one (bits
//!   that only one end holds are discarded).

use super::frame::{Hello, View};
use super::record::PoolId;

/// Why everything is discarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// First meeting.
    New,
    /// The ends hold different pools.
    OtherPool,
    /// An end was set back.
    SetBack,
}

/// What both ends agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agreed {
    /// A new pool.
    Fresh(PoolId, Why),
    /// (head, filled) of both directions, as the first of the two sees them.
    Aligned { out: (u64, u64), inn: (u64, u64) },
}

/// Agrees. `mine` was sent by this end, `theirs` by the other; `i_dialled` says whose new name counts.
pub(crate) fn agree(mine: &Hello, theirs: &Hello, i_dialled: bool) -> Agreed {
    let fresh = if i_dialled { mine.fresh } else { theirs.fresh };
    if mine.pool.is_none() && theirs.pool.is_none() {
        return Agreed::Fresh(fresh, Why::New);
    }
    if mine.pool != theirs.pool {
        return Agreed::Fresh(fresh, Why::OtherPool);
    }
    if mine.seq < theirs.seen || theirs.seq < mine.seen {
        return Agreed::Fresh(fresh, Why::SetBack);
    }
    Agreed::Aligned {
        out: meet(mine.out, theirs.inn),
        inn: meet(mine.inn, theirs.out),
    }
}

fn meet(one: View, other: View) -> (u64, u64) {
    let head = one.head.max(other.head);
    (head, one.filled.min(other.filled).max(head))
}
