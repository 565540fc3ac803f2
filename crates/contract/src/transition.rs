//! The transitions, and the three matches that decide which one an order makes: X, Y and Z.
//!
//! Every match is exhaustive over (state, input) and has no default arm. The table in `docs/contract.md` is printed from
//! here.

use crate::guard::{Fact, Guard, Refusal};
use crate::mutant::Mutant;
use crate::state::State;
use crate::trade::{BuyerState, SellerState, VppState};

/// Which ledger a transition happens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ledger {
    /// The buyer's.
    X,
    /// The seller's.
    Y,
    /// Of a microgrid, whichever side.
    XorY,
    /// The VPP's.
    Z,
    /// Any.
    Any,
}

macro_rules! transitions {
    ($($name:ident, $number:literal, $phase:literal, $ledger:ident, $trigger:literal, $effect:literal;)*) => {
        /// A transition of a ledger.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Transition {
            $(#[doc = concat!($number, ": ", $trigger, "; ", $effect)] $name,)*
            /// None: the input is refused before a transition is found.
            Refuse,
        }

        impl Transition {
            /// All of them.
            pub const ALL: &'static [Transition] = &[$(Transition::$name),*];

            /// Its row in the table, `"T5'"`.
            pub const fn number(self) -> &'static str {
                match self {
                    $(Transition::$name => $number,)*
                    Transition::Refuse => "-",
                }
            }

            /// Phase of the paper, section 3.2; empty where the paper has none.
            pub const fn phase(self) -> &'static str {
                match self {
                    $(Transition::$name => $phase,)*
                    Transition::Refuse => "",
                }
            }

            /// Where it happens.
            pub const fn ledger(self) -> Ledger {
                match self {
                    $(Transition::$name => Ledger::$ledger,)*
                    Transition::Refuse => Ledger::Any,
                }
            }

            /// What brings it about, and who may submit that.
            pub const fn trigger(self) -> &'static str {
                match self {
                    $(Transition::$name => $trigger,)*
                    Transition::Refuse => "",
                }
            }

            /// What it does.
            pub const fn effect(self) -> &'static str {
                match self {
                    $(Transition::$name => $effect,)*
                    Transition::Refuse => "",
                }
            }
        }
    };
}

