//! `tieline run` through keys, signatures and chains.

mod bills;
mod resume;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::folder::Folder;
use crate::support::root;

/// Quarter-hours of the two microgrids' day in which one sells to the other: 01:15 to 02:30 UTC.
const STEPS: std::ops::Range<usize> = 13..18;

/// The two microgrids as shipped, for a few quarter-hours.
pub(crate) fn short() -> Folder {
    let folder = Folder::empty();
    let from = root().join("scenarios/two-microgrids");
    let text = |name: &str| fs::read_to_string(from.join(name)).unwrap();
    folder.put("microgrids.csv", text("microgrids.csv"));
    for table in ["profiles.csv", "forecast.csv"] {
        let all = text(table);
        let mut lines = all.lines();
        let head = lines.next().unwrap().to_owned();
        let rows: Vec<&str> = lines.collect();
        let kept = &rows[2 * STEPS.start..2 * STEPS.end];
        folder.put(table, format!("{head}\n{}\n", kept.join("\n")));
    }
    let settings = text("scenario.toml").replace("day = \"2016-05-25\"\n", "");
    folder.put("scenario.toml", settings);
    folder
}

/// Every file below a folder with its bytes; of the report all lines but the wall clock's.
pub(crate) fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(inside) = open.pop() {
        for entry in fs::read_dir(inside).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let mut content = fs::read(&path).unwrap();
            if path.ends_with("report.html") {
                let text = String::from_utf8(content).unwrap();
                let lines = text.lines().filter(|it| !it.contains("data-wall-clock"));
                content = lines.collect::<Vec<_>>().join("\n").into_bytes();
            }
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            all.insert(name, content);
        }
    }
    all
}

pub(crate) fn assert_same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    let names = |all: &BTreeMap<String, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(one), names(other));
    let differ = one.iter().filter(|(name, bytes)| other[*name] != **bytes);
    let differ: Vec<&String> = differ.map(|(name, _)| name).collect();
    assert!(differ.is_empty(), "{differ:?}");
}

pub(crate) fn orders(folder: &Path) -> Vec<Value> {
    let text = fs::read(folder.join("orders.json")).unwrap();
    let document: Value = serde_json::from_slice(&text).unwrap();
    document["orders"].as_array().unwrap().clone()
}
