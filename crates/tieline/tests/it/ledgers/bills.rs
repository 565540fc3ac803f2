//! What a run through ledgers comes to.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::{assert_same, bytes, orders, short};
use crate::support::{root, tieline};

#[test]
fn bills_are_those_of_the_market_alone_and_every_order_comes_to_its_end() {
    let folder = short();
    let scenario = folder.path().display().to_string();
    let out = |name: &str| folder.path().join(name).display().to_string();
    tieline(&["run", &scenario, "--out", &out("chains")]).expect(0);
    let alone = ["run", &scenario, "--out", &out("market"), "--market-only"];
    tieline(&alone).expect(0);
    for table in ["settlement.csv", "settlement.parquet", "trades.parquet"] {
        let of = |name: &str| fs::read(folder.path().join(name).join(table)).unwrap();
        assert!(of("chains") == of("market"), "{table}");
    }
    let orders = orders(&folder.path().join("chains"));
    assert_eq!(orders.len(), 4);
    for order in &orders {
        let outcome = order["outcome"].as_str().unwrap();
        assert!(matches!(outcome, "settled" | "partly-delivered"), "{order}");
        let number = |key: &str| order[key].as_i64().unwrap();
        assert_eq!(
            number("settled_mj") + number("short_mj"),
            number("quantity_mj")
        );
        for seal in ["request_seal", "response_seal", "key_return_seal"] {
            assert_eq!(order[seal].as_str().unwrap().len(), 64, "{order}");
        }
    }
    let page = fs::read_to_string(folder.path().join("chains/report.html")).unwrap();
    for part in [
        "Through the chains",
        "Phases 1 to 5",
        "T6 confirmed on Y",
        "Key stock",
        "site-i",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let page = fs::read_to_string(folder.path().join("market/report.html")).unwrap();
    assert!(!page.contains("Through the chains"));
    // One signature per gateway, counterpart chain, gate and kind.
    let keys = fs::read(folder.path().join("chains/keys.json")).unwrap();
    let keys: Value = serde_json::from_slice(&keys).unwrap();
    let uses = keys["uses"].as_array().unwrap().iter();
    let seals = uses.filter(|it| it["for"] == "seal").count();
    assert_eq!(seals, 3);
}

#[test]
fn two_runs_leave_the_same_bytes_on_one_core_and_on_two() {
    let folder = short();
    let scenario = folder.path().display().to_string();
    let out = |name: &str| folder.path().join(name).display().to_string();
    tieline(&["run", &scenario, "--out", &out("two")]).expect(0);
    let pinned = Command::new("taskset")
        .args(["-c", "0", env!("CARGO_BIN_EXE_tieline")])
        .args(["run", &scenario, "--out", &out("one")])
        .current_dir(root())
        .output();
    let Ok(pinned) = pinned else {
        eprintln!("skipped: no taskset here to pin a process to one core");
        return;
    };
    assert!(pinned.status.success(), "{pinned:?}");
    assert_same(
        &bytes(&folder.path().join("one")),
        &bytes(&folder.path().join("two")),
    );
}
