//! Which guards each transition asks. A test walks through every transition and compares.

use tieline_contract::guard::Guard;
use tieline_contract::transition::Transition;

/// Asked of every transaction, before its transition is found.
pub const ALWAYS: &[Guard] = &[Guard::BlockTime];

/// Refuse nothing, but say which of two transitions it is.
pub const CHOOSES: &[(Guard, &str)] = &[(Guard::BeforeDeadline, "chooses between the two T3")];

/// What [`Transition`]s ask besides.
///
/// Order: as the table of guards has them.
pub const fn asked(transition: Transition) -> &'static [Guard] {
    use Guard as G;
    use Transition as T;
    match transition {
        T::Local => &[
            G::Ledger,
            G::Signed,
            G::HomeX,
            G::OneChain,
            G::WellFormed,
            G::Schedule,
            G::Early,
            G::Escrow,
            G::Funds,
            G::Parties,
            G::Active,
            G::Thawed,
            G::Exposure,
            G::InTime,
            G::Capacity,
            G::Bond,
            G::BeforeGate,
            G::State,
        ],
        T::Request => &[
            G::Ledger,
            G::Signed,
            G::HomeX,
            G::OtherChain,
            G::WellFormed,
            G::Schedule,
            G::Early,
            G::Escrow,
            G::Funds,
            G::Parties,
            G::Active,
            G::Thawed,
            G::Exposure,
        ],
        T::Offer => &[
            G::Certified,
            G::Author,
            G::HomeX,
            G::HomeY,
            G::WellFormed,
            G::Schedule,
            G::Parties,
            G::Thawed,
        ],
        T::OfferLate => &[
            G::Certified,
            G::Author,
            G::HomeX,
            G::HomeY,
            G::WellFormed,
            G::Schedule,
            G::Parties,
        ],
        T::TimeoutRequest => &[
            G::Ledger,
            G::HomeY,
            G::WellFormed,
            G::Parties,
            G::AtDeadline,
            G::Traceable,
        ],
        later => asked_of_an_answer(later),
    }
}

const fn asked_of_an_answer(transition: Transition) -> &'static [Guard] {
    use Guard as G;
    use Transition as T;
    match transition {
        T::Accept => &[
            G::Signed,
            G::Active,
            G::InTime,
            G::Arrived,
            G::Traceable,
            G::Capacity,
            G::Bond,
        ],
        T::Decline => &[G::Signed],
        T::Commit => &[G::Certified, G::Author, G::SameTerms, G::NotAfterDeadline],
        T::KeyReturn => &[G::Signed, G::Once],
        T::Timeout => &[G::AfterDeadline],
        T::Release | T::VoidRefunded => &[G::Certified, G::Author],
        later => asked_of_delivery(later),
    }
}

const fn asked_of_delivery(transition: Transition) -> &'static [Guard] {
    use Guard as G;
    use Transition as T;
    match transition {
        T::Confirm => &[G::Certified, G::Author, G::SameTrade, G::BeforeGate],
        T::Void => &[G::AtGate],
        T::Meter => &[
            G::Ledger,
            G::Signed,
            G::Schedule,
            G::MeterKnown,
            G::AfterInterval,
            G::Monotone,
        ],
        T::Taken | T::Delivered | T::Refuse => &[],
        T::Known => &[G::Certified, G::Author, G::WellFormed, G::Once],
        T::Read | T::Settle => &[G::Certified, G::Author, G::WellFormed, G::Once, G::InGrace],
        T::Default => &[G::AfterGrace, G::Decided],
        T::Pay | T::Close => &[G::Certified, G::Author, G::SameTerms, G::Consistent],
        T::CloseNothing => &[
            G::Certified,
            G::Author,
            G::SameTerms,
            G::Consistent,
            G::ConfirmedOrNothing,
        ],
        registry => asked_of_registry(registry),
    }
}

const fn asked_of_registry(transition: Transition) -> &'static [Guard] {
    use Guard as G;
    use Transition as T;
    match transition {
        T::Register => &[G::Ledger, G::WellFormed, G::Possession, G::Unused],
        T::RegisterChain => &[
            G::Ledger,
            G::Signed,
            G::Funds,
            G::Committee,
            G::Possession,
            G::Unused,
        ],
        T::Approve => &[G::Ledger, G::Signed, G::Once, G::Unused],
        T::Revoke => &[G::Ledger, G::Signed],
        T::Enrol => &[G::Certified, G::Author, G::Sequence, G::Committee],
        T::Deposit => &[G::Ledger, G::Signed, G::Sequence, G::Positive],
        T::Credit => &[G::Ledger, G::Certified, G::Author, G::Sequence, G::Positive],
        T::Round => &[G::Ledger, G::Signed, G::Once],
        T::Epoch => &[
            G::Funds,
            G::Sequence,
            G::Committee,
            G::Selected,
            G::Approved,
        ],
        T::Rotate => &[
            G::Certified,
            G::Author,
            G::Funds,
            G::Sequence,
            G::Committee,
            G::Approved,
        ],
        T::Acknowledge => &[G::Ledger, G::Certified, G::Sequence],
        T::CloseEpoch => &[G::Once, G::Acknowledged, G::Undecided],
        T::EndEpoch => &[G::Certified, G::Sequence, G::Approved],
        T::Participate => &[G::Certified, G::Once],
        T::Evidence => &[G::Ledger, G::Unpunished],
        T::Freeze => &[G::Certified, G::Author, G::Sequence],
        T::Net => &[G::Ledger, G::PeriodOver, G::Positive],
        T::Transfer => &[
            G::Ledger,
            G::Certified,
            G::Author,
            G::Funds,
            G::Sequence,
            G::Positive,
        ],
        T::Tariff => &[G::Ledger, G::Signed, G::Once, G::Future],
        T::Imbalance => &[
            G::Ledger,
            G::Signed,
            G::AfterInterval,
            G::Priced,
            G::AllSettled,
            G::Flows,
        ],
        _ => &[],
    }
}

/// Asked only where the remark says.
pub const fn remark(transition: Transition, guard: Guard) -> &'static str {
    match (transition, guard) {
        (Transition::Epoch | Transition::Rotate, Guard::Funds) => " (on Z)",
        (Transition::Enrol, Guard::Committee) => " (of a chain)",
        _ => "",
    }
}

/// Refusals of what is looked up and not there, before there is anything to ask about.
pub const fn found(transition: Transition) -> &'static [Guard] {
    use Guard as G;
    use Transition as T;
    match transition {
        T::Request
        | T::Offer
        | T::OfferLate
        | T::TimeoutRequest
        | T::Accept
        | T::Decline
        | T::Commit
        | T::KeyReturn
        | T::Timeout
        | T::Release
        | T::Confirm
        | T::Void
        | T::VoidRefunded
        | T::Taken
        | T::Delivered
        | T::Known
        | T::Read
        | T::Settle
        | T::Default
        | T::Pay
        | T::Close
        | T::CloseNothing => &[G::State],
        T::Local | T::Approve | T::Revoke => &[G::SameTerms],
        T::Deposit => &[G::Parties],
        T::Evidence => &[G::Contradiction],
        T::Meter
        | T::Register
        | T::RegisterChain
        | T::Enrol
        | T::Credit
        | T::Round
        | T::Epoch
        | T::Rotate
        | T::Acknowledge
        | T::CloseEpoch
        | T::EndEpoch
        | T::Participate
        | T::Freeze
        | T::Net
        | T::Transfer
        | T::Tariff
        | T::Imbalance
        | T::Refuse => &[],
    }
}
