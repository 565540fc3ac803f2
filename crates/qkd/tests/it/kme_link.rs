//! The link model as the source of a key manager's keys.

use std::time::Duration;

use tieline_qkd::etsi::KeyRequest;
use tieline_qkd::kme::{
    ConfigError, Drawn, KeySource, Kme, KmeConfig, KmeError, LinkSettings, LinkSource, Options,
    Origin,
};
use tieline_qkd::link::preset::DeviceClass;

use crate::pages::page;
use crate::pair::{Ground, Pair, block_on, kme_id, sae};

/// Room that no block fills.
const AMPLE: u64 = 1 << 30;

fn settings() -> LinkSettings {
    LinkSettings {
        seed: Some(1),
        ..LinkSettings::new(DeviceClass::Entry, 25.0)
    }
}

fn source(settings: &LinkSettings) -> LinkSource {
    LinkSource::new(settings).unwrap()
}

/// Time of a block in virtual time.
fn block_time(source: &LinkSource) -> Duration {
    let model = source.model();
    let pulses = model.pulses_per_block() as f64;
    Duration::from_secs_f64(pulses / model.config().preset.pulse_rate_hz as f64)
}

fn bits(drawn: Drawn) -> Vec<u8> {
    match drawn {
        Drawn::Bits(bits) => bits.to_vec(),
        Drawn::Nothing { .. } => Vec::new(),
        Drawn::Aborted { why, .. } => panic!("{why}"),
    }
}

#[test]
fn bits_come_block_by_block_at_the_rate_of_the_model() {
    let mut source = source(&settings());
    assert_eq!(source.origin(), Origin::Simulated);
    let block = block_time(&source);
    let rate_bps = source.model().quiet_rate_bps();
    let blocks = 60;
    let mut sizes = Vec::new();
    for step in 0..blocks * 4 {
        let drawn = bits(source.draw(block * step / 4, AMPLE));
        assert!(
            drawn.is_empty() || step % 4 == 0 || step % 4 == 1,
            "no bits amid a block"
        );
        if !drawn.is_empty() {
            sizes.push(drawn.len() as f64 * 8.0);
        }
    }
    let total: f64 = sizes.iter().sum();
    let time = (block * (blocks - 1)).as_secs_f64();
    let measured_bps = total / time;
    let mean = total / sizes.len() as f64;
    let variance = sizes.iter().map(|size| (size - mean).powi(2)).sum::<f64>() / mean.powi(2);
    let share = variance.sqrt() / sizes.len() as f64;
    println!(
        "{measured_bps:.0} ± {:.2} % bit/s, the formula gives {rate_bps:.0}; {mean:.0} bits each {block:.1?}",
        share * 100.0
    );
    assert_eq!(sizes.len(), 59);
    assert!((measured_bps / rate_bps - 1.0).abs() < 4.0 * share && share < 0.01);
    let line = source.line(block * (blocks - 1)).unwrap();
    assert_eq!(
        (line.blocks, line.aborted_blocks, line.lost_bits),
        (59, 0, 0)
    );
    assert_eq!(line.released_bits as f64, total);
}

#[test]
fn speed_makes_virtual_time_run_faster_and_the_source_says_when_to_ask() {
    let quick = LinkSettings {
        speed: 100.0,
        ..settings()
    };
    let (mut real, mut quick) = (source(&settings()), source(&quick));
    let block = block_time(&real);
    let Drawn::Nothing { again_in } = quick.draw(Duration::ZERO, AMPLE) else {
        panic!("a block takes time");
    };
    assert!(again_in.abs_diff(block / 100) < Duration::from_millis(3));
    let first = bits(quick.draw(again_in, AMPLE));
    assert!(!first.is_empty());
    let Drawn::Nothing { again_in } = real.draw(Duration::ZERO, AMPLE) else {
        panic!("a block takes time");
    };
    assert_eq!(bits(real.draw(again_in, AMPLE)), first);
}

#[test]
fn an_eavesdropper_on_all_pulses_leaves_nothing_and_the_first_block_tells_why() {
    let mut source = source(&LinkSettings {
        intercept_resend: 1.0,
        ..settings()
    });
    let block = block_time(&source) + Duration::from_millis(2);
    let Drawn::Aborted { why, .. } = source.draw(block, AMPLE) else {
        panic!("the first block shows the eavesdropper");
    };
    assert!(
        why.contains("block 0") && why.contains("somebody listens"),
        "{why}"
    );
    assert!(matches!(
        source.draw(block * 50, AMPLE),
        Drawn::Aborted { .. }
    ));
    let line = source.line(block * 50).unwrap();
    assert_eq!(line.blocks, 50);
    assert_eq!((line.aborted_blocks, line.alarmed_blocks), (50, 50));
    assert_eq!((line.released_bits, line.alarm_now), (0, true));
    assert!(line.qber.is_some_and(|qber| qber > 0.2), "{line:?}");
}

