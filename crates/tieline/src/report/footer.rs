//! Where the data come from, how to check the numbers, what they mean.

use super::html::escape;
use super::view::View;

/// The footer, with the wall-clock line at its very end.
pub(super) fn footer(view: &View<'_>, wall_clock_line: Option<&str>) -> String {
    let data = view.data;
    let mut html = String::from("<footer>\n<div class=\"columns\">\n");
    html.push_str("<section aria-labelledby=\"define-h\"><h2 id=\"define-h\">How the numbers are defined</h2>\n<dl>");
    for (name, text) in DEFINITIONS {
        html.push_str(&format!("<dt>{name}</dt><dd>{text}</dd>"));
    }
    html.push_str("</dl></section>\n<section aria-labelledby=\"verify-h\"><h2 id=\"verify-h\">How to verify</h2>\n");
    let file = data
        .rounds
        .iter()
        .map(|round| round.certificate.as_str())
        .find(|file| !file.is_empty());
    html.push_str(&format!(
        "<p>Every cleared round has a certificate. Recompute one:</p>\n<pre tabindex=\"0\"><code>tieline market verify {}</code></pre>\n",
        escape(file.unwrap_or("rounds/CERTIFICATE.json"))
    ));
    html.push_str(&format!(
        "<p>The same scenario with seed {} gives the same files, byte by byte; on this page only the last line may differ.</p>\n",
        data.seed
    ));
    if !data.notices.is_empty() {
        html.push_str("<h2>Data</h2>\n<ul>");
        for notice in &data.notices {
            html.push_str(&format!("<li>{}</li>", escape(notice)));
        }
        html.push_str("</ul>\n");
    }
    html.push_str("</section>\n</div>\n");
    if let Some(line) = wall_clock_line {
        html.push_str(&format!(
            "<p class=\"clock\" data-wall-clock>{}</p>\n",
            escape(line)
        ));
    }
    html.push_str("</footer>\n");
    html
}

const DEFINITIONS: [(&str, &str); 6] = [
    (
        "Clearing price",
        "the price at which accepted offers meet the demand of a round.",
    ),
    (
        "Tariff",
        "what buyers pay: the clearing price with the aggregator’s share on top, never more than the grid charges.",
    ),
    (
        "Gain",
        "a member’s balance less the balance it would have had with the grid alone, net of the cost of what it generated more for others.",
    ),
    (
        "Renewables used by members",
        "the share of sun and wind that members consumed themselves or took from each other; the rest went to the grid.",
    ),
    (
        "Exploitability",
        "the most that one member could still earn per hour by changing its offer alone: zero at an equilibrium.",
    ),
    (
        "Sum of all accounts",
        "members, aggregator and grid added up: zero when no money appears or vanishes.",
    ),
];
