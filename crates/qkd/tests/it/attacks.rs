//! Attacks on a pair of key managers.

use std::path::Path;
use std::time::Duration;

use tieline_qkd::client::{BadRequest, Client, ClientError, ClientOptions};
use tieline_qkd::etsi::{KeyContainer, KeyId, KeyRequest};
use tieline_qkd::kme::{Drawn, KeySource, Kme, Options, Origin};

use crate::pair::{Ground, Pair, block_on, kme_id, sae};

fn some(number: u64) -> KeyRequest {
    KeyRequest {
        number: Some(number),
        ..KeyRequest::default()
    }
}

async fn draw(client: &Client, slave: &str, number: u64) -> KeyContainer {
    client
        .enc_keys_open(&sae(slave), &some(number))
        .await
        .unwrap()
}

fn ids(container: &KeyContainer) -> Vec<KeyId> {
    container.keys.iter().map(|key| key.key_id).collect()
}

fn not_found(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Bad {
            kind: BadRequest::KeysNotFound,
            ..
        }
    )
}

#[test]
fn attack_05_both_ends_draw_at_once_from_many_connections_and_no_key_comes_twice() {
    block_on(async {
        let ground = Ground::new();
        let pair = Pair::start(&ground, |_| {}).await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..16 {
            let (end, caller, slave) = [(0, "sae-1", "sae-2"), (1, "sae-2", "sae-1")][number % 2];
            let client = pair.client(&ground, end, caller);
            tasks.spawn(async move {
                let mut drawn = Vec::new();
                for _ in 0..20 {
                    drawn.extend(draw(&client, slave, 3).await.keys);
                }
                drawn
            });
        }
        let mut keys = Vec::new();
        while let Some(drawn) = tasks.join_next().await {
            keys.extend(drawn.unwrap());
        }
        assert_eq!(keys.len(), 960);
        let unique = |texts: Vec<String>| {
            let mut texts = texts;
            texts.sort();
            texts.dedup();
            texts.len()
        };
        assert_eq!(
            unique(keys.iter().map(|key| key.key_id.to_string()).collect()),
            960
        );
        assert_eq!(
            unique(keys.iter().map(|key| key.key.expose().to_owned()).collect()),
            960
        );
        pair.stop().await;
    });
}

#[test]
fn attack_20_unknown_consumed_foreign_and_mixed_key_ids_are_refused_and_consume_nothing() {
    block_on(async {
        let ground = Ground::new();
        let pair = Pair::start(&ground, |_| {}).await;
        let one = pair.client(&ground, 0, "sae-1");
        let (two, three) = (
            pair.client(&ground, 1, "sae-2"),
            pair.client(&ground, 1, "sae-3"),
        );
        let mine = ids(&draw(&one, "sae-2", 2).await);
        let theirs = ids(&draw(&one, "sae-3", 1).await);
        let master = sae("sae-1");
        let unknown = KeyId::version_8([7; 16]);
        let error = two
            .dec_keys(&master, &[mine[0], unknown])
            .await
            .unwrap_err();
        assert!(not_found(&error), "{error}");
        // One foreign key among one's own: 401 for the whole request.
        let error = two
            .dec_keys(&master, &[mine[0], theirs[0]])
            .await
            .unwrap_err();
        assert!(matches!(error, ClientError::Unauthorized), "{error}");
        // The right key under another master's name.
        let error = two.dec_keys(&sae("sae-4"), &mine).await.unwrap_err();
        assert!(not_found(&error), "{error}");
        // The same key twice in one request.
        let error = two
            .dec_keys(&master, &[mine[0], mine[0]])
            .await
            .unwrap_err();
        assert!(matches!(error, ClientError::Bad { .. }), "{error}");
        // At the wrong end: the direction's keys are at the other one.
        let error = one.dec_keys(&sae("sae-2"), &mine).await.unwrap_err();
        assert!(not_found(&error), "{error}");
        // Nothing was consumed by all that.
        assert_eq!(two.dec_keys(&master, &mine).await.unwrap().len(), 2);
        assert_eq!(three.dec_keys(&master, &theirs).await.unwrap().len(), 1);
        let error = two.dec_keys(&master, &mine[..1]).await.unwrap_err();
        assert!(not_found(&error), "{error}");
        pair.stop().await;
    });
}

