//! `orders.json`: every order of a run with what became of it.

use serde::Serialize;
use tieline_units::{Digest, Time};

use super::outcome::Life;
use super::trade::Trade;
use crate::input::Scenario;
use crate::run::conclude::Conclusion;
use crate::run::order::Placed;

/// Format and version of the document.
pub const SCHEMA: &str = "tieline.orders/1";

/// The document.
#[derive(Clone, Debug, Serialize)]
pub struct OrdersFile {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Where each chain ended, Z first.
    pub chains: Vec<ChainEnd>,
    /// In the order of intervals, blocks and buyers.
    pub orders: Vec<Record>,
}

/// Where a chain ended.
#[derive(Clone, Debug, Serialize)]
pub struct ChainEnd {
    /// Its name.
    pub chain: String,
    /// Height of its last block.
    pub height: u64,
    /// Name of its last block.
    pub tip: String,
}

/// One order.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// `20160525T1000Z.mg-2.1.mg-3`: interval, seller, price level, buyer.
    pub id: String,
    /// Its id on the ledgers, 64 hexadecimal digits; `null` where it got onto none.
    pub order: Option<String>,
    /// First instant of its interval.
    pub start: String,
    /// Who takes.
    pub buyer: String,
    /// Who delivers.
    pub seller: String,
    /// Price level of the seller's block, 1 = lowest.
    pub level: usize,
    /// The buyer's chain.
    pub chain_x: String,
    /// The seller's chain.
    pub chain_y: String,
    /// Ordered, mJ.
    pub quantity_mj: i64,
    /// What the buyer pays per kWh.
    pub price: String,
    /// What the seller is paid per kWh.
    pub seller_price: String,
    /// How it ended.
    pub outcome: &'static str,
    /// Why, where it did not simply settle.
    pub why: Option<String>,
    /// What the seller's reading says, mJ.
    pub delivered_mj: Option<i64>,
    /// What the buyer's reading says, mJ.
    pub taken_mj: Option<i64>,
    /// Paid for, mJ.
    pub settled_mj: Option<i64>,
    /// Ordered and not delivered, mJ.
    pub short_mj: Option<i64>,
    /// Held back, mJ.
    pub disputed_mj: Option<i64>,
    /// SHA-256 of the unconditional signature on the batch of its request.
    pub request_seal: Option<String>,
    /// The same of its response.
    pub response_seal: Option<String>,
    /// The same of its key's return.
    pub key_return_seal: Option<String>,
    /// When it was to be requested, for the page.
    #[serde(skip)]
    pub gate: Time,
    /// When its interval was over.
    #[serde(skip)]
    pub end: Time,
    /// When each of its transitions was final, by the blocks' times.
    #[serde(skip)]
    pub times: Vec<(&'static str, Time)>,
}

impl Record {
    /// Of an order that ended so; `trade`: where it was requested.
    pub fn of(
        scenario: &Scenario,
        placed: &Placed,
        (conclusion, life): (&Conclusion, &Life),
        trade: Option<&Trade>,
    ) -> Record {
        let microgrid = |index: usize| &scenario.microgrids[index];
        let (seller, buyer) = (
            microgrid(placed.order.seller),
            microgrid(placed.order.buyer),
        );
        let terms = &placed.order.terms;
        let settlement = life.settlement;
        let mj = |energy: tieline_units::Energy| energy.as_millijoules();
        let hex = |digest: Option<Digest>| digest.map(|it| it.to_string());
        let seals = trade.map(|it| it.seals).unwrap_or_default();
        let start = placed
            .gate_closure
            .plus_millis(scenario.config.gates.closure_before_delivery_ms);
        Record {
            id: placed.id.clone(),
            order: trade.map(|it| it.request.order().to_string()),
            start: start.to_string(),
            buyer: buyer.id.to_string(),
            seller: seller.id.to_string(),
            level: placed.level,
            chain_x: buyer.chain.to_string(),
            chain_y: seller.chain.to_string(),
            quantity_mj: mj(terms.quantity),
            price: terms.price.to_string(),
            seller_price: terms.seller_price.to_string(),
            outcome: conclusion.outcome.as_str(),
            why: conclusion.why.clone(),
            delivered_mj: life.delivered.map(mj),
            taken_mj: life.taken.map(mj),
            settled_mj: settlement.map(|it| mj(it.settled)),
            short_mj: settlement.map(|it| mj(it.short)),
            disputed_mj: settlement.map(|it| mj(it.disputed)),
            request_seal: hex(seals.request),
            response_seal: hex(seals.response),
            key_return_seal: hex(seals.key_return),
            gate: placed
                .deadline
                .minus_millis(scenario.config.gates.accept_within_ms),
            end: start.plus_millis(scenario.length.millis()),
            times: trade.map(|it| it.times.clone()).unwrap_or_default(),
        }
    }
}
