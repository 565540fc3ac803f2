//! `tieline run`: what a whole run leaves, and that nothing is lost or half-written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use tieline_units::Money;

use crate::folder::Folder;
use crate::ledgers::bytes;
use crate::support::{Ran, root, tieline, tieline_in};

fn out() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out").display().to_string();
    (folder, path)
}

fn run(scenario: &str, more: &[&str]) -> (TempDir, Ran, PathBuf) {
    let (folder, path) = out();
    let mut arguments = vec!["run", scenario, "--out", &path, "--market-only", "--json"];
    arguments.extend(more);
    let ran = tieline(&arguments);
    (folder, ran, path.into())
}

fn market(name: &str, path: &str) -> Ran {
    let scenario = format!("scenarios/{name}");
    tieline(&["run", &scenario, "--out", path, "--market-only"])
}

fn millionths(value: &Value) -> i64 {
    Money::parse(value.as_str().unwrap())
        .unwrap()
        .as_millionths()
}

#[test]
fn the_shipped_day_has_at_least_seventy_intervals_with_sellers_and_buyers_and_sums_to_zero() {
    let (_folder, ran, path) = run("scenarios/four-microgrids-day", &[]);
    let summary = ran.expect(0).json();
    assert_eq!(summary["schema"], "tieline.summary/1");
    assert_eq!(summary["intervals"]["total"], 96);
    assert!(
        summary["intervals"]["with_sellers_and_buyers"]
            .as_u64()
            .unwrap()
            >= 70,
        "{summary}"
    );
    assert_eq!(summary["sum"], "0.000000");
    let page = fs::read_to_string(path.join("report.html")).unwrap();
    assert!(page.contains("every order is confirmed directly"));
    let on_disk: Value =
        serde_json::from_slice(&fs::read(path.join("summary.json")).unwrap()).unwrap();
    assert_eq!(on_disk, summary);
}

#[test]
fn every_interval_of_the_settlement_table_sums_to_zero_and_adds_up_to_the_bills() {
    let (_folder, ran, path) = run("scenarios/four-microgrids-day", &[]);
    let summary = ran.expect(0).json();
    let mut by_interval: BTreeMap<String, i64> = BTreeMap::new();
    let mut by_party: BTreeMap<String, i64> = BTreeMap::new();
    let mut energy: BTreeMap<String, i64> = BTreeMap::new();
    let mut reader = csv::Reader::from_path(path.join("settlement.csv")).unwrap();
    let names = reader.headers().unwrap().clone();
    let column = |name: &str| names.iter().position(|known| known == name).unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        let amount = |name: &str| Money::parse(&record[column(name)]).unwrap().as_millionths();
        let start = record[0].to_owned();
        *by_interval.entry(start.clone()).or_default() += amount("balance");
        *by_party.entry(record[1].to_owned()).or_default() += amount("balance");
        // kWh with six decimals parse like money: sold equals bought but for the rounding of the text.
        *energy.entry(start).or_default() += amount("sold_kwh") - amount("bought_kwh");
        let lines = [
            "sales",
            "purchases",
            "grid_export",
            "grid_import",
            "penalties",
        ];
        if record[1].starts_with("mg-") {
            assert_eq!(
                lines.iter().map(|line| amount(line)).sum::<i64>(),
                amount("balance")
            );
        }
    }
    assert_eq!(by_interval.len(), 96);
    assert!(by_interval.values().all(|sum| *sum == 0), "{by_interval:?}");
    assert!(energy.values().all(|sum| sum.abs() <= 4), "{energy:?}");
    for member in summary["members"].as_array().unwrap() {
        let id = member["microgrid_id"].as_str().unwrap();
        assert_eq!(by_party[id], millionths(&member["balance"]), "{id}");
    }
    assert_eq!(
        by_party["vpp:aggregator"],
        millionths(&summary["aggregator"]["balance"])
    );
    assert_eq!(
        by_party["vpp:grid"],
        millionths(&summary["grid"]["balance"])
    );
}

#[test]
fn two_runs_with_one_seed_leave_the_same_bytes() {
    let (_first, ran, first) = run("scenarios/four-microgrids-day", &["--seed", "7"]);
    ran.expect(0);
    let (_second, ran, second) = run("scenarios/four-microgrids-day", &["--seed", "7"]);
    ran.expect(0);
    let (first, second) = (bytes(&first), bytes(&second));
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        second.keys().collect::<Vec<_>>()
    );
    for (name, content) in &first {
        assert!(*content == second[name], "{name} differs");
    }
    assert!(first.len() > 80, "{:?}", first.keys());
}

