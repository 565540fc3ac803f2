//! The terms in plain language. Their hash is in the terms: who signs the one has signed the other, and every ledger
//! refuses terms whose hash is not that of this text.
//!
//! Every field that says what somebody owes, gets, does or risks is in the text, in integers or exact decimals, times in
//! UTC. Not in the text, and why: `genesis_x` and `genesis_y`, because the ledgers' names say which are meant and a ledger
//! takes no terms of another genesis; `rendering_hash`, because it is the hash of the text. The fee of a request and the
//! grace of readings are rules of the ledgers and not terms of an order; the text says that they exist.

use tieline_units::{Digest, Encoder};

use crate::settlement::Metering;
use crate::terms::Terms;

impl Terms {
    /// What buyer and seller agree on, for people: one sentence a line.
    pub fn rendering(&self) -> String {
        let parts = [self.who(), self.energy(), self.money(), self.times()];
        parts.concat()
    }

    fn who(&self) -> String {
        let Terms {
            version,
            chain_x,
            chain_y,
            buyer,
            seller,
            aggregator,
            round_hash,
            code_version,
            ..
        } = self;
        format!(
            "An order for energy: {seller} on the ledger {chain_y} sells to {buyer} on the ledger {chain_x}.\n\
             {aggregator} matched them in the market round whose certificate has the hash {round_hash}.\n\
             These are terms of version {version} for the contract code {code_version}.\n"
        )
    }

    fn energy(&self) -> String {
        let Terms {
            buyer,
            seller,
            start,
            quantity,
            metering_deadline,
            ..
        } = self;
        let (energy, exact, end) = (
            quantity.to_kilowatt_hours(),
            quantity.as_millijoules(),
            self.end(),
        );
        let metering = match self.metering {
            Metering::TieLines => format!(
                "Each is metered at its own tie line, and what {seller} delivers counts, up to the energy ordered.\n\
                 What {buyer} does not take of it, {buyer} settles with the grid.\n"
            ),
            Metering::OwnLine {
                loss_ppm,
                tolerance_ppm,
            } => format!(
                "Both ends of a line of their own are metered, and the least counts of what {seller} delivers, what {buyer} takes with {loss} % for losses, and the energy ordered.\n\
                 Where the ends differ by more than {tolerance} % of what {seller} delivers, the price of the whole difference is held back.\n",
                loss = percent(loss_ppm),
                tolerance = percent(tolerance_ppm),
            ),
        };
        format!(
            "{seller} delivers {energy} kWh (exactly {exact} mJ) from {start} to {end}.\n\
             {metering}\
             Readings are due by {metering_deadline} and a grace that the VPP's ledger sets.\n\
             Without {buyer}'s reading {seller}'s stands; without {seller}'s nothing is paid, and no penalty.\n"
        )
    }

    fn money(&self) -> String {
        let Terms {
            chain_x,
            chain_y,
            buyer,
            seller,
            aggregator,
            currency,
            price,
            seller_price,
            imbalance,
            escrow,
            bond,
            ..
        } = self;
        let share = percent(self.penalty_short_ppm);
        format!(
            "{buyer} pays {price} {currency} for every kWh that counts: {seller_price} {currency} to {seller}, the rest to {aggregator}.\n\
             For energy that was ordered and not delivered {seller} pays {buyer} {share} % of {imbalance} {currency} per kWh, at most its bond.\n\
             {buyer} locks {escrow} {currency} on {chain_x} with its request, {seller} a bond of {bond} {currency} on {chain_y} with its yes.\n\
             Whatever of this is not owed in the end goes back; the fee of the request, which {chain_x} sets, does not.\n"
        )
    }

    fn times(&self) -> String {
        let Terms {
            chain_x,
            chain_y,
            buyer,
            seller,
            deadline,
            gate_closure,
            ..
        } = self;
        let latest = deadline.minus_millis(self.delta_t);
        format!(
            "{seller} can say yes on {chain_y} until {latest}; the yes is tentative.\n\
             If {chain_x} does not know of it by {deadline}, {buyer} can have its money back.\n\
             If {chain_x} does, {buyer} is bound, and waits for {chain_y}.\n\
             The order is on when {chain_y} confirms it before {gate_closure}, and nothing else decides.\n\
             If {chain_y} does not, nobody owes anything.\n"
        )
    }

    /// The hash that belongs into the terms.
    pub fn rendering_digest(&self) -> Digest {
        let mut encoder = Encoder::new("tieline.rendering/1");
        encoder.text(&self.rendering());
        encoder.digest()
    }
}

/// Parts per million as an exact percentage.
fn percent(ppm: u32) -> String {
    let (whole, rest) = (ppm / 10_000, ppm % 10_000);
    if rest == 0 {
        return whole.to_string();
    }
    let decimals = format!("{rest:04}");
    format!("{whole}.{}", decimals.trim_end_matches('0'))
}
