//! Three ledgers walked through step by step, with a record of what was asked and where it led.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tieline_contract::certificate::Certificate;
use tieline_contract::change::{Change, Checked};
use tieline_contract::guard::{Guard, Refusal};
use tieline_contract::payload::Kind;
use tieline_contract::state::{Block, State};
use tieline_contract::terms::{Request, Terms};
use tieline_contract::transaction::Transaction;
use tieline_contract::transition::{Ledger, Transition};
use tieline_sim::acts;
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{CHAINS, START, Village, certificates, deposit, request};
use tieline_units::Time;

/// A day, milliseconds.
pub(crate) const DAY: u64 = 86_400_000;

/// The state of an order as the state machines name it, before and after.
pub(crate) type Step = (Ledger, String, Transition, String);

/// The ledgers of a village.
pub(crate) struct Walk {
    pub(crate) village: Village,
    pub(crate) now: Time,
    /// Guards that each transition asked.
    pub(crate) asked: BTreeMap<Transition, BTreeSet<Guard>>,
    /// Arrows of the state machines that were walked.
    pub(crate) walked: BTreeSet<Step>,
    /// Kinds of outbox entries by the transitions that wrote them.
    pub(crate) said: Vec<(Vec<Transition>, Vec<Kind>)>,
    ledgers: BTreeMap<&'static str, State>,
    nonce: u64,
}

impl Walk {
    /// A village with money: `mg-x` on X, `mg-y` on Y, `vpp` on Z.
    pub(crate) fn new() -> Walk {
        let village = Village::default();
        let ledgers = CHAINS.map(|name| (name, village.ledger(name)));
        let mut walk = Walk {
            ledgers: ledgers.into_iter().collect(),
            village,
            now: START.minus_millis(3_600_000),
            asked: BTreeMap::new(),
            walked: BTreeSet::new(),
            said: Vec::new(),
            nonce: 0,
        };
        let members = [
            ("mg-x", "chain-x"),
            ("mg-x2", "chain-x"),
            ("mg-y", "chain-y"),
            ("vpp", "chain-z"),
        ];
        for (sequence, (who, home)) in (0..).zip(members) {
            let money = walk.act("chain-z", &deposit(sequence, who, walk.village.funds));
            if home != "chain-z" {
                walk.tell(home, &money);
            }
        }
        walk
    }

    /// A ledger.
    pub(crate) fn on(&self, name: &str) -> &State {
        &self.ledgers[name]
    }

    /// Replaces a ledger by a fork of it.
    pub(crate) fn put(&mut self, name: &'static str, state: State) {
        self.ledgers.insert(name, state);
    }

    /// Every transaction has a block of its own.
    fn block(&self, name: &str) -> Block {
        let height = self.ledgers[name].block().height + 1;
        let time = self.now;
        Block { height, time }
    }

    /// What comes of a transaction, with the certificates of its entries.
    pub(crate) fn attempt(
        &mut self,
        name: &str,
        transaction: &Transaction,
    ) -> Result<Vec<Arc<Certificate>>, Refusal> {
        let block = self.block(name);
        let checked = self.ledgers[name].check(transaction, block, &Symbolic)?;
        self.note(name, &checked);
        let ledger = self.ledgers.get_mut(name).unwrap();
        // The members of an epoch attest the block that opens the next one.
        let chain = ledger.rules().chain.clone();
        let epoch = ledger.current(&chain).unwrap().epoch;
        ledger.apply(checked);
        Ok(certificates(ledger, block.height, epoch, &[0, 1, 2, 3]))
    }

    /// The same, where it cannot fail.
    pub(crate) fn act(&mut self, name: &str, transaction: &Transaction) -> Vec<Arc<Certificate>> {
        self.attempt(name, transaction).unwrap()
    }

    /// The guard that refuses.
    pub(crate) fn refused(&mut self, name: &str, transaction: &Transaction) -> Guard {
        self.attempt(name, transaction).unwrap_err().guard
    }

    /// Brings certificates to a ledger, and what it says to each.
    pub(crate) fn tell(
        &mut self,
        name: &str,
        certificates: &[Arc<Certificate>],
    ) -> Vec<Arc<Certificate>> {
        let each = certificates.iter().cloned().map(Transaction::Certificate);
        each.flat_map(|transaction| self.act(name, &transaction))
            .collect()
    }

    /// A fresh request on terms that lie so many days ahead, an hour before its delivery.
    pub(crate) fn request(&mut self, terms: Terms, days: u64) -> Arc<Request> {
        self.nonce += 1;
        let terms = acts::later(terms, days * DAY);
        self.now = terms.start.minus_millis(3_600_000);
        request(terms, self.nonce)
    }

    fn note(&mut self, name: &str, checked: &Checked) {
        for &(transition, guard) in checked.asked() {
            self.asked.entry(transition).or_default().insert(guard);
        }
        for &transition in checked.transitions() {
            self.asked.entry(transition).or_default();
        }
        let ledger = &self.ledgers[name];
        let by = |wanted: Ledger| {
            let mine = |t: &&Transition| t.ledger() == wanted || **t == Transition::Local;
            *checked.transitions().iter().find(mine).unwrap()
        };
        let mut kinds = Vec::new();
        for change in checked.changes() {
            let step = match change {
                Change::Purchase(order, to) => {
                    let from = ledger.purchase(*order).map(|p| p.state);
                    Some((Ledger::X, word(from), by(Ledger::X), word(Some(to.state))))
                }
                Change::Sale(order, to) => {
                    let from = ledger.sale(*order).map(|s| s.state);
                    Some((Ledger::Y, word(from), by(Ledger::Y), word(Some(to.state))))
                }
                Change::Settling(order, to) => {
                    let from = ledger.settling(*order).map(|s| s.state);
                    Some((Ledger::Z, word(from), by(Ledger::Z), word(Some(to.state))))
                }
                Change::Emit(payload) => {
                    kinds.push(payload.kind());
                    None
                }
                _ => None,
            };
            self.walked.extend(step);
        }
        self.said.push((checked.transitions().to_vec(), kinds));
    }
}

/// A state as the document names it.
fn word(state: Option<impl std::fmt::Debug>) -> String {
    state.map_or_else(
        || "none".to_owned(),
        |state| format!("{state:?}").to_uppercase(),
    )
}