#[test]
fn every_certificate_of_a_run_verifies_and_none_does_after_a_change() {
    let (_folder, ran, path) = run("scenarios/four-microgrids-day", &[]);
    ran.expect(0);
    let rounds = path.join("rounds");
    let verified = tieline(&["market", "verify", &rounds.display().to_string(), "--json"])
        .expect(0)
        .json();
    assert_eq!(
        verified["verified"],
        verified["certificates"].as_array().unwrap().len()
    );
    let one = fs::read_dir(&rounds)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let text = fs::read_to_string(&one).unwrap();
    let changed = text.replacen("\"interval_minutes\":15", "\"interval_minutes\":30", 1);
    assert_ne!(text, changed);
    fs::write(&one, changed).unwrap();
    let refused = tieline(&["market", "verify", &one.display().to_string()]).expect(1);
    assert!(refused.stderr.contains("digest"), "{}", refused.stderr);
}

#[test]
fn exchanged_copied_and_incomplete_certificates_do_not_hold() {
    let (_folder, ran, path) = run("scenarios/four-microgrids-day", &[]);
    ran.expect(0);
    let rounds = path.join("rounds");
    let mut files: Vec<PathBuf> = fs::read_dir(&rounds)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let verify = |code| tieline(&["market", "verify", &path.display().to_string()]).expect(code);
    verify(0);
    let (first, second) = (fs::read(&files[0]).unwrap(), fs::read(&files[1]).unwrap());
    fs::write(&files[0], &second).unwrap();
    assert!(
        verify(1)
            .stderr
            .contains("it is the certificate of another round")
    );
    fs::write(&files[0], &first).unwrap();
    fs::write(rounds.join("copy.json"), &first).unwrap();
    assert!(verify(1).stderr.contains("is there twice"));
    fs::remove_file(rounds.join("copy.json")).unwrap();
    let text = String::from_utf8(first).unwrap();
    let without = text.replacen("\"margin\":1.05,", "", 1);
    assert_ne!(text, without);
    fs::write(&files[0], without).unwrap();
    assert!(
        verify(1)
            .stderr
            .contains("the field rules.margin is missing")
    );
}

#[test]
fn a_result_with_something_of_the_users_in_it_is_not_replaced() {
    let (_folder, path) = out();
    market("paper-case", &path).expect(0);
    fs::write(Path::new(&path).join("notes.txt"), "mine").unwrap();
    let ran = market("paper-case", &path).expect(2);
    assert!(ran.stderr.contains("holds notes.txt"), "{}", ran.stderr);
    assert!(Path::new(&path).join("notes.txt").exists());
}

#[test]
fn a_link_as_output_folder_stays_a_link() {
    let (folder, path) = out();
    let real = folder.path().join("real");
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &path).unwrap();
    market("paper-case", &path).expect(0);
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert!(real.join("report.html").exists());
}

#[test]
fn the_other_shipped_scenarios_run_to_the_end() {
    for (scenario, intervals) in [
        ("scenarios/two-microgrids", 96),
        ("scenarios/paper-case", 3),
    ] {
        let (_folder, ran, _) = run(scenario, &[]);
        let summary = ran.expect(0).json();
        assert_eq!(summary["intervals"]["total"], intervals);
        assert!(
            summary["intervals"]["cleared"].as_u64().unwrap() > 0,
            "{summary}"
        );
        assert_eq!(summary["sum"], "0.000000");
    }
}

#[test]
fn the_paper_case_sells_what_the_bare_game_sells() {
    let (_folder, ran, _) = run("scenarios/paper-case", &[]);
    let summary = ran.expect(0).json();
    let game = tieline(&[
        "market",
        "solve",
        "scenarios/paper-case/game.json",
        "--json",
    ]);
    let game = game.expect(0).json();
    for (index, id) in ["MG1", "MG2", "MG3", "MG4"].iter().enumerate() {
        let results = game["results"].as_array().unwrap();
        let accepted =
            |result: &Value| result["microgrids"][index]["accepted_kw"].as_f64().unwrap();
        let kwh: f64 = results.iter().map(accepted).sum();
        let member = &summary["members"][index];
        assert_eq!(member["microgrid_id"], *id);
        let sold: f64 = member["sold_kwh"].as_str().unwrap().parse().unwrap();
        assert!((sold - kwh).abs() < 1e-4, "{id}: {sold} against {kwh}");
    }
}

