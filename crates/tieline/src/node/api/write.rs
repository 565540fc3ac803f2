//! Transactions.

use serde::Serialize;
use tieline_chain::mempool::AddError;
use tieline_chain::replica::Whereabouts;
use tieline_contract::transaction::Transaction;
use tieline_units::Digest;
use tieline_units::canonical::Canonical as _;

use super::super::http::{Ask, OCTETS, Reply};
use super::read::OutcomeView;
use super::{Access, disk, look};

#[derive(Serialize)]
struct Named {
    transaction: String,
}

pub(super) fn submit(access: &dyn Access, ask: &Ask) -> Result<Reply, Reply> {
    let bytes = "send the canonical bytes of one transaction";
    if !ask.kind.is_empty() && !ask.kind.starts_with(OCTETS) {
        let error = format!("the body must be of Content-Type {OCTETS}");
        return Err(Reply::wrong(400, &error, bytes));
    }
    let transaction = Transaction::decode(&ask.body);
    let transaction = transaction.map_err(|error| {
        let error = format!("the body is no transaction: {error}");
        Reply::wrong(400, &error, bytes)
    })?;
    let named = |code, name: Digest| {
        let transaction = name.to_string();
        Reply::json(code, &Named { transaction })
    };
    match access.submit(transaction) {
        Ok(name) => Ok(named(202, name)),
        Err(AddError::Known { waiting }) => Ok(named(200, waiting)),
        Err(error) => Err(refused(&error)),
    }
}

fn refused(error: &AddError) -> Reply {
    let (code, next) = match error {
        AddError::Large { .. } => (413, "send less"),
        AddError::Full { .. } | AddError::Quota { .. } => (503, "send it again after a block"),
        _ => (
            422,
            "it changes nothing on this chain as it stands; send it again when that is otherwise",
        ),
    };
    Reply::wrong(code, &error.to_string(), next)
}

#[derive(Serialize)]
struct Where {
    transaction: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeView>,
}

pub(super) fn whereabouts(access: &dyn Access, part: &str) -> Result<Reply, Reply> {
    let name = Digest::parse(part).ok_or_else(|| {
        let error = "the name is not 64 hexadecimal digits";
        Reply::wrong(400, error, "POST /v1/transactions answers with the name")
    })?;
    let found = look(access, |replica| replica.whereabouts(name))?;
    let transaction = name.to_string();
    let found = match found.map_err(disk)? {
        None => {
            let next = "it was never here, or waited too long, or is refused now: send it again";
            return Err(Reply::wrong(404, "nobody knows of this transaction", next));
        }
        Some(Whereabouts::Waiting) => Where {
            transaction,
            state: "waiting",
            height: None,
            outcome: None,
        },
        Some(Whereabouts::Final { height, receipt }) => Where {
            transaction,
            state: "final",
            height: Some(height),
            outcome: receipt.map(OutcomeView::of),
        },
    };
    Ok(Reply::json(200, &found))
}
