//! The state machines drawn: Mermaid for pages that render it, SVG for every other reader.

use std::fmt::{self, Write as _};

use crate::table::machine::{Arrow, Machine, NONE};
use tieline_contract::transition::Ledger;

/// Width of the drawing: a telephone's.
const WIDTH: i32 = 420;
const ROW: i32 = 108;
const SPINE: i32 = 130;
const SIDE: i32 = 352;
const HALF: (i32, i32) = (59, 22);
const HEAD: i32 = 74;

/// A `stateDiagram-v2`.
pub(super) fn mermaid(machine: &Machine) -> String {
    let mut out = String::from("stateDiagram-v2\n");
    let end = |state: &str, from: bool| match (state, from) {
        (NONE, true) => "[*]".to_owned(),
        _ => state.to_owned(),
    };
    for (from, to, arrows) in ways(machine) {
        let label = labels(&arrows).join("; ");
        let (from, to) = (end(from, true), end(to, false));
        line(&mut out, format_args!("    {from} --> {to}: {label}"));
    }
    for state in machine
        .states
        .iter()
        .filter(|state| machine.is_final(state))
    {
        line(&mut out, format_args!("    {state} --> [*]"));
    }
    out
}

/// Arrows with the same ends together.
fn ways(machine: &Machine) -> Vec<(&'static str, &'static str, Vec<Arrow>)> {
    let mut ways: Vec<(&str, &str, Vec<Arrow>)> = Vec::new();
    for arrow in machine.arrows() {
        match ways
            .iter_mut()
            .find(|way| (way.0, way.1) == (arrow.from, arrow.to))
        {
            Some(way) => way.2.push(arrow),
            None => ways.push((arrow.from, arrow.to, vec![arrow])),
        }
    }
    ways
}

fn labels(arrows: &[Arrow]) -> Vec<String> {
    let label = |arrow: &Arrow| {
        let label = format!("{} {}", arrow.transition.number(), arrow.input);
        label.trim_end().to_owned()
    };
    arrows.iter().map(label).collect()
}

/// Column and row of a state: the way to delivery runs down, what ends otherwise stands beside it.
fn place(ledger: Ledger, state: &str) -> (i32, i32) {
    match (state, ledger) {
        ("LOCKED" | "OFFERED" | "OPEN", _) => (SPINE, 1),
        ("REJECTED", _) => (SIDE, 1),
        ("COMMITTED" | "ACCEPTED", _) | ("SETTLED", Ledger::Z) => (SPINE, 2),
        ("REFUNDED" | "VOIDED", _) => (SIDE, 2),
        ("CONFIRMED", _) | ("SETTLED", Ledger::X) => (SPINE, 3),
        ("SETTLED", _) => (SPINE, 4),
        _ => (SPINE, 0),
    }
}

/// A state in the drawing: its middle, and how far it reaches to the side and down.
#[derive(Clone, Copy)]
struct Node {
    x: i32,
    y: i32,
    half: (i32, i32),
}

/// A self-contained picture of the machines, one below the other, light or dark as its reader.
pub(super) fn svg(machines: &[Machine]) -> String {
    let mut body = String::new();
    let mut top = 0;
    for machine in machines {
        top += panel(&mut body, machine, top);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{top}\" viewBox=\"0 0 {WIDTH} {top}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">An order on its three ledgers</title>\n\
         <desc id=\"desc\">State machines on the buyer's ledger X, the seller's ledger Y and the VPP's ledger Z; the tables of contract.md say the same in words.</desc>\n\
         <style>\n{STYLE}</style>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path class=\"tip\" d=\"M0 0 8 4 0 8z\"/></marker></defs>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{top}\"/>\n{body}</svg>\n"
    )
}

