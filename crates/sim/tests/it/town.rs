//! A village with more members, and orders brought to wherever a test wants them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_contract::apply;
use tieline_contract::certificate::Certificate;
use tieline_contract::guard::{Fact, Guard, Refusal};
use tieline_contract::member::{Member, Role};
use tieline_contract::payload::Kind;
use tieline_contract::state::{Account, Block, State};
use tieline_contract::terms::{OrderId, Request, Terms};
use tieline_contract::trade::{BuyerState, SellerState};
use tieline_contract::transaction::{Act, Transaction};
use tieline_sim::symbol::Symbolic;
use tieline_sim::village::{
    CHAINS, START, Village, accept, certificates, deposit, key_return, member, metered, request,
    signed,
};
use tieline_units::{Energy, Money, Time};

/// All seats of a village's chains.
pub(crate) const ALL: [u8; 4] = [0, 1, 2, 3];

/// Whether the long tests run: `TIELINE_SLOW=1`.
pub(crate) fn slow() -> bool {
    std::env::var("TIELINE_SLOW").is_ok_and(|value| value == "1")
}

/// How far an order is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Locked,
    Offered,
    Accepted,
    Committed,
    Confirmed,
    Known,
    Metered,
    Settled,
    Closed,
}

/// An order with the certificates it has so far.
#[derive(Clone, Debug)]
pub(crate) struct Deal {
    pub(crate) request: Arc<Request>,
    pub(crate) order: OrderId,
    pub(crate) terms: Arc<Terms>,
    pub(crate) said: BTreeMap<Kind, Arc<Certificate>>,
}

impl Deal {
    pub(crate) fn new(terms: Terms, nonce: u64) -> Deal {
        let request = request(terms, nonce);
        Deal {
            order: request.order(),
            terms: request.terms.clone(),
            said: BTreeMap::new(),
            request,
        }
    }

    /// The certificate of that kind, to be delivered.
    pub(crate) fn tell(&self, kind: Kind) -> Transaction {
        Transaction::Certificate(self.said[&kind].clone())
    }

    pub(crate) fn accept(&self) -> Transaction {
        accept(&self.terms, self.order)
    }

    fn keep(&mut self, certificates: Vec<Arc<Certificate>>) {
        let each = certificates.into_iter();
        self.said.extend(each.map(|c| (c.payload.kind(), c)));
    }
}

/// Terms of the village with something changed; the rendering follows.
pub(crate) fn terms(edit: impl FnOnce(&mut Terms)) -> Terms {
    let mut terms = Village::default().terms();
    edit(&mut terms);
    terms.rendering_hash = terms.rendering_digest();
    terms
}

/// An hour before delivery: everything is still possible.
pub(crate) fn early() -> Time {
    START.minus_millis(3_600_000)
}

pub(crate) fn mj(millijoules: i64) -> Energy {
    Energy::from_millijoules(millijoules)
}

pub(crate) fn money(millionths: i64) -> Money {
    Money::from_millionths(millionths)
}

/// An act of the operator on Z.
pub(crate) fn operator(act: Act) -> Transaction {
    Transaction::Signed(signed("chain-z", "vpp", act))
}

/// Three ledgers under one clock, which a test may still set as it likes.
#[derive(Clone)]
pub(crate) struct Town {
    pub(crate) ledgers: BTreeMap<String, State>,
    pub(crate) now: Time,
    deposits: u64,
}

impl Town {
    /// The village with `mg-y2` on Y, funds for all microgrids and an empty account for the rest.
    pub(crate) fn new() -> Town {
        let village = Village::default();
        let mut members = village.members();
        members.push(village.member("mg-y2", "chain-y", Role::Microgrid));
        Town::of(&village, &members)
    }

    /// These members, each microgrid with the village's funds.
    pub(crate) fn of(village: &Village, members: &[Member]) -> Town {
        let ledger = |name: &str| (name.to_owned(), village.ledger_of(name, members.to_vec()));
        let mut town = Town {
            ledgers: CHAINS.into_iter().map(ledger).collect(),
            now: early(),
            deposits: 0,
        };
        for member in members.iter().filter(|m| m.role == Role::Microgrid) {
            town.fund(member.id.as_str(), village.funds);
        }
        town
    }

    /// Money from outside.
    pub(crate) fn fund(&mut self, who: &str, amount: Money) {
        let home = self
            .on("chain-z")
            .member(&member(who))
            .unwrap()
            .home
            .clone();
        let certificates = self.act("chain-z", &deposit(self.deposits, who, amount));
        self.deposits += 1;
        if home.as_str() != "chain-z" {
            self.tell(home.as_str(), &certificates);
        }
    }

    pub(crate) fn on(&self, name: &str) -> &State {
        &self.ledgers[name]
    }

    pub(crate) fn on_mut(&mut self, name: &str) -> &mut State {
        self.ledgers.get_mut(name).unwrap()
    }

    /// The next block of a chain, now.
    pub(crate) fn block(&self, name: &str) -> Block {
        Block {
            height: self.on(name).block().height + 1,
            time: self.now,
        }
    }