#[test]
fn attack_21_one_sae_cannot_drain_what_is_kept_for_control_traffic_nor_beat_its_quota() {
    block_on(async {
        let ground = Ground::new();
        let pair = Pair::start(&ground, |config| {
            config.keys.stored_max = 600;
            config.keys.reserve = 100;
            config.keys.number_max = 128;
            for peer in config.peer.values_mut() {
                // Slow enough to be drained.
                peer.bits_per_second = Some(400_000);
            }
            if let Some(quota) = config.sae.get_mut(&sae("sae-4")) {
                quota.control = true;
            }
            if let Some(quota) = config.sae.get_mut(&sae("sae-2")) {
                (quota.bits_per_second, quota.burst_bits) = (1, 256 * 10);
            }
        })
        .await;
        let hasty = || ClientOptions {
            again: 0,
            ..ClientOptions::default()
        };
        let greedy = crate::pair::client(&ground, &pair.url(0), "sae-1", hasty());
        let control = crate::pair::client(&ground, &pair.url(0), "sae-4", hasty());
        // number = max until 503: whole answers only, and a time to come back.
        let error = loop {
            match greedy.enc_keys(&sae("sae-2"), &some(128)).await {
                Ok(keys) => assert_eq!(keys.len(), 128),
                Err(error) => break error,
            }
        };
        let right = matches!(&error, ClientError::Unavailable { retry_after: Some(1..), message }
            if message.contains("nothing was delivered"));
        assert!(right, "{error}");
        let keys = control.enc_keys(&sae("sae-2"), &some(50)).await.unwrap();
        assert_eq!(keys.len(), 50, "the reserve is for control traffic");
        // A quota of ten keys at once.
        let limited = crate::pair::client(&ground, &pair.url(1), "sae-2", hasty());
        limited.enc_keys(&sae("sae-1"), &some(8)).await.unwrap();
        let error = limited.enc_keys(&sae("sae-1"), &some(8)).await.unwrap_err();
        let quota =
            matches!(&error, ClientError::Unavailable { message, .. } if message.contains("quota"));
        assert!(quota, "{error}");
        limited.enc_keys(&sae("sae-1"), &some(2)).await.unwrap();
        pair.stop().await;
    });
}

