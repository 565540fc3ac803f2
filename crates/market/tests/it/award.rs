//! Matched flows as integer awards.

use proptest::prelude::*;
use tieline_market::award::{Flow, award, price};
use tieline_units::{Energy, IntervalLength, Power, Price};

fn flow(seller: usize, buyer: usize, kw: f64) -> Flow {
    Flow {
        seller,
        level: 1,
        buyer,
        kw,
        seller_price: 0.42,
        price: 0.546,
    }
}

fn kw(power: f64) -> Power {
    Power::from_milliwatts((power * 1e6).round() as i64)
}

#[test]
fn a_third_of_a_kilowatt_thrice_is_one_kilowatt_to_the_last_millijoule() {
    let third = 1.0 / 3.0;
    let flows = [flow(0, 1, third), flow(0, 2, third), flow(0, 3, third)];
    let limits = [kw(1.0), kw(0.4), kw(0.4), kw(0.4)];
    let awards = award(&flows, &limits, IntervalLength::Min15);
    let quantities: Vec<i64> = awards
        .iter()
        .map(|award| award.quantity.as_millijoules())
        .collect();
    assert_eq!(quantities, [300_000_000, 300_000_000, 300_000_000]);
}

#[test]
fn a_unit_left_over_goes_to_the_largest_remainder() {
    let millijoule = 1.0 / 300.0 / 1e6;
    let flows = [flow(0, 1, 10.4 * millijoule), flow(0, 2, 10.6 * millijoule)];
    let limits = [kw(1.0), kw(1.0), kw(1.0)];
    let awards = award(&flows, &limits, IntervalLength::Min5);
    let quantities: Vec<i64> = awards
        .iter()
        .map(|award| award.quantity.as_millijoules())
        .collect();
    assert_eq!(quantities, [10, 11]);
}

#[test]
fn prices_round_half_to_even_and_the_seller_never_gets_more_than_the_buyer_pays() {
    assert_eq!(price(0.000_000_5), Price::from_millionths(0));
    assert_eq!(price(0.000_001_5), Price::from_millionths(2));
    let steep = Flow {
        seller_price: 0.500_000_6,
        price: 0.500_000_4,
        ..flow(0, 1, 1.0)
    };
    let awards = award(&[steep], &[kw(1.0), kw(1.0)], IntervalLength::Min15);
    assert_eq!(awards[0].price, Price::from_millionths(500_000));
    assert_eq!(awards[0].seller_price, awards[0].price);
}

#[test]
fn awards_of_nothing_are_left_out() {
    let awards = award(
        &[flow(0, 1, 0.0)],
        &[kw(1.0), kw(1.0)],
        IntervalLength::Min15,
    );
    assert!(awards.is_empty());
}

proptest! {
    #[test]
    fn nobody_is_awarded_more_than_its_position_and_nothing_gets_lost(
        milliwatts in prop::collection::vec(1_i64..=500_000_000, 2..7),
        shares in prop::collection::vec(0.0_f64..=1.0, 36),
        length in prop::sample::select(IntervalLength::ALL.to_vec()),
    ) {
        let members = milliwatts.len();
        let sellers = members / 2;
        let limits: Vec<Power> = milliwatts.iter().map(|&mw| Power::from_milliwatts(mw)).collect();
        let kilowatts = |member: usize| milliwatts[member] as f64 / 1e6;
        let mut sold = vec![0.0; members];
        let mut flows = Vec::new();
        for seller in 0..sellers {
            for buyer in sellers..members {
                let room = (kilowatts(seller) - sold[seller]).min(kilowatts(buyer) - sold[buyer]);
                let amount = room.max(0.0) * shares[seller * 6 + buyer - sellers];
                sold[seller] += amount;
                sold[buyer] += amount;
                flows.push(flow(seller, buyer, amount));
            }
        }
        let awards = award(&flows, &limits, length);
        let mut awarded = vec![Energy::ZERO; members];
        for award in &awards {
            awarded[award.seller] += award.quantity;
            awarded[award.buyer] += award.quantity;
        }
        for member in 0..members {
            prop_assert!(awarded[member] <= limits[member].over(length));
        }
        let exact: f64 = flows.iter().map(|flow| flow.kw * 1e6 * length.seconds() as f64).sum();
        let total: i64 = awards.iter().map(|award| award.quantity.as_millijoules()).sum();
        prop_assert!((total as f64 - exact).abs() <= 1.0, "{total} of {exact}");
    }
}
