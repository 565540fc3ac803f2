//! Band offers.

use tieline_market::book::Side;
use tieline_market::book::offer::{Band, BandOffer, OfferError};

fn offer() -> BandOffer {
    let bands = [(-100, 40), (0, 10), (50, 30), (50, 5)];
    BandOffer::new(
        bands
            .into_iter()
            .map(|(price, quantity)| Band { price, quantity })
            .collect(),
    )
    .expect("rising")
}

#[test]
fn bands_at_or_below_the_price_run_in_order_up_to_the_availability() {
    let check = |price, availability, bands: [u64; 4], least, most| {
        let dispatch = offer().dispatch(price, availability);
        assert_eq!(
            (dispatch.bands.as_slice(), dispatch.least, dispatch.most),
            (bands.as_slice(), least, most)
        );
    };
    check(-101, 85, [0, 0, 0, 0], 0, 0);
    check(0, 85, [40, 10, 0, 0], 40, 50);
    check(50, 85, [40, 10, 30, 5], 50, 85);
    check(99, 85, [40, 10, 30, 5], 85, 85);
    check(50, 60, [40, 10, 10, 0], 50, 60);
    check(99, 45, [40, 5, 0, 0], 45, 45);
    check(99, 0, [0; 4], 0, 0);
}

#[test]
fn falling_bands_are_refused() {
    let bands = [(5, 1), (7, 1), (6, 1)]
        .into_iter()
        .map(|(price, quantity)| Band { price, quantity })
        .collect();
    let error = BandOffer::new(bands).unwrap_err();
    assert_eq!(
        error,
        OfferError::Falling {
            band: 2,
            price: 6,
            previous: 7
        }
    );
    assert_eq!(
        error.to_string(),
        "band 2 is priced 6, below 7 of the band before"
    );
}

#[test]
fn an_offer_becomes_sell_steps_capped_by_the_availability() {
    let steps: Vec<_> = offer()
        .steps(60)
        .map(|step| (step.side, step.price, step.quantity))
        .collect();
    let sell = Side::Sell;
    assert_eq!(
        steps,
        [
            (sell, -100, 40),
            (sell, 0, 10),
            (sell, 50, 10),
            (sell, 50, 0)
        ]
    );
}