transitions! {
    Local, "T0", "1–5", XorY, "`Local` by both gateways", "COMMITTED and CONFIRMED in one step; fee; escrow and bond locked; capacity reserved; outbox COM";
    Request, "T1", "1", X, "`Request` by x_i", "LOCKED; fee; escrow locked; outbox REQ";
    Offer, "T3", "3", Y, "REQ certificate before D (anyone)", "OFFERED";
    OfferLate, "T3", "3", Y, "REQ certificate from D on (anyone)", "REJECTED; outbox REJ";
    TimeoutRequest, "T3'", "3", Y, "`TimeoutRequest` with the signed request (anyone)", "REJECTED, also before the request comes; outbox REJ";
    Accept, "T4", "4", Y, "`Accept` by y_j", "ACCEPTED; capacity and bond reserved; blinded response stored; outbox ACC";
    Decline, "T4'", "4", Y, "`Decline` by y_j", "REJECTED; outbox REJ";
    Commit, "T5", "5", X, "ACC certificate (anyone)", "COMMITTED; trade hash stored; outbox COM";
    KeyReturn, "T5k", "5", X, "`KeyReturn` by x_i", "the trade's key, sealed to y_j, and its hash stored";
    Timeout, "T5'", "5", X, "`Timeout` (anyone)", "REFUNDED; escrow back; outbox REF";
    Release, "T5''", "5", X, "REJ or VOID certificate (anyone)", "REFUNDED; escrow back";
    Confirm, "T6", "5", Y, "COM certificate (anyone)", "CONFIRMED: the decision; dispatch allowed from now on";
    Void, "T6'", "5", Y, "`Void` (anyone)", "VOIDED; capacity and bond back; outbox VOID";
    VoidRefunded, "T6'", "5", Y, "REF certificate (anyone)", "VOIDED; capacity and bond back; outbox VOID";
    Meter, "T7", "6", XorY, "meter batch signed by a registered meter (anyone)", "registers stored";
    Taken, "T7", "6", X, "meter batch of the buyer", "q_x stored; outbox MET_x";
    Delivered, "T7", "6", Y, "meter batch of the seller", "q_y stored; outbox MET_y with the hash of the COM that Y consumed";
    Known, "T8c", "6", Z, "COM certificate (anyone)", "noted that the buyer is bound";
    Read, "T8a", "6", Z, "MET certificate that leaves (16) open (anyone)", "reading stored";
    Settle, "T8", "6", Z, "MET certificate that completes the joint certificate (16) (anyone)", "SETTLED, written once; positions booked; outbox SET";
    Default, "T8'", "6", Z, "`Default` (anyone)", "SETTLED: on both readings, or on MET_y alone; else q = 0 and no penalty; outbox SET";
    Pay, "T9", "6", X, "SET certificate (anyone)", "SETTLED; escrow to the clearing accounts of seller and aggregator, rest back";
    Close, "T10", "6", Y, "SET certificate (anyone)", "SETTLED; reservation consumed; penalty to the buyer's clearing account, rest of the bond back";
    CloseNothing, "T10", "6", Y, "SET certificate with q = 0 (anyone)", "VOIDED; capacity and bond back";
    Register, "T11", "", Z, "`Register` by the member", "application stored";
    RegisterChain, "T11", "", Z, "`RegisterChain` by the operator", "verification nodes of epoch 0; stakes; outbox REG";
    Approve, "T11", "", Z, "`Approve` by the operator", "registered; outbox REG";
    Revoke, "T11", "", Z, "`Revoke` by the operator", "starts nothing new; outbox REG";
    Enrol, "T11", "", XorY, "REG certificate (anyone)", "member or chain known here";
    Deposit, "T12", "", Z, "`Deposit` or `Stake` by the operator", "credited where the home is Z, or as a stake; outbox DEP";
    Credit, "T12", "", XorY, "DEP certificate (anyone)", "credited on the home chain";
    Round, "T13", "", Z, "`Round` by the operator", "certificate of the cleared round and its orders anchored";
    Epoch, "T14", "", Any, "`Epoch` approved by the current members", "next verification nodes; outbox ROT";
    Rotate, "T14", "", Any, "ROT certificate with an epoch's members (anyone)", "known here; outbox ROT, the acknowledgement";
    Acknowledge, "T14", "", Any, "ROT certificate with an acknowledgement (anyone)", "noted";
    CloseEpoch, "T14", "", Any, "`CloseEpoch` (anyone)", "closed; outbox ROT";
    EndEpoch, "T14", "", Any, "ROT certificate with a closed epoch (anyone)", "its signatures count no more; stakes back (Z)";
    Participate, "T14", "", Any, "this chain's own certificate (anyone)", "credibility of its signers up, of the others down; a hand-over to the next epoch is kept";
    Evidence, "T15", "", Z, "`Evidence` (anyone)", "stakes of the culprits forfeited; credibility 0; epoch frozen; outbox FRZ";
    Freeze, "T15", "", XorY, "FRZ certificate (anyone)", "no new orders under that epoch";
    Net, "T16", "", Z, "`Net` (anyone)", "positions of a pair of chains cleared; outbox NET";
    Transfer, "T16", "", XorY, "NET certificate (anyone)", "money leaves this chain or comes home to it";
    Tariff, "T17", "", Z, "`Tariff` by the operator", "grid prices of an interval";
    Imbalance, "T18", "", Z, "`Imbalance` by the operator, with net flows", "what each flow leaves beyond settled orders booked at the grid's prices; a later one of the same interval and member corrects it";
}

/// What can happen to an order on X.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuyerInput {
    /// The buyer's request.
    Request,
    /// ACC.
    AcceptCertificate,
    /// Somebody says that time is up.
    Timeout,
    /// REJ: who has consumed an ACC believes none.
    RejectCertificate,
    /// VOID.
    VoidCertificate,
    /// The buyer returns the key.
    KeyReturn,
    /// A batch of the buyer's meter.
    Meter,
    /// SET.
    SettleCertificate,
}

