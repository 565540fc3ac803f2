//! Rounds one by one: merit order with the clearing point, price and exploitability by iteration.

use std::collections::BTreeSet;

use super::data::{BlockData, RoundData};
use super::html::{escape, figure, relative_href, section as html_section, wide_and_narrow};
use super::iterations;
use super::view::{MEMBER_HUES, View};
use crate::plot::number::fixed;
use crate::plot::{Anchor, Axis, Chart, Frame, Rect, Svg, text_width};

/// Bytes that the drawings of all rounds may take together.
const BYTES_MAX: usize = 1_300_000;

/// Rounds drawn at most.
const ROUNDS_MAX: usize = 400;

/// Room for the names of prices at the right of the merit order, and the height of one.
const NAMES_WIDTH: f64 = 98.0;
const NAMES_HEIGHT: f64 = 27.0;

/// Room for the unit at the left above the merit order.
const UNIT_WIDTH: f64 = 68.0;

/// The section and the indices of the rounds that it draws.
pub(super) struct Rounds {
    /// The section.
    pub(super) html: String,
    /// Rounds that a link can lead to.
    pub(super) drawn: BTreeSet<usize>,
}

/// The section.
pub(super) fn section(view: &View<'_>) -> Rounds {
    let rounds = &view.data.rounds;
    let chosen = best_round(rounds).map(|best| (best, within_budget(view, best)));
    let drawn = chosen
        .iter()
        .flat_map(|(_, chosen)| chosen)
        .map(|(index, _)| *index)
        .collect();
    let content = match &chosen {
        Some((best, chosen)) => chosen_rounds(view, *best, chosen),
        None => "<p>No round cleared in this run.</p>\n".to_owned(),
    };
    let lead = "Offers sorted by price, cheapest first. Solid: accepted. Where supply meets demand, the market clears.";
    Rounds {
        html: html_section("rounds", "Merit order and clearing", lead, &content),
        drawn,
    }
}

/// The chooser and the rounds that it chooses from; without the script the best one is shown.
fn chosen_rounds(view: &View<'_>, best: usize, chosen: &[(usize, String)]) -> String {
    let rounds = &view.data.rounds;
    let mut options = String::new();
    let mut articles = String::new();
    for (index, html) in chosen {
        let selected = if *index == best { " selected" } else { "" };
        options.push_str(&format!(
            "<option value=\"round-{index}\"{selected}>{}</option>",
            escape(&option_text(view, &rounds[*index]))
        ));
        let on = if *index == best { " on" } else { "" };
        articles.push_str(&format!(
            "<article class=\"round{on}\" id=\"round-{index}\">{html}</article>\n"
        ));
    }
    let left_out = match chosen.len() {
        shown if shown == rounds.len() => String::new(),
        shown => format!(
            "<p class=\"fine\">{shown} of {} rounds are drawn here; the certificates of all are in the folder <code>rounds</code>.</p>\n",
            rounds.len()
        ),
    };
    let chooser = format!(
        "<div class=\"chooser\" id=\"chooser\" hidden><button type=\"button\" id=\"round-previous\" aria-label=\"Previous round\">‹</button><label for=\"round-choice\">Round</label><select id=\"round-choice\">{options}</select><button type=\"button\" id=\"round-next\" aria-label=\"Next round\">›</button></div>\n"
    );
    format!(
        "{chooser}{}<div class=\"rounds\" id=\"rounds-all\" aria-live=\"polite\">\n{articles}</div>\n{left_out}",
        key(view)
    )
}

/// The link to the drawing of a round.
pub(super) fn anchor(index: usize) -> String {
    format!("#round-{index}")
}

/// The round with most accepted power; failed ones come after all others.
fn best_round(rounds: &[RoundData]) -> Option<usize> {
    let mut best: Option<(usize, (bool, f64))> = None;
    for (index, round) in rounds.iter().enumerate() {
        let accepted = (!failed(round), accepted(round));
        if best.is_none_or(|(_, most)| accepted > most) {
            best = Some((index, accepted));
        }
    }
    best.map(|(index, _)| index)
}

/// The rounds that fit: all of them, or evenly spaced ones and always the best.
fn within_budget(view: &View<'_>, best: usize) -> Vec<(usize, String)> {
    let count = view.data.rounds.len();
    let mut keep = ROUNDS_MAX.min(count);
    loop {
        let mut indices: Vec<usize> = (0..keep).map(|place| place * count / keep.max(1)).collect();
        if !indices.contains(&best) {
            indices.push(best);
            indices.sort_unstable();
        }
        let drawn: Vec<(usize, String)> = indices
            .into_iter()
            .map(|index| (index, round(view, &view.data.rounds[index])))
            .collect();
        let bytes: usize = drawn.iter().map(|(_, html)| html.len()).sum();
        if bytes <= BYTES_MAX || keep <= 1 {
            return drawn;
        }
        keep = (keep * BYTES_MAX / bytes * 9 / 10).min(keep - 1).max(1);
    }
}

