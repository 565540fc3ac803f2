//! Villages that differ in one thing each.

use tieline_contract::state::Rules;
use tieline_sim::village::Village;
use tieline_units::{Money, Power};

/// What differs between tales.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) village: Village,
    pub(crate) change: fn(&mut Rules),
    /// What sellers begin with, where it is not what buyers do.
    pub(crate) sellers: Option<Money>,
}

impl Setting {
    pub(crate) fn plain(village: Village) -> Setting {
        Setting {
            village,
            change: |_| (),
            sellers: None,
        }
    }
}

/// Villages in which somebody lacks something.
pub(crate) fn settings() -> Vec<Setting> {
    let of = |change: fn(&mut Village)| {
        let mut village = Village::default();
        change(&mut village);
        Setting::plain(village)
    };
    let poor = of(|village| village.funds = Money::from_millionths(600_000));
    let poorer = of(|village| village.funds = Money::from_millionths(50_000));
    let small = of(|v| v.nameplate = Power::from_milliwatts(1_000_000));
    let careful = of(|v| v.exposure_cap = Money::from_millionths(100_000));
    let mut slow = Setting::plain(Village::default());
    slow.change = |rules| rules.settlement_period = 1_000_000_000_000;
    let mut unbonded = Setting::plain(Village::default());
    unbonded.sellers = Some(Money::from_millionths(50_000));
    let plain = Setting::plain(Village::default());
    vec![plain, poor, poorer, small, careful, slow, unbonded]
}
