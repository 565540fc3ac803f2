//! Every outcome of an order can be provoked by a setting, as `docs/outcomes.md` says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use serde_json::Value;

use crate::ledgers::orders;
use crate::support::{root, tieline};

/// Scenario and outcome of every row of the document's table.
fn documented() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("docs/outcomes.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        (cells[1].trim_matches('`').to_owned(), cells[3].to_owned())
    });
    rows.collect()
}

fn shipped() -> Vec<String> {
    let folders = fs::read_dir(root().join("scenarios/outcomes")).unwrap();
    let names = folders.map(|it| it.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn every_scenario_of_an_outcome_is_in_the_document_and_the_other_way_round() {
    let documented: Vec<String> = documented().into_keys().collect();
    assert_eq!(documented, shipped());
    for name in documented {
        let settings = root().join(format!("scenarios/outcomes/{name}/scenario.toml"));
        let text = fs::read_to_string(settings).unwrap();
        assert!(text.starts_with("# "), "{name} says what it shows");
    }
}

/// Runs a scenario, and says what is wrong with what it comes to.
fn wrong(name: &str, expected: &str, out: &Path) -> Option<String> {
    let shown = out.display().to_string();
    let scenario = format!("scenarios/outcomes/{name}");
    let ran = tieline(&["run", &scenario, "--out", &shown, "--json"]).expect(0);
    let counted = ran.json()["orders"]["outcomes"].clone();
    let orders = orders(out);
    let other = |order: &&Value| {
        let explained = order["why"].is_string() || expected == "settled";
        order["outcome"] != expected || !explained
    };
    if let Some(order) = orders.iter().find(other) {
        return Some(format!("{name}, not {expected}: {order}"));
    }
    let expected_orders = if expected == "none" { 0 } else { 4 };
    if orders.len() != expected_orders || orders.len() as u64 != sum(&counted) {
        return Some(format!("{name}: {} orders, {counted}", orders.len()));
    }
    let audit = tieline(&["audit", &shown]);
    (audit.code != 0).then(|| format!("{name}: {}", audit.stderr))
}

fn sum(counted: &Value) -> u64 {
    let all = counted.as_object().unwrap().values();
    all.map(|it| it.as_u64().unwrap()).sum()
}

#[test]
fn every_outcome_comes_as_documented_with_its_reason_and_passes_the_audit() {
    let folder = tempfile::tempdir().unwrap();
    let rows = Mutex::new(documented().into_iter());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = rows.lock().unwrap().next();
                    let Some((name, expected)) = next else {
                        return;
                    };
                    let wrong = wrong(&name, &expected, &folder.path().join(&name));
                    found.lock().unwrap().extend(wrong);
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
