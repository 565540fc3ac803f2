//! One order's evidence, in order: its round, its terms, its six phases with who signed, its keys, its money.

use serde::Serialize;
use tieline_contract::certificate::Certificate;
use tieline_contract::payload::{Payload, Subject};
use tieline_contract::terms::{OrderId, Request};
use tieline_contract::transaction::{Act, Transaction};
use tieline_units::Digest;

use super::keys::KEYS;
use super::orders::listed;
use super::replay::{Chain, Done};
use super::settled::{life, requests};
use super::{Evidence, Stop, Wrong};
use crate::run::keys::record::{KeysFile, Subject as Use, UseRecord};

/// Something that happened to an order on a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Which of the six phases, 0 for what comes before them.
    pub phase: u8,
    /// `T1` to `T18`, as the contract has them.
    pub transition: &'static str,
    /// What, for people.
    pub what: String,
    /// On which chain.
    pub chain: String,
    /// In which block.
    pub height: u64,
    /// The block's time.
    pub time: String,
    /// The block's name.
    pub block: String,
    /// The transaction's name.
    pub transaction: String,
    /// Who signed: a member, or verification nodes of a chain by number.
    pub signed_by: Vec<String>,
    /// Why the ledger refused it, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Keys that served an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeysUsed {
    /// For what.
    pub what: String,
    /// What they rest on.
    pub label: String,
    /// How many messages share them.
    pub messages: usize,
    /// All bits together.
    pub bits: u64,
    /// Key ids with their bits and the two sites.
    pub keys: Vec<String>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Story {
    /// Format and version.
    pub schema: &'static str,
    /// As the run lists it.
    pub id: String,
    /// Its id on the ledgers; `null` where it got onto none.
    pub order: Option<String>,
    /// How it ended.
    pub outcome: String,
    /// Why.
    pub why: Option<String>,
    /// What was agreed, a line each.
    pub terms: Vec<(&'static str, String)>,
    /// In the order of time.
    pub events: Vec<Event>,
    /// Unconditional signatures and transmission keys.
    pub keys: Vec<KeysUsed>,
    /// What it came to, a line each.
    pub money: Vec<(&'static str, String)>,
}

/// The story of an order by its name or the beginning of its id on the ledgers.
///
/// # Errors
/// [`Stop`] where no order, or more than one, is called so.
pub fn of(evidence: &Evidence, name: &str) -> Result<Story, Stop> {
    let listed = listed(evidence)?;
    let starts = |it: &serde_json::Value| {
        it["order"]
            .as_str()
            .is_some_and(|id| name.len() >= 6 && id.starts_with(name))
    };
    let found: Vec<_> = listed
        .iter()
        .filter(|it| it["id"] == name || starts(it))
        .collect();
    let entry = match found.as_slice() {
        [one] => *one,
        [] => {
            let some = listed
                .first()
                .and_then(|it| it["id"].as_str())
                .unwrap_or("none");
            return Err(Stop::Broken(format!(
                "no order {name} in {}\n\nhint: orders.json lists them; the first is {some}",
                evidence.folder.display()
            )));
        }
        more => {
            return Err(Stop::Broken(format!(
                "{} orders begin with {name}\n\nhint: give more of the id",
                more.len()
            )));
        }
    };
    let text = |key: &str| entry[key].as_str().map(str::to_owned);
    let mut story = Story {
        schema: "tieline.order/1",
        id: text("id").unwrap_or_default(),
        order: text("order"),
        outcome: text("outcome").unwrap_or_default(),
        why: text("why"),
        terms: Vec::new(),
        events: Vec::new(),
        keys: Vec::new(),
        money: Vec::new(),
    };
    let order = story.order.as_deref().and_then(Digest::parse).map(OrderId);
    let request = order.and_then(|order| Some((order, requests(evidence).remove(&order)?)));
    if let Some((order, request)) = request {
        story.terms = terms(&request);
        story.events = events(evidence, order);
        story.money = money(evidence, order, &request);
        story.keys = keys(evidence, order, entry)?;
    }
    Ok(story)
}

fn terms(request: &Request) -> Vec<(&'static str, String)> {
    let terms = &request.terms;
    let currency = terms.currency;
    vec![
        ("delivery", format!("{}, {}", terms.start, terms.length)),
        ("buyer", format!("{} on {}", terms.buyer, terms.chain_x)),
        ("seller", format!("{} on {}", terms.seller, terms.chain_y)),
        (
            "quantity",
            format!("{} kWh", terms.quantity.to_kilowatt_hours()),
        ),
        (
            "price",
            format!(
                "{} {currency}/kWh, of which the seller gets {}",
                terms.price, terms.seller_price
            ),
        ),
        (
            "escrow, bond",
            format!("{} and {} {currency}", terms.escrow, terms.bond),
        ),
        (
            "D, G, T_m",
            format!(
                "{}, {}, {}",
                terms.deadline, terms.gate_closure, terms.metering_deadline
            ),
        ),
        ("round", terms.round_hash.to_string()),
        ("terms", terms.hash().to_string()),
    ]
}

fn events(evidence: &Evidence, order: OrderId) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    for chain in &evidence.chains {
        all.extend(
            chain
                .done
                .iter()
                .filter_map(|done| event((chain, done), order)),
        );
    }
    let key = |it: &Event| (it.phase != 0, it.time.clone(), it.phase);
    all.sort_by_key(key);
    all
}

fn event((chain, done): (&Chain, &Done), order: OrderId) -> Option<Event> {
    let (phase, transition, what, signed_by) = told((chain, done), order)?;
    Some(Event {
        phase,
        transition,
        what,
        chain: chain.name().to_string(),
        height: done.height,
        time: done.time.to_string(),
        block: done.block.to_string(),
        transaction: done.name.to_string(),
        signed_by,
        refused: done.refused.clone(),
    })
}

type Told = (u8, &'static str, String, Vec<String>);

/// What a transaction is to an order; `None` where it is about another.
fn told((chain, done): (&Chain, &Done), order: OrderId) -> Option<Told> {
    let by = |who: &tieline_units::MicrogridId| vec![who.to_string()];
    let told = match &done.transaction {
        Transaction::Request(it) if it.order() == order => (
            1,
            "T1",
            "the request locks the escrow".to_owned(),
            by(&it.terms.buyer),
        ),
        Transaction::Local { request, answer } if request.order() == order => {
            let both = vec![request.terms.buyer.to_string(), answer.by.to_string()];
            (4, "T0", "both sides at once, on one chain".to_owned(), both)
        }
        Transaction::TimeoutRequest(it) if it.order() == order => (
            3,
            "T3'",
            "the deadline passed without an answer".to_owned(),
            Vec::new(),
        ),
        Transaction::Timeout(it) if *it == order => (
            5,
            "T5'",
            "the deadline passed without an acceptance: the escrow goes back".to_owned(),
            Vec::new(),
        ),
        Transaction::Void(it) if *it == order => (
            5,
            "T6'",
            "the gate closed without a commitment".to_owned(),
            Vec::new(),
        ),
        Transaction::Default(it) if *it == order => (
            6,
            "T8'",
            "readings are overdue: settled on what there is".to_owned(),
            Vec::new(),
        ),
        Transaction::Signed(signed) => match &signed.act {
            Act::Round { hash, orders } if orders.contains(&order) => (
                0,
                "T13",
                format!("round {hash} is anchored"),
                by(&signed.by),
            ),
            Act::Accept { order: it, .. } if *it == order => (
                4,
                "T4",
                "the seller's tentative yes, with its bond".to_owned(),
                by(&signed.by),
            ),
            Act::Decline(it) if *it == order => {
                (4, "T4'", "the seller's no".to_owned(), by(&signed.by))
            }
            Act::KeyReturn { order: it, .. } if *it == order => (
                5,
                "T5k",
                "the buyer returns the key".to_owned(),
                by(&signed.by),
            ),
            _ => return None,
        },
        // On its own chain a certificate only tells who attested.
        Transaction::Certificate(it) if it.chain == *chain.name() => return None,
        Transaction::Certificate(it) if it.payload.subject() == Subject::Order(order) => {
            let (phase, transition, what) = carried(chain, it);
            (phase, transition, what, signers(it))
        }
        Transaction::Meter(batch) => return metered(chain, (batch, order)),
        _ => return None,
    };
    Some(told)
}

/// Verification nodes that signed a certificate, numbered from 1.
fn signers(certificate: &Certificate) -> Vec<String> {
    let seats = certificate.attestations.keys();
    seats
        .map(|seat| format!("{} node {}", certificate.chain, seat + 1))
        .collect()
}

/// What a certificate does on the chain that takes it.
fn carried(chain: &Chain, certificate: &Certificate) -> (u8, &'static str, String) {
    let from = &certificate.chain;
    let z = chain.ledger.state().is_vpp();
    let (phase, transition, what) = match &certificate.payload {
        Payload::Request(_) => (3, "T3", "REQ: the request arrives"),
        Payload::Accept(_) => (5, "T5", "ACC: the buyer is bound"),
        Payload::Reject(_) => (5, "T5''", "REJ: the escrow goes back"),
        Payload::Commit(_) if z => (5, "T8a", "COM: the order is known to Z"),
        Payload::Commit(_) => (5, "T6", "COM: confirmed, the decision"),
        Payload::Refund(_) => (5, "T6'", "REF: the buyer has its money back"),
        Payload::Void(_) => (5, "T5''", "VOID: the escrow goes back"),
        Payload::Taken(_) => (6, "T8a", "MET: the buyer's reading"),
        Payload::Delivered(_) => (6, "T8a", "MET: the seller's reading"),
        Payload::Settle(_) => (6, "T9, T10", "SET: paid and closed"),
        _ => (0, "", "said"),
    };
    (phase, transition, format!("{what} (from {from})"))
}

/// A meter's batch that has a share of the order in it.
fn metered(
    chain: &Chain,
    (batch, order): (&tieline_contract::member::MeterBatch, OrderId),
) -> Option<Told> {
    let state = chain.ledger.state();
    let purchase = state.purchase(order).map(|it| (&it.request, it.taken));
    let sale = state.sale(order);
    let sale = sale.and_then(|it| Some((it.request.as_ref()?, it.delivered)));
    let (terms, energy, side) = match (purchase, sale) {
        (Some((request, Some(taken))), _) if request.terms.buyer == batch.member => {
            (&request.terms, taken, "took")
        }
        (_, Some((request, Some(delivered)))) if request.terms.seller == batch.member => {
            (&request.terms, delivered, "delivered")
        }
        _ => return None,
    };
    let own = batch.line.is_none_or(|line| line == order);
    (batch.start == terms.start && own).then(|| {
        let what = format!(
            "the meter of {}: {side} {} kWh of the order",
            batch.member,
            energy.to_kilowatt_hours()
        );
        (
            6,
            "T7",
            what,
            vec![format!("meter {} of {}", batch.meter + 1, batch.member)],
        )
    })
}

fn money(evidence: &Evidence, order: OrderId, request: &Request) -> Vec<(&'static str, String)> {
    let settlement = life(evidence, order, request).and_then(|it| it.settlement);
    let Some(it) = settlement else {
        return Vec::new();
    };
    let currency = request.terms.currency;
    vec![
        ("settled", format!("{} kWh", it.settled.to_kilowatt_hours())),
        ("short", format!("{} kWh", it.short.to_kilowatt_hours())),
        (
            "in dispute",
            format!("{} kWh", it.disputed.to_kilowatt_hours()),
        ),
        ("the buyer pays", format!("{} {currency}", it.payment)),
        ("to the seller", format!("{} {currency}", it.to_seller)),
        (
            "to the aggregator",
            format!("{} {currency}", it.to_aggregator),
        ),
        ("penalty", format!("{} {currency}", it.penalty)),
    ]
}

fn keys(
    evidence: &Evidence,
    order: OrderId,
    entry: &serde_json::Value,
) -> Result<Vec<KeysUsed>, Stop> {
    let text = evidence.text(KEYS)?;
    let document: KeysFile = serde_json::from_str(&text).map_err(|error| {
        Stop::from(Wrong {
            check: "keys",
            file: KEYS.to_owned(),
            line: Some(error.line() as u64),
            reason: error.to_string(),
            ..Wrong::default()
        })
    })?;
    let seals = ["request_seal", "response_seal", "key_return_seal"];
    let seals = seals.map(|key| entry[key].as_str().unwrap_or_default().to_owned());
    let own = order.to_string();
    let uses = document.uses.iter().filter_map(|it| match &it.subject {
        Use::Seal {
            hash,
            gateway,
            kind,
            messages,
            ..
        } if seals.contains(hash) => {
            let what = format!(
                "unconditional signature {} of {gateway} on its {kind}",
                &hash[..12]
            );
            Some(used(it, what, *messages))
        }
        Use::Order { order } if *order == own => {
            Some(used(it, "transmission keys of the trade".to_owned(), 1))
        }
        _ => None,
    });
    Ok(uses.collect())
}

fn used(record: &UseRecord, what: String, messages: usize) -> KeysUsed {
    let keys = record.keys.iter();
    KeysUsed {
        what,
        label: record.label.clone(),
        messages,
        bits: record.bits,
        keys: keys
            .map(|key| {
                format!(
                    "{} {} bits {}-{}",
                    key.key_id, key.bits, key.sites[0], key.sites[1]
                )
            })
            .collect(),
    }
}

impl Story {
    /// For people.
    pub fn text(&self) -> String {
        let mut lines = vec![format!("order {}  {}", self.id, self.outcome)];
        lines.extend(self.why.iter().map(|why| format!("why: {why}")));
        lines.extend(
            self.order
                .iter()
                .map(|order| format!("on the ledgers: {order}")),
        );
        let pairs = |title: &str, pairs: &[(&str, String)], lines: &mut Vec<String>| {
            if !pairs.is_empty() {
                lines.push(format!("\n{title}"));
                lines.extend(
                    pairs
                        .iter()
                        .map(|(key, value)| format!("  {key:<18} {value}")),
                );
            }
        };
        pairs("what was agreed", &self.terms, &mut lines);
        let mut phase = None;
        for event in &self.events {
            if phase != Some(event.phase) {
                phase = Some(event.phase);
                lines.push(match event.phase {
                    0 => "\nbefore".to_owned(),
                    number => format!("\nphase {number}"),
                });
            }
            lines.push(format!(
                "  {}  {:<8} {} {} (block {}, {}…)",
                event.time,
                event.transition,
                event.chain,
                event.what,
                event.height,
                &event.block[..12]
            ));
            if !event.signed_by.is_empty() {
                lines.push(format!("      signed by {}", event.signed_by.join(", ")));
            }
            lines.extend(
                event
                    .refused
                    .iter()
                    .map(|why| format!("      refused: {why}")),
            );
        }
        if !self.keys.is_empty() {
            lines.push("\nkeys (ids and counts; the bits are nowhere)".to_owned());
        }
        for used in &self.keys {
            lines.push(format!(
                "  {}, {}: {} bits in {} keys for {} messages",
                used.what,
                used.label,
                used.bits,
                used.keys.len(),
                used.messages
            ));
            lines.extend(used.keys.iter().map(|key| format!("      {key}")));
        }
        pairs("money", &self.money, &mut lines);
        lines.join("\n") + "\n"
    }
}
