//! What must hold in every world: section 8 of the specification, each a function with a name.
//!
//! S2, S3 and S6 to S9 speak of one ledger, its books and its history: they are judged when a place is reached, by code of
//! their own, and remembered in it. The others compare ledgers. S10 to S12 are of property tests and of nodes.

pub(crate) mod books;
mod edge;

use std::ops::BitOr;

use tieline_contract::state::State;
use tieline_contract::terms::Request;
use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_contract::transaction::Transaction;
use tieline_contract::transition::Transition;
use tieline_units::{Energy, Money, Time};

use crate::world::{Life, Plan, Side, Standing, Universe, World};

pub(crate) use edge::edge;

/// A transaction on one ledger: where it leads from and to, with its transitions, and the block's time.
#[derive(Clone, Copy, Debug)]
pub struct Edge<'a> {
    /// Before.
    pub before: &'a State,
    /// After.
    pub after: &'a State,
    /// What was applied.
    pub transaction: &'a Transaction,
    /// What it made.
    pub transitions: &'a [Transition],
    /// When.
    pub now: Time,
}

/// Which of S2, S3 and S6 to S8 a transaction on one ledger breaks, or the ledger that it leads to. For histories of real
/// chains with the orders and deposits of the plan; signatures are symbols.
pub fn breaks(plan: &Plan, edge: Edge<'_>) -> Vec<Rule> {
    let states = (edge.before, edge.after);
    let done = (edge.transaction, edge.transitions);
    let records = edge.after.records();
    let broken = self::edge(states, done, edge.now) | books::broken(edge.after, &records, plan);
    Rule::ALL
        .into_iter()
        .filter(|rule| broken.has(*rule))
        .collect()
}

/// Which of S1, S4 and S5 the ledgers X, Y and Z break, of which this is the only order.
pub fn ledgers_break(request: &Request, [x, y, z]: [&State; 3]) -> Vec<&'static str> {
    let paid = books::paid(x, &request.terms);
    let [x, y, z] = [x, y, z].map(|state| Standing::of(state, request));
    let metered = y.delivered.unwrap_or(Energy::ZERO);
    let settled = x.buyer == Some(BuyerState::Settled);
    let owed = if settled {
        request.terms.price.cost_of(metered)
    } else {
        Money::ZERO
    };
    let honest = z.settled.is_none_or(|settled| settled <= metered);
    let found = [
        ("S1", agree(x, y)),
        ("S4", honest && paid <= owed),
        ("S5", covered(x, y, request.terms.escrow)),
    ];
    let broken = found.into_iter().filter(|(_, holds)| !holds);
    broken.map(|(name, _)| name).collect()
}

/// S1 of one order.
fn agree(x: Standing, y: Standing) -> bool {
    let positive = |q: Option<Energy>| q.is_some_and(|q| q > Energy::ZERO);
    let refunded = x.buyer == Some(BuyerState::Refunded);
    let paid = x.buyer == Some(BuyerState::Settled);
    let confirmed = y.seller == Some(SellerState::Confirmed);
    let settled = y.seller == Some(SellerState::Settled);
    !(refunded && (confirmed || settled && positive(y.settled)))
        && !(paid && positive(x.settled) && !(confirmed || settled))
        && !(paid && settled && x.settled != y.settled)
}

/// S5 of one order.
fn covered(x: Standing, y: Standing, escrow: Money) -> bool {
    !y.dispatch || x.buyer == Some(BuyerState::Settled) || x.escrow == escrow
}

/// The properties that a place remembers to have violated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Books.
    S2,
    /// For ever.
    S3,
    /// Acceptance.
    S6,
    /// Confirmation.
    S7,
    /// Signers.
    S8,
    /// Contradictions.
    S9,
}

impl Rule {
    /// All.
    pub const ALL: [Rule; 6] = [Rule::S2, Rule::S3, Rule::S6, Rule::S7, Rule::S8, Rule::S9];
}

/// A set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Broken(u32);

impl Broken {
    pub(crate) fn unless(rule: Rule, holds: bool) -> Broken {
        Broken(if holds { 0 } else { 1 << rule as u32 })
    }

    pub(crate) fn has(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u32) != 0
    }

    pub(crate) fn bits(self) -> u32 {
        self.0
    }
}

impl BitOr for Broken {
    type Output = Broken;

    fn bitor(self, other: Broken) -> Broken {
        Broken(self.0 | other.0)
    }
}

/// A property of worlds.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// As in the specification, `"S1"`.
    pub name: &'static str,
    /// In words.
    pub text: &'static str,
    /// Whether a world has it.
    pub holds: fn(&Universe, &World) -> bool,
}

