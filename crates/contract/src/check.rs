//! Judging a transaction: every question is asked before anything changes.

use std::sync::Arc;

use tieline_units::{ChainId, MicrogridId};

use crate::certificate::{Certificate, CertificateError};
use crate::change::{Checked, Draft};
use crate::guard::{Fact, Guard, Refusal};
use crate::payload::{Kind, Payload, Rotation, Subject};
use crate::settlement::{Readings, settle};
use crate::state::{Block, Rules, State};
use crate::terms::{CODE_VERSION, Terms, VERSION};
use crate::transaction::{Act, Signed, Transaction};
use crate::transition::{BuyerInput, Transition};
use crate::{buyer, epoch, evidence, imbalance, local, meter, money, registry, seller, vpp};
use tieline_seal::hybrid::{Domain, Purpose, Verify};

/// Latest instant in terms and of blocks, the year 2200: no sum of times leaves its range.
const TIME_MAX: u64 = 7_258_118_400_000;

/// Longest Δt, a day.
const DELTA_T_MAX: u64 = 86_400_000;

/// Most money in one amount, 10^9 of the currency.
pub(crate) const MONEY_MAX: i64 = 1_000_000_000_000_000;

impl State {
    /// Judges a transaction in a block, and says what it would change.
    ///
    /// # Errors
    /// [`Refusal`] with the guard that does not hold and what it found. The state is as it was.
    pub fn check(
        &self,
        transaction: &Transaction,
        block: Block,
        verify: &dyn Verify,
    ) -> Result<Checked, Refusal> {
        let mut draft = Draft::new(self, block);
        let d = &mut draft;
        d.block_time()?;
        match transaction {
            Transaction::Request(request) => buyer::request(d, verify, request)?,
            Transaction::Local { request, answer } => local::local(d, verify, request, answer)?,
            Transaction::Signed(signed) => act(d, verify, signed)?,
            Transaction::Certificate(certificate) => consume(d, verify, certificate)?,
            Transaction::TimeoutRequest(request) => seller::timeout_request(d, verify, request)?,
            Transaction::Timeout(order) => buyer::timeout(d, *order)?,
            Transaction::Void(order) => seller::void(d, *order)?,
            Transaction::Default(order) => vpp::default(d, *order)?,
            Transaction::Meter(batch) => meter::meter(d, verify, batch)?,
            Transaction::Epoch(next) => epoch::next(d, verify, next)?,
            Transaction::CloseEpoch(number) => epoch::close(d, *number)?,
            Transaction::Evidence(evidence) => evidence::evidence(d, verify, evidence)?,
            Transaction::Net { one, other } => money::net(d, one, other)?,
        }
        Ok(draft.done())
    }
}

/// `apply(state, transaction)` of the specification: [`State::check`], then [`State::apply`].
///
/// # Errors
/// [`Refusal`]; the state is as it was.
pub fn apply(
    state: &mut State,
    transaction: &Transaction,
    block: Block,
    verify: &dyn Verify,
) -> Result<Vec<Transition>, Refusal> {
    let checked = state.check(transaction, block, verify)?;
    Ok(state.apply(checked))
}

fn act(d: &mut Draft<'_>, verify: &dyn Verify, signed: &Signed) -> Result<(), Refusal> {
    match &signed.act {
        Act::Accept { order, .. } => seller::accept(d, verify, *order, signed),
        Act::Decline(order) => seller::decline(d, verify, *order, signed),
        Act::KeyReturn { order, key } => buyer::key_return(d, verify, (*order, key), signed),
        Act::Register(member) => registry::register(d, verify, member, signed),
        Act::Approve { member, record } => registry::approve(d, verify, (member, *record), signed),
        Act::Revoke { member, record } => registry::revoke(d, verify, (member, *record), signed),
        Act::RegisterChain {
            committee,
            possession,
        } => registry::register_chain(d, verify, (committee, possession), signed),
        Act::Deposit {
            sequence,
            member,
            amount,
        }
        | Act::Stake {
            sequence,
            member,
            amount,
        } => money::deposit(d, verify, (*sequence, member, *amount), signed),
        Act::Round { hash, orders } => registry::round(d, verify, (*hash, orders), signed),
        Act::Tariff { start, tariff } => registry::tariff(d, verify, (*start, *tariff), signed),
        Act::Imbalance { start, flows } => imbalance::book(d, verify, (*start, flows), signed),
    }
}

