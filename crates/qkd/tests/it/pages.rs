//! The operator's side: pages, settings, the folder.

use std::os::unix::fs::PermissionsExt as _;

use tieline_qkd::etsi::KeyRequest;
use tieline_qkd::kme::{ConfigError, DiskError, Kme, KmeConfig, KmeError, Options};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::pair::{Ground, Pair, block_on, sae};

pub(crate) async fn page(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[test]
fn pages_show_stock_and_counts_and_no_key() {
    block_on(async {
        let ground = Ground::new();
        let pair = Pair::start(&ground, |_| {}).await;
        let one = pair.client(&ground, 0, "sae-1");
        let request = KeyRequest {
            number: Some(7),
            ..KeyRequest::default()
        };
        let drawn = one.enc_keys_open(&sae("sae-2"), &request).await.unwrap();
        let admin = pair.one.as_ref().unwrap().addresses().admin.unwrap();
        let metrics = page(admin, "/metrics").await;
        for line in [
            "tieline_kme_link_up{kme=\"kme-1\",peer=\"kme-2\",origin=\"simulated\"} 1",
            "tieline_kme_keys_total{kme=\"kme-1\",sae=\"sae-1\",role=\"master\"} 7",
            "tieline_kme_allocated_bits_total{kme=\"kme-1\",peer=\"kme-2\",origin=\"simulated\"} 1792",
        ] {
            assert!(metrics.contains(line), "{line}\n{metrics}");
        }
        let html = page(admin, "/").await;
        assert!(
            html.contains("Key manager kme-1") && html.contains("simulated"),
            "{html}"
        );
        assert!(
            !html.contains("http://") && !html.contains("https://"),
            "the page needs no network"
        );
        for key in &drawn.keys {
            for text in [&metrics, &html] {
                assert!(!text.contains(key.key.expose()));
                assert!(!text.contains(&key.key_id.to_string()));
            }
        }
        assert!(page(admin, "/other").await.starts_with("HTTP/1.1 404"));
        let config = &pair.configs[0];
        for entry in std::fs::read_dir(&config.data).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.path());
        }
        let second = Kme::start(config, Options::default()).await;
        let busy = second.unwrap_err();
        assert!(
            matches!(
                busy,
                KmeError::Disk(DiskError::Locked { .. }) | KmeError::Listen { .. }
            ),
            "{busy}"
        );
        pair.stop().await;
    });
}

fn wrong(change: impl FnOnce(&mut KmeConfig)) -> String {
    let ground = Ground::new();
    let mut config = ground.config(1);
    change(&mut config);
    match config.check() {
        Err(ConfigError::Value { setting, .. }) => setting.to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn settings_that_do_not_go_together_are_refused_with_their_name() {
    assert_eq!(
        wrong(|config| config.keys.size_bits = 100),
        "keys.size_bits"
    );
    assert_eq!(
        wrong(|config| config.keys.size_min_bits = 512),
        "keys.size_bits"
    );
    assert_eq!(
        wrong(|config| config.keys.number_max = 0),
        "keys.number_max"
    );
    assert_eq!(
        wrong(|config| config.keys.additional_slaves_max = 64),
        "keys.additional_slaves_max"
    );
    assert_eq!(
        wrong(|config| config.keys.stored_max = 0),
        "keys.stored_max"
    );
    assert_eq!(
        wrong(|config| config.keys.reserve = 1 << 20),
        "keys.reserve"
    );
    assert_eq!(wrong(|config| config.peer_listen = None), "peer_listen");
    assert_eq!(
        wrong(|config| config.admin_listen = "0.0.0.0:1".parse().ok()),
        "admin_listen"
    );
    let twice = |config: &mut KmeConfig| {
        config.sae.insert(sae("sae-1"), Default::default());
    };
    assert_eq!(wrong(twice), "sae, peer");
}

#[test]
fn a_certificate_of_another_and_a_folder_of_another_are_refused() {
    block_on(async {
        let ground = Ground::new();
        let mut config = ground.config(1);
        config.certificate = ground.path("kme-1.pem");
        config.key = ground.path("kme-1.key");
        let error = Kme::start(&config, Options::default()).await.unwrap_err();
        assert!(matches!(error, KmeError::OtherName { .. }), "{error}");
        let second = Kme::start(&ground.config(1), Options::default())
            .await
            .unwrap();
        second.stop().await.unwrap();
        let mut first = ground.config(0);
        first.data = ground.config(1).data;
        let peer = first.peer.values_mut().next().unwrap();
        peer.dial = Some("127.0.0.1:9".to_owned());
        let error = Kme::start(&first, Options::default()).await.unwrap_err();
        assert!(
            matches!(error, KmeError::Disk(DiskError::OtherKme { .. })),
            "{error}"
        );
    });
}
