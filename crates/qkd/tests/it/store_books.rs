//! Accounts, forecasts, seats, messages.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tieline_qkd::store::{Alarm, Forecast, KeyId, Lane, Message, NameError, Sae, StoreError};
use tieline_uss::key::KeyStore as _;
use tieline_uss::party::{Counter, EpochId, Link, Party, Receiver};

use crate::store_attacks::stocked;
use crate::store_pair::{Pair, Parcel, at, sae};

#[test]
fn a_forecast_says_how_many_signatures_and_until_when() {
    let mut pair = stocked(1);
    let lane = pair.out(0);
    let account = pair.ends[0].store().account(&lane).unwrap();
    assert_eq!((account.stock, account.use_per_hour), (32_768, 0));
    let start = pair.now;
    let still = pair.ends[0]
        .store()
        .forecast(at(start), &lane, 1_000)
        .unwrap();
    assert_eq!(
        still,
        Forecast {
            uses: 32,
            dry_at: None
        }
    );
    assert_eq!(
        still.to_string(),
        "enough for 32 signatures, and no end in sight"
    );
    // An hour later the arrival is forgotten. Then 256 bits a minute for half an hour.
    pair.now += 4_000_000;
    pair.settle();
    for _ in 0..30 {
        pair.now += 60_000;
        pair.settle();
        pair.send(0, 256).unwrap();
        pair.settle();
    }
    let now = pair.now();
    let store = pair.ends[0].store();
    let account = store.account(&lane).unwrap();
    assert_eq!(account.stock, 32_768 - 30 * 256);
    let forecast = store.forecast(now, &lane, 256).unwrap();
    assert_eq!(forecast.uses, 98);
    let left = forecast.dry_at.unwrap().as_millis() - pair.now;
    // 98 minutes; the samples are half a minute coarse over half an hour.
    assert!((90 * 60_000..110 * 60_000).contains(&left), "{left} ms");
}

#[test]
fn a_low_stock_is_an_alarm_once() {
    let mut pair = stocked(2);
    pair.settings.low_bytes = 4_000;
    pair.crash(0, tieline_qkd::store::fault::Torn::All);
    pair.join();
    pair.ends[0].store().take_alarms();
    let lane = pair.out(0);
    for _ in 0..40 {
        pair.now += 1_000;
        pair.settle();
        pair.send(0, 64).unwrap();
    }
    let alarms = pair.ends[0].store().take_alarms();
    let low: Vec<_> = alarms
        .iter()
        .filter(|alarm| matches!(alarm, Alarm::Low { .. }))
        .collect();
    assert_eq!(low.len(), 1, "{alarms:?} on {lane}");
}

#[test]
fn a_draw_beyond_the_grant_says_so_and_the_next_grant_covers_it() {
    let mut pair = stocked(3);
    let lane = pair.out(0);
    let refused = pair.ends[0].store().draw(&lane, 8 * 1_000).unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::Horizon {
                have: 512,
                need: 8_000,
                ..
            }
        ),
        "{refused}"
    );
    pair.settle();
    pair.send(0, 8 * 1_000).unwrap();
    pair.settle();
}

#[test]
fn the_rounds_of_an_epoch_draw_the_same_bits_at_both_ends() {
    let mut pair = stocked(4);
    let lane = pair.out(0);
    let receiver = Party::Receiver(Receiver::new(0));
    let seats: BTreeMap<Party, Sae> = [(Party::Signer, sae("a")), (receiver, sae("b"))]
        .into_iter()
        .collect();
    let link = Link {
        from: Party::Signer,
        to: receiver,
    };
    for bits in [1, 12, 64] {
        let ours = pair.ends[0]
            .store()
            .seated(&seats)
            .draw(link, bits)
            .unwrap();
        let theirs = pair.ends[1]
            .store()
            .seated(&seats)
            .draw(link, bits)
            .unwrap();
        assert_eq!((ours.bits(), theirs.bits()), (bits, bits));
    }
    // Of 1, 12 and 64 bits, 1, 2 and 8 bytes are used. That they are the same bytes, the books of other tests say.
    for end in 0..2 {
        let account = pair.ends[end].store().account(&lane).unwrap();
        assert_eq!(account.spent, 88, "end {end}");
    }
    let mut seated = pair.ends[0].store().seated(&seats);
    seated.spend(EpochId(1), Counter(0)).unwrap();
    assert!(matches!(
        seated.spend(EpochId(1), Counter(0)),
        Err(StoreError::SpentBefore { .. })
    ));
    let stranger = Link {
        from: Party::Signer,
        to: Party::Receiver(Receiver::new(7)),
    };
    assert!(matches!(
        seated.draw(stranger, 8),
        Err(StoreError::NoSeat { .. })
    ));
}