/// What can happen to an order on Y.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SellerInput {
    /// REQ before D.
    Offer,
    /// REQ from D on.
    OfferLate,
    /// Somebody says that time is up for the request.
    TimeoutRequest,
    /// The seller's tentative yes.
    Accept,
    /// The seller's no.
    Decline,
    /// COM.
    CommitCertificate,
    /// Somebody says that the gate is closed.
    Void,
    /// REF.
    RefundCertificate,
    /// A batch of the seller's meter.
    Meter,
    /// SET with q > 0.
    SettleCertificate,
    /// SET with q = 0.
    SettleNothing,
}

/// What can happen to an order on Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VppInput {
    /// COM.
    CommitCertificate,
    /// MET that leaves the joint certificate open.
    Reading,
    /// MET that completes it.
    LastReading,
    /// Somebody says that time is up for readings.
    Default,
}

/// X: which transition, if any.
///
/// # Errors
/// [`Refusal`] with the state.
pub fn on_x(
    ledger: &State,
    state: Option<BuyerState>,
    input: BuyerInput,
) -> Result<Transition, Refusal> {
    use BuyerInput as I;
    use BuyerState as S;
    match (state, input) {
        (None, I::Request) => Ok(Transition::Request), // phase (1)
        (Some(S::Locked), I::AcceptCertificate) => Ok(Transition::Commit), // phase (5)
        (Some(S::Committed), I::KeyReturn) => Ok(Transition::KeyReturn), // phase (5), "returns the key"
        (Some(S::Locked), I::Timeout) => Ok(Transition::Timeout),
        (Some(S::Committed), I::Timeout) if ledger.mutated(Mutant::RefundAfterCommitted) => {
            Ok(Transition::Timeout)
        }
        (Some(S::Locked), I::RejectCertificate) => Ok(Transition::Release),
        (Some(S::Locked | S::Committed), I::VoidCertificate) => Ok(Transition::Release),
        (Some(S::Committed), I::Meter) => Ok(Transition::Taken), // phase (6)
        (Some(S::Locked | S::Committed), I::SettleCertificate) => Ok(Transition::Pay), // phase (6)
        (None, I::AcceptCertificate | I::Timeout | I::RejectCertificate | I::VoidCertificate)
        | (None, I::KeyReturn | I::Meter | I::SettleCertificate)
        | (Some(S::Locked), I::Request | I::KeyReturn | I::Meter)
        | (Some(S::Committed), I::Request | I::AcceptCertificate | I::Timeout)
        | (Some(S::Committed), I::RejectCertificate)
        | (Some(S::Settled | S::Refunded), I::Request | I::AcceptCertificate | I::Timeout)
        | (Some(S::Settled | S::Refunded), I::RejectCertificate | I::VoidCertificate)
        | (Some(S::Settled | S::Refunded), I::KeyReturn)
        | (Some(S::Settled | S::Refunded), I::Meter | I::SettleCertificate) => {
            refuse(match state {
                None => "not on this chain",
                Some(S::Locked) => "LOCKED",
                Some(S::Committed) => "COMMITTED",
                Some(S::Settled) => "SETTLED",
                Some(S::Refunded) => "REFUNDED",
            })
        }
    }
}