fn accepted(round: &RoundData) -> f64 {
    round
        .blocks
        .iter()
        .map(|block| block.accepted_kw)
        .filter(|power| power.is_finite())
        .sum()
}

fn when(view: &View<'_>, round: &RoundData) -> String {
    if view.single_day() {
        round.at.clock.clone()
    } else {
        format!("{} {}", round.at.day, round.at.clock)
    }
}

/// The search ended without an equilibrium: nothing of it was ordered.
fn failed(round: &RoundData) -> bool {
    round.status == "failed"
}

fn option_text(view: &View<'_>, round: &RoundData) -> String {
    if failed(round) {
        return format!("{} · failed", when(view, round));
    }
    format!(
        "{} · {} kW at {}",
        when(view, round),
        fixed(accepted(round), 1),
        fixed(round.clearing_price, 3)
    )
}

/// Colours of the members, shared by all rounds.
fn key(view: &View<'_>) -> String {
    let mut html = String::from("<ul class=\"key\" aria-label=\"Colours of the members\">");
    // Where colours repeat, the names on the blocks tell members apart.
    let members = view.data.members.iter().enumerate();
    for (index, member) in members.filter(|_| view.data.members.len() <= MEMBER_HUES) {
        html.push_str(&format!(
            "<li><span class=\"dot {}\"></span>{}</li>",
            View::ink(index).class(),
            escape(&member.id)
        ));
    }
    html.push_str("<li><span class=\"dot offered\"></span>offered, not accepted</li></ul>\n");
    html
}

fn round(view: &View<'_>, round: &RoundData) -> String {
    let heading = format!(
        "<h3>{} · {} {} {} <span class=\"tag\">{}</span></h3>",
        escape(&when(view, round)),
        match failed(round) {
            true => "no equilibrium, last price",
            false => "cleared at",
        },
        fixed(round.clearing_price, 4),
        escape(&view.price_unit()),
        escape(&round.status.replace('_', " "))
    );
    let certificate = relative_href(&round.certificate).map_or_else(String::new, |href| {
        format!(
            "<p class=\"fine\">Certificate: <a href=\"{href}\">{}</a></p>",
            escape(&round.certificate)
        )
    });
    let merit = wide_and_narrow(
        |width, narrow| merit_order(view, round, (width, if narrow { 320.0 } else { 452.0 })),
        660.0,
    );
    format!(
        "{heading}<div class=\"pair\">{}{}</div>{certificate}",
        figure("panel", &merit, ""),
        figure("panel", &iterations::charts(view, round), "")
    )
}

fn merit_order(view: &View<'_>, round: &RoundData, size: (f64, f64)) -> String {
    let (mut svg, frame) = merit_axes(view, round, size);
    let mut start = 0.0;
    for block in &round.blocks {
        supply_block(view, (&mut svg, &frame), start, block);
        start += block.offered_kw.max(0.0);
    }
    clearing(&mut svg, &frame, round);
    names(view, (&mut svg, &frame), round);
    svg.inline()
}

/// Names the blocks that have room for it; neighbours of one member are named once.
fn names(view: &View<'_>, on: (&mut Svg, &Frame), round: &RoundData) {
    let (svg, frame) = on;
    let demand = frame.x.at(round.demand_kw);
    let mut start = 0.0;
    let mut named: Option<usize> = None;
    for block in &round.blocks {
        let end = start + block.offered_kw.max(0.0);
        let (mut from, mut to) = (frame.x.at(start), frame.x.at(end));
        // The line of the demand splits a block: the name stands in the wider part.
        if from - 6.0 < demand && demand < to + 6.0 {
            match demand - from > to - demand {
                true => to = demand - 6.0,
                false => from = demand + 6.0,
            }
        }
        let id = view.member_id(block.member);
        if named != Some(block.member) && to - from > text_width(&id) {
            let at = ((from + to) / 2.0, name_height(frame, round, block.price));
            svg.text(at, Anchor::Middle, "strong halo small", &id);
            named = Some(block.member);
        }
        start = end;
    }
}

/// Where the name of a block stands: above it, below its top or at its foot, the first that no line crosses.
fn name_height(frame: &Frame, round: &RoundData, price: f64) -> f64 {
    let top = frame.y.at(price);
    let lines = [round.band.0, round.band.1, round.clearing_price].map(|price| frame.y.at(price));
    let crossed = |y: f64| lines.iter().any(|line| (y - 12.0..y + 4.0).contains(line));
    let places = [top - 6.0, top + 15.0, frame.area.bottom() - 6.0];
    let inside = places
        .into_iter()
        .filter(|y| *y <= frame.area.bottom() - 4.0);
    inside.clone().find(|y| !crossed(*y)).unwrap_or(places[0])
}

