//! `tieline audit`: a run holds, and whatever is changed in it is found where it was changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::folder::Folder;
use crate::ledgers::{orders, short};
use crate::support::{Ran, tieline};

/// A run that all tests copy; made once.
fn made() -> &'static (Folder, PathBuf) {
    static MADE: OnceLock<(Folder, PathBuf)> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = short();
        let out = folder.path().join("run");
        let scenario = folder.path().display().to_string();
        tieline(&["run", &scenario, "--out", &out.display().to_string()]).expect(0);
        (folder, out)
    })
}

/// A copy of it to change.
struct Copy(TempDir);

impl Copy {
    fn new() -> Copy {
        let folder = tempfile::tempdir().unwrap();
        copy(&made().1, folder.path());
        Copy(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn edit(&self, name: &str, change: impl FnOnce(String) -> String) {
        let before = fs::read_to_string(self.path(name)).unwrap();
        let after = change(before.clone());
        assert_ne!(before, after, "{name} is changed");
        fs::write(self.path(name), after).unwrap();
    }

    fn audit(&self) -> Ran {
        tieline(&["audit", &self.0.path().display().to_string(), "--json"])
    }

    /// The place of what does not fit.
    fn wrong(&self) -> Value {
        let ran = self.audit().expect(1);
        let document = ran.json();
        assert_eq!(document["valid"], false);
        assert!(ran.stderr.contains("hint:"), "{}", ran.stderr);
        document["wrong"].clone()
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

#[test]
fn a_run_holds_in_every_check_and_tells_each_order() {
    let (_, out) = made();
    let shown = out.display().to_string();
    let document = tieline(&["audit", &shown, "--json"]).expect(0).json();
    assert_eq!(document["valid"], true);
    let checks = document["checks"].as_array().unwrap();
    for check in checks {
        assert!(check["found"].as_u64().unwrap() > 0, "{check}");
    }
    let found = |name: &str| {
        let check = checks.iter().find(|check| check["name"] == name);
        check.unwrap()["found"].as_u64().unwrap()
    };
    assert_eq!(found("chains"), 3);
    assert_eq!(found("settlements from readings"), 4);
    assert_eq!(found("market intervals billed"), 5);
    let order = &orders(out)[0];
    let name = order["id"].as_str().unwrap();
    let id = order["order"].as_str().unwrap();
    let told = tieline(&["audit", &shown, name]).expect(0).stdout;
    for part in [
        "phase 1",
        "phase 5",
        "phase 6",
        "T6",
        "signed by",
        "the buyer pays",
        "holds",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let story = tieline(&["order", "show", &id[..10], "--dir", &shown, "--json"]);
    let story = story.expect(0).json();
    assert_eq!(story["id"], name);
    let transitions = story["events"].as_array().unwrap().iter();
    let transitions: Vec<&str> = transitions
        .map(|it| it["transition"].as_str().unwrap())
        .collect();
    for transition in [
        "T13", "T1", "T3", "T4", "T5", "T5k", "T6", "T7", "T8a", "T9, T10",
    ] {
        assert!(
            transitions.contains(&transition),
            "{transition} in {transitions:?}"
        );
    }
    assert_eq!(story["keys"].as_array().unwrap().len(), 4);
    let ran = tieline(&["order", "show", "no-such-order", "--dir", &shown]).expect(2);
    assert!(ran.stderr.contains("hint: orders.json"), "{}", ran.stderr);
}

/// Flips one bit at each of these places of all block files together.
fn flip(count: u64) {
    let copy = Copy::new();
    let mut random: u64 = 1;
    for round in 0..count {
        let name = ["vpp", "chain-x", "chain-y"][(round % 3) as usize];
        let file = format!("chains/{name}.blocks");
        let before = fs::read(copy.path(&file)).unwrap();
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let at = (random >> 16) % before.len() as u64;
        let mut after = before.clone();
        after[at as usize] ^= 1 << (random % 8);
        fs::write(copy.path(&file), after).unwrap();
        let wrong = copy.wrong();
        assert_eq!(
            wrong["file"],
            file.as_str(),
            "bit {} of byte {at}: {wrong}",
            random % 8
        );
        // The frame that holds the byte begins at or before it.
        let byte = wrong["byte"].as_u64();
        assert!(byte.is_none_or(|byte| byte <= at), "byte {at}: {wrong}");
        assert!(byte.is_some() || wrong["height"].is_u64(), "{wrong}");
        fs::write(copy.path(&file), before).unwrap();
    }
    copy.audit().expect(0);
}

#[test]
fn a_flipped_bit_in_a_block_file_is_found_where_it_is() {
    flip(24);
}

#[test]
fn slow_two_hundred_flipped_bits_are_found_where_they_are() {
    if std::env::var_os("TIELINE_SLOW").is_none_or(|it| it != "1") {
        eprintln!("skipped: two hundred audits take minutes; set TIELINE_SLOW=1");
        return;
    }
    flip(210);
}

#[test]
fn blocks_that_are_removed_or_cut_off_are_missed() {
    let copy = Copy::new();
    let genesis = tieline::node::config::read_genesis(&copy.path("chains/chain-x.genesis.toml"));
    let home = genesis.unwrap().home();
    let path = copy.path("chains/chain-x.blocks");
    let rewrite = |keep: &dyn Fn(u64) -> bool| {
        let original = made().1.join("chains/chain-x.blocks");
        let mut reader = tieline_chain::files::BlockReader::open(&original, &home).unwrap();
        fs::remove_file(&path).unwrap();
        let mut writer = Vec::new();
        while let Some(entry) = reader.read().unwrap() {
            if keep(entry.block.header.height) {
                writer.push(entry);
            }
        }
        writer
    };
    // The last block is cut off: it is empty, and what is left holds by itself.
    let kept = rewrite(&|_| true);
    let last = kept.len() as u64;
    let mut file = tieline_chain::files::BlockWriter::open(&path, &home).unwrap();
    for entry in &kept[..kept.len() - 1] {
        file.append(&entry.block, entry.certificate.as_deref())
            .unwrap();
    }
    file.sync().unwrap();
    let wrong = copy.wrong();
    assert_eq!(wrong["file"], "chains/chain-x.blocks");
    assert_eq!(wrong["height"], last - 1);
    // A block in the middle is taken out, byte by byte.
    let bytes = fs::read(made().1.join("chains/chain-x.blocks")).unwrap();
    let middle = bytes.len() / 2;
    fs::write(&path, [&bytes[..middle], &bytes[middle + 5_000..]].concat()).unwrap();
    let wrong = copy.wrong();
    assert_eq!(wrong["file"], "chains/chain-x.blocks");
    assert!(wrong["byte"].as_u64().unwrap() <= middle as u64, "{wrong}");
}

#[test]
fn orders_that_change_places_bills_and_rounds_that_change_a_digit_are_found() {
    let copy = Copy::new();
    let before = fs::read_to_string(copy.path("orders.json")).unwrap();
    let mut document: Value = serde_json::from_str(&before).unwrap();
    let list = document["orders"].as_array_mut().unwrap();
    let (one, other) = (list[0]["order"].clone(), list[1]["order"].clone());
    let name = list[0]["id"].clone();
    (list[0]["order"], list[1]["order"]) = (other, one);
    fs::write(copy.path("orders.json"), document.to_string()).unwrap();
    let wrong = copy.wrong();
    assert_eq!(
        (&wrong["file"], &wrong["order"]),
        (&"orders.json".into(), &name)
    );
    fs::write(copy.path("orders.json"), before).unwrap();

    // A bill changed by one micro-unit, in the tenth line.
    let bills = fs::read_to_string(copy.path("settlement.csv")).unwrap();
    let mut lines: Vec<String> = bills.lines().map(str::to_owned).collect();
    let mut cells: Vec<String> = lines[9].split(',').map(str::to_owned).collect();
    let balance = tieline_units::Money::parse(&cells[11]).unwrap();
    cells[11] = (balance + tieline_units::Money::from_millionths(1)).to_string();
    lines[9] = cells.join(",");
    fs::write(copy.path("settlement.csv"), lines.join("\n") + "\n").unwrap();
    let wrong = copy.wrong();
    assert_eq!(
        (&wrong["file"], &wrong["line"]),
        (&"settlement.csv".into(), &10.into())
    );
    assert_eq!(wrong["place"], "balance");
    fs::write(copy.path("settlement.csv"), &bills).unwrap();

    // The grid's line taken out; and a bill in the other table, which compares with this one.
    copy.edit("settlement.csv", |text| {
        let line = text.lines().find(|line| line.contains("vpp:grid")).unwrap();
        text.replacen(&format!("{line}\n"), "", 1)
    });
    assert_eq!(copy.wrong()["file"], "settlement.csv");
    copy.edit("settlement.csv", |_| bills.clone());
    let other = made().1.join("trades.parquet");
    fs::copy(other, copy.path("settlement.parquet")).unwrap();
    assert_eq!(copy.wrong()["file"], "settlement.parquet");
    fs::copy(
        made().1.join("settlement.parquet"),
        copy.path("settlement.parquet"),
    )
    .unwrap();

    // The last digit of a price in a round's certificate.
    let mut rounds: Vec<PathBuf> = fs::read_dir(copy.path("rounds"))
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    rounds.sort();
    let name = rounds[1].file_name().unwrap().to_str().unwrap().to_owned();
    copy.edit(&format!("rounds/{name}"), |text| {
        let at = text.find("\"clearing_price\":").unwrap();
        let end = at + text[at..].find([',', '}']).unwrap();
        let digit = if text.as_bytes()[end - 1] == b'7' {
            "8"
        } else {
            "7"
        };
        format!("{}{digit}{}", &text[..end - 1], &text[end..])
    });
    let wrong = copy.wrong();
    assert_eq!(wrong["file"], format!("rounds/{name}").as_str());
}

/// Changes `keys.json` of a copy, and returns what the audit says of it.
fn with_keys(change: impl FnOnce(&mut Value)) -> String {
    let copy = Copy::new();
    copy.edit("keys.json", |text| {
        let mut document = serde_json::from_str(&text).unwrap();
        change(&mut document);
        document.to_string()
    });
    let wrong = copy.wrong();
    assert_eq!(wrong["file"], "keys.json");
    wrong["reason"].as_str().unwrap().to_owned()
}

/// The first use for this.
fn used<'a>(document: &'a mut Value, what: &str) -> &'a mut Value {
    let uses = document["uses"].as_array_mut().unwrap();
    uses.iter_mut().find(|it| it["for"] == what).unwrap()
}

#[test]
fn keys_that_are_told_wrong_are_found() {
    let left = |it: &mut Value| {
        let left = it["pairs"][0]["left_bits"].as_u64().unwrap();
        it["pairs"][0]["left_bits"] = (left + 1).into();
    };
    assert!(with_keys(left).contains("were used or are left"));
    let bits = |it: &mut Value| {
        let seal = used(it, "seal");
        let key = seal["keys"][0]["bits"].as_u64().unwrap();
        let all = seal["bits"].as_u64().unwrap();
        (seal["keys"][0]["bits"], seal["bits"]) = ((key - 1).into(), (all - 1).into());
    };
    assert!(with_keys(bits).contains("bits used, the uses have"));
    let twice = |it: &mut Value| {
        let uses = it["uses"].as_array_mut().unwrap();
        let key = uses[0]["keys"][0]["key_id"].clone();
        uses[1]["keys"][0]["key_id"] = key;
    };
    assert!(with_keys(twice).contains("is used twice"));
    let label = |it: &mut Value| used(it, "seal")["label"] = "pq-only".into();
    assert!(with_keys(label).contains("label pq-only, where keys.protection is its"));
    let gateway = |it: &mut Value| used(it, "seal")["gateway"] = "somebody".into();
    assert!(with_keys(gateway).contains("chains have it as"));
    let hash = |it: &mut Value| used(it, "seal")["hash"] = "0".repeat(64).into();
    assert!(with_keys(hash).contains("no keys are on record for signature"));
    let order = |it: &mut Value| used(it, "order")["order"] = "0".repeat(64).into();
    assert!(with_keys(order).contains("which no chain has"));
    let removed = |it: &mut Value| {
        let trade = used(it, "order");
        trade["keys"] = Value::Array(Vec::new());
        trade["bits"] = 0.into();
    };
    assert!(with_keys(removed).contains("or for other purposes"));
}

#[test]
fn a_certificate_with_one_signer_fewer_is_found_in_its_block() {
    use tieline_chain::files::{BlockReader, BlockWriter};
    use tieline_contract::transaction::Transaction;
    let copy = Copy::new();
    let genesis = tieline::node::config::read_genesis(&copy.path("chains/vpp.genesis.toml"));
    let home = genesis.unwrap().home();
    let path = copy.path("chains/vpp.blocks");
    let mut reader = BlockReader::open(&made().1.join("chains/vpp.blocks"), &home).unwrap();
    fs::remove_file(&path).unwrap();
    let mut writer = BlockWriter::open(&path, &home).unwrap();
    let mut changed = None;
    while let Some(mut entry) = reader.read().unwrap() {
        let height = entry.block.header.height;
        let transactions = entry.block.body.transactions.iter_mut();
        for transaction in transactions {
            let Transaction::Certificate(certificate) = transaction else {
                continue;
            };
            if changed.is_none() && certificate.chain != home.chain {
                let mut fewer = (**certificate).clone();
                fewer.attestations.pop_last();
                *certificate = fewer.into();
                changed = Some(height);
            }
        }
        // A writer refuses such a block, so whoever forges it must make the header fit, and every later one.
        if changed == Some(height) {
            let hashes = entry.block.body.hashes();
            entry.block.header.transactions_root = tieline_seal::merkle::root(&hashes);
        }
        if writer
            .append(&entry.block, entry.certificate.as_deref())
            .is_err()
        {
            break;
        }
    }
    writer.sync().unwrap();
    let wrong = copy.wrong();
    assert_eq!(wrong["file"], "chains/vpp.blocks");
    assert_eq!(wrong["height"].as_u64(), changed);
    assert_eq!(wrong["place"], "certificate");
}
