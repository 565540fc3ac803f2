//! What chains say of each other, and money over all of them.

use std::collections::BTreeMap;

use tieline_contract::payload::Payload;
use tieline_contract::state::Account;
use tieline_units::{ChainId, Money};

use super::replay::Chain;
use super::{Check, Evidence, Stop, Wrong};

pub(super) fn check(evidence: &Evidence) -> Result<Vec<Check>, Stop> {
    let committees = committees(evidence)?;
    let certificates = certificates(evidence)?;
    let accounts = conserved(evidence)?;
    let check = |name, found| Check { name, found };
    Ok(vec![
        check("verification nodes known to other chains", committees),
        check("certificates between chains", certificates),
        check("accounts", accounts),
    ])
}

/// Every chain knows the others' verification nodes as their genesis documents have them.
fn committees(evidence: &Evidence) -> Result<u64, Stop> {
    let mut found = 0;
    for chain in &evidence.chains {
        for other in &evidence.chains {
            let own = other.genesis.committees().into_iter().next();
            let known = chain.ledger.state().committee(other.name(), 0);
            if known.is_some() && known != own.as_ref() {
                let reason = format!("knows other verification nodes of {}", other.name());
                return Err(of_chain(chain, "verification nodes", reason).into());
            }
            found += u64::from(known.is_some());
        }
    }
    Ok(found)
}

fn of_chain(chain: &Chain, check: &'static str, reason: String) -> Wrong {
    Wrong {
        check,
        file: chain.file(),
        reason,
        ..Wrong::default()
    }
}

/// What a chain took from another is what the other said: the entry is in its outbox of that height, and the state is the one
/// that replaying it gave. Signers and threshold were checked when the certificate was executed again.
fn certificates(evidence: &Evidence) -> Result<u64, Stop> {
    let mut found = 0;
    for chain in &evidence.chains {
        for (done, certificate) in chain.certificates() {
            let wrong = |reason: String| Wrong {
                height: Some(done.height),
                place: Some(format!("transaction {}", done.name)),
                ..of_chain(chain, "certificates between chains", reason)
            };
            let Some(issuer) = evidence.chain(&certificate.chain) else {
                return Err(
                    wrong(format!("of chain {}, which is not here", certificate.chain)).into(),
                );
            };
            let roots = issuer.roots.get(&certificate.height);
            let right = roots.is_some_and(|roots| roots.state_root == certificate.state_root);
            if !right || certificate.genesis != issuer.genesis.hash() {
                let reason = format!(
                    "block {} of {} left another state than this certificate says",
                    certificate.height, certificate.chain
                );
                return Err(wrong(reason).into());
            }
            let state = issuer.ledger.state();
            let mut entries = state.outbox(certificate.height);
            if !entries.any(|entry| **entry == certificate.payload) {
                let reason = format!(
                    "{} never said so in block {}",
                    certificate.chain, certificate.height
                );
                return Err(wrong(reason).into());
            }
            found += 1;
        }
    }
    Ok(found)
}

/// S2: the accounts of each chain sum to zero, none but the outside world's is below zero, and the outside world's is what Z
/// says has come in and gone.
fn conserved(evidence: &Evidence) -> Result<u64, Stop> {
    let came = came_in(evidence);
    let mut accounts = 0;
    for chain in &evidence.chains {
        let state = chain.ledger.state();
        let wrong = |reason: String| of_chain(chain, "accounts", reason);
        let sum: Money = state.accounts().map(|(_, money)| money).sum();
        if sum != Money::ZERO {
            return Err(wrong(format!("the accounts sum to {sum}")).into());
        }
        for (account, money) in state.accounts() {
            if money < Money::ZERO && *account != Account::Outside {
                return Err(wrong(format!("{account:?} has {money}")).into());
            }
            accounts += 1;
        }
        let expected = came.get(chain.name()).copied().unwrap_or_default();
        let found = -state.balance(&Account::Outside);
        if found != expected {
            let reason = format!("{found} is in its accounts, Z has let in {expected}");
            return Err(wrong(reason).into());
        }
    }
    Ok(accounts)
}

/// Of each chain, what Z's deposits and nettings bring and take, as far as the chain has taken them.
fn came_in(evidence: &Evidence) -> BTreeMap<ChainId, Money> {
    let mut came: BTreeMap<ChainId, Money> = BTreeMap::new();
    let mut take = |chain: &ChainId, payload: &Payload| match payload {
        Payload::Deposit { deposit, .. } if deposit.home == *chain => {
            *came.entry(chain.clone()).or_default() += deposit.amount;
        }
        Payload::Net { transfers, .. } => {
            for transfer in transfers {
                if transfer.to == *chain {
                    *came.entry(chain.clone()).or_default() += transfer.amount;
                } else if transfer.from == *chain {
                    *came.entry(chain.clone()).or_default() -= transfer.amount;
                }
            }
        }
        _ => {}
    };
    let z = evidence.z();
    for (_, payload) in z.ledger.state().said() {
        take(z.name(), payload);
    }
    for chain in &evidence.chains[1..] {
        for (_, certificate) in chain.certificates() {
            take(chain.name(), &certificate.payload);
        }
    }
    came
}