    /// A transaction in a block of its own; certificates of what it says, by all seats.
    pub(crate) fn try_act(
        &mut self,
        name: &str,
        transaction: &Transaction,
    ) -> Result<Vec<Arc<Certificate>>, Refusal> {
        let block = self.block(name);
        apply(self.on_mut(name), transaction, block, &Symbolic)?;
        Ok(certificates(self.on(name), block.height, 0, &ALL))
    }

    /// The same where nothing may be refused.
    pub(crate) fn act(&mut self, name: &str, transaction: &Transaction) -> Vec<Arc<Certificate>> {
        self.try_act(name, transaction).unwrap()
    }

    /// Refused, and nothing has changed: neither by the judgement nor by the attempt.
    pub(crate) fn refused(&mut self, name: &str, transaction: &Transaction) -> (Guard, Fact) {
        let (before, block) = (self.on(name).records(), self.block(name));
        let judged = self.on(name).check(transaction, block, &Symbolic);
        assert_eq!(self.on(name).records(), before, "a check changed something");
        let refusal = self.try_act(name, transaction).unwrap_err();
        assert_eq!(judged.unwrap_err(), refusal);
        assert_eq!(
            self.on(name).records(),
            before,
            "a refusal changed something"
        );
        let text = refusal.to_string();
        assert!(text.contains(refusal.guard.text()), "{text}");
        (refusal.guard, refusal.fact)
    }

    /// The guard that refuses.
    pub(crate) fn guard(&mut self, name: &str, transaction: &Transaction) -> Guard {
        self.refused(name, transaction).0
    }

    /// Delivers certificates in order.
    pub(crate) fn tell(
        &mut self,
        name: &str,
        certificates: &[Arc<Certificate>],
    ) -> Vec<Arc<Certificate>> {
        let each = certificates.iter();
        each.flat_map(|c| self.act(name, &Transaction::Certificate(c.clone())))
            .collect()
    }

    /// Brings an order on these terms that far.
    pub(crate) fn deal(&mut self, terms: Terms, nonce: u64, until: Phase) -> Deal {
        let mut deal = Deal::new(terms, nonce);
        self.bring(&mut deal, None, until);
        deal
    }

    /// Brings an order on from after `done` to `until`.
    pub(crate) fn bring(&mut self, deal: &mut Deal, done: Option<Phase>, until: Phase) {
        use Phase as P;
        let all = [
            P::Locked,
            P::Offered,
            P::Accepted,
            P::Committed,
            P::Confirmed,
        ];
        let late = [P::Known, P::Metered, P::Settled, P::Closed];
        for phase in all.into_iter().chain(late) {
            if Some(phase) > done && phase <= until {
                self.phase(deal, phase);
            }
        }
    }

    fn phase(&mut self, deal: &mut Deal, phase: Phase) {
        let (x, y) = (deal.terms.chain_x.clone(), deal.terms.chain_y.clone());
        let (x, y) = (x.as_str(), y.as_str());
        let said = match phase {
            Phase::Locked => self.act(x, &Transaction::Request(deal.request.clone())),
            Phase::Offered => self.act(y, &deal.tell(Kind::Request)),
            Phase::Accepted => self.act(y, &deal.accept()),
            Phase::Committed => self.act(x, &deal.tell(Kind::Accept)),
            Phase::Confirmed => {
                self.act(x, &key_return(&deal.terms, deal.order));
                self.act(y, &deal.tell(Kind::Commit))
            }
            Phase::Known => self.act("chain-z", &deal.tell(Kind::Commit)),
            Phase::Metered => {
                self.now = self.now.max(deal.terms.end());
                let (seller, buyer) = (deal.terms.seller.as_str(), deal.terms.buyer.as_str());
                let (start, quantity) = (deal.terms.start, deal.terms.quantity);
                let mut said = self.act(y, &metered(y, seller, start, quantity));
                said.extend(self.act(x, &metered(x, buyer, start, -quantity)));
                said
            }
            Phase::Settled => {
                self.act("chain-z", &deal.tell(Kind::Delivered));
                self.act("chain-z", &deal.tell(Kind::Taken))
            }
            Phase::Closed => {
                self.act(x, &deal.tell(Kind::Settle));
                self.act(y, &deal.tell(Kind::Settle))
            }
        };
        deal.keep(said);
    }

    /// What a transaction says about an order is kept with it.
    pub(crate) fn act_for(&mut self, name: &str, transaction: &Transaction, deal: &mut Deal) {
        let said = self.act(name, transaction);
        deal.keep(said);
    }

    pub(crate) fn bought(&self, deal: &Deal) -> Option<BuyerState> {
        let ledger = self.on(deal.terms.chain_x.as_str());
        ledger.purchase(deal.order).map(|purchase| purchase.state)
    }

    pub(crate) fn sold(&self, deal: &Deal) -> Option<SellerState> {
        let ledger = self.on(deal.terms.chain_y.as_str());
        ledger.sale(deal.order).map(|sale| sale.state)
    }

    /// A member's clearing account.
    pub(crate) fn has(&self, name: &str, who: &str) -> i64 {
        let account = Account::Clearing(member(who));
        self.on(name).balance(&account).as_millionths()
    }
}

/// The certificate of the only entry of a ledger's last block, by these seats of an epoch.
pub(crate) fn attested(ledger: &State, epoch: u64, seats: &[u8]) -> Vec<Arc<Certificate>> {
    certificates(ledger, ledger.block().height, epoch, seats)
}
