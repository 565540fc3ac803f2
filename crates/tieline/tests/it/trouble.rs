//! What goes wrong because the scenario says so: settings, names, and what virtual meters make of a flow.

use tieline::config::{Config, Overrides};
use tieline::run::meters::Meters;
use tieline_contract::payload::Kind;
use tieline_units::{ChainId, Energy, MicrogridId, Time};

use crate::folder::Folder;

fn config(text: &str) -> Config {
    let read = Config::read("scenario.toml", Some(text), "test", &Overrides::none());
    read.unwrap_or_else(|errors| panic!("{errors}"))
}

fn refused(text: &str) -> String {
    let read = Config::read("scenario.toml", Some(text), "test", &Overrides::none());
    read.unwrap_err().to_string()
}

fn id(name: &str) -> MicrogridId {
    MicrogridId::parse(name).unwrap()
}

fn chain(name: &str) -> ChainId {
    ChainId::parse(name).unwrap()
}

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

#[test]
fn each_kind_of_trouble_is_for_whom_and_when_it_is_said() {
    let config = config(
        r#"
[[trouble]]
kind = "declines"
microgrid = "mg-1"
from = "2016-05-25T10:00:00Z"
to = "2016-05-25T11:00:00Z"
[[trouble]]
kind = "silent"
microgrid = "mg-2"
[[trouble]]
kind = "held"
chain = "chain-mg-1"
certificate = "MET"
by = "2h"
[[trouble]]
kind = "silent-node"
chain = "vpp"
node = 4
[[trouble]]
kind = "garbled-keys"
chain = "chain-mg-2"
node = 1
[[trouble]]
kind = "cheating-signer"
microgrid = "mg-3"
[[contract.line]]
microgrids = ["mg-2", "mg-1"]
"#,
    );
    let troubles = &config.trouble;
    let declines = |at: &str| troubles.declines(&id("mg-1"), time(at));
    assert!(declines("2016-05-25T10:00:00Z") && declines("2016-05-25T10:59:59Z"));
    assert!(!declines("2016-05-25T09:59:59Z") && !declines("2016-05-25T11:00:00Z"));
    assert!(!troubles.declines(&id("mg-2"), time("2016-05-25T10:00:00Z")));
    assert!(troubles.silent(&id("mg-2"), Time::default()));
    let held = |kind| troubles.holds(&chain("chain-mg-1"), kind);
    assert_eq!(held(Kind::Taken), Some(7_200_000));
    assert_eq!(held(Kind::Delivered), Some(7_200_000));
    assert_eq!(held(Kind::Settle), None);
    assert!(troubles.silent_node(&chain("vpp"), 3) && !troubles.silent_node(&chain("vpp"), 2));
    assert!(troubles.garbled(&chain("chain-mg-2"), 0));
    assert!(troubles.cheats(&id("mg-3")) && !troubles.cheats(&id("mg-1")));
    assert!(config.own_line(&id("mg-1"), &id("mg-2")) && config.own_line(&id("mg-2"), &id("mg-1")));
    assert!(
        !config.own_line(&id("mg-1"), &id("mg-1")) && !config.own_line(&id("mg-1"), &id("mg-3"))
    );
}

#[test]
fn what_is_no_trouble_is_refused_with_its_line() {
    let cases = [
        ("kind = \"lazy\"", "no kind of trouble is called 'lazy'"),
        ("microgrid = \"mg-1\"", "'kind' is missing"),
        ("kind = \"silent\"", "'microgrid' is missing"),
        (
            "kind = \"silent\"\nmicrogrid = \"mg-1\"\nnode = 1",
            "unknown key 'node'",
        ),
        (
            "kind = \"held\"\nchain = \"c\"\ncertificate = \"ABC\"\nby = \"1h\"",
            "not one of REQ, ACC",
        ),
        (
            "kind = \"held\"\nchain = \"c\"\ncertificate = \"ACC\"\nby = \"soon\"",
            "'by' is not a span of time",
        ),
        (
            "kind = \"silent-node\"\nchain = \"c\"\nnode = 0",
            "'node' is not",
        ),
        (
            "kind = \"declines\"\nmicrogrid = \"mg-1\"\nfrom = \"2016-05-25T11:00:00Z\"\nto = \"2016-05-25T10:00:00Z\"",
            "not after 'from'",
        ),
    ];
    for (fields, wanted) in cases {
        let said = refused(&format!("\n[[trouble]]\n{fields}\n"));
        assert!(
            said.contains("scenario.toml:2") && said.contains(wanted),
            "{wanted}: {said}"
        );
    }
    let said = refused("[[meters.lie]]\nmicrogrid = \"mg-1\"\nfactor = \"-1\"\n");
    assert!(said.contains("'factor' is not"), "{said}");
    let said = refused("[[contract.line]]\nmicrogrids = [\"mg-1\", \"mg-1\"]\n");
    assert!(said.contains("both ends are mg-1"), "{said}");
}

