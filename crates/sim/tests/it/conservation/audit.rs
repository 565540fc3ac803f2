//! Books kept beside a ledger's, and what must hold of both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use tieline_contract::change::Change;
use tieline_contract::guard::Guard;
use tieline_contract::payload::Payload;
use tieline_contract::state::{Account, State};
use tieline_contract::transaction::Transaction;
use tieline_contract::transition::Transition;
use tieline_units::{Energy, Money};

/// How often the whole ledger is added up, in transactions.
const WHOLE: u64 = 64;

/// Books of one ledger.
#[derive(Default)]
pub(super) struct Audit {
    /// Every account as its movements make it.
    books: BTreeMap<Account, Money>,
    /// Deposits credited here, and money that came home, less what left.
    from_outside: Money,
    /// Numbers of NET that were taken.
    pub(super) netted: BTreeSet<u64>,
    transactions: u64,
}

impl Audit {
    /// After a transaction that was accepted.
    pub(super) fn after(
        &mut self,
        ledger: &State,
        changes: &[Change],
        transaction: &Transaction,
        tally: &Tally,
    ) {
        for change in changes {
            match change {
                Change::Move(from, to, amount) => {
                    assert!(
                        *amount > Money::ZERO,
                        "{tally}: {amount} from {from:?} to {to:?}"
                    );
                    *self.books.entry(from.clone()).or_default() -= *amount;
                    *self.books.entry(to.clone()).or_default() += *amount;
                }
                Change::Reserve(seller, start, _) => {
                    let reserved = ledger.reserved(seller, *start);
                    let fits = Energy::ZERO <= reserved && reserved <= ledger.nameplate(seller);
                    assert!(fits, "{tally}: {seller} has promised {reserved:?}");
                }
                _ => {}
            }
        }
        let moved = changes.iter().filter_map(|change| match change {
            Change::Move(from, to, _) => Some([from, to]),
            _ => None,
        });
        for account in moved.flatten() {
            let (held, booked) = (ledger.balance(account), self.books[account]);
            assert_eq!(held, booked, "{tally}: {account:?}");
            assert!(
                held >= Money::ZERO || *account == Account::Outside,
                "{tally}: {account:?}"
            );
        }
        self.outside(ledger, transaction);
        settles_at_most_what_was_metered(changes, transaction, tally);
        self.transactions += 1;
        if self.transactions.is_multiple_of(WHOLE) {
            self.whole(ledger, tally);
        }
    }

    fn outside(&mut self, ledger: &State, transaction: &Transaction) {
        let Transaction::Certificate(certificate) = transaction else {
            return;
        };
        match &certificate.payload {
            Payload::Deposit { deposit, .. } => self.from_outside += deposit.amount,
            Payload::Net {
                sequence,
                transfers,
            } => {
                self.netted.insert(*sequence);
                for transfer in transfers {
                    if transfer.from == ledger.rules().chain {
                        self.from_outside -= transfer.amount;
                    } else if transfer.to == ledger.rules().chain {
                        self.from_outside += transfer.amount;
                    }
                }
            }
            _ => {}
        }
    }

    /// Sum zero, nothing below zero, deposits ± net = balances + escrow + bonds, promises within nameplates.
    pub(super) fn whole(&self, ledger: &State, tally: &Tally) {
        let sum: Money = ledger.accounts().map(|(_, money)| money).sum();
        assert_eq!(sum, Money::ZERO, "{tally}");
        for (account, money) in ledger.accounts() {
            assert!(
                money > Money::ZERO || *account == Account::Outside,
                "{tally}: {account:?}"
            );
        }
        if !ledger.is_vpp() {
            let inside = ledger
                .accounts()
                .filter(|(account, _)| **account != Account::Outside);
            let inside: Money = inside.map(|(_, money)| money).sum();
            assert_eq!(inside, self.from_outside, "{tally}");
        }
        for (seller, start, energy) in ledger.reservations() {
            let fits = Energy::ZERO < energy && energy <= ledger.nameplate(seller);
            assert!(fits, "{tally}: {seller} {start} {energy:?}");
        }
    }
}