#[test]
fn a_failed_round_is_an_outcome_with_a_reason_and_the_grid_serves_the_energy() {
    let (_folder, ran, path) = run(
        "scenarios/four-microgrids-day",
        &["--set", "market.max_rounds=1"],
    );
    let summary = ran.expect(0).json();
    let failed = summary["intervals"]["failed"].as_u64().unwrap();
    assert!(failed > 0, "{summary}");
    let listed = summary["not_cleared"].as_array().unwrap();
    let reason = |entry: &&Value| entry["reason"] == "no equilibrium in 1 rounds";
    assert_eq!(listed.iter().filter(reason).count() as u64, failed);
    let page = fs::read_to_string(path.join("report.html")).unwrap();
    assert!(page.contains("no equilibrium in 1 rounds"));
    let mut reader = csv::Reader::from_path(path.join("settlement.csv")).unwrap();
    let starts: Vec<&str> = listed
        .iter()
        .map(|entry| entry["interval_start_utc"].as_str().unwrap())
        .collect();
    let mut compared = 0;
    for record in reader.records() {
        let record = record.unwrap();
        if starts.contains(&&record[0]) {
            assert_eq!(
                record[11], record[12],
                "{} of {}: as if alone",
                &record[1], &record[0]
            );
            compared += 1;
        }
    }
    assert_eq!(
        compared,
        starts.len() * 6,
        "four members, aggregator and grid"
    );
}

#[test]
fn a_side_without_anybody_is_an_outcome_and_the_report_says_so() {
    let folder = Folder::clean();
    let profiles = fs::read_to_string(folder.path().join("profiles.csv")).unwrap();
    let mut rows = profiles.lines();
    let mut dark = vec![rows.next().unwrap().to_owned()];
    dark.extend(rows.map(|row| {
        let cells: Vec<&str> = row.split(',').collect();
        format!("{},{},50,0,0", cells[0], cells[1])
    }));
    folder.put("profiles.csv", dark.join("\n") + "\n");
    let path = folder.path().display().to_string();
    let (_out, ran, out) = run(&path, &[]);
    let summary = ran.expect(0).json();
    assert_eq!(summary["intervals"]["no_sellers"], 96, "{summary}");
    assert_eq!(summary["orders"]["count"], 0);
    for member in summary["members"].as_array().unwrap() {
        assert_eq!(member["balance"], member["balance_alone"]);
    }
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("no member has a surplus to sell"));
}

/// The shipped day on the day of a clock change: the same profiles, as many quarter-hours as the day has.
fn shifted_day(day: &str, start: &str, quarters: u64) -> Folder {
    let folder = Folder::empty();
    let shipped = root().join("scenarios/four-microgrids-day");
    let first = tieline_units::Time::parse(start).unwrap();
    for table in ["profiles.csv", "forecast.csv"] {
        let text = fs::read_to_string(shipped.join(table)).unwrap();
        let mut lines = text.lines();
        let mut shifted = vec![lines.next().unwrap().to_owned()];
        let rows: Vec<&str> = lines.collect();
        for index in 0..quarters as usize * 4 {
            let row = rows[index % rows.len()].split_once(',').unwrap().1;
            let time = first.plus_millis(index as u64 / 4 * 900_000);
            shifted.push(format!("{time},{row}"));
        }
        folder.put(table, shifted.join("\n") + "\n");
    }
    folder.put(
        "microgrids.csv",
        fs::read(shipped.join("microgrids.csv")).unwrap(),
    );
    let toml = fs::read_to_string(shipped.join("scenario.toml")).unwrap();
    folder.put("scenario.toml", toml.replace("2016-05-25", day));
    folder
}