/// All that must hold in every world.
pub const ALWAYS: [Property; 13] = [
    property("S1", "terminal outcomes agree", s1),
    property(
        "S2",
        "books balance, nothing is below zero, capacity is not promised twice",
        s2,
    ),
    property(
        "S3",
        "one acceptance and one settlement per order, terminal states never change",
        s3,
    ),
    property("S4", "paid is at most price times metered", s4),
    property(
        "S5",
        "dispatched means that the escrow is held or settled",
        s5,
    ),
    property(
        "S6",
        "accepted means in time, arrived and traceable, formulas (1) to (3)",
        s6,
    ),
    property("S7", "confirmed means before the gate closed", s7),
    property(
        "S8",
        "every certificate that counted has enough registered signers of an open epoch",
        s8,
    ),
    property(
        "S9",
        "two certificates that contradict each other convict their signers",
        s9,
    ),
    property("L1", "X, Y, Z live: every order comes to its end", l1),
    property(
        "L3",
        "so it does with one relayer that starts with nothing",
        l3,
    ),
    property(
        "L4",
        "X or Y is dead for ever: every order comes to its end on the others",
        l4,
    ),
    property(
        "L5",
        "Z is dead for ever: a confirmed order stays open, its escrow held, nothing paid",
        l5,
    ),
];

/// L2, which some world must have.
pub const SOMETIMES: Property =
    property("L2", "without failures an order is confirmed and paid", l2);

const fn property(
    name: &'static str,
    text: &'static str,
    holds: fn(&Universe, &World) -> bool,
) -> Property {
    Property { name, text, holds }
}

/// Section 8, S1: ¬(X REFUNDED ∧ Y ∈ {CONFIRMED, SETTLED(q>0)}), ¬(X SETTLED(q>0) ∧ Y ∉ {CONFIRMED, SETTLED}), both SETTLED
/// ⇒ equal q.
pub fn s1(universe: &Universe, world: &World) -> bool {
    each(universe, world, |x, y, _| agree(x, y))
}

/// Section 8, S2: per chain balances + escrow + bonds = deposits ± net; 0 ≤ reserved ≤ nameplate; never negative.
pub fn s2(universe: &Universe, world: &World) -> bool {
    kept(universe, world, Rule::S2)
}

/// Section 8, S3: at most one accept and one SETTLE per id; terminal states never change.
pub fn s3(universe: &Universe, world: &World) -> bool {
    kept(universe, world, Rule::S3)
}

/// Section 8, S4: paid ≤ price · metered, where what the seller's meter read counts, on X's accounts and in Z's settlement.
pub fn s4(universe: &Universe, world: &World) -> bool {
    let mut owed = Money::ZERO;
    let mut honest = true;
    for (number, request) in universe.plan.orders.iter().enumerate() {
        let on = |side| universe.standing(world, side, number);
        let metered = on(Side::Y).delivered.unwrap_or(Energy::ZERO);
        if on(Side::X).buyer == Some(BuyerState::Settled) {
            owed += request.terms.price.cost_of(metered);
        }
        honest &= on(Side::Z).settled.is_none_or(|settled| settled <= metered);
    }
    honest && universe.place(world, Side::X).paid <= owed
}

/// Section 8, S5: dispatched ⇒ escrow held or settled.
pub fn s5(universe: &Universe, world: &World) -> bool {
    let mut requests = universe.plan.orders.iter();
    each(universe, world, |x, y, _| {
        let escrow = requests.next().map_or(Money::ZERO, |r| r.terms.escrow);
        covered(x, y, escrow)
    })
}

/// Section 8, S6: accept ⇒ formula (1), and (2) and (3) with it.
pub fn s6(universe: &Universe, world: &World) -> bool {
    kept(universe, world, Rule::S6)
}

/// Section 8, S7: confirm ⇒ now_Y < G.
pub fn s7(universe: &Universe, world: &World) -> bool {
    kept(universe, world, Rule::S7)
}

/// Section 8, S8: every accepted certificate has ≥ t_k distinct registered signers of an open epoch.
pub fn s8(universe: &Universe, world: &World) -> bool {
    kept(universe, world, Rule::S8)
}

/// Section 8, S9: no two valid certificates of one kind, id, chain with different payload without derivable evidence.
pub fn s9(universe: &Universe, world: &World) -> bool {
    kept(universe, world, Rule::S9)
}