fn consume(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
) -> Result<(), Refusal> {
    let state = d.state;
    if certificate.chain == state.rules.chain {
        return epoch::participate(d, verify, certificate);
    }
    let vpp = state.is_vpp();
    match (&certificate.payload, vpp) {
        (Payload::Request(request), false) => seller::offer(d, verify, certificate, request),
        (Payload::Accept(acceptance), false) => buyer::commit(d, verify, certificate, acceptance),
        (Payload::Reject(order), false) => {
            let what = (*order, BuyerInput::RejectCertificate);
            buyer::release(d, verify, certificate, what)
        }
        (Payload::Void(order), false) => {
            let what = (*order, BuyerInput::VoidCertificate);
            buyer::release(d, verify, certificate, what)
        }
        (Payload::Commit(commitment), false) => seller::confirm(d, verify, certificate, commitment),
        (Payload::Refund(order), false) => seller::void_refunded(d, verify, certificate, *order),
        (Payload::Settle(outcome), false) => local::settled(d, verify, certificate, outcome),
        (Payload::Commit(commitment), true) => vpp::known(d, verify, certificate, commitment),
        (Payload::Taken(reading) | Payload::Delivered(reading), true) => {
            vpp::read(d, verify, certificate, reading)
        }
        (Payload::Rotate { rotation, .. }, true | false) => match rotation {
            Rotation::Opened(committee) => epoch::rotate(d, verify, certificate, committee),
            Rotation::Acknowledged { chain, epoch } => {
                epoch::acknowledge(d, verify, certificate, (chain, *epoch))
            }
            Rotation::Closed { epoch } => epoch::end(d, verify, certificate, *epoch),
        },
        (Payload::Deposit { deposit, .. }, false) => money::credit(d, verify, certificate, deposit),
        (Payload::Net { transfers, .. }, false) => {
            money::transfer(d, verify, certificate, transfers)
        }
        (Payload::Register { registration, .. }, false) => {
            registry::enrol(d, verify, certificate, registration)
        }
        (Payload::Freeze { chain, epoch, .. }, false) => {
            evidence::freeze(d, verify, certificate, (chain, *epoch))
        }
        (Payload::Taken(_) | Payload::Delivered(_), false)
        | (Payload::Request(_) | Payload::Accept(_) | Payload::Reject(_), true)
        | (Payload::Refund(_) | Payload::Void(_) | Payload::Settle(_), true)
        | (Payload::Deposit { .. } | Payload::Net { .. }, true)
        | (Payload::Register { .. } | Payload::Freeze { .. }, true) => refuse_ledger(),
    }
}

fn refuse_ledger() -> Result<(), Refusal> {
    Err(Refusal::new(Guard::Ledger, Fact::Plain))
}

