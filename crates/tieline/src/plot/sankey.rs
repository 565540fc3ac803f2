//! Flows from sources at the left to sinks at the right.

use super::number::fixed;
use super::svg::{Anchor, PathData, Rect, Svg, truncated};
use super::theme::Ink;

/// A flow diagram of two columns.
#[derive(Clone, Debug, Default)]
pub struct Sankey {
    /// Name, for readers who cannot see it.
    pub title: String,
    /// What it shows, in one or two sentences.
    pub desc: String,
    /// Width, pixels.
    pub width: f64,
    /// Height, pixels; more when the nodes need more.
    pub height: f64,
    /// Unit of the values.
    pub unit: String,
    /// Texts above the left and the right column.
    pub heads: (String, String),
    /// Everything that may stand at either side, in the order from top to bottom.
    pub nodes: Vec<SankeyNode>,
    /// Flows between them.
    pub links: Vec<SankeyLink>,
}

/// A source or sink.
#[derive(Clone, Debug)]
pub struct SankeyNode {
    /// Name.
    pub label: String,
    /// Colour of the node and of what leaves it.
    pub ink: Ink,
}

/// A flow.
#[derive(Clone, Debug)]
pub struct SankeyLink {
    /// Index of the source.
    pub from: usize,
    /// Index of the sink.
    pub to: usize,
    /// How much; flows that are not above zero are left out.
    pub value: f64,
    /// Shown when pointed at.
    pub title: String,
}

/// A node in its column: where its bar is and how much of it is taken by links already drawn.
#[derive(Clone, Copy)]
struct Placed {
    top: f64,
    height: f64,
    used: f64,
    sum: f64,
}

const NODE: f64 = 12.0;
const SLOT_MIN: f64 = 34.0;
const GAP: f64 = 12.0;
const HEAD: f64 = 24.0;
const FOOT: f64 = 6.0;

/// Flow is never thinner than this in total, pixels, however many nodes share the height.
const FLOW_MIN: f64 = 120.0;

impl Sankey {
    /// Draws it.
    pub fn draw(&self) -> Svg {
        let mut svg = Svg::new((self.width, 0.0), &self.title, &self.desc);
        let sums = [self.sums(|link| link.from), self.sums(|link| link.to)];
        let scale = self.scale(&sums);
        let heights = sums.each_ref().map(|sums| column_height(sums, scale));
        let tallest = heights[0].max(heights[1]);
        let [mut left, mut right] =
            [0, 1].map(|side| column(&sums[side], scale, HEAD + (tallest - heights[side]) / 2.0));
        let side = if self.width < 480.0 { 92.0 } else { 124.0 };
        let (x0, x1) = (side, self.width - side);
        svg.text((x0 + NODE, 12.0), Anchor::End, "", &self.heads.0);
        svg.text((x1 - NODE, 12.0), Anchor::Start, "", &self.heads.1);
        let mut links: Vec<&SankeyLink> = self.drawn().collect();
        links.sort_by_key(|link| (link.from, link.to));
        let mut ribbons = Vec::with_capacity(links.len());
        for link in &links {
            ribbons.push((*link, take(&mut left[link.from], link.value * scale)));
        }
        ribbons.sort_by_key(|(link, _)| (link.to, link.from));
        for (link, from) in ribbons {
            let to = take(&mut right[link.to], link.value * scale);
            let thick = (link.value * scale).max(0.8);
            let path = ribbon((x0 + NODE, from), (x1 - NODE, to), thick);
            svg.path(
                &path,
                &format!("flow {}", self.nodes[link.from].ink.class()),
                &link.title,
            );
        }
        self.nodes_of(&mut svg, &left, (x0, Anchor::End));
        self.nodes_of(&mut svg, &right, (x1 - NODE, Anchor::Start));
        svg.set_height(HEAD + tallest + FOOT);
        svg
    }

    fn drawn(&self) -> impl Iterator<Item = &SankeyLink> {
        let count = self.nodes.len();
        self.links.iter().filter(move |link| {
            link.value.is_finite() && link.value > 0.0 && link.from < count && link.to < count
        })
    }

    /// What leaves or reaches each node.
    fn sums(&self, end: impl Fn(&SankeyLink) -> usize) -> Vec<f64> {
        let mut sums = vec![0.0; self.nodes.len()];
        for link in self.drawn() {
            sums[end(link)] += link.value;
        }
        sums
    }

    /// Pixels per unit with which the taller column fills the height.
    fn scale(&self, sums: &[Vec<f64>; 2]) -> f64 {
        let total: f64 = sums[0].iter().sum();
        if total <= 0.0 {
            return 0.0;
        }
        let room = self.height - HEAD - FOOT;
        let (mut fits, mut too_much) = (0.0, room.max(0.0) / total);
        for _ in 0..40 {
            let middle = (fits + too_much) / 2.0;
            if sums.iter().all(|sums| column_height(sums, middle) <= room) {
                fits = middle;
            } else {
                too_much = middle;
            }
        }
        fits.max(FLOW_MIN / total)
    }

    fn nodes_of(&self, svg: &mut Svg, column: &[Option<Placed>], side: (f64, Anchor)) {
        let (x, anchor) = side;
        let text_x = if anchor == Anchor::End {
            x - 8.0
        } else {
            x + NODE + 8.0
        };
        for (node, placed) in self.nodes.iter().zip(column) {
            let Some(placed) = placed else { continue };
            let rect = Rect {
                x,
                y: placed.top,
                width: NODE,
                height: placed.height.max(1.5),
            };
            let amount = format!("{} {}", fixed(placed.sum, 1), self.unit);
            svg.rect(
                rect,
                &format!("ar {}", node.ink.class()),
                &format!("{}: {amount}", node.label),
            );
            let middle = placed.top + placed.height / 2.0;
            svg.text(
                (text_x, middle - 3.0),
                anchor,
                "strong",
                &truncated(&node.label, 12),
            );
            svg.text((text_x, middle + 12.0), anchor, "", &amount);
        }
    }
}

/// Height of the nodes of one side below each other; each has room for two lines of text.
fn column_height(sums: &[f64], scale: f64) -> f64 {
    let slots = sums.iter().filter(|sum| **sum > 0.0);
    slots
        .map(|sum| (sum * scale).max(SLOT_MIN) + GAP)
        .sum::<f64>()
        - GAP
}

/// Places the nodes of one side below each other, from `top` on.
fn column(sums: &[f64], scale: f64, top: f64) -> Vec<Option<Placed>> {
    let mut y = top;
    let place = |&sum: &f64| {
        let height = sum * scale;
        let slot = height.max(SLOT_MIN);
        let placed = Placed {
            top: y + (slot - height) / 2.0,
            height,
            used: 0.0,
            sum,
        };
        (sum > 0.0).then(|| {
            y += slot + GAP;
            placed
        })
    };
    sums.iter().map(place).collect()
}

/// Takes a piece of a node for a link and returns its upper end.
fn take(node: &mut Option<Placed>, height: f64) -> f64 {
    let Some(node) = node else { return 0.0 };
    let from = node.top + node.used;
    node.used += height;
    from
}

fn ribbon(from: (f64, f64), to: (f64, f64), thick: f64) -> PathData {
    let mut path = PathData::new();
    path.move_to(from.0, from.1);
    path.ease(from, to);
    path.up_to(to.1 + thick);
    path.ease((to.0, to.1 + thick), (from.0, from.1 + thick));
    path.close();
    path
}
