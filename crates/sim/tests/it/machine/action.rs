//! What can happen in one step, each as one line.

use std::fmt;

use tieline_contract::payload::Kind;

/// X, Y and Z; an order's own X may be either of the first two.
pub(super) const NAMES: [&str; 3] = ["X", "Y", "Z"];

/// An instant that matters to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// D - Δt.
    LastAnswer,
    /// D.
    Deadline,
    /// G.
    Gate,
    /// t1.
    End,
    /// T_m + grace.
    Overdue,
}

/// One step.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// The buyer asks; within one chain both gateways act at once.
    Request(usize),
    /// The seller answers.
    Answer {
        order: usize,
        yes: bool,
    },
    /// Somebody else answers.
    Impostor(usize),
    /// The buyer returns the key.
    KeyReturn(usize),
    /// Anybody says that time is up.
    Timeout {
        order: usize,
        on: usize,
    },
    TimeoutRequest {
        order: usize,
        on: usize,
    },
    Void {
        order: usize,
        on: usize,
    },
    Default {
        order: usize,
        on: usize,
    },
    /// A relayer delivers, with the signatures of enough or of too few.
    Deliver {
        kind: Kind,
        order: usize,
        to: usize,
        thin: bool,
    },
    /// A member's meter: export positive, in kWh.
    Meter {
        who: &'static str,
        kwh: i64,
    },
    /// A block ends.
    Seal(usize),
    /// A ledger's clock comes to an instant, or just beyond.
    Clock {
        on: usize,
        limit: Limit,
        beyond: bool,
    },
    /// A ledger restarts from its store and executes the block in progress again, or loses it.
    Crash {
        on: usize,
        lost: bool,
    },
}

impl Action {
    pub(super) fn seals() -> Vec<Action> {
        (0..3).map(Action::Seal).collect()
    }

    pub(super) fn crashes() -> Vec<Action> {
        let each = |on| [false, true].map(|lost| Action::Crash { on, lost });
        (0..3).flat_map(each).collect()
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Request => "REQ",
        Kind::Accept => "ACC",
        Kind::Reject => "REJ",
        Kind::Commit => "COM",
        Kind::Refund => "REF",
        Kind::Void => "VOID",
        Kind::Taken => "MET_x",
        Kind::Delivered => "MET_y",
        Kind::Settle => "SET",
        Kind::Rotate => "ROT",
        Kind::Deposit => "DEP",
        Kind::Net => "NET",
        Kind::Register => "REG",
        Kind::Freeze => "FRZ",
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Request(order) => write!(f, "request order {order}"),
            Action::Answer { order, yes: true } => write!(f, "accept order {order}"),
            Action::Answer { order, yes: false } => write!(f, "decline order {order}"),
            Action::Impostor(order) => write!(f, "accept order {order} as somebody else"),
            Action::KeyReturn(order) => write!(f, "return the key of order {order}"),
            Action::Timeout { order, on } => write!(f, "time out order {order} on {}", NAMES[*on]),
            Action::TimeoutRequest { order, on } => {
                write!(f, "time out the request of order {order} on {}", NAMES[*on])
            }
            Action::Void { order, on } => write!(f, "void order {order} on {}", NAMES[*on]),
            Action::Default { order, on } => write!(f, "default order {order} on {}", NAMES[*on]),
            Action::Deliver {
                kind,
                order,
                to,
                thin,
            } => {
                let by = if *thin { " by one signer" } else { "" };
                write!(
                    f,
                    "deliver {} of order {order} to {}{by}",
                    name(*kind),
                    NAMES[*to]
                )
            }
            Action::Meter { who, kwh } => write!(f, "meter {kwh} kWh of {who}"),
            Action::Seal(on) => write!(f, "end the block of {}", NAMES[*on]),
            Action::Clock { on, limit, beyond } => {
                let after = if *beyond { "just after" } else { "to" };
                write!(f, "clock of {} {after} {limit:?}", NAMES[*on])
            }
            Action::Crash { on, lost: true } => write!(f, "crash {}, block lost", NAMES[*on]),
            Action::Crash { on, lost: false } => write!(f, "crash {}", NAMES[*on]),
        }
    }
}