#[test]
fn attack_22_without_the_other_end_nothing_is_drawn_and_what_was_announced_can_still_be_fetched() {
    block_on(async {
        let ground = Ground::new();
        let mut pair = Pair::start(&ground, |_| {}).await;
        let hasty = || ClientOptions {
            again: 0,
            ..ClientOptions::default()
        };
        let one = crate::pair::client(&ground, &pair.url(0), "sae-1", hasty());
        let two = crate::pair::client(&ground, &pair.url(1), "sae-2", hasty());
        let drawn = draw(&one, "sae-2", 1).await;
        pair.one.take().unwrap().stop().await.unwrap();
        let found = two
            .dec_keys_open(&sae("sae-1"), &ids(&drawn))
            .await
            .unwrap();
        assert_eq!(found.keys[0].key, drawn.keys[0].key);
        loop {
            // Until it has noticed.
            match two.enc_keys(&sae("sae-1"), &some(1)).await {
                Err(ClientError::Unavailable { message, .. })
                    if message.contains("not connected") =>
                {
                    break;
                }
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        let status = two.status(&sae("sae-1")).await.unwrap();
        assert_eq!(status.stored_key_count, 0, "nothing can be had");
        pair.stop().await;
    });
}

#[test]
fn attack_23_a_key_that_no_slave_fetches_expires_is_wiped_and_its_name_stays_dead() {
    block_on(async {
        let ground = Ground::new();
        let pair = Pair::start(&ground, |config| config.keys.uncollected_seconds = 1).await;
        let one = pair.client(&ground, 0, "sae-1");
        let two = pair.client(&ground, 1, "sae-2");
        let drawn = draw(&one, "sae-2", 5).await;
        loop {
            let figures = pair.two.as_ref().unwrap().figures().await.unwrap();
            if figures.links[0].expired_keys == 5 {
                assert_eq!(figures.links[0].waiting_keys, 0);
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let error = two.dec_keys(&sae("sae-1"), &ids(&drawn)).await.unwrap_err();
        assert!(not_found(&error), "{error}");
        pair.stop().await;
    });
}

/// Stops the second end, does something to its folder, starts it again, waits for both.
async fn restart_second(pair: &mut Pair, meanwhile: impl FnOnce(&Path)) {
    pair.two.take().unwrap().stop().await.unwrap();
    meanwhile(&pair.configs[1].data);
    pair.two = Some(
        Kme::start(&pair.configs[1], Options::default())
            .await
            .unwrap(),
    );
    pair.wait_full().await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn attack_24_after_a_restart_keys_wait_on_and_after_a_lost_folder_all_is_discarded() {
    block_on(async {
        let ground = Ground::new();
        let mut pair = Pair::start(&ground, |_| {}).await;
        let one = pair.client(&ground, 0, "sae-1");
        let two = pair.client(&ground, 1, "sae-2");
        let drawn = draw(&one, "sae-2", 2).await;
        let back = draw(&two, "sae-1", 1).await;
        restart_second(&mut pair, |_| {}).await;
        let found = two
            .dec_keys_open(&sae("sae-1"), &ids(&drawn)[..1])
            .await
            .unwrap();
        assert_eq!(
            found.keys[0].key, drawn.keys[0].key,
            "a restart loses nothing"
        );
        // The folder is lost: the ends start a new pool, and no old key comes again, at either end.
        restart_second(&mut pair, |data| std::fs::remove_dir_all(data).unwrap()).await;
        let error = two.dec_keys(&sae("sae-1"), &ids(&drawn)).await.unwrap_err();
        assert!(not_found(&error), "{error}");
        let error = one.dec_keys(&sae("sae-2"), &ids(&back)).await.unwrap_err();
        assert!(not_found(&error), "{error}");
        let fresh = draw(&one, "sae-2", 1).await;
        let found = two
            .dec_keys_open(&sae("sae-1"), &ids(&fresh))
            .await
            .unwrap();
        assert_eq!(found.keys[0].key, fresh.keys[0].key);
        pair.stop().await;
    });
}

#[test]
fn attack_04_an_end_that_was_set_back_is_noticed_and_all_is_discarded() {
    block_on(async {
        let ground = Ground::new();
        let mut pair = Pair::start(&ground, |_| {}).await;
        let one = pair.client(&ground, 0, "sae-1");
        let two = pair.client(&ground, 1, "sae-2");
        let drawn = draw(&one, "sae-2", 3).await;
        let snapshot = ground.path("snapshot");
        restart_second(&mut pair, |data| copy(data, &snapshot)).await;
        // After the snapshot a key is fetched and others are drawn.
        two.dec_keys(&sae("sae-1"), &ids(&drawn)[..1])
            .await
            .unwrap();
        let later = draw(&two, "sae-1", 2).await;
        restart_second(&mut pair, |data| {
            std::fs::remove_dir_all(data).unwrap();
            copy(&snapshot, data);
        })
        .await;
        let error = two
            .dec_keys(&sae("sae-1"), &ids(&drawn)[..1])
            .await
            .unwrap_err();
        assert!(
            not_found(&error),
            "the fetched key does not come again: {error}"
        );
        let again = draw(&two, "sae-1", 2).await;
        assert!(
            again
                .keys
                .iter()
                .all(|key| later.keys.iter().all(|old| old.key != key.key))
        );
        let figures = pair.one.as_ref().unwrap().figures().await.unwrap();
        assert!(figures.links[0].discarded_bits > 0);
        pair.stop().await;
    });
}

struct Eavesdropped;

impl KeySource for Eavesdropped {
    fn origin(&self) -> Origin {
        Origin::Simulated
    }

    fn draw(&mut self, _: Duration, _: u64) -> Drawn {
        Drawn::Aborted {
            why: "error rate 12 %".to_owned(),
            again_in: Duration::from_millis(50),
        }
    }
}

#[test]
fn attack_25_blocks_that_the_link_aborts_give_no_key_and_are_counted() {
    block_on(async {
        let ground = Ground::new();
        let mut pair = Pair::start(&ground, |_| {}).await;
        pair.one.take().unwrap().stop().await.unwrap();
        std::fs::remove_dir_all(&pair.configs[0].data).unwrap();
        let mut options = Options::default();
        options
            .sources
            .insert(kme_id("kme-2"), Box::new(Eavesdropped));
        pair.one = Some(Kme::start(&pair.configs[0], options).await.unwrap());
        loop {
            let figures = pair.one.as_ref().unwrap().figures().await.unwrap();
            if figures.links[0].aborted_blocks >= 3 {
                assert_eq!(figures.links[0].available_bits, 0);
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let options = ClientOptions {
            again: 0,
            ..ClientOptions::default()
        };
        let one = crate::pair::client(&ground, &pair.url(0), "sae-1", options);
        let error = one.enc_keys(&sae("sae-2"), &some(1)).await.unwrap_err();
        assert!(matches!(error, ClientError::Unavailable { .. }), "{error}");
        pair.stop().await;
    });
}
