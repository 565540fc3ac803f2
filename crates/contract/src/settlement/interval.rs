//! One market interval: all orders, all meters, the grid.

use thiserror::Error;
use tieline_units::{Currency, CurrencyMismatch, Energy, Money, Price, canonical};

use super::order::{ENERGY_MAX, PRICE_MAX};
use super::{Metering, OrderTerms, Readings, SettleError, Settlement, largest_remainder, settle};

/// What the grid charges and pays in one market interval, per kWh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridPrices {
    /// L+: the grid sells at this price.
    pub import: Price,
    /// L-: the grid buys at this price; can be negative.
    pub export: Price,
    /// Of both.
    pub currency: Currency,
}

/// An order among the members of one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Index of the member that delivers.
    pub seller: usize,
    /// Index of the member that takes.
    pub buyer: usize,
    /// What they agreed on.
    pub terms: OrderTerms,
    /// Of both prices.
    pub currency: Currency,
}

/// One member's lines of the bill for one interval. Money received is positive, money paid negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberEntry {
    /// Delivered under its orders.
    pub sold: Energy,
    /// Received under its orders.
    pub bought: Energy,
    /// To the grid.
    pub exported: Energy,
    /// From the grid.
    pub imported: Energy,
    /// Received for what it sold.
    pub sales: Money,
    /// Paid for what it bought (not positive, unless prices are negative).
    pub purchases: Money,
    /// Received for exports.
    pub grid_export: Money,
    /// Paid for imports.
    pub grid_import: Money,
    /// Penalties received and paid.
    pub penalties: Money,
}

impl MemberEntry {
    /// The bill: all lines added up.
    pub fn balance(&self) -> Money {
        self.sales + self.purchases + self.grid_export + self.grid_import + self.penalties
    }
}

/// What one interval comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntervalSettlement {
    /// One per order, in their order.
    pub orders: Vec<Settlement>,
    /// One per member, in their order.
    pub members: Vec<MemberEntry>,
    /// The aggregator's fee.
    pub aggregator: Money,
    /// The grid's account.
    pub grid: Money,
}

/// Why an interval cannot be settled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IntervalError {
    /// An order names a member that is not there, or one member on both sides.
    #[error("order {order} is between members {seller} and {buyer} of {members}")]
    Parties {
        /// Index of the order.
        order: usize,
        /// Its seller.
        seller: usize,
        /// Its buyer.
        buyer: usize,
        /// How many members there are.
        members: usize,
    },
    /// An order over a line of the pair's own, which needs both its readings: settle it with [`settle`].
    #[error("order {order} is metered on a line of its own")]
    OwnLine {
        /// Index of the order.
        order: usize,
    },
    /// More energy than one member can move in an interval, or a price beyond all bounds.
    #[error("{what} of member {member} is beyond what can be settled")]
    TooLarge {
        /// Which number.
        what: &'static str,
        /// Whose.
        member: usize,
    },
    /// An order in another currency than the grid's prices.
    #[error("order {order}: {source}")]
    Currency {
        /// Index of the order.
        order: usize,
        /// The two currencies.
        source: CurrencyMismatch,
    },
    /// An order that cannot be settled.
    #[error("order {order}: {source}")]
    Order {
        /// Index of the order.
        order: usize,
        /// Why.
        source: SettleError,
    },
}

/// Settles an interval: every order on its share of the seller's export, the rest of every meter with the grid.
///
/// `net`: per member, the net flow at its tie line over the interval, export positive.
///
/// # Errors
/// [`IntervalError`] for orders that no market can have made; nothing is settled then.
///
/// Source: decisions 6 to 9 of the architecture.
pub fn settle_interval(
    net: &[Energy],
    orders: &[Order],
    grid: GridPrices,
) -> Result<IntervalSettlement, IntervalError> {
    check(net.len(), orders, grid)?;
    if let Some(order) = orders.iter().position(is_own_line) {
        return Err(IntervalError::OwnLine { order });
    }
    check_sizes(net, orders, grid)?;
    let delivered = cover(net, orders);
    let mut settled = Vec::with_capacity(orders.len());
    for (index, order) in orders.iter().enumerate() {
        let readings = Readings {
            taken: None,
            delivered: Some(delivered[index]),
        };
        let settlement = settle(&order.terms, readings).map_err(|source| IntervalError::Order {
            order: index,
            source,
        })?;
        settled.push((*order, settlement));
    }
    Ok(book(net, &settled, grid))
}

