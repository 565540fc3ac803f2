//! `orders.json` against the chains.

use serde_json::Value;
use tieline_contract::terms::{OrderId, Request};
use tieline_units::{Digest, Energy};

use super::settled::{life, requests};
use super::{Check, Evidence, Stop, Wrong};
use crate::run::ledgers::outcome::Life;

/// Every order with its outcome.
pub const ORDERS: &str = "orders.json";

/// Reads `orders.json`.
///
/// # Errors
/// [`Stop`].
pub fn listed(evidence: &Evidence) -> Result<Vec<Value>, Stop> {
    let document: Value = parse(evidence, ORDERS)?;
    let orders = document["orders"].as_array().cloned();
    orders.ok_or_else(|| wrong(ORDERS, None, "it has no list of orders".to_owned()).into())
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(
    evidence: &Evidence,
    file: &str,
) -> Result<T, Stop> {
    let text = evidence.text(file)?;
    serde_json::from_str(&text).map_err(|error| {
        let mut found = wrong(file, None, error.to_string());
        found.line = Some(error.line() as u64);
        found.into()
    })
}

fn wrong(file: &str, order: Option<&str>, reason: String) -> Wrong {
    Wrong {
        check: "orders and keys",
        file: file.to_owned(),
        order: order.map(str::to_owned),
        reason,
        ..Wrong::default()
    }
}

pub(super) fn check(evidence: &Evidence) -> Result<Vec<Check>, Stop> {
    heights(evidence)?;
    let mut known = requests(evidence);
    let listed = listed(evidence)?;
    for entry in &listed {
        let name = entry["id"].as_str().unwrap_or_default();
        let Some(text) = entry["order"].as_str() else {
            if entry["outcome"] != "refused" {
                let reason = "it has no id on the ledgers and was not refused".to_owned();
                return Err(wrong(ORDERS, Some(name), reason).into());
            }
            continue;
        };
        let order = Digest::parse(text).map(OrderId);
        let request = order.and_then(|order| Some((order, known.remove(&order)?)));
        match request {
            Some((order, request)) => one(evidence, (order, &request), entry)?,
            None if entry["outcome"] == "refused" => {}
            None => {
                let reason = "no buyer's chain has it, or it is listed twice".to_owned();
                return Err(wrong(ORDERS, Some(name), reason).into());
            }
        }
    }
    if let Some(order) = known.keys().next() {
        let order = order.to_string();
        let reason = "a chain has it and the file has not".to_owned();
        return Err(wrong(ORDERS, Some(&order), reason).into());
    }
    let (name, found) = ("orders as told", listed.len() as u64);
    Ok(vec![Check { name, found }])
}

/// The chains end where the run says they ended: nothing is cut off.
fn heights(evidence: &Evidence) -> Result<(), Stop> {
    let document: Value = parse(evidence, ORDERS)?;
    for chain in &evidence.chains {
        let told = document["chains"].as_array().into_iter().flatten();
        let mut told = told.filter(|it| it["chain"] == chain.name().as_str());
        let tip = chain.ledger.tip();
        let right = told.next().is_some_and(|it| {
            it["height"] == tip.height && it["tip"] == tip.digest.to_string().as_str()
        });
        if !right {
            let mut found = wrong(
                &chain.file(),
                None,
                format!("the chain ends here, and {ORDERS} says otherwise"),
            );
            found.height = Some(tip.height);
            return Err(found.into());
        }
    }
    Ok(())
}

/// Everything that the file says of an order, from the chains.
fn expected(life: &Life, request: &Request) -> Vec<(&'static str, Value)> {
    let terms = &request.terms;
    let mj = |energy: Option<Energy>| energy.map_or(Value::Null, |it| it.as_millijoules().into());
    let settlement = life.settlement;
    vec![
        ("start", terms.start.to_string().into()),
        ("buyer", terms.buyer.as_str().into()),
        ("seller", terms.seller.as_str().into()),
        ("chain_x", terms.chain_x.as_str().into()),
        ("chain_y", terms.chain_y.as_str().into()),
        ("quantity_mj", terms.quantity.as_millijoules().into()),
        ("price", terms.price.to_string().into()),
        ("seller_price", terms.seller_price.to_string().into()),
        ("outcome", life.outcome(terms.quantity).as_str().into()),
        ("delivered_mj", mj(life.delivered)),
        ("taken_mj", mj(life.taken)),
        ("settled_mj", mj(settlement.map(|it| it.settled))),
        ("short_mj", mj(settlement.map(|it| it.short))),
        ("disputed_mj", mj(settlement.map(|it| it.disputed))),
        (
            "request_seal",
            request.unconditional.hash().to_string().into(),
        ),
    ]
}

fn one(
    evidence: &Evidence,
    (order, request): (OrderId, &Request),
    entry: &Value,
) -> Result<(), Stop> {
    let name = entry["id"].as_str().unwrap_or_default();
    let Some(life) = life(evidence, order, request) else {
        return Err(wrong(ORDERS, Some(name), "a chain of it is not here".to_owned()).into());
    };
    for (field, value) in expected(&life, request) {
        if entry[field] != value {
            let reason = format!("{field} is {}, the chains say {value}", entry[field]);
            let mut found = wrong(ORDERS, Some(name), reason);
            found.place = Some(field.to_owned());
            return Err(found.into());
        }
    }
    Ok(())
}
