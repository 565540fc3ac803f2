//! The three state machines of an order, complete: every state against every input, as [`on_x`], [`on_y`] and [`on_z`]
//! answer.

use tieline_contract::state::State;
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_contract::transition::{
    BuyerInput, Ledger, SellerInput, Transition, VppInput, on_x, on_y, on_z,
};

/// Where an order is before it is known, and where one stays.
pub const NONE: &str = "none";

/// One ledger's view of an order.
pub struct Machine {
    /// X, Y or Z.
    pub ledger: Ledger,
    /// States, the first of them [`NONE`].
    pub states: Vec<&'static str>,
    /// Inputs.
    pub inputs: Vec<&'static str>,
    /// By input, then by state: the transition, or `None` where the input is refused.
    pub cells: Vec<Vec<Option<Transition>>>,
}

/// One way from a state to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// From where.
    pub from: &'static str,
    /// To where; the same where the order stays.
    pub to: &'static str,
    /// By which input; empty for T0, which is one on two machines.
    pub input: &'static str,
    /// Which transition it is.
    pub transition: Transition,
}

impl Machine {
    /// All arrows, in the order of the states.
    pub fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (column, &from) in self.states.iter().enumerate() {
            if let Some(to) = local(self.ledger).filter(|_| from == NONE) {
                let (input, transition) = ("", Transition::Local);
                arrows.push(Arrow {
                    from,
                    to,
                    input,
                    transition,
                });
            }
            for (row, &input) in self.inputs.iter().enumerate() {
                if let Some(transition) = self.cells[row][column] {
                    let to = after(transition).unwrap_or(from);
                    arrows.push(Arrow {
                        from,
                        to,
                        input,
                        transition,
                    });
                }
            }
        }
        arrows
    }

    /// Whether an order that is there stays there for ever.
    pub fn is_final(&self, state: &str) -> bool {
        self.arrows().iter().all(|arrow| arrow.from != state)
    }
}

/// Where T0 leads on a ledger.
fn local(ledger: Ledger) -> Option<&'static str> {
    match ledger {
        Ledger::X => Some("COMMITTED"),
        Ledger::Y => Some("CONFIRMED"),
        Ledger::XorY | Ledger::Z | Ledger::Any => None,
    }
}

/// The state after a transition; `None` where an order stays as it is, or none is concerned.
pub const fn after(transition: Transition) -> Option<&'static str> {
    match transition {
        Transition::Request => Some("LOCKED"),
        Transition::Commit => Some("COMMITTED"),
        Transition::Timeout | Transition::Release => Some("REFUNDED"),
        Transition::Offer => Some("OFFERED"),
        Transition::OfferLate | Transition::TimeoutRequest | Transition::Decline => {
            Some("REJECTED")
        }
        Transition::Accept => Some("ACCEPTED"),
        Transition::Confirm => Some("CONFIRMED"),
        Transition::Void | Transition::VoidRefunded | Transition::CloseNothing => Some("VOIDED"),
        Transition::Known | Transition::Read => Some("OPEN"),
        Transition::Settle | Transition::Default | Transition::Pay | Transition::Close => {
            Some("SETTLED")
        }
        _ => None,
    }
}

/// X, Y and Z, as this ledger's code has them: a ledger at its genesis for the printed tables.
pub fn machines(ledger: &State) -> [Machine; 3] {
    [buyer(ledger), seller(ledger), vpp(ledger)]
}

fn cells<S: Copy, I: Copy>(
    states: &[(S, &'static str)],
    inputs: &[(I, &'static str)],
    answer: impl Fn(Option<S>, I) -> Option<Transition>,
) -> Vec<Vec<Option<Transition>>> {
    let row = |&(input, _): &(I, _)| {
        let first = std::iter::once(answer(None, input));
        let rest = states.iter().map(|&(state, _)| answer(Some(state), input));
        first.chain(rest).collect()
    };
    inputs.iter().map(row).collect()
}

fn names<T: Copy>(list: &[(T, &'static str)]) -> Vec<&'static str> {
    list.iter().map(|&(_, name)| name).collect()
}

fn with_none<T: Copy>(list: &[(T, &'static str)]) -> Vec<&'static str> {
    let mut states = vec![NONE];
    states.extend(names(list));
    states
}

fn buyer(ledger: &State) -> Machine {
    let states = [
        (BuyerState::Locked, "LOCKED"),
        (BuyerState::Committed, "COMMITTED"),
        (BuyerState::Settled, "SETTLED"),
        (BuyerState::Refunded, "REFUNDED"),
    ];
    let inputs = [
        (BuyerInput::Request, "request"),
        (BuyerInput::AcceptCertificate, "ACC"),
        (BuyerInput::Timeout, "timeout"),
        (BuyerInput::RejectCertificate, "REJ"),
        (BuyerInput::VoidCertificate, "VOID"),
        (BuyerInput::KeyReturn, "key return"),
        (BuyerInput::Meter, "meter"),
        (BuyerInput::SettleCertificate, "SET"),
    ];
    Machine {
        ledger: Ledger::X,
        states: with_none(&states),
        inputs: names(&inputs),
        cells: cells(&states, &inputs, |s, i| on_x(ledger, s, i).ok()),
    }
}

fn seller(ledger: &State) -> Machine {
    let states = [
        (SellerState::Offered, "OFFERED"),
        (SellerState::Accepted, "ACCEPTED"),
        (SellerState::Confirmed, "CONFIRMED"),
        (SellerState::Settled, "SETTLED"),
        (SellerState::Rejected, "REJECTED"),
        (SellerState::Voided, "VOIDED"),
    ];
    let inputs = [
        (SellerInput::Offer, "REQ"),
        (SellerInput::OfferLate, "REQ, late"),
        (SellerInput::TimeoutRequest, "timeout"),
        (SellerInput::Accept, "accept"),
        (SellerInput::Decline, "decline"),
        (SellerInput::CommitCertificate, "COM"),
        (SellerInput::Void, "void"),
        (SellerInput::RefundCertificate, "REF"),
        (SellerInput::Meter, "meter"),
        (SellerInput::SettleCertificate, "SET, q > 0"),
        (SellerInput::SettleNothing, "SET, q = 0"),
    ];
    Machine {
        ledger: Ledger::Y,
        states: with_none(&states),
        inputs: names(&inputs),
        cells: cells(&states, &inputs, |s, i| on_y(ledger, s, i).ok()),
    }
}

fn vpp(ledger: &State) -> Machine {
    let states = [(VppState::Open, "OPEN"), (VppState::Settled, "SETTLED")];
    let inputs = [
        (VppInput::CommitCertificate, "COM"),
        (VppInput::Reading, "MET"),
        (VppInput::LastReading, "MET, last"),
        (VppInput::Default, "default"),
    ];
    Machine {
        ledger: Ledger::Z,
        states: with_none(&states),
        inputs: names(&inputs),
        cells: cells(&states, &inputs, |s, i| on_z(ledger, s, i).ok()),
    }
}