#[test]
fn photon_splitting_and_loss_are_told_from_each_other() {
    let mut split = source(&LinkSettings {
        photon_splitting: 1.0,
        ..settings()
    });
    let block = block_time(&split) + Duration::from_millis(2);
    let Drawn::Aborted { why, .. } = split.draw(block, AMPLE) else {
        panic!("the first block shows the eavesdropper");
    };
    assert!(why.contains("photon numbers"), "{why}");
    let mut lossy = source(&LinkSettings {
        extra_loss_db: 4.0,
        ..settings()
    });
    assert!(
        !bits(lossy.draw(block, AMPLE)).is_empty(),
        "fewer, not none"
    );
    let line = lossy.line(block).unwrap();
    assert_eq!((line.alarmed_blocks, line.aborted_blocks), (1, 0));
    assert!(line.last_alarm.unwrap().contains("lossy"));
}

#[test]
fn the_same_seed_gives_the_same_bits_however_they_are_drawn() {
    let block = block_time(&source(&settings()));
    let all = |settings: &LinkSettings, room_bits| {
        let mut source = source(settings);
        let mut all = Vec::new();
        for step in 1..=3 {
            loop {
                let some = bits(source.draw(block * step, room_bits));
                if some.is_empty() {
                    break;
                }
                assert!(some.len() as u64 * 8 <= room_bits);
                all.extend(some);
            }
        }
        all
    };
    let one = all(&settings(), AMPLE);
    assert!(one.len() > 1_000);
    assert_eq!(one, all(&settings(), 4_099));
    let other = LinkSettings {
        seed: Some(2),
        ..settings()
    };
    assert_ne!(one, all(&other, AMPLE));
    let unseeded = LinkSettings {
        seed: None,
        ..settings()
    };
    assert_ne!(all(&unseeded, AMPLE), all(&unseeded, AMPLE));
}

#[test]
fn bits_that_find_no_room_are_lost_and_counted_but_the_newest_block_waits() {
    let mut source = source(&settings());
    let block = block_time(&source);
    let blocks = 20;
    let now = block * blocks + Duration::from_millis(2);
    assert!(bits(source.draw(now, 0)).is_empty());
    let line = source.line(now).unwrap();
    let kept = bits(source.draw(now, AMPLE)).len() as u64 * 8;
    assert_eq!(line.blocks, u64::from(blocks));
    assert_eq!(line.lost_bits + kept, line.released_bits);
    let share = kept as f64 * f64::from(blocks) / line.released_bits as f64;
    assert!((0.9..1.1).contains(&share), "one block waits: {share}");
    assert!(bits(source.draw(now, AMPLE)).is_empty());
}

