//! What is explored, by name.

use tieline_units::{Money, Power};

use crate::village::Village;
use crate::world::{Clocks, Deed, Plan, Side};

/// A named plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// One order, every step of every party, every loss, reordering and delay.
    One,
    /// One order on finer clocks, with two readings per meter and certificates with the fewest signers.
    Fine,
    /// Two orders and energy for one of them.
    Capacity,
    /// Two orders and money for one of them.
    Money,
    /// X dies for ever.
    DeadX,
    /// Y dies for ever.
    DeadY,
    /// Z dies for ever.
    DeadZ,
    /// The verification nodes of X change in the middle of an order.
    RotationX,
    /// Those of Y.
    RotationY,
    /// Those of Z.
    RotationZ,
    /// Those of one chain, and any chain dies for ever.
    RotationXDead,
    /// The same of Y.
    RotationYDead,
    /// The same of Z.
    RotationZDead,
    /// Those of X and Y, and any chain dies for ever: the largest.
    RotationDead,
    /// Dishonest verification nodes forge, and are convicted.
    Forgery,
    /// Two orders, and any chain dies for ever.
    TwoDead,
    /// Two orders, and the verification nodes of X change.
    TwoRotation,
    /// Three orders, energy for two and money for two.
    Three,
    /// Phase 4 is final, as printed. Violates S1.
    Literal,
}

impl Scenario {
    /// All of the corrected protocol.
    pub const CORRECTED: [Scenario; 18] = [
        Scenario::One,
        Scenario::Fine,
        Scenario::DeadX,
        Scenario::DeadY,
        Scenario::DeadZ,
        Scenario::RotationX,
        Scenario::RotationY,
        Scenario::RotationZ,
        Scenario::Forgery,
        Scenario::Money,
        Scenario::Capacity,
        Scenario::TwoDead,
        Scenario::RotationXDead,
        Scenario::RotationYDead,
        Scenario::RotationZDead,
        Scenario::Three,
        Scenario::TwoRotation,
        Scenario::RotationDead,
    ];

    /// By name.
    pub fn parse(name: &str) -> Option<Scenario> {
        let mut all = Scenario::CORRECTED.into_iter().chain([Scenario::Literal]);
        all.find(|scenario| scenario.name() == name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Scenario::One => "one-order",
            Scenario::Fine => "fine",
            Scenario::Capacity => "two-orders-capacity",
            Scenario::Money => "two-orders-money",
            Scenario::DeadX => "x-dead",
            Scenario::DeadY => "y-dead",
            Scenario::DeadZ => "z-dead",
            Scenario::RotationX => "rotation-x",
            Scenario::RotationY => "rotation-y",
            Scenario::RotationZ => "rotation-z",
            Scenario::RotationXDead => "rotation-x-dead",
            Scenario::RotationYDead => "rotation-y-dead",
            Scenario::RotationZDead => "rotation-z-dead",
            Scenario::RotationDead => "rotation-dead",
            Scenario::Forgery => "forgery",
            Scenario::TwoDead => "two-orders-dead",
            Scenario::TwoRotation => "two-orders-rotation",
            Scenario::Three => "three-orders",
            Scenario::Literal => "literal",
        }
    }

    /// What it is made of.
    pub fn plan(self) -> Plan {
        let one = Plan::of(1);
        let dead = |side| Plan {
            deaths: vec![(side, false), (side, true)],
            ..Plan::of(1)
        };
        match self {
            Scenario::One => with(one, &[Deed::KeyReturn(0)]),
            Scenario::Fine => fine(),
            Scenario::Capacity => capacity(),
            Scenario::Money => money(),
            Scenario::DeadX => dead(Side::X),
            Scenario::DeadY => dead(Side::Y),
            Scenario::DeadZ => dead(Side::Z),
            Scenario::RotationX => rotation(Side::X),
            Scenario::RotationY => rotation(Side::Y),
            Scenario::Forgery => Plan {
                forged: true,
                ..with(one, &[Deed::Evidence])
            },
            Scenario::RotationZ => rotation(Side::Z),
            Scenario::RotationXDead => mortal(rotation(Side::X)),
            Scenario::RotationYDead => mortal(rotation(Side::Y)),
            Scenario::RotationZDead => mortal(rotation(Side::Z)),
            Scenario::RotationDead => Plan {
                deaths: any(),
                ..with(
                    rotation(Side::X),
                    &[Deed::OpenEpoch(Side::Y), Deed::CloseEpoch(Side::Y)],
                )
            },
            Scenario::TwoDead => Plan {
                deaths: any(),
                ..Plan::of(2)
            },
            Scenario::TwoRotation => with(
                capacity(),
                &[Deed::OpenEpoch(Side::X), Deed::CloseEpoch(Side::X)],
            ),
            Scenario::Three => three(),
            Scenario::Literal => Plan {
                literal: true,
                ..one
            },
        }
    }
}

fn with(mut plan: Plan, deeds: &[Deed]) -> Plan {
    plan.deeds.extend(deeds);
    plan
}

fn fine() -> Plan {
    let mut plan = Plan::of(1);
    plan.clocks = Clocks::many(&plan.village);
    plan.delivered.push(tieline_units::Energy::ZERO);
    plan.thin = true;
    with(plan, &[Deed::Meter(Side::Y, 1)])
}

/// Every chain, with what it said or without.
fn any() -> Vec<(Side, bool)> {
    let sides = Side::ALL.into_iter();
    sides
        .flat_map(|side| [(side, false), (side, true)])
        .collect()
}

fn mortal(plan: Plan) -> Plan {
    Plan {
        deaths: any(),
        ..plan
    }
}

fn three() -> Plan {
    let mut plan = Plan {
        clocks: Clocks::few(&Village::default()),
        ..Plan::of(3)
    };
    plan.village.nameplate = Power::from_milliwatts(22_000_000);
    plan.deposits[0].1 = Money::from_millionths(1_600_000);
    plan
}

fn rotation(side: Side) -> Plan {
    let plan = Plan {
        clocks: Clocks::few(&Village::default()),
        ..Plan::of(1)
    };
    with(plan, &[Deed::OpenEpoch(side), Deed::CloseEpoch(side)])
}

/// 2.5 kWh each; the seller can deliver 3 kWh in a quarter of an hour.
fn capacity() -> Plan {
    let mut plan = Plan {
        clocks: Clocks::few(&Village::default()),
        ..Plan::of(2)
    };
    plan.village.nameplate = Power::from_milliwatts(12_000_000);
    plan
}

/// 0.625 of escrow each; the buyer has 1.
fn money() -> Plan {
    let mut plan = Plan {
        clocks: Clocks::few(&Village::default()),
        ..Plan::of(2)
    };
    plan.deposits[0].1 = Money::from_millionths(1_000_000);
    plan
}
