//! Any content of a part, properly sealed by a dishonest receiver: refused or stored, and the honest part never follows it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tieline_fuzz::{epoch, random};
use tieline_uss::channel::seal;
use tieline_uss::distribute::{DistributeError, Distribution, PartMessage};
use tieline_uss::draw;
use tieline_uss::key::{KeyStore as _, shared_stores};
use tieline_uss::parameters::Round;
use tieline_uss::party::{Counter, Link, Party, Receiver};
use tieline_uss::sign::Signer;

fuzz_target!(|input: &[u8]| {
    let Some((choice, content)) = input.split_first() else {
        return;
    };
    let epoch = epoch(*choice);
    let mut random = random();
    let mut stores = shared_stores(3, 1 << 15, &mut random);
    let keys = draw::signer_keys(&epoch, &mut stores[0]).expect("the pools are full");
    let (_, offers) = Signer::new(epoch.clone(), keys, &mut random).expect("the keys fit");
    let (me, other) = (Receiver::new(0), Receiver::new(1));
    let keys = draw::receiver_keys(&epoch, me, &mut stores[1]).expect("the pools are full");
    let offer = offers.iter().find(|offer| offer.to == me);
    let (mut distribution, _) =
        Distribution::start(&epoch, me, keys, offer, &mut random).expect("the keys fit");

    let bits = epoch.parameters().set_bits();
    let mut content = content.to_vec();
    content.resize(bits.div_ceil(8), 0);
    let link = Link {
        from: other.into(),
        to: me.into(),
    };
    let key = stores[2]
        .draw(link, epoch.parameters().set_key_bits())
        .expect("the pools are full");
    let context = epoch.round_context(Round::Part, link, Counter(0));
    let sealed = seal(&context, &content, bits, key).expect("the lengths fit");
    let message = PartMessage {
        from: other,
        to: me,
        sealed,
    };
    match distribution.receive(&message) {
        Ok(()) => assert!(!distribution.missing().contains(&other)),
        Err(error) => {
            assert_eq!(error, DistributeError::BadPart { from: other });
            assert_eq!(error.culprit(), Some(Party::Receiver(other)));
            assert!(
                distribution.missing().contains(&other),
                "a bad part is as good as none"
            );
        }
    }
    assert!(distribution.receive(&message).is_err(), "one part, once");
});