#[test]
fn strangers_and_wrong_ways_are_refused() {
    let mut pair = stocked(5);
    let (lane, now) = (pair.out(0), pair.now());
    let store = pair.ends[0].store();
    let strange = Lane::new(sae("a"), sae("z")).unwrap();
    assert!(matches!(
        store.draw(&strange, 8),
        Err(StoreError::NoPeer { .. })
    ));
    assert!(matches!(
        store.handshake(now, &sae("z")),
        Err(StoreError::NoPeer { .. })
    ));
    assert!(matches!(
        store.draw_at(&lane, 0, 8),
        Err(StoreError::WrongWay { .. })
    ));
    let own = Lane::new(sae("a"), sae("a"));
    assert_eq!(own, Err(NameError::Loop { name: sae("a") }));
    let mut elsewhere = store.handshake(now, &sae("b")).unwrap();
    elsewhere.to = sae("z");
    assert!(matches!(
        store.reconcile(now, elsewhere),
        Err(StoreError::NoPeer { .. })
    ));
}

#[test]
fn names_are_read_as_they_are_written() {
    let id = KeyId::parse("550e8400-e29b-41d4-a716-446655440000").unwrap();
    assert_eq!(id.to_string(), "550e8400-e29b-41d4-a716-446655440000");
    assert_eq!(KeyId::parse("550E8400E29B41D4A716446655440000"), Ok(id));
    let wrong = [
        "",
        "550e8400",
        "550e8400-e29b-41d4-a716-44665544000g",
        "550e8400_e29b-41d4-a716-446655440000",
    ];
    for text in wrong {
        assert!(KeyId::parse(text).is_err(), "{text}");
    }
    assert!(Sae::new("").is_err() && Sae::new("a\nb").is_err());
    assert!(Sae::new(&"x".repeat(256)).is_err());
}

/// One message of every kind but the refusal.
fn messages() -> Vec<Message> {
    let mut pair = Pair::new(6);
    let mut found: BTreeMap<&str, Message> = BTreeMap::new();
    pair.supply(0, 3, 16).unwrap();
    for _ in 0..4 {
        pair.now += 1_000;
        for end in 0..2 {
            pair.poll(end).unwrap();
        }
        for end in [0, 1, 0, 1, 0, 1] {
            if let Some(Parcel::Note(message)) = pair.ends[end].inbound.front() {
                found.insert(message.kind(), message.clone());
            }
            pair.deliver(end).unwrap();
        }
    }
    assert_eq!(found.len(), 7, "{:?}", found.keys());
    found.into_values().collect()
}

#[test]
fn messages_are_read_back_and_nothing_shorter_or_longer_is() {
    for message in messages() {
        let bytes = message.to_bytes();
        assert_eq!(Message::from_bytes(&bytes), Ok(message.clone()));
        for length in 0..bytes.len() {
            assert!(
                Message::from_bytes(&bytes[..length]).is_err(),
                "{}",
                message.kind()
            );
        }
        assert!(Message::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::from_bytes(&bytes);
        let _ = Message::from_bytes(&[b"TLKM\x01", &bytes[..]].concat());
    }

    #[test]
    fn changed_messages_never_break_a_store(which in 0usize..7, byte in 0usize..400, bit in 0u32..8) {
        let message = &messages()[which];
        let mut bytes = message.to_bytes();
        let byte = byte % bytes.len();
        bytes[byte] ^= 1 << bit;
        let mut pair = stocked(7);
        let end = usize::from(message.to == sae("b"));
        let now = pair.now();
        let _ = pair.ends[end].store().reconcile_bytes(now, &bytes);
        pair.settle();
    }
}