/// Y: which transition, if any.
///
/// # Errors
/// [`Refusal`] with the state.
pub fn on_y(
    ledger: &State,
    state: Option<SellerState>,
    input: SellerInput,
) -> Result<Transition, Refusal> {
    use SellerInput as I;
    use SellerState as S;
    match (state, input) {
        (None, I::Offer) => Ok(Transition::Offer), // phase (3), formula (2)
        (Some(_), I::Offer) if ledger.mutated(Mutant::Replay) => Ok(Transition::Offer),
        (None, I::OfferLate) => Ok(Transition::OfferLate),
        (None | Some(S::Offered), I::TimeoutRequest) => Ok(Transition::TimeoutRequest),
        (Some(S::Offered), I::Accept) => Ok(Transition::Accept), // phase (4), formulas (1) to (3)
        (Some(S::Offered), I::Decline) => Ok(Transition::Decline),
        (Some(S::Accepted), I::CommitCertificate) => Ok(Transition::Confirm), // phase (5)
        (Some(S::Accepted), I::Void) => Ok(Transition::Void),
        (Some(S::Confirmed), I::Void) if ledger.mutated(Mutant::VoidAfterConfirmed) => {
            Ok(Transition::Void)
        }
        (Some(S::Accepted), I::RefundCertificate) => Ok(Transition::VoidRefunded),
        (Some(S::Confirmed), I::Meter) => Ok(Transition::Delivered), // phase (6)
        (Some(S::Confirmed), I::SettleCertificate | I::SettleNothing) => Ok(Transition::Close),
        (Some(S::Accepted), I::SettleNothing) => Ok(Transition::CloseNothing),
        (None, I::Accept | I::Decline | I::CommitCertificate | I::Void | I::RefundCertificate)
        | (None, I::Meter | I::SettleCertificate | I::SettleNothing)
        | (Some(S::Offered), I::Offer | I::OfferLate | I::CommitCertificate | I::Void)
        | (Some(S::Offered), I::RefundCertificate | I::Meter)
        | (Some(S::Offered), I::SettleCertificate | I::SettleNothing)
        | (Some(S::Accepted), I::Offer | I::OfferLate | I::TimeoutRequest | I::Accept)
        | (Some(S::Accepted), I::Decline | I::Meter | I::SettleCertificate)
        | (Some(S::Confirmed), I::Offer | I::OfferLate | I::TimeoutRequest | I::Accept)
        | (Some(S::Confirmed), I::Decline | I::CommitCertificate | I::Void)
        | (Some(S::Confirmed), I::RefundCertificate)
        | (Some(S::Settled | S::Rejected | S::Voided), I::Offer | I::OfferLate)
        | (
            Some(S::Settled | S::Rejected | S::Voided),
            I::TimeoutRequest | I::Accept | I::Decline,
        )
        | (Some(S::Settled | S::Rejected | S::Voided), I::CommitCertificate | I::Void | I::Meter)
        | (Some(S::Settled | S::Rejected | S::Voided), I::RefundCertificate)
        | (Some(S::Settled | S::Rejected | S::Voided), I::SettleCertificate | I::SettleNothing) => {
            refuse(match state {
                None => "not on this chain",
                Some(S::Offered) => "OFFERED",
                Some(S::Accepted) => "ACCEPTED",
                Some(S::Confirmed) => "CONFIRMED",
                Some(S::Settled) => "SETTLED",
                Some(S::Rejected) => "REJECTED",
                Some(S::Voided) => "VOIDED",
            })
        }
    }
}

/// Z: which transition, if any.
///
/// # Errors
/// [`Refusal`] with the state.
pub fn on_z(
    ledger: &State,
    state: Option<VppState>,
    input: VppInput,
) -> Result<Transition, Refusal> {
    use VppInput as I;
    use VppState as S;
    let again = ledger.mutated(Mutant::SettleTwice);
    match (state, input) {
        (None | Some(S::Open), I::CommitCertificate) => Ok(Transition::Known),
        (None | Some(S::Open), I::Reading) => Ok(Transition::Read),
        (Some(S::Open), I::LastReading) => Ok(Transition::Settle), // phase (6), formula (16)
        (Some(S::Open), I::Default) => Ok(Transition::Default),
        (Some(S::Settled), I::Reading) if again => Ok(Transition::Read),
        (Some(S::Settled), I::LastReading) if again => Ok(Transition::Settle),
        (Some(S::Settled), I::Default) if again => Ok(Transition::Default),
        (None, I::LastReading | I::Default) => refuse("not on this chain"),
        (Some(S::Settled), I::CommitCertificate | I::Reading | I::LastReading | I::Default) => {
            refuse("SETTLED")
        }
    }
}

fn refuse(found: &'static str) -> Result<Transition, Refusal> {
    Err(Refusal::new(Guard::State, Fact::Is(found)))
}