/// Books an interval whose orders are settled already, on a ledger: what every meter shows beyond them is with the grid.
///
/// `net`: as of [`settle_interval`]; what passed a line of a pair's own is not in it.
///
/// # Errors
/// [`IntervalError`] for what no ledger can have settled.
pub fn book_interval(
    net: &[Energy],
    settled: &[(Order, Settlement)],
    grid: GridPrices,
) -> Result<IntervalSettlement, IntervalError> {
    let orders: Vec<Order> = settled.iter().map(|(order, _)| *order).collect();
    check(net.len(), &orders, grid)?;
    check_sizes(net, &orders, grid)?;
    Ok(book(net, settled, grid))
}

fn book(net: &[Energy], settled: &[(Order, Settlement)], grid: GridPrices) -> IntervalSettlement {
    let mut result = IntervalSettlement {
        orders: Vec::with_capacity(settled.len()),
        members: vec![MemberEntry::default(); net.len()],
        aggregator: Money::ZERO,
        grid: Money::ZERO,
    };
    // Sold and bought over tie lines alone: the rest passed no meter of `net`.
    let mut traded = vec![(Energy::ZERO, Energy::ZERO); net.len()];
    for (order, settlement) in settled {
        book_order(&mut result, order, settlement);
        if !is_own_line(order) {
            traded[order.seller].0 += settlement.settled;
            traded[order.buyer].1 += settlement.settled;
        }
        result.orders.push(*settlement);
    }
    for (member, (&net, traded)) in net.iter().zip(&traded).enumerate() {
        book_grid(&mut result, member, (net, *traded), grid);
    }
    assert_conserved(&result, net, &traded);
    result
}

fn is_own_line(order: &Order) -> bool {
    order.terms.metering != Metering::TieLines
}

fn check(members: usize, orders: &[Order], grid: GridPrices) -> Result<(), IntervalError> {
    for (index, order) in orders.iter().enumerate() {
        let Order {
            seller,
            buyer,
            currency,
            ..
        } = *order;
        if seller >= members || buyer >= members || seller == buyer {
            return Err(IntervalError::Parties {
                order: index,
                seller,
                buyer,
                members,
            });
        }
        grid.currency
            .expect_same(currency)
            .map_err(|source| IntervalError::Currency {
                order: index,
                source,
            })?;
    }
    Ok(())
}

/// Refuses what could leave the range of the sums: the flow of every member, what it sold and what it bought.
fn check_sizes(net: &[Energy], orders: &[Order], grid: GridPrices) -> Result<(), IntervalError> {
    let max = i128::from(ENERGY_MAX.as_millijoules());
    let mut sides = vec![[0_i128; 2]; net.len()];
    for order in orders {
        let quantity = i128::from(order.terms.quantity.as_millijoules()).abs();
        sides[order.seller][0] += quantity;
        sides[order.buyer][1] += quantity;
    }
    for (member, (&net, [sold, bought])) in net.iter().zip(sides).enumerate() {
        let net = i128::from(net.as_millijoules()).abs();
        for (what, energy) in [
            ("the flow", net),
            ("what is sold", sold),
            ("what is bought", bought),
        ] {
            if energy > max {
                return Err(IntervalError::TooLarge { what, member });
            }
        }
    }
    if !net.is_empty() && (beyond(grid.import) || beyond(grid.export)) {
        let what = "the grid's price";
        return Err(IntervalError::TooLarge { what, member: 0 });
    }
    Ok(())
}

