//! What the page says: settings, notices, the cost of the forecast.

use tieline::report::data::MoneyText;
use tieline::report::render;

use super::{check_page, one_day};

fn text(text: &str) -> MoneyText {
    MoneyText {
        text: text.to_owned(),
        value: text.parse().unwrap(),
    }
}

#[test]
fn the_header_names_few_settings_and_folds_all_of_them_away() {
    let page = render(&one_day(), None);
    let (header, _) = page.split_once("</header>").unwrap();
    let (open, folded) = header.split_once("<details class=\"settings\">").unwrap();
    assert!(open.contains("<dt>Strategy</dt><dd>improved</dd>"));
    assert!(!open.contains("market."), "raw keys are folded away");
    for key in ["market.strategy", "market.response", "market.max_rounds"] {
        assert!(folded.contains(key), "{key} is missing");
    }
    let mut data = one_day();
    data.rules.clear();
    assert!(!render(&data, None).contains("All settings"));
}

#[test]
fn the_cost_of_the_forecast_is_told_and_a_loss_is_explained() {
    let loss = "A member loses when";
    let mut data = one_day();
    assert!(!render(&data, None).contains("Cost of the forecast"));
    data.totals.members_gain_perfect_forecast = Some(text("300.500000"));
    let page = render(&data, None);
    check_page(&page);
    assert!(page.contains("would have been +300.50 CNY instead of +247.61 CNY"));
    assert!(!page.contains(loss), "nobody lost");
    data.members[1].gain = text("-0.000006");
    assert!(!render(&data, None).contains(loss), "rounding is no loss");
    data.members[1].gain = text("-18.690000");
    assert!(render(&data, None).contains(loss));
    let gain = data.totals.members_gain.clone();
    data.totals.members_gain_perfect_forecast = Some(gain);
    assert!(
        !render(&data, None).contains("Cost of the forecast"),
        "errors cost nothing"
    );
}

#[test]
fn notices_of_the_data_are_repeated_word_by_word() {
    let notice =
        "Contains information under the ODbL 1.0, http://opendatacommons.org/licenses/odbl/1.0/";
    let mut data = one_day();
    data.notices = vec![notice.to_owned()];
    let page = render(&data, None);
    check_page(&page);
    let (_, footer) = page.split_once("<footer>").unwrap();
    assert!(footer.contains(&format!("<li>{notice}</li>")));
}
