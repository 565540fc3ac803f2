//! Every guard refuses by its name and with the fact it found, and a refused transaction leaves no trace.

mod flows;
mod mangled;
mod money;
mod order;
mod registry;

use tieline_contract::guard::{Fact, Guard};
use tieline_contract::transaction::Transaction;

use crate::town::Town;

/// On which ledger, what, and which fact is reported.
type Refused = (&'static str, Transaction, Fact);

/// How a guard is met.
enum Case {
    /// By a transaction in a town that is prepared for it.
    Met(fn(&mut Town) -> Refused),
    /// It cannot be, and here is why.
    Argued(&'static str),
}

/// One case per guard; a guard without one does not compile.
fn case(guard: Guard) -> Case {
    use Case::{Argued, Met};
    match guard {
        Guard::State => Met(order::state),
        Guard::BlockTime => Met(order::block_time),
        Guard::Ledger => Met(money::ledger),
        Guard::Signed => Met(order::signed_by),
        Guard::Certified => Met(order::certified),
        Guard::Author => Met(order::author),
        Guard::HomeX => Met(order::home_x),
        Guard::HomeY => Met(order::home_y),
        Guard::OtherChain => Met(order::other_chain),
        Guard::OneChain => Met(order::one_chain),
        Guard::WellFormed => Met(order::well_formed),
        Guard::Schedule => Met(order::schedule),
        Guard::Early => Met(order::early_enough),
        Guard::Escrow => Met(money::escrow),
        Guard::Funds => Met(money::funds),
        Guard::Parties => Met(registry::parties),
        Guard::Active => Met(registry::active),
        Guard::Thawed => Met(registry::thawed),
        Guard::Exposure => Met(money::exposure),
        Guard::BeforeDeadline => Argued(
            "a request that arrives from D on is not refused: it becomes REJECTED, so that X can let the buyer go (T3)",
        ),
        Guard::AtDeadline => Met(order::at_deadline),
        Guard::InTime => Met(order::in_time),
        Guard::Arrived => Met(order::arrived),
        Guard::Traceable => Met(registry::traceable),
        Guard::Capacity => Met(money::capacity),
        Guard::Bond => Met(money::bond),
        Guard::SameTerms => Met(order::same_terms),
        Guard::NotAfterDeadline => Met(order::not_after_deadline),
        Guard::AfterDeadline => Met(order::after_deadline),
        Guard::Once => Met(order::once),
        Guard::SameTrade => Met(order::same_trade),
        Guard::BeforeGate => Met(order::before_gate),
        Guard::AtGate => Met(order::at_gate),
        Guard::MeterKnown => Met(money::meter_known),
        Guard::AfterInterval => Met(money::after_interval),
        Guard::Monotone => Met(money::monotone),
        Guard::InGrace => Met(money::in_grace),
        Guard::AfterGrace => Met(money::after_grace),
        Guard::Decided => Met(money::decided),
        Guard::Consistent => Met(money::consistent),
        Guard::ConfirmedOrNothing => Met(money::confirmed_or_nothing),
        Guard::Sequence => Met(money::sequence),
        Guard::Committee => Met(registry::committee),
        Guard::Selected => Met(registry::selected),
        Guard::Approved => Met(registry::approved),
        Guard::Possession => Met(registry::possession),
        Guard::Unused => Met(registry::unused),
        Guard::Acknowledged => Met(registry::acknowledged),
        Guard::Undecided => Met(registry::undecided),
        Guard::Contradiction => Met(registry::contradiction),
        Guard::Unpunished => Met(registry::unpunished),
        Guard::PeriodOver => Met(money::period_over),
        Guard::Positive => Met(money::positive),
        Guard::Future => Met(money::future),
        Guard::Priced => Met(flows::priced),
        Guard::AllSettled => Met(flows::all_settled),
        Guard::Flows => Met(flows::flows),
    }
}

#[test]
fn every_guard_refuses_with_the_fact_it_found_and_leaves_the_ledger_byte_identical() {
    for &guard in Guard::ALL {
        match case(guard) {
            Case::Met(prepare) => {
                let mut town = Town::new();
                let (ledger, transaction, fact) = prepare(&mut town);
                assert_eq!(town.refused(ledger, &transaction), (guard, fact));
            }
            Case::Argued(why) => eprintln!("{guard:?} is never met from outside: {why}"),
        }
    }
}