#[test]
fn names_that_no_table_knows_are_refused_with_the_nearest_known_one() {
    let cases = [
        (
            "[[trouble]]\nkind = \"silent\"\nmicrogrid = \"mg-11\"",
            "mg-1",
        ),
        (
            "[[trouble]]\nkind = \"silent-node\"\nchain = \"chain-11\"\nnode = 1",
            "chain-1",
        ),
        (
            "[[meters.lie]]\nmicrogrid = \"mg2\"\nfactor = \"2\"",
            "mg-2",
        ),
        (
            "[[contract.line]]\nmicrogrids = [\"mg-1\", \"mg-33\"]",
            "mg-3",
        ),
    ];
    for (text, near) in cases {
        let folder = Folder::clean();
        folder.put("scenario.toml", text);
        let said = folder.load().unwrap_err().to_string();
        assert!(
            said.contains(&format!("did you mean '{near}'?")),
            "{near}: {said}"
        );
        assert!(said.contains("scenario.toml:"), "{said}");
    }
}

#[test]
fn a_reading_follows_from_seed_meter_and_interval_alone() {
    let meters = Meters::new(&config(
        "[meters]\nnoise_ppm = 10000\nmissing_ppm = 200000\ndelay = \"5min\"\n",
    ));
    let flow = Energy::from_millijoules(1_000_000_000);
    let ask = |index: u64| {
        let start = Time::from_millis(index * 900_000);
        meters.reading((&id("mg-1"), "tie line"), start, flow)
    };
    let forward: Vec<_> = (0..2_000).map(ask).collect();
    let mut backward: Vec<_> = (0..2_000).rev().map(ask).collect();
    backward.reverse();
    assert_eq!(forward, backward);
    let lost = forward.iter().filter(|it| it.is_none()).count();
    assert!((320..480).contains(&lost), "{lost} of 2,000 at a fifth");
    for reading in forward.iter().flatten() {
        assert_eq!(reading.delay_ms, 300_000);
        let off = (reading.net - flow).as_millijoules();
        assert!(off.abs() <= 10_000_000, "{off}");
    }
    let spread = forward
        .iter()
        .flatten()
        .any(|it| (it.net - flow).as_millijoules() > 8_000_000);
    assert!(spread);
}

#[test]
fn a_meter_lies_for_as_long_as_it_is_said_and_never_beyond_what_can_be_settled() {
    let meters = Meters::new(&config(
        "[[meters.lie]]\nmicrogrid = \"mg-1\"\nfactor = \"0.5\"\nto = \"2020-01-02T00:00:00Z\"\n[[meters.lie]]\nmicrogrid = \"mg-2\"\nfactor = \"10\"\n",
    ));
    let ask = |who: &str, start: &str, flow: i64| {
        let flow = Energy::from_millijoules(flow);
        let reading = meters.reading((&id(who), "tie line"), time(start), flow);
        reading.unwrap().net.as_millijoules()
    };
    assert_eq!(ask("mg-1", "2020-01-01T00:00:00Z", -7), -3);
    assert_eq!(ask("mg-1", "2020-01-02T00:00:00Z", -7), -7);
    let most = tieline_contract::settlement::ENERGY_MAX.as_millijoules();
    assert_eq!(ask("mg-2", "2020-01-01T00:00:00Z", most), most);
}
