//! The client against key managers that misbehave.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tieline_qkd::client::{BadRequest, Client, ClientError, ClientOptions, WireError};
use tieline_qkd::etsi::{KeyId, KeyRequest};
use tieline_uss::key::KeyError;

use crate::fake::{Manner, fake};
use crate::pair::{Ground, block_on, client, kme_id, sae};

const A: &str = "11111111-1111-8111-8111-111111111111";
const B: &str = "22222222-2222-8222-8222-222222222222";
const ONES: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const TWOS: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
const ZEROS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn container(keys: &[(&str, &str)]) -> String {
    let keys: Vec<String> = keys
        .iter()
        .map(|(id, key)| format!("{{\"key_ID\":\"{id}\",\"key\":\"{key}\"}}"))
        .collect();
    format!("{{\"keys\":[{}]}}", keys.join(","))
}

fn patient() -> ClientOptions {
    ClientOptions {
        connect: Duration::from_millis(500),
        answer: Duration::from_millis(500),
        pause: Duration::from_millis(5),
        ..ClientOptions::default()
    }
}

fn request(number: u64) -> KeyRequest {
    KeyRequest {
        number: Some(number),
        size: Some(256),
        ..KeyRequest::default()
    }
}

/// What `enc_keys` makes of an answer.
async fn drawn(ground: &Ground, number: u64, body: String) -> Result<usize, ClientError> {
    let fake = fake(&ground.identity("kme-1"), Manner::Answer(200, "", body)).await;
    let client = client(ground, &fake.url, "sae-1", patient());
    let keys = client.enc_keys(&sae("sae-2"), &request(number)).await?;
    Ok(keys.len())
}

#[test]
fn attack_06_zero_repeated_short_and_misnamed_keys_are_refused() {
    block_on(async {
        let ground = Ground::new();
        let good = container(&[(A, ONES), (B, TWOS)]);
        assert_eq!(drawn(&ground, 2, good.clone()).await.unwrap(), 2);
        let zero = drawn(&ground, 1, container(&[(A, ZEROS)]))
            .await
            .unwrap_err();
        let all_zero = KeyError::AllZero { bits: 256 };
        assert!(
            matches!(&zero, ClientError::Key { source, .. } if *source == all_zero),
            "{zero}"
        );
        let short = drawn(&ground, 1, container(&[(A, "AQEB")]))
            .await
            .unwrap_err();
        assert!(
            matches!(
                short,
                ClientError::Length {
                    got: 24,
                    asked: 256,
                    ..
                }
            ),
            "{short}"
        );
        for repeated in [[(A, ONES), (A, TWOS)], [(A, ONES), (B, ONES)]] {
            let error = drawn(&ground, 2, container(&repeated)).await.unwrap_err();
            assert!(matches!(error, ClientError::Repeated { .. }), "{error}");
        }
        let fewer = drawn(&ground, 3, good.clone()).await.unwrap_err();
        assert!(
            matches!(fewer, ClientError::Count { asked: 3, got: 2 }),
            "{fewer}"
        );
        for nonsense in [
            container(&[(A, "AQEB%")]),
            container(&[("1", ONES)]),
            "{}".to_owned(),
            "[]".to_owned(),
            "{\"keys\":[[\"a\"]]}".to_owned(),
        ] {
            let error = drawn(&ground, 1, nonsense).await.unwrap_err();
            assert!(matches!(error, ClientError::Nonsense { .. }), "{error}");
        }
        // The same name in two answers, and a key that nobody asked for.
        let fake = fake(&ground.identity("kme-1"), Manner::Answer(200, "", good)).await;
        let client = client(&ground, &fake.url, "sae-1", patient());
        client.enc_keys(&sae("sae-2"), &request(2)).await.unwrap();
        let again = client
            .enc_keys(&sae("sae-2"), &request(2))
            .await
            .unwrap_err();
        assert!(matches!(again, ClientError::Repeated { .. }), "{again}");
        let ids: [KeyId; 2] = [A.parse().unwrap(), KeyId::version_8([9; 16])];
        let other = client.dec_keys(&sae("sae-2"), &ids).await.unwrap_err();
        assert!(matches!(other, ClientError::NotAskedFor { .. }), "{other}");
    });
}