const STYLE: &str = "\
text { font-family: system-ui, sans-serif; font-size: 12.5px; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.state { font-weight: 600; text-anchor: middle; }
.stay { font-size: 11.5px; text-anchor: middle; }
.label { paint-order: stroke; stroke: #ffffff; stroke-width: 5px; stroke-linejoin: round; }
.page { fill: #ffffff; }
.box { fill: #f6f8fa; stroke: #59636e; }
.end { fill: #ddf4ff; stroke: #0969da; stroke-width: 2; }
.dot, .tip { fill: #59636e; }
.way { fill: none; stroke: #59636e; stroke-width: 1.4; marker-end: url(#tip); }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.label { stroke: #0d1117; }
.page { fill: #0d1117; }
.box { fill: #151b23; stroke: #9198a1; }
.end { fill: #0c2d4b; stroke: #4493f8; }
.dot, .tip { fill: #9198a1; }
.way { stroke: #9198a1; }
}
";

/// One machine; returns its height.
fn panel(out: &mut String, machine: &Machine, top: i32) -> i32 {
    let title = match machine.ledger {
        Ledger::X => "X, the buyer's ledger",
        Ledger::Y => "Y, the seller's ledger",
        Ledger::Z | Ledger::XorY | Ledger::Any => "Z, the VPP's ledger",
    };
    text(out, "title", (14, top + 28), title);
    let node = |state: &str| {
        let (x, row) = place(machine.ledger, state);
        let half = if state == NONE { (8, 8) } else { HALF };
        let y = top + HEAD + row * ROW;
        Node { x, y, half }
    };
    let ways = ways(machine);
    for (from, to, arrows) in ways.iter().filter(|way| way.0 != way.1) {
        way(out, node(from), node(to), &labels(arrows));
    }
    for &state in &machine.states {
        let stays = ways.iter().find(|way| way.0 == state && way.1 == state);
        let stays = stays.map_or(String::new(), |(_, _, arrows)| {
            let numbers: Vec<&str> = arrows.iter().map(|a| a.transition.number()).collect();
            format!("stays: {}", numbers.join(", "))
        });
        draw(out, node(state), state, (machine.is_final(state), &stays));
    }
    let lowest = machine.states.iter().map(|state| node(state).y).max();
    lowest.unwrap_or(top) - top + HALF.1 + 34
}

fn draw(out: &mut String, node: Node, state: &str, (is_final, stays): (bool, &str)) {
    let Node { x, y, half } = node;
    if state == NONE {
        line(
            out,
            format_args!("<circle class=\"dot\" cx=\"{x}\" cy=\"{y}\" r=\"7\"/>"),
        );
        return;
    }
    let kind = if is_final { "end" } else { "box" };
    let (left, upper, width, height) = (x - half.0, y - half.1, 2 * half.0, 2 * half.1);
    line(
        out,
        format_args!(
            "<rect class=\"{kind}\" x=\"{left}\" y=\"{upper}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>"
        ),
    );
    if stays.is_empty() {
        text(out, "state", (x, y + 5), state);
    } else {
        text(out, "state", (x, y - 2), state);
        text(out, "stay", (x, y + 14), stays);
    }
}

/// One way with its labels: across, around the corner, straight down, or past what lies between.
fn way(out: &mut String, from: Node, to: Node, labels: &[String]) {
    let above = 15 * (labels.len() as i32 - 1);
    let (x, y) = (from.x + from.half.0, from.y);
    let (path, label) = if from.x != to.x && from.y == to.y {
        let path = format!("M{x} {y} H{}", to.x - to.half.0);
        (path, (x + 6, y - 7 - above))
    } else if from.x != to.x {
        let path = format!("M{x} {y} H{} V{}", to.x, to.y - to.half.1);
        (path, (SPINE + HALF.0 + 6, y - 7 - above))
    } else if to.y - from.y == ROW {
        let (a, b) = (from.y + from.half.1, to.y - to.half.1);
        let path = format!("M{} {a} V{b}", from.x);
        (path, (from.x + 8, (a + b - above) / 2 + 3))
    } else {
        let (a, b) = (from.x - from.half.0, to.x - to.half.0);
        let (leaves, bulge) = match from.half == HALF {
            true => (from.y + 9, SPINE - HALF.0 - 30),
            false => (from.y, SPINE - HALF.0 - 54),
        };
        let arrives = to.y - 9;
        let path = format!("M{a} {leaves} C{bulge} {leaves} {bulge} {arrives} {b} {arrives}");
        (path, (12, leaves.midpoint(arrives) + 14))
    };
    line(out, format_args!("<path class=\"way\" d=\"{path}\"/>"));
    for (down, content) in (0..).zip(labels) {
        text(out, "label", (label.0, label.1 + 15 * down), content);
    }
}

fn text(out: &mut String, class: &str, (x, y): (i32, i32), content: &str) {
    let content = content
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    line(
        out,
        format_args!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{content}</text>"),
    );
}

fn line(out: &mut String, content: fmt::Arguments<'_>) {
    writeln!(out, "{content}").expect("a string takes all");
}
