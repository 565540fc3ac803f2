//! Rounds one by one: choice, failure, names that do not overlap.

use tieline::report::data::RoundData;
use tieline::report::render;

use super::{check_page, fixture, markup, one_day};

/// The id of the round that is shown without the script.
fn shown(page: &str) -> &str {
    let (_, rest) = page
        .split_once("<article class=\"round on\" id=\"")
        .unwrap();
    rest.split_once('"').unwrap().0
}

fn accepted(round: &RoundData) -> f64 {
    round.blocks.iter().map(|block| block.accepted_kw).sum()
}

#[test]
fn every_choice_has_its_round_and_the_largest_is_shown_without_the_script() {
    let data = one_day();
    let page = render(&data, None);
    let ids = markup::ids(&page);
    let choices = markup::choices(&page);
    assert_eq!(choices.len(), data.rounds.len());
    for choice in &choices {
        assert!(ids.contains(choice), "{choice} has no round");
    }
    let largest = (0..data.rounds.len()).max_by(|&one, &other| {
        accepted(&data.rounds[one]).total_cmp(&accepted(&data.rounds[other]))
    });
    let largest = format!("round-{}", largest.unwrap());
    assert_eq!(shown(&page), largest);
    assert!(page.contains(&format!("<option value=\"{largest}\" selected>")));
}

#[test]
fn a_run_whose_rounds_all_failed_says_why_and_clears_nothing() {
    let page = render(&fixture::with_failed_rounds(one_day()), None);
    check_page(&page);
    for part in [
        "Needs a look",
        "Failed, 78 intervals:",
        "no equilibrium in 24 rounds",
        "No round cleared",
        "\u{b7} failed</option>",
        "no equilibrium, last price",
    ] {
        assert!(page.contains(part), "the page lacks {part:?}");
    }
    assert!(
        !page.contains("cleared at"),
        "a failed round is called cleared"
    );
}

#[test]
fn a_failed_round_is_not_the_one_shown_first() {
    let mut data = one_day();
    let first = shown(&render(&data, None)).to_owned();
    let index: usize = first.trim_start_matches("round-").parse().unwrap();
    data.rounds[index].status = "failed".to_owned();
    assert_ne!(shown(&render(&data, None)), first);
}

#[test]
fn names_in_a_merit_order_do_not_overlap_wherever_the_prices_are() {
    let mut data = one_day();
    data.rounds.truncate(12);
    for (index, round) in data.rounds.iter_mut().enumerate() {
        let (low, high) = round.band;
        let share = [0.0, 1.0, 0.01, 0.99, 0.5, 0.05][index % 6];
        round.clearing_price = low + (high - low) * share;
        round.demand_kw *= [0.02, 0.5, 1.0, 2.0][index % 4];
        if index >= 6 {
            round.band = (high - 0.001, high);
        }
    }
    let page = render(&data, None);
    let drawings = markup::drawings(&page, "Merit order at ");
    assert_eq!(drawings.len(), 24, "each in two widths");
    for drawing in drawings {
        markup::assert_texts_apart(drawing);
    }
}

#[test]
fn a_search_of_one_iteration_shows_its_exploitability_as_a_dot() {
    let mut data = one_day();
    data.rounds.truncate(1);
    data.rounds[0].exploitability = vec![(0.5, 0.75)];
    let page = render(&data, None);
    let drawing = markup::drawings(&page, "Exploitability by iteration")[0];
    assert_eq!(drawing.matches("<circle").count(), 2, "{drawing}");
}

#[test]
fn an_exploitability_of_zero_stands_on_the_zero_of_its_axis() {
    let mut data = one_day();
    data.rounds.truncate(1);
    data.rounds[0].exploitability = vec![(7.5, 7.5), (0.0, 0.0)];
    let page = render(&data, None);
    let drawing = markup::drawings(&page, "Exploitability by iteration")[0];
    assert!(drawing.contains(">0</text>") && drawing.contains("CNY per hour"));
}