/// Section 8, L1: X, Y, Z live and one relayer: every order is terminal once nothing is left to happen.
pub fn l1(universe: &Universe, world: &World) -> bool {
    !alive(world, Side::ALL) || !universe.is_quiescent(world, false) || ended(universe, world)
}

/// Section 8, L2: without faults CONFIRMED is reached, and what was delivered is paid.
pub fn l2(universe: &Universe, world: &World) -> bool {
    let on = |side| universe.standing(world, side, 0);
    on(Side::Y).seller == Some(SellerState::Settled)
        && on(Side::X).settled.is_some_and(|q| q > Energy::ZERO)
}

/// Section 8, L3: kill all relayers, start an empty one: L1 holds.
pub fn l3(universe: &Universe, world: &World) -> bool {
    !alive(world, Side::ALL) || !universe.is_quiescent(world, true) || ended(universe, world)
}

/// Section 8, L4: X or Y dead for ever: the other is terminal once nothing is left to happen, and so is Z where it knows of
/// a commitment or a delivery. (A reading of a buyer whose chain died with its commitment says neither; Z keeps it open, and
/// nothing hangs on it.)
///
/// **Limit.** What a chain said under an epoch that is over counts nowhere, kept or not: see [`forgotten`].
pub fn l4(universe: &Universe, world: &World) -> bool {
    let dead = !world.lives(Side::X) || !world.lives(Side::Y);
    !dead
        || !world.lives(Side::Z)
        || forgotten(universe, world)
        || !universe.is_quiescent(world, true)
        || ended(universe, world)
}

/// Section 8, L5: Z dead: CONFIRMED orders stay open, escrow and bond held, nothing paid; everything else ends.
pub fn l5(universe: &Universe, world: &World) -> bool {
    let dead = !world.lives(Side::Z);
    if !dead || forgotten(universe, world) || !universe.is_quiescent(world, true) {
        return true;
    }
    let mut requests = universe.plan.orders.iter();
    each(universe, world, |x, y, _| {
        let terms = requests.next().map(|request| &request.terms);
        let (escrow, bond) = terms.map_or_else(Default::default, |t| (t.escrow, t.bond));
        let open = x.buyer == Some(BuyerState::Committed)
            && y.seller == Some(SellerState::Confirmed)
            && x.escrow == escrow
            && y.bond == bond;
        // A settlement that one of them has, the other has as well: it was kept.
        open || bought(x) && sold(y)
    })
}

/// A chain is gone with all it said, after a change of its verification nodes was over and some other chain had taken note of
/// that: certificates of it that were kept may be of the old epoch, whose signatures count no more, and nobody can sign anew.
/// L4 and L5 say nothing of orders that hang on one. It takes both, and the wait is as if the chain had never said it.
pub fn forgotten(universe: &Universe, world: &World) -> bool {
    let mut lost = Side::ALL
        .into_iter()
        .filter(|side| world.life(*side) == Life::Lost);
    lost.any(|gone| {
        let chain = universe.ledger(world, gone).rules().chain.clone();
        let mut others = Side::ALL.into_iter().filter(|side| *side != gone);
        others.any(|other| universe.ledger(world, other).is_closed(&chain, 0))
    })
}

fn alive(world: &World, sides: [Side; 3]) -> bool {
    sides.iter().all(|side| world.life(*side) == Life::Alive)
}

/// Every order has come to its end on every chain that lives.
fn ended(universe: &Universe, world: &World) -> bool {
    let dead = !alive(world, Side::ALL);
    each(universe, world, |x, y, z| {
        (!world.lives(Side::X) || bought(x))
            && (!world.lives(Side::Y) || sold(y))
            && (!world.lives(Side::Z) || z.vpp != Some(VppState::Open) || dead && !z.decided)
    })
}

fn bought(x: Standing) -> bool {
    !matches!(x.buyer, Some(BuyerState::Locked | BuyerState::Committed))
}

fn sold(y: Standing) -> bool {
    use SellerState as S;
    !matches!(y.seller, Some(S::Offered | S::Accepted | S::Confirmed))
}

fn kept(universe: &Universe, world: &World, rule: Rule) -> bool {
    let mut sides = Side::ALL.into_iter();
    sides.all(|side| !universe.place(world, side).broken.has(rule))
}

fn each(
    universe: &Universe,
    world: &World,
    mut holds: impl FnMut(Standing, Standing, Standing) -> bool,
) -> bool {
    (0..universe.plan.orders.len()).all(|number| {
        let [x, y, z] = Side::ALL.map(|side| universe.standing(world, side, number));
        holds(x, y, z)
    })
}
