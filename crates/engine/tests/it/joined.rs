//! A trade over three chains that run: members, validators, a relayer, and nothing else.

use std::time::Duration;

use tieline_contract::trade::{BuyerState, SellerState, VppState};
use tieline_engine::simulated::{Line, run_from};
use tieline_units::Energy;

use crate::town::{Carrier, DAWN, Town};

const LIMIT: Duration = Duration::from_secs(2 * 3600);

#[test]
fn a_trade_over_three_running_chains_is_settled_though_its_relayer_is_replaced_by_an_empty_one() {
    let (ticks, _) = run_from(DAWN, 1, LIMIT, async |context| {
        let mut town = Town::new(&context, Line::default()).await;
        let (mut ticks, mut replaced) = (0, 0);
        while !town.finished() {
            town.tick().await;
            ticks += 1;
            // Once while X is bound and Y is not, and once an hour later at the end.
            let (buyer, seller, vpp) = town.standing();
            let bound = buyer == Some(BuyerState::Committed);
            let half = replaced == 0 && bound && seller == Some(SellerState::Accepted);
            let metered = replaced == 1 && vpp == Some(VppState::Settled);
            if half || metered {
                town.carrier = Carrier::new();
                replaced += 1;
            }
            assert!(ticks < 3_000, "{:?}", town.standing());
        }
        assert_eq!(replaced, 2);
        town.check_ends();
        town.check_histories();
        let settled = Some(Energy::from_millijoules(8_000_000_000));
        assert_eq!(town.settled(), [settled; 3]);
        assert_eq!(
            town.standing(),
            (
                Some(BuyerState::Settled),
                Some(SellerState::Settled),
                Some(VppState::Settled)
            )
        );
        town.history();
        ticks
    });
    assert!(ticks < 2_800, "{ticks} seconds");
}