#[test]
fn local_days_of_92_and_100_quarter_hours_run_and_the_report_says_so() {
    for (day, start, quarters) in [
        ("2016-03-27", "2016-03-26T23:00:00Z", 92_u64),
        ("2016-10-30", "2016-10-29T22:00:00Z", 100),
    ] {
        let folder = shifted_day(day, start, quarters);
        let (_out, ran, out) = run(&folder.path().display().to_string(), &[]);
        let summary = ran.expect(0).json();
        assert_eq!(summary["intervals"]["total"], quarters);
        assert_eq!(summary["days"][0]["intervals"], quarters);
        assert_eq!(summary["sum"], "0.000000");
        let page = fs::read_to_string(out.join("report.html")).unwrap();
        let note = format!("{day}: {quarters} quarter-hours");
        assert!(page.contains(&note), "{note}");
    }
}

#[test]
fn dirty_input_leaves_no_output_folder() {
    let folder = Folder::clean();
    folder.put(
        "profiles.csv",
        "timestamp_utc,microgrid_id,load_kw,pv_kw,wind_kw\n",
    );
    let (_out, ran, out) = run(&folder.path().display().to_string(), &[]);
    let ran = ran.expect(1);
    assert!(ran.stderr.contains("no data rows"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert!(!out.exists());
    assert!(
        fs::read_dir(out.parent().unwrap())
            .unwrap()
            .next()
            .is_none(),
        "nothing half-written"
    );
}

#[test]
fn a_folder_that_no_run_has_left_is_never_replaced() {
    let (folder, path) = out();
    fs::create_dir(&path).unwrap();
    fs::write(Path::new(&path).join("thesis.txt"), "years of work").unwrap();
    let ran = market("paper-case", &path).expect(2);
    assert!(
        ran.stderr.contains("hint: name another folder with --out"),
        "{}",
        ran.stderr
    );
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_earlier_result_is_replaced_whole() {
    let (folder, path) = out();
    market("four-microgrids-day", &path).expect(0);
    let before = bytes(Path::new(&path)).len();
    market("paper-case", &path).expect(0);
    let after = bytes(Path::new(&path));
    assert!(after.len() < before);
    assert_eq!(
        after
            .keys()
            .filter(|name| name.starts_with("rounds"))
            .count(),
        3
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no leftovers beside it"
    );
}

#[test]
fn without_a_checkout_the_shipped_day_comes_out_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let ran = tieline_in(folder.path(), &["run", "--market-only", "--json"], &[]).expect(0);
    let (_other, in_checkout, _) = run("scenarios/four-microgrids-day", &[]);
    assert_eq!(ran.json(), in_checkout.json());
    assert!(
        folder
            .path()
            .join("out/four-microgrids-day/report.html")
            .exists()
    );
}

#[test]
fn uniform_settlement_pays_every_seller_the_clearing_price() {
    let set = [
        "--set",
        "market.settlement_price=uniform",
        "--set",
        "aggregator.delta=1",
    ];
    let (_folder, ran, _) = run("scenarios/four-microgrids-day", &set);
    let summary = ran.expect(0).json();
    // With δ = 1 buyers pay what sellers get: the aggregator keeps nothing but roundings.
    assert!(
        millionths(&summary["aggregator"]["balance"]).abs() < 1000,
        "{summary}"
    );
    let (_folder, ran, _) = run("scenarios/four-microgrids-day", &[]);
    assert!(millionths(&ran.expect(0).json()["aggregator"]["balance"]) > 1_000_000);
}

#[test]
fn a_line_limit_keeps_a_pair_below_it() {
    let sold = |summary: &Value| -> f64 {
        summary["members"][1]["sold_kwh"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    let (_free, ran, _) = run("scenarios/paper-case", &[]);
    assert!(sold(&ran.expect(0).json()) > 600.0, "without a limit");
    let folder = Folder::empty();
    for name in ["microgrids.csv", "profiles.csv", "scenario.toml"] {
        folder.put(
            name,
            fs::read(root().join("scenarios/paper-case").join(name)).unwrap(),
        );
    }
    let toml = fs::read_to_string(folder.path().join("scenario.toml")).unwrap();
    let limit = "\n[[aggregator.limit]]\nseller = \"MG2\"\nbuyer = \"demand\"\nkw = \"50\"\n";
    folder.put("scenario.toml", toml + limit);
    let (_limited, ran, _) = run(&folder.path().display().to_string(), &[]);
    let summary = ran.expect(0).json();
    assert!(
        (sold(&summary) - 150.0).abs() < 1e-6,
        "three hours at 50 kW: {summary}"
    );
}
