//! `keys.json` against itself and the chains: books of the pools, whose keys served what, no key twice.
//!
//! The bits are simulated and nobody's evidence; that what was drawn is what was used, and that every unconditional signature
//! and every accepted order has its keys, can be checked.

use std::collections::{BTreeMap, BTreeSet};

use tieline_contract::terms::{OrderId, Request};
use tieline_contract::transaction::{Act, Transaction};
use tieline_units::Digest;

use super::orders::parse;
use super::settled::requests;
use super::{Check, Evidence, Stop, Wrong};
use crate::run::keys::Purpose;
use crate::run::keys::record::{KeysFile, Subject, Tally, UseRecord};
use crate::run::seals::Kind;

/// Stock and use of keys.
pub const KEYS: &str = "keys.json";

/// Both ends of a pool; the same twice within a site.
type Sites = [String; 2];

/// Of every pool, what was handed out for what.
type Drawn = BTreeMap<Sites, BTreeMap<Purpose, Tally>>;

pub(super) fn check(evidence: &Evidence) -> Result<Vec<Check>, Stop> {
    let document: KeysFile = parse(evidence, KEYS)?;
    let check = |name, found: usize| Check {
        name,
        found: found as u64,
    };
    let (drawn, keys) = uses(&document)?;
    let pools = books(&document, &drawn)?;
    let seals = seals(evidence, &document)?;
    let orders = orders(evidence, &document)?;
    Ok(vec![
        check("unconditional signatures with their keys", seals),
        check("orders with their keys", orders),
        check("keys used once", keys),
        check("pools whose books balance", pools),
    ])
}

fn wrong(reason: String) -> Stop {
    let found = Wrong {
        check: "orders and keys",
        file: KEYS.to_owned(),
        reason,
        ..Wrong::default()
    };
    found.into()
}

fn ensure(holds: bool, reason: impl FnOnce() -> String) -> Result<(), Stop> {
    if holds { Ok(()) } else { Err(wrong(reason())) }
}

/// What a use is called in a message.
fn name(used: &UseRecord) -> String {
    match &used.subject {
        Subject::Seal { hash, .. } => format!("signature {hash}"),
        Subject::Order { order } => format!("order {order}"),
    }
}

/// How little a label promises.
fn rank(label: &str) -> Option<usize> {
    ["its", "hybrid", "pq-only"]
        .iter()
        .position(|it| *it == label)
}

fn purpose(subject: &Subject) -> Option<Purpose> {
    let Subject::Seal { kind, .. } = subject else {
        return Some(Purpose::TradeKey);
    };
    let kinds = [Kind::Requests, Kind::Responses, Kind::KeyReturns];
    let found = kinds.into_iter().find(|it| it.as_str() == kind);
    found.map(Kind::purpose)
}

/// Every use by itself; what was drawn of which pool, and how many keys.
fn uses(document: &KeysFile) -> Result<(Drawn, usize), Stop> {
    let mut drawn = Drawn::new();
    let mut ids = BTreeSet::new();
    for used in &document.uses {
        let sum = UseRecord::bits_of(&used.keys);
        ensure(used.bits == sum, || {
            format!("{}: {} bits, its keys have {sum}", name(used), used.bits)
        })?;
        let (label, wanted) = (rank(&used.label), rank(&document.protection));
        ensure(label.is_some() && wanted.is_some(), || {
            format!("{}: label {:?} is none", name(used), used.label)
        })?;
        ensure(used.because.is_some() == (label > wanted), || {
            let (label, wanted) = (&used.label, &document.protection);
            format!(
                "{}: label {label}, where keys.protection is {wanted}, and why is {:?}",
                name(used),
                used.because
            )
        })?;
        let purpose = purpose(&used.subject);
        let purpose = purpose.ok_or_else(|| wrong(format!("{}: of no kind", name(used))))?;
        for key in &used.keys {
            ensure(ids.insert(key.key_id.to_string()), || {
                format!("key {} is used twice", key.key_id)
            })?;
            let pool = drawn.entry(key.sites.clone()).or_default();
            let tally = pool.entry(purpose).or_default();
            tally.bits += key.bits;
            tally.keys += 1;
        }
    }
    Ok((drawn, ids.len()))
}

/// Stock at the start and what came is what was used and what is left; used for what the uses say.
fn books(document: &KeysFile, drawn: &Drawn) -> Result<usize, Stop> {
    let mut drawn = drawn.clone();
    let mut same = |sites: Sites, told: (u64, &BTreeMap<Purpose, Tally>)| {
        let used = drawn.remove(&sites).unwrap_or_default();
        let bits: u64 = used.values().map(|it| it.bits).sum();
        ensure((bits, &used) == told, || {
            let (one, other) = (&sites[0], &sites[1]);
            format!(
                "pool {one} to {other}: {} bits used, the uses have {bits}, or for other purposes",
                told.0
            )
        })
    };
    for pair in &document.pairs {
        same(pair.sites.clone(), (pair.used_bits, &pair.purposes))?;
        let came = pair.opening_bits.checked_add(pair.delivered_bits);
        let went = pair.used_bits.checked_add(pair.left_bits);
        ensure(came.is_some() && came == went, || {
            format!(
                "pool {} to {}: {} + {} bits came, {} + {} were used or are left",
                pair.sites[0],
                pair.sites[1],
                pair.opening_bits,
                pair.delivered_bits,
                pair.used_bits,
                pair.left_bits
            )
        })?;
        ensure(pair.stock_bits.len() == document.intervals, || {
            let (one, other) = (&pair.sites[0], &pair.sites[1]);
            format!("pool {one} to {other}: its stock is not told for every market interval")
        })?;
    }
    for local in &document.local {
        let sites = [local.site.clone(), local.site.clone()];
        same(sites, (local.used_bits, &local.purposes))?;
    }
    match drawn.keys().next() {
        Some([one, other]) => Err(wrong(format!("no pool {one} to {other}, and key of it"))),
        None => Ok(document.pairs.len() + document.local.len()),
    }
}