#[test]
fn attack_22_outage_silence_and_wrong_certificates_end_in_bounded_time_with_a_clear_error() {
    block_on(async {
        let ground = Ground::new();
        let one = ground.identity("kme-1");
        let status = async |client: Client| client.status(&sae("sae-2")).await.unwrap_err();
        // Nobody listens.
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", closed.local_addr().unwrap());
        drop(closed);
        let error = status(client(&ground, &url, "sae-1", patient())).await;
        assert!(
            matches!(error, ClientError::NotAsked(WireError::Connect { .. })),
            "{error}"
        );
        // Half-open: TCP stands, TLS never answers.
        let half = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", half.local_addr().unwrap());
        let error = status(client(&ground, &url, "sae-1", patient())).await;
        assert!(
            matches!(error, ClientError::NotAsked(WireError::Connect { .. })),
            "{error}"
        );
        // Silent, or closing, after the request left: in doubt, asked once, the names told.
        let id: KeyId = A.parse().unwrap();
        for manner in [Manner::Silent, Manner::Close] {
            let fake = fake(&one, manner).await;
            let client = client(&ground, &fake.url, "sae-1", patient());
            let error = client.dec_keys(&sae("sae-2"), &[id]).await.unwrap_err();
            let told = matches!(&error, ClientError::InDoubt { key_ids, .. } if *key_ids == [id]);
            assert!(told, "{error}");
            assert_eq!(fake.asked.load(Ordering::SeqCst), 1, "asked once");
            let error = client
                .enc_keys(&sae("sae-2"), &request(1))
                .await
                .unwrap_err();
            assert!(matches!(error, ClientError::InDoubt { .. }), "{error}");
            assert_eq!(fake.asked.load(Ordering::SeqCst), 2, "asked once");
            let error = client.status(&sae("sae-2")).await.unwrap_err();
            assert!(matches!(error, ClientError::InDoubt { .. }), "{error}");
            assert_eq!(
                fake.asked.load(Ordering::SeqCst),
                6,
                "status may be asked again"
            );
        }
    });
}

#[test]
fn attack_22_a_busy_or_false_key_manager_is_asked_a_bounded_number_of_times_or_not_at_all() {
    block_on(async {
        let ground = Ground::new();
        let one = ground.identity("kme-1");
        let status = async |client: Client| client.status(&sae("sae-2")).await.unwrap_err();
        // 503 and then keys; 503 for ever.
        let later = Manner::Later(2, 200, container(&[(A, ONES)]));
        let busy = fake(&one, later).await;
        let keys = client(&ground, &busy.url, "sae-1", patient());
        assert_eq!(
            keys.enc_keys(&sae("sae-2"), &request(1))
                .await
                .unwrap()
                .len(),
            1
        );
        let busy = fake(&one, Manner::Later(usize::MAX, 200, String::new())).await;
        let error = status(client(&ground, &busy.url, "sae-1", patient())).await;
        assert!(
            matches!(
                error,
                ClientError::Unavailable {
                    retry_after: Some(0),
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(busy.asked.load(Ordering::SeqCst), 4, "1 + 3 times");
        // Another key manager than expected; a foreign CA; a certificate of an SAE, good for clients only.
        let fake_one = fake(&one, Manner::Silent).await;
        let picky = ClientOptions {
            kme_id: Some(kme_id("kme-2")),
            ..patient()
        };
        let error = status(client(&ground, &fake_one.url, "sae-1", picky)).await;
        assert!(matches!(error, ClientError::OtherKme { .. }), "{error}");
        let foreign = Ground::new();
        for identity in [
            foreign.identity("kme-1"),
            ground.identity("sae-2"),
            ground.identity("expired"),
        ] {
            let fake = fake(&identity, Manner::Silent).await;
            let error = status(client(&ground, &fake.url, "sae-1", patient())).await;
            assert!(
                matches!(error, ClientError::NotAsked(WireError::Connect { .. })),
                "{error}"
            );
            assert_eq!(fake.asked.load(Ordering::SeqCst), 0);
        }
    });
}

#[test]
fn every_error_of_the_standard_has_a_variant_and_a_next_step() {
    block_on(async {
        let ground = Ground::new();
        let one = ground.identity("kme-1");
        let said = async |code: u16, body: &str| {
            let fake = fake(&one, Manner::Answer(code, "", body.to_owned())).await;
            let options = ClientOptions {
                again: 0,
                ..patient()
            };
            let client = client(&ground, &fake.url, "sae-1", options);
            client.status(&sae("sae-2")).await.unwrap_err()
        };
        for (text, expected) in [
            ("size shall be a multiple of 8", BadRequest::SizeMultipleOf8),
            (
                "not all extension_mandatory parameters are supported",
                BadRequest::ExtensionUnknown,
            ),
            (
                "not all extension_mandatory request options could be met",
                BadRequest::ExtensionUnmet,
            ),
            (
                "not all extension_optional request options handled",
                BadRequest::OptionalNotHandled,
            ),
            (
                "one or more keys specified are not found on KME",
                BadRequest::KeysNotFound,
            ),
            ("something else", BadRequest::Other),
        ] {
            let error = said(400, &format!("{{\"message\":\"{text}\"}}")).await;
            let right = matches!(&error, ClientError::Bad { kind, .. } if *kind == expected);
            assert!(right && !error.next_step().is_empty(), "{error}");
        }
        assert!(matches!(said(401, "").await, ClientError::Unauthorized));
        let error = said(503, "{\"message\":\"empty\"}").await;
        assert!(matches!(error, ClientError::Unavailable { .. }), "{error}");
        let error = said(404, "Element not found").await;
        assert!(
            matches!(error, ClientError::OtherCode { code: 404, .. }),
            "{error}"
        );
    });
}
