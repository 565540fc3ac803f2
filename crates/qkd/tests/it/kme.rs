//! A pair of key managers with our own client.

use tieline_qkd::client::{BadRequest, ClientError};
use tieline_qkd::etsi::{KeyRequest, SaeId};
use tieline_uss::key::KeyError;

use crate::pair::{Ground, Pair, block_on, sae};

fn bits(key: &tieline_uss::key::ItsKey) -> usize {
    key.bits()
}

#[test]
fn a_key_of_one_end_is_fetched_once_at_the_other_end() {
    block_on(async {
        let ground = Ground::new();
        let pair = Pair::start(&ground, |_| {}).await;
        let (one, two) = (
            pair.client(&ground, 0, "sae-1"),
            pair.client(&ground, 1, "sae-2"),
        );
        let status = one.status(&sae("sae-2")).await.unwrap();
        assert_eq!(status.target_kme_id.as_str(), "kme-2");
        assert_eq!(status.stored_key_count, 2_048 - 256);
        let request = KeyRequest {
            number: Some(3),
            size: Some(512),
            ..KeyRequest::default()
        };
        let keys = one.enc_keys(&sae("sae-2"), &request).await.unwrap();
        let ids: Vec<_> = keys.iter().map(|key| key.key_id).collect();
        let same = two.dec_keys(&sae("sae-1"), &ids).await.unwrap();
        for (key, same) in keys.into_iter().zip(same) {
            assert_eq!(bits(&key.key), 512);
            // The exclusive or of a key with itself is refused: they are the same.
            let difference = key.key.xor(same.key);
            assert_eq!(difference.err(), Some(KeyError::AllZero { bits: 512 }));
        }
        let again = two.dec_keys(&sae("sae-1"), &ids).await.unwrap_err();
        assert!(
            matches!(
                again,
                ClientError::Bad {
                    kind: BadRequest::KeysNotFound,
                    ..
                }
            ),
            "{again}"
        );
        let master: SaeId = sae("sae-1");
        let other = pair.client(&ground, 1, "sae-3");
        let key = one.enc_keys_get(&sae("sae-2"), None, None).await.unwrap();
        let foreign = other.dec_key_get(&master, key[0].key_id).await.unwrap_err();
        assert!(matches!(foreign, ClientError::Unauthorized), "{foreign}");
        two.dec_key_get(&master, key[0].key_id).await.unwrap();
        pair.stop().await;
    });
}