/// Settings of the first end with these lines for its link.
fn read(lines: &str) -> Result<KmeConfig, ConfigError> {
    let ground = Ground::new();
    let path = ground.path("kme-1.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("# [peer.\"kme-2\".link]"), "{text}");
    let text = format!("{text}\n[peer.\"kme-2\".link]\n{lines}\n");
    std::fs::write(&path, text).unwrap();
    KmeConfig::read(&path)
}

#[test]
fn settings_of_a_link_are_read_and_those_out_of_range_are_refused_by_name() {
    let config = read("preset = \"entry\"\ndistance_km = 25").unwrap();
    assert_eq!(
        config.peer[&kme_id("kme-2")].link,
        Some(LinkSettings::new(DeviceClass::Entry, 25.0))
    );
    let all = "preset = \"high-end\"\ndistance_km = 50.0\nseed = 1\nspeed = 10.0\nintercept_resend = 0.1\n\
               photon_splitting = 0.2\nextra_loss_db = 3.0";
    read(all).unwrap();
    for (lines, part) in [
        ("distance_km = -1.0", "peer.link.distance_km: kme-2: is -1"),
        ("distance_km = nan", "must be 0 to 1000"),
        ("distance_km = 1.0\nspeed = 0.0", "peer.link.speed"),
        ("distance_km = 1.0\nspeed = 1e9", "0.001 to 10000"),
        (
            "distance_km = 1.0\nintercept_resend = 1.1",
            "peer.link.intercept_resend",
        ),
        (
            "distance_km = 1.0\nphoton_splitting = -0.1",
            "peer.link.photon_splitting",
        ),
        (
            "distance_km = 1.0\nextra_loss_db = inf",
            "peer.link.extra_loss_db",
        ),
        ("distance_km = 1.0\nseed = -1", "seed"),
        ("distance_km = 1.0\neve = 1.0", "eve"),
        ("", "distance_km"),
    ] {
        let error = read(&format!("preset = \"entry\"\n{lines}"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{lines}: {error}");
    }
    let error = read("preset = \"best\"\ndistance_km = 1.0")
        .unwrap_err()
        .to_string();
    assert!(error.contains("high-end"), "{error}");
}

#[test]
fn a_link_belongs_to_the_end_that_dials_and_has_no_second_rate() {
    let ground = Ground::new();
    let with = |index: usize, rate| {
        let mut config = ground.config(index);
        for peer in config.peer.values_mut() {
            peer.link = Some(settings());
            peer.bits_per_second = rate;
        }
        config.check().map_err(|error| error.to_string())
    };
    with(0, None).unwrap();
    let error = with(0, Some(1_000)).unwrap_err();
    assert!(error.contains("peer.bits_per_second"), "{error}");
    let error = with(1, None).unwrap_err();
    assert!(
        error.contains("peer.link: kme-1: the end that dials"),
        "{error}"
    );
}

#[test]
fn a_link_too_long_for_any_key_is_refused_at_the_start() {
    block_on(async {
        let ground = Ground::new();
        let mut config = ground.config(0);
        for peer in config.peer.values_mut() {
            peer.link = Some(LinkSettings::new(DeviceClass::Entry, 400.0));
        }
        let error = Kme::start(&config, Options::default()).await.unwrap_err();
        assert!(matches!(error, KmeError::Link { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("400 km") && text.contains("smaller"),
            "{text}"
        );
    });
}

/// Gives the end that dials this link.
fn link(settings: &LinkSettings) -> impl Fn(&mut KmeConfig) {
    let settings = settings.clone();
    move |config| {
        for peer in config.peer.values_mut().filter(|peer| peer.dial.is_some()) {
            peer.link = Some(settings.clone());
        }
    }
}

#[test]
fn keys_of_a_link_are_the_same_at_both_ends() {
    block_on(async {
        let ground = Ground::new();
        let quick = LinkSettings {
            speed: 1_000.0,
            ..settings()
        };
        let pair = Pair::start(&ground, link(&quick)).await;
        for (from, master, slave) in [(0, "sae-1", "sae-2"), (1, "sae-2", "sae-1")] {
            let request = KeyRequest {
                number: Some(20),
                ..KeyRequest::default()
            };
            let here = pair.client(&ground, from, master);
            let there = pair.client(&ground, 1 - from, slave);
            let drawn = here.enc_keys_open(&sae(slave), &request).await.unwrap();
            let ids: Vec<_> = drawn.keys.iter().map(|key| key.key_id).collect();
            let same = there.dec_keys_open(&sae(master), &ids).await.unwrap();
            assert_eq!(drawn.keys.len(), 20);
            assert!(
                drawn
                    .keys
                    .iter()
                    .zip(&same.keys)
                    .all(|(a, b)| a.key == b.key)
            );
        }
        // Pools are full by now, so later blocks are lost; the line is looked at all the same.
        let one = pair.one.as_ref().unwrap();
        let line = loop {
            let line = one.figures().await.unwrap().links[0].line.clone();
            if let Some(line) = line.filter(|line| line.lost_bits > 0) {
                break line;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert!(line.blocks > 2 && line.aborted_blocks == 0, "{line:?}");
        let admin = one.addresses().admin.unwrap();
        let metrics = page(admin, "/metrics").await;
        assert!(metrics.contains(
            "tieline_kme_line_blocks_total{kme=\"kme-1\",peer=\"kme-2\",origin=\"simulated\"}"
        ));
        assert!(page(admin, "/").await.contains("<td>quiet</td>"));
        pair.stop().await;
    });
}

#[test]
fn attack_25_an_eavesdropper_on_the_link_of_a_key_manager_is_shown_and_leaves_no_key() {
    block_on(async {
        let ground = Ground::new();
        let listened = LinkSettings {
            speed: 1_000.0,
            intercept_resend: 1.0,
            ..settings()
        };
        let mut configs = [ground.config(0), ground.config(1)];
        link(&listened)(&mut configs[0]);
        let two = Kme::start(&configs[1], Options::default()).await.unwrap();
        let peer = configs[0].peer.get_mut(&kme_id("kme-2")).unwrap();
        peer.dial = two.addresses().peer.map(|address| address.to_string());
        let one = Kme::start(&configs[0], Options::default()).await.unwrap();
        loop {
            let link = one.figures().await.unwrap().links[0].clone();
            if link.up && link.aborted_blocks >= 3 {
                assert_eq!((link.available_bits, link.available_bits_peer), (0, 0));
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let admin = one.addresses().admin.unwrap();
        let html = page(admin, "/").await;
        assert!(
            html.contains("somebody listens") && html.contains("alarm</td>"),
            "{html}"
        );
        let metrics = page(admin, "/metrics").await;
        assert!(
            metrics.contains(
                "tieline_kme_line_alarm{kme=\"kme-1\",peer=\"kme-2\",origin=\"simulated\"} 1"
            ),
            "{metrics}"
        );
        one.stop().await.unwrap();
        two.stop().await.unwrap();
    });
}