/// S4: what leaves an escrow for anybody but its buyer is the price of the energy that the certificate settles, and the
/// certificate settles no more than was ordered and metered.
fn settles_at_most_what_was_metered(changes: &[Change], transaction: &Transaction, tally: &Tally) {
    let Transaction::Certificate(certificate) = transaction else {
        return;
    };
    for change in changes {
        match (change, &certificate.payload) {
            (Change::Purchase(order, purchase), Payload::Settle(outcome)) => {
                let terms = &purchase.request.terms;
                let out = changes.iter().filter_map(|change| match change {
                    Change::Move(Account::Escrow(o), to, amount) if o == order => {
                        Some((to, *amount))
                    }
                    _ => None,
                });
                let back = Account::Clearing(terms.buyer.clone());
                let paid: Money = out
                    .clone()
                    .filter(|(to, _)| **to != back && !matches!(to, Account::Dispute(_)))
                    .map(|(_, amount)| amount)
                    .sum();
                let all: Money = out.map(|(_, amount)| amount).sum();
                let own = terms.aggregator == terms.buyer || terms.seller == terms.buyer;
                assert!(
                    own || paid == terms.price.cost_of(outcome.settlement.settled),
                    "{tally}"
                );
                assert_eq!(all, terms.escrow, "{tally}");
                assert!(outcome.settlement.settled <= terms.quantity, "{tally}");
            }
            (Change::Settling(_, settling), _) => {
                if let Some(settlement) = settling.settlement {
                    let delivered = settling.delivered.map_or(Energy::ZERO, |a| a.energy);
                    assert!(
                        settlement.settled <= delivered,
                        "{tally}: more than metered"
                    );
                }
            }
            _ => {}
        }
    }
}

/// What happened, and the seed to see it again.
pub(super) struct Tally {
    seed: u64,
    pub(super) accepted: u64,
    pub(super) refused: u64,
    transitions: BTreeMap<Transition, u64>,
    guards: BTreeMap<Guard, u64>,
}

impl Tally {
    pub(super) fn new(seed: u64) -> Tally {
        Tally {
            seed,
            accepted: 0,
            refused: 0,
            transitions: BTreeMap::new(),
            guards: BTreeMap::new(),
        }
    }

    pub(super) fn accept(&mut self, transitions: &[Transition]) {
        self.accepted += 1;
        for transition in transitions {
            *self.transitions.entry(*transition).or_default() += 1;
        }
    }

    pub(super) fn refuse(&mut self, guard: Guard) {
        self.refused += 1;
        *self.guards.entry(guard).or_default() += 1;
    }

    /// Adds another life's.
    pub(super) fn add(&mut self, other: &Tally) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        for (&transition, times) in &other.transitions {
            *self.transitions.entry(transition).or_default() += times;
        }
        for (&guard, times) in &other.guards {
            *self.guards.entry(guard).or_default() += times;
        }
    }

    /// A life in which nothing happens conserves everything and says nothing.
    pub(super) fn assert_lively(&self) {
        use Transition as T;
        let orders = [T::Local, T::Request, T::Offer, T::TimeoutRequest, T::Accept];
        let more = [
            T::Decline,
            T::Commit,
            T::KeyReturn,
            T::Timeout,
            T::Release,
            T::Confirm,
            T::Void,
        ];
        let ends = [
            T::VoidRefunded,
            T::Taken,
            T::Delivered,
            T::Known,
            T::Read,
            T::Settle,
            T::Default,
        ];
        let money = [T::Pay, T::Close, T::Deposit, T::Credit, T::Net, T::Transfer];
        for transition in orders.into_iter().chain(more).chain(ends).chain(money) {
            let times = self.transitions.get(&transition).copied().unwrap_or(0);
            assert!(times > 0, "{self}: never {transition:?}");
        }
        assert!(self.accepted > 2 * self.refused, "{self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            seed,
            accepted,
            refused,
            transitions,
            guards,
        } = self;
        write!(
            f,
            "seed {seed}: {accepted} accepted, {refused} refused; {transitions:?}; refused by {guards:?}"
        )
    }
}