/// Questions that several transitions ask.
impl Draft<'_> {
    fn block_time(&mut self) -> Result<(), Refusal> {
        let (now, last) = (self.block, self.state.block);
        let onward = now.height > last.height && now.time >= last.time || now == last;
        let onward = onward && now.time.as_millis() <= TIME_MAX;
        let (now, limit) = (now.time, last.time);
        self.require(Guard::BlockTime, onward, Fact::Time { now, limit })
    }

    /// (15) for the certificate's chain and epoch, its place under the root, every signature.
    pub(crate) fn certified(
        &mut self,
        verify: &dyn Verify,
        certificate: &Certificate,
    ) -> Result<(), Refusal> {
        let answer = certified(self.state, verify, certificate);
        let answer = answer.map_err(|error| Fact::Certificate(Box::new(error)));
        self.ask(Guard::Certified, answer)
    }

    /// Only `chain` may say this.
    pub(crate) fn author(
        &mut self,
        certificate: &Certificate,
        chain: &ChainId,
    ) -> Result<(), Refusal> {
        let found = &certificate.chain;
        self.require(Guard::Author, found == chain, Fact::Name(found.to_string()))
    }

    /// A numbered certificate, once.
    pub(crate) fn numbered(&mut self, certificate: &Certificate) -> Result<(), Refusal> {
        let Subject::Sequence(number) = certificate.payload.subject() else {
            return Ok(());
        };
        let (chain, kind) = (certificate.chain.clone(), certificate.payload.kind());
        let imported = &self.state.imported;
        let fresh = !imported.contains(&(chain.clone(), kind, number));
        // A record that changes an earlier one comes after it; everything else may come in any order.
        let in_order = kind != Kind::Register
            || number == 0
            || imported.contains(&(chain.clone(), kind, number - 1));
        let fact = Fact::Name(format!("number {number} of {kind:?}"));
        self.require(Guard::Sequence, fresh && in_order, fact)?;
        self.then(crate::change::Change::Import(chain, kind, number));
        Ok(())
    }

    /// The act is `who`'s.
    pub(crate) fn signed(
        &mut self,
        verify: &dyn Verify,
        signed: &Signed,
        who: &MicrogridId,
    ) -> Result<(), Refusal> {
        let rules = self.state.rules();
        let domain = Domain {
            chain: rules.chain.clone(),
            genesis: rules.genesis,
            epoch: 0,
            purpose: Purpose::Transaction,
        };
        let right = signed.by == *who
            && self.state.member(who).is_some_and(|member| {
                let message = signed.act.message(who);
                verify.verify(&member.key, &domain, &message, &signed.signature)
            });
        self.require(Guard::Signed, right, Fact::Name(signed.by.to_string()))
    }

    /// This ledger is Z and the act the operator's.
    pub(crate) fn operator(&mut self, verify: &dyn Verify, signed: &Signed) -> Result<(), Refusal> {
        self.require(Guard::Ledger, self.state.is_vpp(), Fact::Plain)?;
        let operator = self.state.rules.operator.clone();
        self.signed(verify, signed, &operator)
    }

    /// Terms that every ledger can compute with.
    pub(crate) fn well_formed(&mut self, terms: &Terms) -> Result<(), Refusal> {
        self.ask(Guard::WellFormed, well_formed(terms, self.state.rules()))
    }
}

fn certified(
    state: &State,
    verify: &dyn Verify,
    certificate: &Certificate,
) -> Result<(), CertificateError> {
    let (chain, epoch) = (certificate.chain.clone(), certificate.epoch);
    if state.is_closed(&chain, epoch) {
        return Err(CertificateError::Closed { chain, epoch });
    }
    match state.committee(&chain, epoch) {
        Some(committee) => certificate.verify(committee, verify),
        None => Err(CertificateError::Unknown { chain, epoch }),
    }
}

fn well_formed(terms: &Terms, rules: &Rules) -> Result<(), Fact> {
    let none = Readings {
        taken: None,
        delivered: None,
    };
    settle(&terms.settlement(), none).map_err(Fact::Terms)?;
    let wrong = |what: &str| Err(Fact::Name(what.to_owned()));
    if terms.buyer == terms.seller {
        return wrong("buyer and seller are one");
    }
    if terms.version != VERSION || terms.code_version != CODE_VERSION {
        return wrong("version");
    }
    if terms.currency != rules.currency {
        return wrong("currency");
    }
    let zero = tieline_units::Price::ZERO;
    if terms.seller_price < zero || terms.imbalance < zero {
        return wrong("price below zero");
    }
    let money = 0..=MONEY_MAX;
    if !money.contains(&terms.escrow.as_millionths())
        || !money.contains(&terms.bond.as_millionths())
    {
        return wrong("escrow or bond out of range");
    }
    let times = [
        terms.start,
        terms.deadline,
        terms.gate_closure,
        terms.metering_deadline,
    ];
    if times.iter().any(|time| time.as_millis() > TIME_MAX) || terms.delta_t > DELTA_T_MAX {
        return wrong("time out of range");
    }
    if terms.rendering_hash != terms.rendering_digest() {
        return wrong("rendering");
    }
    Ok(())
}
