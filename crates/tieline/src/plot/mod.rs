//! A small chart toolkit: hand-made SVG, themed by CSS custom properties, readable without colour.
//!
//! | type | draws |
//! |---|---|
//! | [`Chart`] | lines, steps, areas, bands, bars and points over two axes, with a legend |
//! | [`BarRows`] | horizontal stacked bars, one row per name, also negative, with marks |
//! | [`Heat`] | cells coloured by value, one row per day or hour |
//! | [`Sankey`] | flows from the left to the right |
//! | [`Svg`] | everything else: shapes and text |
//!
//! Every drawing ends in an [`Svg`]: [`Svg::inline`] for a page that carries [`theme::plot_css`] and
//! [`theme::PATTERNS`], [`Svg::standalone`] for a file of its own. All text is escaped, no
//! coordinate is ever NaN or infinite, and the same input gives the same bytes.

mod bars;
mod chart;
mod heat;
mod legend;
pub mod number;
mod sankey;
mod scale;
mod svg;
pub mod theme;

pub use bars::{BarKey, BarMark, BarRow, BarRows};
pub use chart::{Axis, Chart, Frame, Kind, Series, stack};
pub use heat::{Cell, Heat, HeatRow, HeatTick};
pub use legend::{Entry, Legend, Swatch};
pub use sankey::{Sankey, SankeyLink, SankeyNode};
pub use scale::{Scale, Tick};
pub use svg::{Anchor, PathData, Rect, Svg, escape, text_width, truncated};
pub use theme::{Dash, Ink};
