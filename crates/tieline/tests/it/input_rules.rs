//! Settings and tables that fit by themselves and not together.

use crate::folder::Folder;

#[test]
fn a_tariff_that_changes_inside_an_interval_is_refused() {
    let folder = Folder::clean();
    let text = "[tariff]\nexport = \"0.05\"\nimport = [\n\
                { from = \"00:00\", to = \"12:07\", price = \"0.30\" },\n\
                { from = \"12:07\", to = \"24:00\", price = \"0.40\" }]\n";
    folder.remove("prices.csv").put("scenario.toml", text);
    let refusal = folder.refusal();
    assert!(
        refusal.contains(
            "the price changes inside the 15min interval that starts at 2016-05-25T12:00:00Z"
        ),
        "{refusal}"
    );
    let aligned = text.replace("12:07", "12:15");
    folder.put("scenario.toml", aligned);
    assert!(folder.load().is_ok());
}

#[test]
fn gates_that_leave_no_time_are_refused() {
    for text in [
        "[gates]\naccept_within = \"48h\"",
        "[gates]\nclosure_before_delivery = \"20h\"",
        "mode = \"intraday\"\n[gates]\nintraday = \"1min\"",
    ] {
        let folder = Folder::clean();
        folder.put("scenario.toml", text);
        assert!(folder.refusal().contains("leaves no time"), "{text}");
    }
}

#[test]
fn a_local_day_that_is_no_whole_number_of_intervals_is_refused() {
    let folder = Folder::clean();
    let hourly: Vec<String> = std::fs::read_to_string(folder.path().join("profiles.csv"))
        .unwrap()
        .lines()
        .enumerate()
        .filter(|(index, line)| *index == 0 || line.contains(":00:00Z"))
        .map(|(_, line)| line.to_owned())
        .collect();
    folder.put("profiles.csv", hourly.join("\n") + "\n");
    // Lord Howe Island goes back by half an hour on 3 April 2016: 24.5 hours.
    let text = "time_zone = \"Australia/Lord_Howe\"\nday = \"2016-04-03\"\ninterval = \"60min\"";
    folder.put("scenario.toml", text);
    assert!(
        folder
            .refusal()
            .contains("not a whole number of 60min intervals")
    );
}

#[test]
fn a_capacity_column_with_a_slip_in_its_name_is_refused() {
    for wrong in [
        "dispatchable_mw",
        "dispatchable",
        "Dispatchable_kW",
        "dispatchabel_kw",
    ] {
        let folder = Folder::clean();
        let table = std::fs::read_to_string(folder.path().join("microgrids.csv")).unwrap();
        assert!(table.contains("dispatchable_kw"));
        folder.put("microgrids.csv", table.replace("dispatchable_kw", wrong));
        let refusal = folder.refusal();
        let expected = format!("column {wrong}: looks like dispatchable_kw");
        assert!(refusal.contains(&expected), "{refusal}");
    }
}
