//! The conformance suite, pointed at our own key managers.

use tieline_qkd::probe::{self, PeerSettings, ProbeSettings, Verdict};

use crate::pair::{Ground, Pair, block_on, sae};

#[test]
fn our_key_manager_passes_the_whole_suite_in_both_directions() {
    block_on(async {
        let ground = Ground::new();
        let pair = Pair::start(&ground, |_| {}).await;
        let sites = [["sae-1", "sae-4"], ["sae-2", "sae-3"]];
        for (here, there) in [(0, 1), (1, 0)] {
            let settings = ProbeSettings {
                url: pair.url(here),
                master: ground.identity(sites[here][0]),
                peer: Some(PeerSettings {
                    url: pair.url(there),
                    slave: ground.identity(sites[there][0]),
                    other: Some(ground.identity(sites[there][1])),
                }),
                expired: Some(ground.identity("expired")),
                slave: sae(sites[there][0]),
                drain: true,
            };
            let report = probe::run(settings).await.unwrap();
            let bad: Vec<_> = report
                .cases
                .iter()
                .filter(|case| matches!(case.verdict, Verdict::Fail { .. }))
                .collect();
            assert!(bad.is_empty(), "{bad:#?}");
            assert_eq!((report.failed, report.not_tested), (0, 2), "{report:#?}");
            assert!(report.passed >= 50, "{}", report.passed);
        }
        pair.stop().await;
    });
}
