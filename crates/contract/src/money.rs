//! T12 and T16: money that comes in, and goes home between chains.

use std::collections::BTreeMap;
use std::sync::Arc;

use tieline_units::{ChainId, MicrogridId, Money, Time};

use crate::bounds::{LEDGER_MONEY_MAX, TRANSFERS_MAX};
use crate::certificate::Certificate;
use crate::change::{Change, Draft};
use crate::check::MONEY_MAX;
use crate::guard::{Fact, Guard, Refusal};
use crate::payload::{Deposit, Kind, Payload, Transfer};
use crate::state::{Account, State};
use crate::transaction::{Act, Signed};
use crate::transition::Transition;
use tieline_seal::hybrid::Verify;

/// T12 on Z: the operator certifies that money came in, for the home chain or, as a stake, for Z.
pub(crate) fn deposit(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    (sequence, member, amount): (u64, &MicrogridId, Money),
    signed: &Signed,
) -> Result<(), Refusal> {
    d.begin(Transition::Deposit);
    d.operator(verify, signed)?;
    let next = d.state.sequences.get(&Kind::Deposit).copied().unwrap_or(0);
    d.require(
        Guard::Sequence,
        sequence == next,
        Fact::Name(format!("{sequence}, next is {next}")),
    )?;
    let needed = Money::from_millionths(MONEY_MAX);
    let fit = amount <= needed && comes_in(d.state, [amount]);
    d.require(
        Guard::Positive,
        fit,
        Fact::Money {
            found: amount,
            needed,
        },
    )?;
    let here = matches!(signed.act, Act::Stake { .. }).then(|| d.state.rules.chain.clone());
    let known = d.state.member(member);
    let home = known.map(|member| here.unwrap_or_else(|| member.home.clone()));
    let Some(home) = home else {
        return Err(Refusal::new(Guard::Parties, Fact::Name(member.to_string())));
    };
    if home == d.state.rules.chain {
        d.pay(Account::Outside, Account::Clearing(member.clone()), amount);
    }
    let deposit = Deposit {
        member: member.clone(),
        home,
        amount,
    };
    d.then(Change::Count(Kind::Deposit));
    d.then(Change::Emit(Payload::Deposit { sequence, deposit }));
    Ok(())
}

/// Whether each amount is positive and the ledger has room for all of them: no sum of its accounts leaves its range.
fn comes_in(state: &State, amounts: impl IntoIterator<Item = Money>) -> bool {
    let held = -i128::from(state.balance(&Account::Outside).as_millionths());
    let most = i128::from(LEDGER_MONEY_MAX.as_millionths());
    let mut amounts = amounts.into_iter();
    let sum = amounts.try_fold(held, |sum, amount| {
        (amount > Money::ZERO).then(|| sum + i128::from(amount.as_millionths()))
    });
    sum.is_some_and(|sum| sum <= most)
}

/// T12 on the home chain.
pub(crate) fn credit(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    deposit: &Deposit,
) -> Result<(), Refusal> {
    d.begin(Transition::Credit);
    d.author(certificate, &d.state.rules().vpp)?;
    d.numbered(certificate)?;
    let home = deposit.home == d.state.rules.chain;
    d.require(Guard::Ledger, home, Fact::Name(deposit.home.to_string()))?;
    let (found, needed) = (deposit.amount, Money::from_millionths(MONEY_MAX));
    let fit = found <= needed && comes_in(d.state, [found]);
    d.require(Guard::Positive, fit, Fact::Money { found, needed })?;
    d.certified(verify, certificate)?;
    d.pay(
        Account::Outside,
        Account::Clearing(deposit.member.clone()),
        deposit.amount,
    );
    d.then(Change::Keep(certificate.clone()));
    Ok(())
}