/// Who signs for whom, and of which kind: what a message on a chain says of the signature that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    gateway: String,
    counterpart: String,
    kind: Kind,
}

/// Every signature that a message names has its keys on record, once, and is whose it should be.
fn seals(evidence: &Evidence, document: &KeysFile) -> Result<usize, Stop> {
    let mut told = BTreeMap::new();
    for used in &document.uses {
        let Subject::Seal {
            gateway,
            counterpart,
            kind,
            messages,
            hash,
            ..
        } = &used.subject
        else {
            continue;
        };
        let seal = (gateway, counterpart, kind, *messages);
        ensure(told.insert(hash.clone(), seal).is_none(), || {
            format!("two sets of keys are on record for signature {hash}")
        })?;
    }
    let named = named(evidence)?;
    for (hash, (by, orders)) in &named {
        let Some((gateway, counterpart, kind, messages)) = told.get(hash) else {
            return Err(wrong(format!("no keys are on record for signature {hash}")));
        };
        let same = **gateway == by.gateway
            && **counterpart == by.counterpart
            && **kind == by.kind.as_str()
            && *messages >= orders.len();
        ensure(same, || {
            format!(
                "signature {hash} is {gateway}'s of {kind} to {counterpart} with {messages} messages; chains have it as {}'s of {} to {} with {}",
                by.gateway,
                by.kind.as_str(),
                by.counterpart,
                orders.len()
            )
        })?;
    }
    Ok(named.len())
}

/// Hashes of all unconditional signatures that messages on the chains name: whose they are, and for which orders.
type AllNamed = BTreeMap<String, (Named, BTreeSet<OrderId>)>;

fn named(evidence: &Evidence) -> Result<AllNamed, Stop> {
    let requests = requests(evidence);
    let mut all = AllNamed::new();
    for chain in &evidence.chains {
        for done in chain.applied() {
            for (hash, order, kind) in messages(&done.transaction) {
                let Some(request) = requests.get(&order) else {
                    continue;
                };
                let by = signer(request, kind);
                let entry = all.entry(hash.clone());
                let (known, orders) = entry.or_insert_with(|| (by.clone(), BTreeSet::new()));
                ensure(*known == by, || {
                    format!("messages of two signers name signature {hash}")
                })?;
                orders.insert(order);
            }
        }
    }
    Ok(all)
}

fn signer(request: &Request, kind: Kind) -> Named {
    let terms = &request.terms;
    let (gateway, counterpart) = match kind {
        Kind::Requests | Kind::KeyReturns => (&terms.buyer, &terms.chain_y),
        Kind::Responses => (&terms.seller, &terms.chain_x),
    };
    Named {
        gateway: gateway.to_string(),
        counterpart: counterpart.to_string(),
        kind,
    }
}

/// The signatures that a transaction names.
fn messages(transaction: &Transaction) -> Vec<(String, OrderId, Kind)> {
    let of = |request: &Request| {
        let hash = request.unconditional.hash().to_string();
        (hash, request.order(), Kind::Requests)
    };
    let of_act = |act: &Act| match act {
        Act::Accept {
            order,
            unconditional,
            ..
        } => Some((unconditional.hash().to_string(), *order, Kind::Responses)),
        Act::KeyReturn { order, key, .. } => Some((
            key.unconditional.hash().to_string(),
            *order,
            Kind::KeyReturns,
        )),
        _ => None,
    };
    match transaction {
        Transaction::Request(request) => vec![of(request)],
        Transaction::Local { request, answer } => {
            let answer = of_act(&answer.act);
            std::iter::once(of(request)).chain(answer).collect()
        }
        Transaction::Signed(signed) => of_act(&signed.act).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Every order that was accepted has its transmission keys, once, and no keys are of an order that no chain has.
fn orders(evidence: &Evidence, document: &KeysFile) -> Result<usize, Stop> {
    let requests = requests(evidence);
    let mut told = BTreeSet::new();
    for used in &document.uses {
        let Subject::Order { order } = &used.subject else {
            continue;
        };
        let id = Digest::parse(order).map(OrderId);
        let known = id.filter(|id| requests.contains_key(id));
        let known =
            known.ok_or_else(|| wrong(format!("keys of order {order}, which no chain has")))?;
        ensure(told.insert(known), || {
            format!("two sets of keys are on record for order {order}")
        })?;
    }
    for chain in &evidence.chains {
        for done in chain.applied() {
            for (_, order, kind) in messages(&done.transaction) {
                ensure(kind != Kind::Responses || told.contains(&order), || {
                    format!("no keys are on record for order {order}, which was accepted")
                })?;
            }
        }
    }
    Ok(told.len())
}
