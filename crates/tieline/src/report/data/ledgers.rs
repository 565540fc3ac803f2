//! What a report shows of keys, phases and chains.

/// A run through ledgers.
#[derive(Clone, Debug, Default)]
pub struct LedgersData {
    /// How many orders ended how, in the order of tables.
    pub outcomes: Vec<(String, usize)>,
    /// Every order of a short run, the first of a long one.
    pub orders: Vec<OrderData>,
    /// Orders that are not listed.
    pub more_orders: usize,
    /// Z first.
    pub chains: Vec<ChainData>,
    /// Pairs of sites with a fibre.
    pub pairs: Vec<PairData>,
    /// Hours from the opening of the pools to the end of each market interval.
    pub hours: Vec<f64>,
    /// What keys are and where they come from, in words.
    pub keys: String,
}

/// One order.
#[derive(Clone, Debug, Default)]
pub struct OrderData {
    /// Its name.
    pub id: String,
    /// How it ended.
    pub outcome: String,
    /// Why, where it did not simply settle.
    pub why: Option<String>,
    /// What happened when: transition, seconds since its gate.
    pub concluded: Vec<(&'static str, f64)>,
    /// The same from delivery on: transition, seconds since the end of its interval.
    pub settled: Vec<(&'static str, f64)>,
}

/// One chain.
#[derive(Clone, Debug, Default)]
pub struct ChainData {
    /// Its name.
    pub name: String,
    /// Blocks.
    pub height: u64,
    /// Blocks with votes of their own that show them to be final.
    pub certificates: u64,
    /// Transactions in them.
    pub transactions: u64,
    /// Of these, refused by the contract.
    pub refused: u64,
    /// Milliseconds from a transaction to the block that is final: half of all are faster.
    pub median_ms: u32,
    /// The slowest of a hundred.
    pub slow_ms: u32,
}

/// The keys of two sites.
#[derive(Clone, Debug, Default)]
pub struct PairData {
    /// `site-1 – site-2`.
    pub name: String,
    /// Fibre, km as text.
    pub fibre_km: String,
    /// Bits per second.
    pub rate: u64,
    /// Bits at the opening.
    pub opening: u64,
    /// Bits that came.
    pub delivered: u64,
    /// Bits used.
    pub used: u64,
    /// Bits left.
    pub left: u64,
    /// Bits in stock at the end of each market interval.
    pub stock: Vec<u64>,
}