/// T16 on Z: clears what the members of two chains have on each other's.
pub(crate) fn net(d: &mut Draft<'_>, one: &ChainId, other: &ChainId) -> Result<(), Refusal> {
    d.begin(Transition::Net);
    let state = d.state;
    d.require(Guard::Ledger, state.is_vpp() && one < other, Fact::Plain)?;
    let last = state.netted.get(&(one.clone(), other.clone()));
    let last = last.copied().unwrap_or(Time::default());
    let (now, limit) = (
        d.block.time,
        last.plus_millis(state.rules.settlement_period),
    );
    d.require(Guard::PeriodOver, now >= limit, Fact::Time { now, limit })?;
    let pair = [(one, other), (other, one)];
    let positions = state
        .positions
        .iter()
        .filter(|(_, amount)| **amount > Money::ZERO);
    let transfers: Vec<Transfer> = positions
        .filter_map(|((chain, party), &amount)| {
            let home = &state.member(party)?.home;
            pair.contains(&(chain, home)).then(|| Transfer {
                party: party.clone(),
                from: chain.clone(),
                to: home.clone(),
                amount,
            })
        })
        .take(TRANSFERS_MAX)
        .collect();
    let home = transfers.iter().filter(|t| t.to == state.rules.chain);
    let fit = !transfers.is_empty() && comes_in(state, home.map(|t| t.amount));
    d.require(Guard::Positive, fit, Fact::Plain)?;
    for Transfer {
        party,
        from,
        to,
        amount,
    } in &transfers
    {
        d.then(Change::Position(from.clone(), party.clone(), -*amount));
        if *to == state.rules.chain {
            d.pay(Account::Outside, Account::Clearing(party.clone()), *amount);
        }
    }
    let sequence = state.sequences.get(&Kind::Net).copied().unwrap_or(0);
    d.then(Change::Count(Kind::Net));
    d.then(Change::Netted(one.clone(), other.clone(), now));
    d.then(Change::Emit(Payload::Net {
        sequence,
        transfers,
    }));
    Ok(())
}

/// T16 on a chain of the pair: money leaves, or comes home.
pub(crate) fn transfer(
    d: &mut Draft<'_>,
    verify: &dyn Verify,
    certificate: &Arc<Certificate>,
    transfers: &[Transfer],
) -> Result<(), Refusal> {
    d.begin(Transition::Transfer);
    d.author(certificate, &d.state.rules().vpp)?;
    d.numbered(certificate)?;
    let here = &d.state.rules().chain;
    let ours = transfers.iter().any(|t| t.from == *here || t.to == *here);
    d.require(Guard::Ledger, ours, Fact::Plain)?;
    let sound = |amount: Money| amount > Money::ZERO && amount <= LEDGER_MONEY_MAX;
    let positive = transfers.iter().all(|t| sound(t.amount));
    let home = transfers.iter().filter(|t| t.to == *here);
    let fit = positive && comes_in(d.state, home.map(|t| t.amount));
    d.require(Guard::Positive, fit, Fact::Plain)?;
    let mut leaves: BTreeMap<&MicrogridId, i64> = BTreeMap::new();
    for Transfer { party, amount, .. } in transfers.iter().filter(|t| t.from == *here) {
        let sum = leaves.entry(party).or_default();
        *sum = sum.saturating_add(amount.as_millionths());
    }
    for (party, sum) in leaves {
        // It leaves only after SET has brought it here; until then the certificate can come again.
        let found = d.state.balance(&Account::Clearing(party.clone()));
        let needed = Money::from_millionths(sum);
        d.require(Guard::Funds, found >= needed, Fact::Money { found, needed })?;
    }
    d.certified(verify, certificate)?;
    for Transfer {
        party,
        from,
        to,
        amount,
    } in transfers
    {
        let party = Account::Clearing(party.clone());
        if from == here {
            d.pay(party, Account::Outside, *amount);
        } else if to == here {
            d.pay(Account::Outside, party, *amount);
        }
    }
    d.then(Change::Keep(certificate.clone()));
    Ok(())
}
