//! Colours and line styles, as CSS that both the page and the stand-alone drawings use.
//!
//! The hues follow Okabe and Ito's palette, told apart by people with any kind of colour vision,
//! darkened where they would be faint on white. No chart relies on hue alone: lines differ by
//! dash, areas by pattern, and what matters carries its name.

/// Number of hues before they repeat.
pub const HUES: usize = 8;

/// Number of steps of a heat map's colours.
pub const HEAT_LEVELS: usize = 8;

/// Patterns that the style refers to; once per page, and in every stand-alone drawing.
pub const PATTERNS: &str = concat!(
    "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">",
    "<rect class=\"hatch-ground\" width=\"6\" height=\"6\"/><path class=\"hatch-line\" d=\"M0 3H6\"/></pattern>",
    "<pattern id=\"stripe\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(-45)\">",
    "<path class=\"stripe-line\" d=\"M0 2.5H5\"/></pattern></defs>"
);

/// A colour by role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// One of the [`HUES`], repeating.
    Hue(usize),
    /// The colour of text.
    #[default]
    Text,
    /// Quieter than text.
    Muted,
}

impl Ink {
    /// Blue: what the market found.
    pub const BLUE: Ink = Ink::Hue(0);
    /// Vermilion: what the grid charges.
    pub const RED: Ink = Ink::Hue(1);
    /// Bluish green: what the grid pays.
    pub const GREEN: Ink = Ink::Hue(2);
    /// Purple: what buyers pay.
    pub const PURPLE: Ink = Ink::Hue(3);
    /// Amber: sun.
    pub const AMBER: Ink = Ink::Hue(4);
    /// Sky blue: wind.
    pub const SKY: Ink = Ink::Hue(5);
    /// Brown: dispatchable units.
    pub const BROWN: Ink = Ink::Hue(6);
    /// Grey: penalties and the rest.
    pub const GREY: Ink = Ink::Hue(7);

    /// The class that sets the colour.
    pub fn class(self) -> &'static str {
        const CLASSES: [&str; HUES] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];
        match self {
            Ink::Hue(index) => CLASSES[index % HUES],
            Ink::Text => "ct",
            Ink::Muted => "cm",
        }
    }
}

/// How a line is broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dash {
    /// Not at all.
    #[default]
    Solid,
    /// Long dashes.
    Long,
    /// Dots.
    Short,
    /// Dash and dot.
    DashDot,
}

impl Dash {
    /// The class that breaks the line.
    pub fn class(self) -> &'static str {
        match self {
            Dash::Solid => "",
            Dash::Long => " d1",
            Dash::Short => " d2",
            Dash::DashDot => " d3",
        }
    }
}

/// The custom properties of both colour schemes.
pub fn colours_css() -> String {
    format!(
        ":root{{color-scheme:light dark;{LIGHT}}}@media screen and (prefers-color-scheme:dark){{:root{{{DARK}}}}}"
    )
}

/// The classes that drawings use.
pub fn plot_css() -> String {
    let mut css = String::from(PLOT);
    for index in 0..HUES {
        css.push_str(&format!(".c{index}{{--c:var(--k{index})}}"));
    }
    for index in 0..HEAT_LEVELS {
        css.push_str(&format!(
            ".h{index}{{fill:var(--h{index})}}.r{index}{{stroke:var(--h{index})}}.t{index}{{fill:var(--t{index})!important}}"
        ));
    }
    css
}

const LIGHT: &str = concat!(
    "--ground:#f6f7f8;--paper:#fff;--text:#17202a;--muted:#55606c;--line:#d9dee3;--grid:#e8ebee;--axis:#9aa4ae;",
    "--accent:#0b5d94;--good:#0a6b4d;--alarm:#a63d00;--alarm-ground:#fdf1e9;--note-ground:#eef4f9;",
    "--k0:#0072b2;--k1:#d55e00;--k2:#009e73;--k3:#b1548a;--k4:#e0a100;--k5:#56b4e9;--k6:#7a5c3e;--k7:#77808a;",
    "--h0:#f2f7d0;--h1:#d3ecb8;--h2:#9fd8ba;--h3:#64c2c0;--h4:#3aa3c4;--h5:#267cb8;--h6:#2454a0;--h7:#152c74;",
    "--t0:#17202a;--t1:#17202a;--t2:#17202a;--t3:#17202a;--t4:#0b1218;--t5:#fff;--t6:#fff;--t7:#fff;"
);

const DARK: &str = concat!(
    "--ground:#10151a;--paper:#171d24;--text:#e6eaee;--muted:#a3adb8;--line:#303943;--grid:#262e37;--axis:#66717d;",
    "--accent:#7cc0f0;--good:#5fd0a6;--alarm:#ffa066;--alarm-ground:#2c2018;--note-ground:#1a2530;",
    "--k0:#4aa3df;--k1:#f0803c;--k2:#2fbf95;--k3:#d98bb8;--k4:#f0bf45;--k5:#8fd0f5;--k6:#b8946f;--k7:#98a3ae;",
    "--h0:#1c2c5e;--h1:#23468a;--h2:#2a66a8;--h3:#3088b8;--h4:#45aabb;--h5:#74c7b4;--h6:#aedeae;--h7:#e9f3bf;",
    "--t0:#fff;--t1:#fff;--t2:#fff;--t3:#0b1218;--t4:#0b1218;--t5:#0b1218;--t6:#0b1218;--t7:#0b1218;"
);

const PLOT: &str = concat!(
    "svg.plot{display:block;width:100%;height:auto;overflow:visible;font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-size:12px;font-variant-numeric:tabular-nums}",
    ".plot text{fill:var(--muted)}.plot .strong{fill:var(--text);font-weight:600}.plot .small{font-size:10.5px}",
    ".plot .halo{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}",
    ".paper{fill:var(--paper)}.ct{--c:var(--text)}.cm{--c:var(--axis)}",
    ".grid{fill:none;stroke:var(--grid)}.axis{fill:none;stroke:var(--axis)}",
    ".ln{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}.thin{stroke-width:1.25}.bold{stroke-width:2.75}",
    ".d1{stroke-dasharray:7 4}.d2{stroke-dasharray:2 3}.d3{stroke-dasharray:9 3 2 3}",
    ".ar{fill:var(--c)}.mid{fill:var(--c);fill-opacity:.75}.soft{fill:var(--c);fill-opacity:.2}",
    ".edge{fill:var(--c);fill-opacity:.14;stroke:var(--c);stroke-width:1}.flow{fill:var(--c);fill-opacity:.42}",
    ".flow:hover{fill-opacity:.7}.ring{fill:var(--paper);stroke:var(--c);stroke-width:2}",
    ".hatch{fill:url(#hatch)}.hatch-ground{fill:var(--grid)}.hatch-line{stroke:var(--axis);stroke-width:1}",
    ".stripe{fill:url(#stripe)}.stripe-line{stroke:var(--paper);stroke-width:1.6}.clear{fill:transparent}.blank{stroke:var(--line)}.void{fill:var(--line)}.mark{fill:var(--text);stroke:var(--paper);stroke-width:1.5}.row{fill:none;stroke-width:1;shape-rendering:crispEdges}"
);