fn merit_axes(view: &View<'_>, round: &RoundData, size: (f64, f64)) -> (Svg, Frame) {
    let powers = round.blocks.iter().map(|block| block.offered_kw.max(0.0));
    let offered: f64 = powers.filter(|power| power.is_finite()).sum();
    let prices = || {
        round
            .blocks
            .iter()
            .map(|block| block.price)
            .chain([round.band.0, round.band.1])
    };
    let highest = prices().fold(round.clearing_price, f64::max);
    let lowest = prices().fold(0.0, f64::min);
    let kw = Axis::named("kW offered, cheapest first");
    let chart = Chart {
        title: format!("Merit order at {}", when(view, round)),
        desc: format!(
            "{} blocks offer {} kW; demand {} kW; {} kW accepted at {} {}.",
            round.blocks.len(),
            fixed(offered, 1),
            fixed(round.demand_kw, 1),
            fixed(accepted(round), 1),
            fixed(round.clearing_price, 4),
            view.price_unit()
        ),
        size,
        x: Axis {
            range: Some((0.0, offered.max(round.demand_kw) * 1.02)),
            ..kw
        },
        y: Axis {
            range: Some((lowest, highest * 1.06)),
            ..Axis::named(&view.price_unit())
        },
        room_right: NAMES_WIDTH,
        ..Chart::default()
    };
    chart.axes()
}

/// One step of the supply: the accepted part filled, the rest outlined.
fn supply_block(view: &View<'_>, on: (&mut Svg, &Frame), start: f64, block: &BlockData) {
    let (svg, frame) = on;
    let offered = block.offered_kw.max(0.0);
    let accepted = block.accepted_kw.clamp(0.0, offered);
    let colour = View::ink(block.member).class();
    let title = format!(
        "{}, level {}: {} kW at {}, {} kW accepted",
        view.member_id(block.member),
        block.level,
        fixed(block.offered_kw, 2),
        fixed(block.price, 4),
        fixed(block.accepted_kw, 2)
    );
    if accepted > 0.0 {
        let rect = gap(frame.rect((start, 0.0), (start + accepted, block.price)));
        svg.rect(rect, &format!("mid {colour}"), &title);
    }
    if offered - accepted > offered * 1e-6 {
        let rect = gap(frame.rect((start + accepted, 0.0), (start + offered, block.price)));
        svg.rect(rect, &format!("edge {colour}"), &title);
    }
    let top = frame.at(start, block.price);
    let end = frame.x.at(start + offered);
    svg.line(top, (end, top.1), &format!("ln {colour}"));
}

/// Leaves a hair of paper between neighbours.
fn gap(rect: Rect) -> Rect {
    if rect.width > 3.0 {
        Rect {
            width: rect.width - 0.8,
            ..rect
        }
    } else {
        rect
    }
}

/// Demand, clearing price and the price band, with their names at the right.
fn clearing(svg: &mut Svg, frame: &Frame, round: &RoundData) {
    let area = frame.area;
    let (low, high) = round.band;
    for price in [low, high] {
        let y = frame.y.at(price);
        svg.line((area.x, y), (area.right(), y), "ln thin cm d1");
    }
    let price = frame.y.at(round.clearing_price);
    let demand = frame.x.at(round.demand_kw);
    svg.line((area.x, price), (area.right(), price), "ln thin ct");
    svg.line((demand, area.y - 2.0), (demand, area.bottom()), "ln ct d3");
    let met = frame.x.at(round.demand_kw.min(accepted(round)));
    svg.circle((met, price), 5.0, "ring ct", "clearing point");
    let demand_text = format!("demand {} kW", fixed(round.demand_kw, 1));
    let half = text_width(&demand_text) / 2.0;
    let left = area.x + half + UNIT_WIDTH;
    let middle = demand
        .max(left)
        .min((area.right() + NAMES_WIDTH - half).max(left));
    svg.text(
        (middle, area.y - 7.0),
        Anchor::Middle,
        "strong",
        &demand_text,
    );
    let mut names = [
        (frame.y.at(high), "grid charges (L+)", fixed(high, 3)),
        (price, "clearing price", fixed(round.clearing_price, 4)),
        (frame.y.at(low), "grid pays (L\u{2212})", fixed(low, 3)),
    ];
    // Names of close prices move apart: first down from the top, then back up from the floor.
    names[1].0 = names[1].0.max(names[0].0 + NAMES_HEIGHT);
    names[2].0 = names[2]
        .0
        .max(names[1].0 + NAMES_HEIGHT)
        .min(area.bottom() - 4.0);
    names[1].0 = names[1].0.min(names[2].0 - NAMES_HEIGHT);
    names[0].0 = names[0].0.min(names[1].0 - NAMES_HEIGHT);
    for (index, (y, name, value)) in names.iter().enumerate() {
        let class = if index == 1 { "strong" } else { "" };
        svg.text((area.right() + 7.0, y - 1.0), Anchor::Start, class, value);
        svg.text((area.right() + 7.0, y + 11.0), Anchor::Start, "small", name);
    }
}