/// Whether no settlement can compute with such a price.
pub(crate) fn beyond(price: Price) -> bool {
    price.as_millionths().unsigned_abs() > PRICE_MAX.as_millionths().unsigned_abs()
}

/// Conservation of energy and money: a violation is a bug of ours and must not become a bill.
fn assert_conserved(result: &IntervalSettlement, net: &[Energy], traded: &[(Energy, Energy)]) {
    let money: Money = result.members.iter().map(MemberEntry::balance).sum();
    assert!(
        money + result.aggregator + result.grid == Money::ZERO,
        "the accounts sum to zero"
    );
    let flows = result.members.iter().zip(net).zip(traded);
    for ((entry, &net), &(sold, bought)) in flows {
        let flow = entry.exported + sold - entry.imported - bought;
        assert!(flow == net, "every member's energy balances");
    }
}

/// q_y of every order: all of it, or pro rata what the seller's export covers.
fn cover(net: &[Energy], orders: &[Order]) -> Vec<Energy> {
    let mut delivered = vec![Energy::ZERO; orders.len()];
    let mut by_seller: Vec<Vec<usize>> = vec![Vec::new(); net.len()];
    for (index, order) in orders.iter().enumerate() {
        by_seller[order.seller].push(index);
    }
    for (seller, own) in by_seller
        .iter()
        .enumerate()
        .filter(|(_, own)| !own.is_empty())
    {
        let quantities: Vec<i64> = own
            .iter()
            .map(|&index| orders[index].terms.quantity.as_millijoules())
            .collect();
        let sold: i64 = quantities.iter().sum();
        let covered = net[seller].as_millijoules().clamp(0, sold.max(0));
        for (&index, share) in own.iter().zip(largest_remainder(covered, &quantities)) {
            delivered[index] = Energy::from_millijoules(share);
        }
    }
    delivered
}

fn book_order(result: &mut IntervalSettlement, order: &Order, settlement: &Settlement) {
    let seller = &mut result.members[order.seller];
    seller.sold += settlement.settled;
    seller.sales += settlement.to_seller;
    seller.penalties -= settlement.penalty;
    let buyer = &mut result.members[order.buyer];
    buyer.bought += settlement.settled;
    buyer.purchases -= settlement.payment;
    buyer.penalties += settlement.penalty;
    result.aggregator += settlement.to_aggregator;
}

/// What the meter shows beyond the orders, at the grid's prices.
fn book_grid(
    result: &mut IntervalSettlement,
    member: usize,
    (net, traded): (Energy, (Energy, Energy)),
    grid: GridPrices,
) {
    let imbalance = Imbalance::of(net, traded, (grid.import, grid.export));
    let entry = &mut result.members[member];
    entry.exported = imbalance.exported;
    entry.imported = imbalance.imported;
    entry.grid_export = imbalance.for_export;
    entry.grid_import = imbalance.for_import;
    result.grid -= entry.grid_export + entry.grid_import;
}

/// What a member's meter shows beyond its orders, at the grid's prices. Money received is positive, money paid negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imbalance {
    /// To the grid.
    pub exported: Energy,
    /// From the grid.
    pub imported: Energy,
    /// Received for exports, negative where prices are.
    pub for_export: Money,
    /// Paid for imports.
    pub for_import: Money,
}

canonical!(Imbalance {
    exported,
    imported,
    for_export,
    for_import
});

impl Imbalance {
    /// Of a net flow, export positive, of which so much was sold and bought under orders, at the prices of import and export.
    /// All of them within the bounds of [`settle_interval`].
    pub fn of(
        net: Energy,
        (sold, bought): (Energy, Energy),
        (import, export): (Price, Price),
    ) -> Imbalance {
        let residual = net - sold + bought;
        let exported = residual.max(Energy::ZERO);
        let imported = (-residual).max(Energy::ZERO);
        Imbalance {
            exported,
            imported,
            for_export: export.cost_of(exported),
            for_import: -import.cost_of(imported),
        }
    }
}
